/**
 * Writes received bytes while more are received.
 *
 * @module
 */

import {
  borrowBuffer,
  returnBuffer,
  SHARED_SIZE,
} from "../../connection/shared_buffer.ts";
import type { LocalError } from "../errors.ts";
import type { Part } from "./part.ts";

/**
 * Two buffers: one is written while the other is filled. Bytes are written at
 * once if no write is pending, else after it. A full buffer waits for the
 * pending write.
 */
export class WriteBehind {
  readonly #part: Pick<Part, "write" | "writeSync">;
  readonly #failed = Promise.withResolvers<never>();
  #fault: LocalError | undefined;
  #buffer: Uint8Array<ArrayBuffer>;
  #spare: Uint8Array<ArrayBuffer> | undefined;
  readonly #isShared: boolean;
  #filled = 0;
  #writing: Promise<void> | undefined;

  /**
   * Creates the buffers.
   *
   * @param size Size of one buffer, in bytes
   * @param isWhole Whether one buffer holds all bytes: it is then written
   * synchronously, which is fastest
   */
  constructor(
    part: Pick<Part, "write" | "writeSync">,
    size: number,
    isWhole: boolean,
  ) {
    this.#part = part;
    this.#isShared = isWhole && size === SHARED_SIZE;
    this.#buffer = this.#isShared ? borrowBuffer() : new Uint8Array(size);
    if (!isWhole) this.#spare = new Uint8Array(size);
    this.#failed.promise.catch(() => {}); // flush() reports it, too
  }

  /** Rejects with a {@linkcode LocalError} when a write has failed. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Buffer for the next bytes. Never empty. */
  get room(): Uint8Array<ArrayBuffer> {
    return this.#filled === 0
      ? this.#buffer
      : this.#buffer.subarray(this.#filled);
  }

  /**
   * Accepts bytes that were put into {@linkcode room}. Returns a promise if the
   * caller has to wait.
   *
   * @throws {LocalError} If they cannot be written
   */
  take(length: number): Promise<void> | undefined {
    this.#filled += length;
    if (this.#spare === undefined) {
      this.#part.writeSync(this.#buffer.subarray(0, length));
      this.#filled = 0;
      return undefined;
    }
    if (this.#writing === undefined) return void this.#begin();
    return this.#filled < this.#buffer.length
      ? undefined
      : this.#writing.then(() => this.#begin());
  }

  /**
   * Waits until all bytes are written.
   *
   * @throws {LocalError} If they cannot be written
   */
  async flush(): Promise<void> {
    await this.#writing;
    this.#begin();
    await this.#writing;
    if (this.#fault !== undefined) throw this.#fault;
  }

  /** Ends after all bytes were read and written. */
  close(): void {
    if (this.#isShared) returnBuffer(this.#buffer);
  }

  #begin(): void {
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#spare === undefined || this.#filled === 0) return;
    const bytes = this.#buffer.subarray(0, this.#filled);
    [this.#buffer, this.#spare] = [this.#spare, this.#buffer];
    this.#filled = 0;
    this.#writing = this.#write(bytes);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#part.write(bytes);
    } catch (fault) {
      this.#fault = fault as LocalError;
      this.#failed.reject(fault);
    }
    this.#writing = undefined;
  }
}
