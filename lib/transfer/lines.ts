/**
 * Converts line ends on the data connection: any are accepted, CRLF is sent.
 *
 * @module
 */

import { ByteBuffer } from "../protocol/byte_buffer.ts";
import { FTPProtocolError } from "../protocol/errors.ts";
import { linesOf } from "../protocol/lines_of.ts";

const CR = 0x0D;
const LF = 0x0A;

/**
 * Splits a stream of bytes after the last line end of each piece. A block is
 * valid until the next call.
 */
export class LineBlocks {
  readonly #maxLine: number;
  readonly #rest = new ByteBuffer();

  /**
   * Creates a splitter.
   *
   * @param maxLine Longest line, in bytes, its LF excluded
   */
  constructor(maxLine: number) {
    this.#maxLine = maxLine;
  }

  /**
   * Returns the complete lines so far.
   *
   * @throws {FTPProtocolError} If a line is over the limit
   */
  push(chunk: Uint8Array): Uint8Array | undefined {
    const rest = this.#rest;
    const end = chunk.lastIndexOf(LF) + 1;
    if (end === 0) {
      rest.append(chunk, 0, chunk.length);
      this.#check(rest.length);
      return undefined;
    }
    let block = chunk.subarray(0, end);
    if (rest.length > 0) {
      const joined = new Uint8Array(rest.length + end);
      joined.set(rest.view());
      joined.set(block, rest.length);
      block = joined;
      rest.clear();
    }
    rest.append(chunk, end, chunk.length);
    if (block.length > this.#maxLine) {
      for (const line of linesOf(block)) this.#check(line.length - 1);
    }
    this.#check(rest.length);
    return block;
  }

  /** Returns the last line, if it has no end. */
  end(): Uint8Array | undefined {
    return this.#rest.length === 0 ? undefined : this.#rest.view();
  }

  #check(length: number): void {
    if (length <= this.#maxLine) return;
    throw new FTPProtocolError(
      `Cannot read a line: it is longer than maxLine, ${this.#maxLine} bytes`,
    );
  }
}

/**
 * Converts bytes to lines. CRLF and LF end a line, the last line needs no end,
 * and pieces may be cut anywhere.
 */
export class LineDecoder {
  readonly #blocks: LineBlocks;
  readonly #decode: (bytes: Uint8Array) => string;

  /**
   * Creates a decoder.
   *
   * @param decode Decodes bytes in the session's encoding
   * @param maxLine Longest line, in bytes, its LF excluded
   */
  constructor(decode: (bytes: Uint8Array) => string, maxLine: number) {
    this.#decode = decode;
    this.#blocks = new LineBlocks(maxLine);
  }

  /**
   * Reads a piece. Returns the lines that it completes, without their ends.
   *
   * @throws {FTPProtocolError} If a line is over the limit
   */
  push(chunk: Uint8Array): string[] {
    const block = this.#blocks.push(chunk);
    if (block === undefined) return [];
    const text = this.#decode(block);
    const lines = text.split("\r\n");
    lines.pop(); // the empty rest after the last line end
    const isPlain = text.endsWith("\r\n") &&
      lines.every((line) => !line.includes("\n"));
    return isPlain ? lines : text.split("\n").slice(0, -1).map(withoutCR);
  }

  /** Returns the last line, if it had no end. */
  end(): string[] {
    const rest = this.#blocks.end();
    return rest === undefined ? [] : [withoutCR(this.#decode(rest))];
  }
}

function withoutCR(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

/**
 * Ends every line with CRLF, including the last one (RFC 959 section 3.1.1.1).
 * An existing CRLF stays unchanged.
 *
 * @param source Bytes of text with LF or CRLF line ends
 * @param maxLine Longest line, in bytes
 */
export async function* toNetworkLines(
  source: AsyncIterable<Uint8Array>,
  maxLine: number,
): AsyncGenerator<Uint8Array> {
  const blocks = new LineBlocks(maxLine);
  for await (const chunk of source) {
    const block = blocks.push(chunk);
    if (block !== undefined) yield withNetworkEnds(block);
  }
  const rest = blocks.end();
  if (rest !== undefined) yield withNetworkEnds(withLF(rest));
}

function withLF(line: Uint8Array): Uint8Array {
  const ended = new Uint8Array(line.length + 1);
  ended.set(line);
  ended[line.length] = LF;
  return ended;
}

function withNetworkEnds(block: Uint8Array): Uint8Array {
  let bare = 0;
  for (let at = block.indexOf(LF); at >= 0; at = block.indexOf(LF, at + 1)) {
    if (block[at - 1] !== CR) bare++;
  }
  if (bare === 0) return block;
  const converted = new Uint8Array(block.length + bare);
  let to = 0;
  for (let from = 0; from < block.length; from++) {
    const byte = block[from]!;
    if (byte === LF && block[from - 1] !== CR) converted[to++] = CR;
    converted[to++] = byte;
  }
  return converted;
}
