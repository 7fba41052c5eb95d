/**
 * Callbacks of the caller that nobody waits for.
 *
 * @module
 */

import { isThenable } from "./callback.ts";

/**
 * Calls back, and keeps what went wrong there: an async callback may fail after
 * its call, and ends the job at its next step then.
 */
export class Listener {
  readonly #errorOf: (fault: unknown) => unknown;
  #failure: { readonly error: unknown } | undefined;

  /**
   * Makes a listener.
   *
   * @param errorOf What the job ends with, made of what a callback threw
   */
  constructor(errorOf: (fault: unknown) => unknown = (fault) => fault) {
    this.#errorOf = errorOf;
  }

  /**
   * Calls back.
   *
   * @param run Calls the caller's function
   * @returns The promise that it gave, if it did: nobody has to look at it
   * @throws {unknown} If it throws, or an earlier call has failed meanwhile
   */
  call(run: () => unknown): Promise<unknown> | undefined {
    this.check();
    let result: unknown;
    try {
      result = run();
    } catch (fault) {
      throw this.#failed(fault);
    }
    if (!isThenable(result)) return undefined;
    const told = Promise.resolve(result).catch((fault) => {
      throw this.#failed(fault);
    });
    told.catch(() => {});
    return told;
  }

  /**
   * A callback that is called as {@linkcode call} does.
   *
   * @param callback The caller's function, if there is one
   * @returns What to call instead
   */
  heard<Args extends unknown[]>(
    callback: ((...args: Args) => unknown) | undefined,
  ): ((...args: Args) => Promise<unknown> | undefined) | undefined {
    return callback && ((...args) => this.call(() => callback(...args)));
  }

  /**
   * Looks whether all is well.
   *
   * @throws {unknown} If a callback has failed
   */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /**
   * As {@linkcode check}, after the last call: an async callback that has thrown
   * at once is heard. One that still runs is not waited for.
   */
  async settle(): Promise<void> {
    await undefined;
    this.check();
  }

  #failed(fault: unknown): unknown {
    this.#failure ??= { error: this.#errorOf(fault) };
    return this.#failure.error;
  }
}
