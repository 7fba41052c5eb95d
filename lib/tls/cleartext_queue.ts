/**
 * Cleartext that has arrived and was not read yet.
 *
 * @module
 */

import { freeMemory } from "../connection/byte_stream.ts";

/** A queue of bytes, in the chunks in which they arrived. */
export class CleartextQueue {
  readonly #chunks: Uint8Array<ArrayBuffer>[] = [];
  #taken = 0; // bytes of the first chunk that were read
  #size = 0;

  /** Number of queued bytes. */
  get size(): number {
    return this.#size;
  }

  /** Adds a chunk of at least one byte. The queue keeps the chunk itself. */
  push(chunk: Uint8Array<ArrayBuffer>): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /** Moves bytes into a buffer until it is full or the queue is empty. */
  read(buffer: Uint8Array): number {
    let filled = 0;
    while (filled < buffer.length && this.#size > 0) {
      const chunk = this.#chunks[0]!;
      const part = chunk.subarray(
        this.#taken,
        this.#taken + buffer.length - filled,
      );
      buffer.set(part, filled);
      filled += part.length;
      this.#taken += part.length;
      this.#size -= part.length;
      if (this.#taken === chunk.length) freeMemory(this.#next());
    }
    return filled;
  }

  /**
   * Removes the first chunk and returns the unread part of it, without a copy.
   */
  take(): Uint8Array<ArrayBuffer> {
    const rest = this.#chunks[0]!.subarray(this.#taken);
    const chunk = this.#next();
    this.#size -= rest.length;
    return rest.length === chunk.length ? chunk : rest;
  }

  #next(): Uint8Array<ArrayBuffer> {
    this.#taken = 0;
    return this.#chunks.shift()!;
  }
}
