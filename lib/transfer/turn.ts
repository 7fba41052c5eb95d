/**
 * The right to talk to the server, as a value: what sends commands takes one,
 * so that the compiler knows who has the session's lock.
 *
 * @module
 */

import type { Command } from "../protocol/command.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Session, SignalOptions } from "./session.ts";

/** Sends a command and gives its first reply; the Session that owns it has it. */
export type Talk = (
  command: Command,
  options: SignalOptions | undefined,
) => Promise<Reply>;

/** How a session answers. */
export interface Talking {
  /** Any reply below 400. */
  readonly exchange: Talk;
  /** A reply of 2yz. */
  readonly perform: Talk;
}

/**
 * The right to talk beside others, from {@linkcode Session.shared}: for single
 * commands, which are pipelined.
 */
export class Turn {
  /** The session that is talked to. */
  readonly session: Session;
  readonly #talking: Talking;

  /**
   * Made by the session alone: nothing else can talk to the server.
   *
   * @param session The session
   * @param talking How it answers
   */
  constructor(session: Session, talking: Talking) {
    this.session = session;
    this.#talking = talking;
  }

  /**
   * Sends a command and waits for its first reply.
   *
   * @param command The command
   * @param options A signal
   * @returns A reply of 1yz, 2yz or 3yz
   * @throws {FTPTemporaryError} For 4yz
   * @throws {FTPPermanentError} For 5yz
   */
  exchange(command: Command, options?: SignalOptions): Promise<Reply> {
    return this.#talking.exchange(command, options);
  }

  /**
   * Sends a command that must be answered with 2yz.
   *
   * @param command The command
   * @param options A signal
   * @returns The reply
   * @throws {FTPReplyError} For 1yz and 3yz
   */
  perform(command: Command, options?: SignalOptions): Promise<Reply> {
    return this.#talking.perform(command, options);
  }

  /**
   * Sets the representation type, if the server has another (RFC 959 section
   * 3.1.1).
   *
   * @param type "A" or "I"
   * @param options A signal
   */
  async ensureType(type: "A" | "I", options?: SignalOptions): Promise<void> {
    if (this.session.type === type) return;
    await this.perform({ verb: "TYPE", argument: type }, options);
  }
}

/**
 * The right to talk alone, from {@linkcode Session.exclusive}: for dialogues of
 * several commands, between which nothing may come.
 */
export class ExclusiveTurn extends Turn {
  /** A shared turn is no exclusive one, also to the compiler. */
  readonly isExclusive = true;
}
