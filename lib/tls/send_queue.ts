/**
 * Ciphertext on its way to the stream beneath.
 *
 * @module
 */

import { type ByteStream, free, writeAll } from "../connection/byte_stream.ts";

/** Ciphertext that may wait while more is being made, in bytes. */
const SEND_AHEAD = 256 * 1024;

/** Sends bytes in order, and has the next ones made while they leave. */
export class SendQueue {
  readonly #stream: ByteStream;
  readonly #onError: (error: unknown) => void;
  readonly #queue: Uint8Array[] = [];
  #size = 0;
  #held: (() => void)[] = [];
  #sending: Promise<void> | undefined;
  #isBroken = false;

  /**
   * Makes an empty one.
   *
   * @param stream Where to
   * @param onError Called once, if the stream fails
   */
  constructor(stream: ByteStream, onError: (error: unknown) => void) {
    this.#stream = stream;
    this.#onError = onError;
  }

  /** Resolves when nothing waits any more: all is sent, or the stream failed. */
  get sent(): Promise<void> {
    return this.#sending ?? Promise.resolve();
  }

  /**
   * Sends bytes after those before.
   *
   * @param bytes What, given away
   * @param done Called when there is room for more
   */
  add(bytes: Uint8Array, done: () => void): void {
    if (this.#isBroken) return done();
    this.#queue.push(bytes);
    this.#size += bytes.length;
    this.#held.push(done);
    this.#sending ??= this.#send();
    this.#admit();
  }

  async #send(): Promise<void> {
    try {
      for (let bytes; (bytes = this.#queue.shift()) !== undefined;) {
        await writeAll(this.#stream, bytes);
        this.#size -= bytes.length;
        free(bytes);
        this.#admit();
      }
    } catch (error) {
      this.#isBroken = true;
      this.#onError(error);
      this.#admit();
    }
    this.#sending = undefined;
  }

  #admit(): void {
    if (this.#size > SEND_AHEAD && !this.#isBroken) return;
    for (const done of this.#held.splice(0)) done();
  }
}
