/**
 * What an operation asks first, asked by the operation before it.
 *
 * @module
 */

import { abortable } from "../connection/waiting.ts";
import { openForNext } from "../transfer/data_channel.ts";
import type { PortAhead } from "../transfer/port_ahead.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import type { Turn } from "../transfer/turn.ts";
import type { Upcoming } from "./session_provider.ts";

/**
 * Answers to the first questions of an operation. They hold as long as the port
 * that was requested after them: a command that may change a file or the
 * directory ends both.
 */
export class AskedAhead<T> {
  readonly #ask: (turn: Turn) => Promise<T>;
  #port: PortAhead | undefined;
  #answer: Promise<T> | undefined;

  /**
   * Asks nothing yet.
   *
   * @param ask Sends the questions at once
   */
  constructor(ask: (turn: Turn) => Promise<T>) {
    this.#ask = ask;
  }

  /** Asks, and requests a port. */
  readonly ask: Upcoming = (turn) => {
    this.#answer = this.#ask(turn);
    this.#answer.catch(() => {}); // asked again
    this.#port = openForNext(turn);
  };

  /**
   * Returns the answer, once; `undefined` if nothing was asked, or if it may not
   * hold any more.
   */
  async take(
    session: Session,
    { signal }: SignalOptions,
  ): Promise<T | undefined> {
    const answer = this.#answer;
    const port = this.#port;
    this.#answer = this.#port = undefined;
    const isCurrent = port !== undefined && session.ahead === port;
    if (answer === undefined || !isCurrent) return undefined;
    try {
      return await abortable(answer, signal);
    } catch {
      signal?.throwIfAborted();
      return undefined;
    }
  }
}
