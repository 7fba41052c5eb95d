/**
 * Bytes gathered from pieces, at a cost linear in their number.
 *
 * @module
 */

const MIN_CAPACITY = 256;
/** What a buffer may hold on to once it is empty. */
const MAX_IDLE_CAPACITY = 65_536;

/** A buffer that doubles when it is full. */
export class ByteBuffer {
  #bytes = new Uint8Array(0);
  #length = 0;

  /** How many bytes are held. */
  get length(): number {
    return this.#length;
  }

  /** Adds a copy of the bytes. */
  append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(
        Math.max(MIN_CAPACITY, length, this.#bytes.length * 2),
      );
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  /** Gives a view of what is held, good until the buffer changes. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Drops what is held. */
  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > MAX_IDLE_CAPACITY) this.#bytes = new Uint8Array(0);
  }
}
