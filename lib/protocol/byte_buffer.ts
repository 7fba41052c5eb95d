/**
 * Bytes gathered from pieces, at a cost linear in their number.
 *
 * @module
 */

const MIN_CAPACITY = 256;
/** What a buffer may hold on to once it is empty. */
const MAX_IDLE_CAPACITY = 65_536;

/** Up to so many bytes are copied one by one: calls of set() cost more. */
const SHORT = 48;

/** A buffer that doubles when it is full. */
export class ByteBuffer {
  #bytes = new Uint8Array(0);
  #length = 0;

  /** How many bytes are held. */
  get length(): number {
    return this.#length;
  }

  /** Adds a copy of the bytes in [from, to). */
  append(bytes: Uint8Array, from: number, to: number): void {
    if (from >= to) return;
    const length = this.#length + to - from;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(
        Math.max(MIN_CAPACITY, length, this.#bytes.length * 2),
      );
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    copy(bytes, from, to, this.#bytes, this.#length);
    this.#length = length;
  }

  /** Gives a view of what is held, good until the buffer changes. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Gives the first bytes away, and drops the others. */
  take(length: number): Uint8Array {
    // What is large goes with the buffer itself, instead of a copy.
    const taken = length > MAX_IDLE_CAPACITY
      ? this.#bytes.subarray(0, length)
      : copyOf(this.#bytes, 0, length);
    this.clear();
    return taken;
  }

  /** Drops what is held. */
  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > MAX_IDLE_CAPACITY) this.#bytes = new Uint8Array(0);
  }
}

/**
 * Copies a range of bytes; for short ones several times as fast as `slice()`.
 *
 * @param bytes Where they are
 * @param from The first of them
 * @param to The one after the last
 * @returns A copy that shares nothing with the original
 */
export function copyOf(
  bytes: Uint8Array,
  from: number,
  to: number,
): Uint8Array {
  const copied = new Uint8Array(to - from);
  copy(bytes, from, to, copied, 0);
  return copied;
}

function copy(
  bytes: Uint8Array,
  from: number,
  to: number,
  target: Uint8Array,
  start: number,
): void {
  if (to - from > SHORT) {
    target.set(bytes.subarray(from, to), start);
    return;
  }
  for (let at = from; at < to; at++) target[start + at - from] = bytes[at]!;
}
