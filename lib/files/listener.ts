/**
 * Callbacks of the caller that nobody waits for.
 *
 * @module
 */

import { isThenable } from "../transfer/callback.ts";
import { LocalFault } from "./faults.ts";

/**
 * Calls back, and keeps what went wrong there: an async callback may fail after
 * its call, and ends the job at its next step then.
 */
export class Listener {
  #fault: LocalFault | undefined;

  /**
   * Calls back.
   *
   * @param run Calls the caller's function
   * @returns The promise that it gave, if it did: nobody has to look at it
   * @throws {LocalFault} If it throws, or an earlier call has failed meanwhile
   */
  call(run: () => unknown): Promise<unknown> | undefined {
    this.check();
    let result: unknown;
    try {
      result = run();
    } catch (error) {
      throw this.#failed(error);
    }
    if (!isThenable(result)) return undefined;
    const told = Promise.resolve(result).catch((error) => {
      throw this.#failed(error);
    });
    told.catch(() => {});
    return told;
  }

  /**
   * Looks whether all is well.
   *
   * @throws {LocalFault} If a callback has failed
   */
  check(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }

  /**
   * As {@linkcode check}, after the last call: an async callback that has thrown
   * at once is heard. One that still runs is not waited for.
   */
  async settle(): Promise<void> {
    await undefined;
    this.check();
  }

  #failed(error: unknown): LocalFault {
    return this.#fault ??= new LocalFault(error);
  }
}
