/**
 * Who may talk to the server: many at once, or one alone, first come first
 * served.
 *
 * @module
 */

interface Waiting {
  readonly isAlone: boolean;
  readonly start: () => void;
}

/**
 * Orders the calls on one connection. Single commands share a turn, so that
 * they are pipelined; dialogues of several commands (`USER` then `PASS`) take
 * one alone, so that nothing comes between.
 */
export class Turns {
  readonly #queue: Waiting[] = [];
  #running = 0;
  #isAlone = false;

  /**
   * Runs a call beside others.
   *
   * @param run Starts at once if nobody is alone or waiting to be
   * @returns What `run` gives
   */
  share<T>(run: () => Promise<T>): Promise<T> {
    return this.#take(false, run);
  }

  /**
   * Runs a call when all before it are done, and lets none start until it is.
   *
   * @param run The dialogue
   * @returns What `run` gives
   */
  alone<T>(run: () => Promise<T>): Promise<T> {
    return this.#take(true, run);
  }

  async #take<T>(isAlone: boolean, run: () => Promise<T>): Promise<T> {
    if (!this.#mayStart(isAlone)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#queue.push({ isAlone, start: resolve });
      await promise;
    } else {
      this.#started(isAlone);
    }
    try {
      return await run();
    } finally {
      this.#running--;
      this.#isAlone = false;
      this.#startWaiting();
    }
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
