/**
 * Orders calls: several at once, or one exclusively, first come first served.
 *
 * @module
 */

import { abortable } from "../connection/waiting.ts";
import { checkSignal } from "../protocol/check_names.ts";

/** Options of a wait for a turn. */
interface TurnOptions<Note> {
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
  /** Passed to the call before it, by {@linkcode SessionLock.upcoming}. */
  readonly note?: Note | undefined;
}

/** Returns a further wait of a call whose turn has come, or `undefined`. */
export type Gate = (
  signal: AbortSignal | undefined,
) => Promise<void> | undefined;

interface Waiting<Note> {
  readonly isAlone: boolean;
  readonly note: Note | undefined;
  readonly start: () => void;
}

/**
 * Orders the calls on one connection. Single commands run together, so that
 * they are pipelined. Dialogues of several commands (`USER`, then `PASS`) run
 * exclusively, so that no other command comes between.
 */
export class SessionLock<Note = never> {
  readonly #queue: Waiting<Note>[] = [];
  readonly #gate: Gate | undefined;
  #running = 0;
  #isAlone = false;

  /**
   * Creates an empty queue.
   *
   * @param gate A further wait of each call, when its turn has come
   */
  constructor(gate?: Gate) {
    this.#gate = gate;
  }

  /** The note of the call that starts next. */
  get upcoming(): Note | undefined {
    return this.#queue[0]?.note;
  }

  /**
   * Runs a call together with others. It starts at once unless an exclusive
   * call runs or waits.
   */
  shared<T>(run: () => Promise<T>, options?: TurnOptions<Note>): Promise<T> {
    return this.#take(false, run, options);
  }

  /** Runs a call after all earlier ones, and before all later ones. */
  exclusive<T>(run: () => Promise<T>, options?: TurnOptions<Note>): Promise<T> {
    return this.#take(true, run, options);
  }

  async #take<T>(
    isAlone: boolean,
    run: () => Promise<T>,
    { signal, note }: TurnOptions<Note> = {},
  ): Promise<T> {
    checkSignal(signal);
    if (!this.#mayStart(isAlone)) {
      await this.#queueUp(isAlone, signal, note);
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
    note: Note | undefined,
  ): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = { isAlone, note, start: resolve };
    this.#queue.push(waiting);
    try {
      await abortable(promise, signal);
    } catch (error) {
      const index = this.#queue.indexOf(waiting);
      if (index < 0) {
        this.#end(); // its turn came at the same moment
      } else {
        this.#queue.splice(index, 1);
        this.#startWaiting(); // others may have waited for this one only
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
