/**
 * The text of the replies that came together, decoded when one of them is read.
 *
 * @module
 */

const LF = 0x0a;
const CR = 0x0d;

/** Bytes of one or more replies, and their text once it was asked for. */
export class ReplySource {
  readonly #bytes: Uint8Array;
  readonly #decode: (bytes: Uint8Array) => string;
  /** All of the bytes as text, when each byte is one character of it. */
  #text: string | undefined;
  #isDecoded = false;

  /**
   * Makes a source.
   *
   * @param bytes The bytes, which are its own from now on
   * @param decode Turns them into text
   */
  constructor(bytes: Uint8Array, decode: (bytes: Uint8Array) => string) {
    this.#bytes = bytes;
    this.#decode = decode;
  }

  /**
   * Reads a range as the text of one reply: lines end in `"\n"` only.
   *
   * @param start Where it starts, in bytes
   * @param end Where it ends, in bytes
   * @returns The text
   */
  read(start: number, end: number): string {
    const text = this.#slice(start, end) ??
      this.#decode(this.#bytes.subarray(start, end));
    const lines = text.includes("\n") ? this.#readLines(start, end) : text;
    // RFC 854: CR NUL stands for CR.
    return lines.includes("\r\0") ? lines.replaceAll("\r\0", "\r") : lines;
  }

  /** The range as text, when positions in bytes and text are the same. */
  #slice(start: number, end: number): string | undefined {
    if (!this.#isDecoded) {
      this.#isDecoded = true;
      const text = this.#decode(this.#bytes);
      // No encoding makes more characters than bytes of any sequence, so equal
      // lengths mean that every byte is one character.
      if (text.length === this.#bytes.length) this.#text = text;
    }
    return this.#text?.slice(start, end);
  }

  /** Reads lines: they are split, and their CRs removed, as bytes. */
  #readLines(start: number, end: number): string {
    const bytes = removeCrs(this.#bytes.subarray(start, end));
    const text = this.#decode(bytes);
    if (text.length === bytes.length) return text;
    const lines: string[] = [];
    for (let at = 0; at <= bytes.length;) {
      const lf = bytes.indexOf(LF, at);
      const lineEnd = lf < 0 ? bytes.length : lf;
      lines.push(this.#decode(bytes.subarray(at, lineEnd)));
      at = lineEnd + 1;
    }
    return lines.join("\n");
  }
}

/** Copies the bytes without the CRs that come right before an LF. */
function removeCrs(bytes: Uint8Array): Uint8Array {
  const kept = new Uint8Array(bytes.length);
  let to = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === LF) {
      while (to > 0 && kept[to - 1] === CR) to--;
    }
    kept[to++] = byte;
  }
  return kept.subarray(0, to);
}
