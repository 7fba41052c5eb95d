/**
 * Sends the first queries of an operation during the operation before it.
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
 * Answers to the first queries of an operation. They are valid as long as the
 * port that was requested after them: a command that may change a file or the
 * directory invalidates both.
 */
export class AskedAhead<T> {
  readonly #ask: (turn: Turn) => Promise<T>;
  #port: PortAhead | undefined;
  #answer: Promise<T> | undefined;

  /**
   * Creates an empty answer.
   *
   * @param ask Sends the queries at once
   */
  constructor(ask: (turn: Turn) => Promise<T>) {
    this.#ask = ask;
  }

  /** Sends the queries, and requests a port. */
  readonly ask: Upcoming = (turn) => {
    this.#answer = this.#ask(turn);
    this.#answer.catch(() => {}); // asked again
    this.#port = openForNext(turn);
  };

  /**
   * Returns the answer, once; `undefined` if nothing was asked, or if the
   * answer may be out of date.
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
