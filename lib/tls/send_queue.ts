/**
 * Ciphertext that waits for the stream below.
 *
 * @module
 */

import {
  type ByteStream,
  freeMemory,
  writeAll,
} from "../connection/byte_stream.ts";

/** Bytes that may be queued before the engine has to wait. */
const SEND_AHEAD = 256 * 1024;

/** Sends bytes in order, while the engine encrypts the next ones. */
export class SendQueue {
  readonly #stream: ByteStream;
  readonly #onError: (error: unknown) => void;
  readonly #queue: Uint8Array[] = [];
  #size = 0;
  #held: (() => void)[] = [];
  #sending: Promise<void> | undefined;
  #isBroken = false;

  /** Creates an empty queue; `onError` is called once, if the stream fails. */
  constructor(stream: ByteStream, onError: (error: unknown) => void) {
    this.#stream = stream;
    this.#onError = onError;
  }

  /**
   * Fulfilled when the queue is empty: all bytes were sent, or the stream
   * failed.
   */
  get sent(): Promise<void> {
    return this.#sending ?? Promise.resolve();
  }

  /**
   * Queues bytes, which the queue keeps; `done` is called when there is room
   * for more.
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
        freeMemory(bytes);
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
