/**
 * The right to send commands, as a value. Functions that send commands take
 * one, so that the compiler checks who holds the session's lock.
 *
 * @module
 */

import type { Command } from "../protocol/command.ts";
import { FTPPermanentError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import type { ServerProfile } from "./server_profile.ts";
import type { Session, SignalOptions } from "./session.ts";

/** Sends a command and returns its first reply. Implemented by the session. */
export type SendCommand = (
  command: Command,
  options: SignalOptions | undefined,
) => Promise<Reply>;

/** Functions of a session that send commands. */
export interface CommandSender {
  /** Accepts any reply below 400. */
  readonly exchange: SendCommand;
  /** Accepts a reply of 2yz. */
  readonly perform: SendCommand;
}

/**
 * The right to send single commands together with others, from
 * {@linkcode Session.shared}. They are pipelined.
 */
export class Turn {
  /** The session. */
  readonly session: Session;
  readonly #sender: CommandSender;

  /** Created by the session only: nothing else can send commands. */
  constructor(session: Session, sender: CommandSender) {
    this.session = session;
    this.#sender = sender;
  }

  /**
   * Sends a command, and waits for its first reply.
   *
   * @throws {FTPTemporaryError} For 4yz
   * @throws {FTPPermanentError} For 5yz
   */
  exchange(command: Command, options?: SignalOptions): Promise<Reply> {
    return this.#sender.exchange(command, options);
  }

  /**
   * Sends a command that must be answered with 2yz.
   *
   * @throws {FTPReplyError} For 1yz and 3yz
   */
  perform(command: Command, options?: SignalOptions): Promise<Reply> {
    return this.#sender.perform(command, options);
  }

  /**
   * Sets the representation type, if the server has another (RFC 959 section
   * 3.1.1).
   */
  async ensureType(type: "A" | "I", options?: SignalOptions): Promise<void> {
    const { state, profile } = this.session;
    if (state.type === type) return;
    const argument = type === "I" ? binaryOf(profile) : type;
    try {
      await this.perform({ verb: "TYPE", argument }, options);
    } catch (error) {
      const isRefused = argument === BYTES &&
        error instanceof FTPPermanentError;
      if (!isRefused) throw error;
      // the connection may have ended at "TYPE I" for another reason
      profile.noteRefusal(`TYPE ${BYTES}`, `TYPE ${type}`);
      await this.perform({ verb: "TYPE", argument: type }, options);
    }
  }
}

/** Bytes of eight bits, which are the same as an image (RFC 959). */
const BYTES = "L 8";

/**
 * Returns a binary type that the server has not refused, and at which it has not
 * hung up.
 *
 * @throws {Deno.errors.NotSupported} If there is none
 */
function binaryOf(profile: ServerProfile): string {
  const type = ["I", BYTES].find((type) => !profile.hungUpAt(`TYPE ${type}`));
  if (type !== undefined) return type;
  throw new Deno.errors.NotSupported(
    `Cannot set a binary type: the server closed the connection at "TYPE I", and did not accept "TYPE ${BYTES}"; they are not sent again, and without them it may convert the bytes; list(), nlst() and retrlines() need no type, and ntransfercmd() transfers without one`,
  );
}

/**
 * The right to send several commands without others in between, from
 * {@linkcode Session.exclusive}.
 */
export class ExclusiveTurn extends Turn {
  /** Distinguishes the types: a shared turn is not an exclusive one. */
  readonly isExclusive = true;
}
