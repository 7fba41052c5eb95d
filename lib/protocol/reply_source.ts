/**
 * Text of replies that arrived together, decoded when one of them is read.
 *
 * @module
 */

const LF = 0x0a;
const CR = 0x0d;
const CRLF_REGEXP = /\r\n/g;

/** Bytes of one or more replies, and their text once it is needed. */
export class ReplySource {
  readonly #bytes: Uint8Array;
  readonly #decode: (bytes: Uint8Array) => string;
  /** The whole text, if each byte is one character. */
  #text: string | undefined;
  #isDecoded = false;

  /** Creates a source, which keeps the bytes. */
  constructor(bytes: Uint8Array, decode: (bytes: Uint8Array) => string) {
    this.#bytes = bytes;
    this.#decode = decode;
  }

  /**
   * Reads the text of one reply, from byte `start` to byte `end`. Lines end in
   * `"\n"`.
   */
  read(start: number, end: number): string {
    const isWhole = start === 0 && end === this.#bytes.length;
    const text = isWhole ? undefined : this.#readPart(start, end);
    if (text !== undefined && !text.includes("\n")) return text;
    const bytes = isWhole ? this.#bytes : this.#bytes.subarray(start, end);
    return readLines(bytes, this.#decode);
  }

  /** Reads one of several replies. The text of all is decoded at once. */
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
 * Whether each byte of a text is one character, with nothing to replace. No
 * encoding produces more characters than bytes, so equal lengths prove it.
 */
function isPlain(text: string, bytes: Uint8Array): boolean {
  return text.length === bytes.length && !text.includes("\0");
}

/** Decodes lines without their final CRs, and joins them by LF. */
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
    // RFC 854: CR NUL stands for a CR that does not end a line
    lines.push(decode(bytes.subarray(start, end)).replaceAll("\r\0", "\r"));
    start = next + 1;
  }
  return lines.join("\n");
}
