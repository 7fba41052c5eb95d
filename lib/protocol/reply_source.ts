/**
 * The text of the replies that came together, decoded when one of them is read.
 *
 * @module
 */

const LF = 0x0a;
const CR = 0x0d;
const CRLF_REGEXP = /\r\n/g;

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
   * @param decode SessionLock them into text
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
    const isWhole = start === 0 && end === this.#bytes.length;
    const text = isWhole ? undefined : this.#readPart(start, end);
    if (text !== undefined && !text.includes("\n")) return text;
    const bytes = isWhole ? this.#bytes : this.#bytes.subarray(start, end);
    return readLines(bytes, this.#decode);
  }

  /** Reads one reply of several as it is: the text is decoded for them all. */
  #readPart(start: number, end: number): string | undefined {
    if (!this.#isDecoded) {
      this.#isDecoded = true;
      const text = this.#decode(this.#bytes);
      if (isPlain(text, this.#bytes)) this.#text = text;
    }
    return this.#text?.slice(start, end);
  }
}

/**
 * Tells whether a text has its bytes' positions and nothing to be replaced. No
 * encoding makes more characters than bytes of any sequence, so equal lengths
 * mean that every byte is one character.
 */
function isPlain(text: string, bytes: Uint8Array): boolean {
  return text.length === bytes.length && !text.includes("\0");
}

/** Decodes lines, without the CRs that end them, and joins them by LF. */
function readLines(
  bytes: Uint8Array,
  decode: (bytes: Uint8Array) => string,
): string {
  const text = decode(bytes);
  if (isPlain(text, bytes) && !text.includes("\r\r\n")) {
    return text.includes("\n") ? text.replace(CRLF_REGEXP, "\n") : text;
  }
  const lines: string[] = [];
  for (let start = 0; start <= bytes.length;) {
    const lf = bytes.indexOf(LF, start);
    const next = lf < 0 ? bytes.length : lf;
    let end = next;
    while (lf >= 0 && end > start && bytes[end - 1] === CR) end--;
    // RFC 854: CR NUL is how a CR that ends no line is sent.
    lines.push(decode(bytes.subarray(start, end)).replaceAll("\r\0", "\r"));
    start = next + 1;
  }
  return lines.join("\n");
}
