/**
 * A source that has shown what it gives before the server empties the file that
 * it is to replace.
 *
 * @module
 */

import { abortable } from "../connection/waiting.ts";
import type { Session, SignalOptions } from "./session.ts";

/** The chunks of a source, the first of which may have been taken. */
export class StartedSource implements AsyncIterable<Uint8Array> {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #first: IteratorResult<Uint8Array> | undefined;

  /**
   * Begins to read.
   *
   * @param chunks The chunks
   */
  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#iterator = chunks[Symbol.asyncIterator]();
  }

  /**
   * Takes the first chunk, or the end of a source that is empty: it has all the
   * time it needs, as later ones have. Where a command would be refused nothing
   * is taken, so that nothing is changed by that.
   *
   * @param session The session
   * @param options A signal
   * @throws What the source throws, the signal's reason, or why the connection
   * has ended
   */
  async start(
    { control, ended }: Session,
    { signal }: SignalOptions,
  ): Promise<void> {
    if (control.failure !== undefined || control.open !== undefined) return;
    const first = this.#iterator.next();
    try {
      this.#first = await abortable(abortable(first, signal), ended);
    } catch (error) {
      // one that is asked for a chunk ends when it gives it: nobody waits
      this.end().catch(() => {});
      throw error;
    }
  }

  /** Ends the source before its time. */
  async end(): Promise<void> {
    await this.#iterator.return?.();
  }

  /** The chunks; they can be had once. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: () => {
        const first = this.#first;
        this.#first = undefined;
        return first === undefined
          ? this.#iterator.next()
          : Promise.resolve(first);
      },
      return: async () => {
        await this.end();
        return { done: true, value: undefined };
      },
    };
  }
}
