/**
 * Tickets of TLS 1.3 for data connections, where the server gives too few.
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
 * What opens a data connection and changes nothing. ProFTPD opens it before it
 * looks at what there is to list, and whether the user may.
 */
const HARMLESS: Command = { verb: "LIST" };

/**
 * Sees to it that each data connection can resume the TLS session of the
 * control connection.
 *
 * With TLS 1.3 each needs a ticket of its own. ProFTPD gives two with the
 * control connection, none with an upload (1.3.8) or with no data connection
 * at all (1.3.10), and refuses one that brings none (425). But one without is
 * a full handshake, and after each of these it gives two tickets of the
 * control connection's session before it refuses: so a listing is asked for
 * that will be refused, before an upload that would be.
 */
export class TicketSupply {
  readonly #tls: TLSSession;
  /** Whether tickets are looked after: no more once they are found needless. */
  #isOpen: boolean | undefined;
  #isFetching = false;

  /**
   * Makes an office.
   *
   * @param tls The TLS session of its control connection
   */
  constructor(tls: TLSSession) {
    this.#tls = tls;
  }

  /**
   * Fetches tickets if there is none for the next data connection.
   *
   * @param turn The right to talk alone
   * @param options A signal
   * @throws {Error} If the control connection fails, or the signal's reason
   */
  async supply(turn: ExclusiveTurn, options: SignalOptions): Promise<void> {
    if (this.#isOpen === false || this.#isFetching) return;
    // what a 350 has announced (REST) must follow at once
    if (turn.session.control.lastReply?.code === 350) return;
    if (await this.#tls.canResume()) {
      this.#isOpen = true;
      return;
    }
    // who gave none with the control connection cannot ask for one
    this.#isOpen ??= false;
    if (!this.#isOpen) return;
    this.#isFetching = true;
    try {
      this.#isOpen = await this.#fetch(turn, options);
    } finally {
      this.#isFetching = false;
    }
  }

  /** Fetches tickets; tells whether they are of any use here. */
  async #fetch(
    turn: ExclusiveTurn,
    options: SignalOptions,
  ): Promise<boolean> {
    try {
      const listing = await openTransfer(turn, HARMLESS, options);
      await listing.complete((data) => data.readToEnd(() => {}), {
        ...options,
        isWhole: true, // whatever it is
      });
      return false; // let in without a ticket
    } catch (error) {
      const isOver = turn.session.control.failure !== undefined ||
        options.signal?.aborted;
      if (isOver || !(error instanceof FTPError)) throw error;
    }
    return await this.#tls.canResume();
  }
}
