/**
 * Who may talk to the server: many at once, or one alone, first come first
 * served.
 *
 * @module
 */

import { abortable } from "../connection/waiting.ts";
import { checkSignal } from "../protocol/check_names.ts";

/** What the wait for a turn may be given. */
interface TurnOptions {
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What a call whose turn has come still has to wait for.
 *
 * @param signal The call's
 * @returns The wait; `undefined` if there is none
 */
export type Gate = (
  signal: AbortSignal | undefined,
) => Promise<void> | undefined;

interface Waiting {
  readonly isAlone: boolean;
  readonly start: () => void;
}

/**
 * Orders the calls on one connection. Single commands share a turn, so that
 * they are pipelined; dialogues of several commands (`USER` then `PASS`) take
 * one alone, so that nothing comes between.
 */
export class SessionLock {
  readonly #queue: Waiting[] = [];
  readonly #gate: Gate | undefined;
  #running = 0;
  #isAlone = false;

  /**
   * Makes an empty queue.
   *
   * @param gate What else each call waits for, when its turn has come
   */
  constructor(gate?: Gate) {
    this.#gate = gate;
  }

  /**
   * Runs a call beside others.
   *
   * @param run Starts at once if nobody is alone or waiting to be
   * @param options A signal; it ends the wait for the turn
   * @returns What `run` gives
   */
  shared<T>(run: () => Promise<T>, options?: TurnOptions): Promise<T> {
    return this.#take(false, run, options?.signal);
  }

  /**
   * Runs a call when all before it are done, and lets none start until it is.
   *
   * @param run The dialogue
   * @param options A signal; it ends the wait for the turn
   * @returns What `run` gives
   */
  exclusive<T>(run: () => Promise<T>, options?: TurnOptions): Promise<T> {
    return this.#take(true, run, options?.signal);
  }

  async #take<T>(
    isAlone: boolean,
    run: () => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    checkSignal(signal);
    if (!this.#mayStart(isAlone)) {
      await this.#queueUp(isAlone, signal);
    } else {
      this.#started(isAlone);
    }
    try {
      const wait = this.#gate?.(signal);
      if (wait !== undefined) await wait;
      return await run();
    } finally {
      this.#end();
    }
  }

  async #queueUp(
    isAlone: boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = { isAlone, start: resolve };
    this.#queue.push(waiting);
    try {
      await abortable(promise, signal);
    } catch (error) {
      const place = this.#queue.indexOf(waiting);
      if (place < 0) {
        this.#end(); // its turn had come at the same moment
      } else {
        this.#queue.splice(place, 1);
        this.#startWaiting(); // others may have waited for this one alone
      }
      throw error;
    }
  }

  #end(): void {
    this.#running--;
    this.#isAlone = false;
    this.#startWaiting();
  }

  #mayStart(isAlone: boolean): boolean {
    return this.#queue.length === 0 && !this.#isAlone &&
      (!isAlone || this.#running === 0);
  }

  #started(isAlone: boolean): void {
    this.#running++;
    this.#isAlone = isAlone;
  }

  #startWaiting(): void {
    while (this.#queue.length > 0) {
      const { isAlone, start } = this.#queue[0]!;
      if (this.#isAlone || (isAlone && this.#running > 0)) return;
      this.#queue.shift();
      this.#started(isAlone);
      start();
    }
  }
}
