/**
 * Collects bytes from pieces, in linear time.
 *
 * @module
 */

const MIN_CAPACITY = 256;
/** Largest buffer that is kept when it is empty, in bytes. */
const MAX_IDLE_CAPACITY = 65_536;

/** Up to this many bytes, a loop is faster than set(). */
const SHORT = 48;

/** A buffer that doubles its capacity when it is full. */
export class ByteBuffer {
  #bytes = new Uint8Array(0);
  #length = 0;

  /** Number of bytes held. */
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

  /** Returns a view of the bytes, valid until the buffer changes. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Returns the first bytes, and clears the buffer. */
  take(length: number): Uint8Array {
    // a large buffer is handed over instead of copied
    const taken = length > MAX_IDLE_CAPACITY
      ? this.#bytes.subarray(0, length)
      : copyOf(this.#bytes, 0, length);
    this.clear();
    return taken;
  }

  /** Clears the buffer. */
  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > MAX_IDLE_CAPACITY) this.#bytes = new Uint8Array(0);
  }
}

/**
 * Copies a range of bytes. Several times as fast as `slice()` for short ranges.
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
