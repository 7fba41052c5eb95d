/**
 * Supplies TLS 1.3 tickets for data connections, if the server sends too few.
 *
 * @module
 */

import type { Command } from "../protocol/command.ts";
import { FTPError } from "../protocol/errors.ts";
import type { TLSSession } from "../tls/session.ts";
import { openTransfer } from "../transfer/open_transfer.ts";
import type { SignalOptions } from "../transfer/session.ts";
import type { ExclusiveTurn } from "../transfer/turn.ts";

/**
 * A command that opens a data connection and changes nothing. ProFTPD opens it
 * before it checks the path and the user's permissions.
 */
const TICKET_COMMAND: Command = { verb: "LIST" };

/**
 * Ensures that each data connection can resume the TLS session of the control
 * connection.
 *
 * With TLS 1.3, each data connection needs a ticket of its own. ProFTPD sends
 * two with the control connection, none with an upload (1.3.8) or without a
 * data connection (1.3.10), and refuses a data connection without a ticket
 * (425). A connection without a ticket makes a full handshake, after which
 * ProFTPD sends two tickets of the control connection's session before it
 * refuses. So before an upload without a ticket, a listing is requested that
 * will be refused.
 */
export class TicketSupply {
  readonly #tls: TLSSession;
  /** Whether tickets are needed; `undefined` before it is known. */
  #isOpen: boolean | undefined;
  #isFetching = false;

  /** Creates a supply. */
  constructor(tls: TLSSession) {
    this.#tls = tls;
  }

  /**
   * Obtains tickets if there is none for the next data connection.
   *
   * @throws {Error} If the control connection fails, or the signal's reason
   */
  async supply(turn: ExclusiveTurn, options: SignalOptions): Promise<void> {
    if (this.#isOpen === false || this.#isFetching) return;
    // a command announced by a 350 (REST) must follow at once
    if (turn.session.control.lastReply?.code === 350) return;
    if (await this.#tls.canResume()) {
      this.#isOpen = true;
      return;
    }
    // a server that sent none with the control connection needs none
    this.#isOpen ??= false;
    if (!this.#isOpen) return;
    this.#isFetching = true;
    try {
      this.#isOpen = await this.#fetch(turn, options);
    } finally {
      this.#isFetching = false;
    }
  }

  /** Obtains tickets. Returns whether the server sends usable ones. */
  async #fetch(
    turn: ExclusiveTurn,
    options: SignalOptions,
  ): Promise<boolean> {
    try {
      const listing = await openTransfer(turn, TICKET_COMMAND, options);
      await listing.complete((data) => data.readToEnd(() => {}), {
        ...options,
        isWhole: true, // its content does not matter
      });
      return false; // accepted without a ticket
    } catch (error) {
      const isOver = turn.session.control.failure !== undefined ||
        options.signal?.aborted;
      if (isOver || !(error instanceof FTPError)) throw error;
    }
    return await this.#tls.canResume();
  }
}
