/**
 * Callbacks of the user that are not awaited.
 *
 * @module
 */

import { isThenable } from "./callback.ts";

/**
 * Calls callbacks, and keeps their errors. An async callback may fail later;
 * the operation then ends at its next step.
 */
export class Listener {
  readonly #errorOf: (fault: unknown) => unknown;
  #failure: { readonly error: unknown } | undefined;

  /** Creates a listener. */
  constructor(errorOf: (fault: unknown) => unknown = (fault) => fault) {
    this.#errorOf = errorOf;
  }

  /**
   * Calls a callback. Returns its promise, which the caller may ignore.
   *
   * @throws {unknown} If the callback throws, or an earlier one has failed
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

  /** Wraps a callback, so that it is called as by {@linkcode call}. */
  heard<Args extends unknown[]>(
    callback: ((...args: Args) => unknown) | undefined,
  ): ((...args: Args) => Promise<unknown> | undefined) | undefined {
    return callback && ((...args) => this.call(() => callback(...args)));
  }

  /**
   * Reports the failure of a callback.
   *
   * @throws {unknown} If a callback has failed
   */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /**
   * Like {@linkcode check}, after the last call: waits long enough for an async
   * callback that failed at once, but not for one that is still running.
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
