/**
 * Reads the first chunk of a source before the server empties the file to
 * replace.
 *
 * @module
 */

import { abortable } from "../connection/waiting.ts";
import type { Session, SignalOptions } from "./session.ts";

/** The chunks of a source, the first of which may have been read. */
export class StartedSource implements AsyncIterable<Uint8Array> {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #first: IteratorResult<Uint8Array> | undefined;

  /** Starts to read. */
  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#iterator = chunks[Symbol.asyncIterator]();
  }

  /**
   * Reads the first chunk, or the end of an empty source, without a time limit.
   * If a command would be refused, nothing is read.
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
      // a source ends only after the pending chunk, which is not awaited
      this.end().catch(() => {});
      throw error;
    }
  }

  /** Ends the source early. */
  async end(): Promise<void> {
    await this.#iterator.return?.();
  }

  /** Returns the chunks, once. */
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
