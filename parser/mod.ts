/**
 * Interface of the WASM parser: the only file that touches linear memory.
 *
 * Bytes are copied in and scanned, and the results are read, in one synchronous
 * call. The state of a stream lives in its scanner, and is in linear memory
 * during a call only. Streams therefore never mix, and no view of the memory
 * outlives an `await`.
 *
 * @module
 */

import {
  consumedBytes,
  consumedFactBytes,
  factWords,
  inputAddress,
  inputSize,
  listingAddress,
  memory,
  replyCodesAddress,
  replyEndsAddress,
  replyStartsAddress,
  scanFacts as scanFactLines,
  scanListing,
  scanReplies,
  stateAddress,
} from "./parser.wasm";
import { RECORD } from "./listing_record.ts";

export { FLAG, RECORD } from "./listing_record.ts";

/** Largest number of bytes in one call of a scanner. */
export const PIECE_SIZE: number = inputSize();

/** Words of a stream's state. */
const STATE_WORDS = 16;

/** The shortest reply: three digits and LF. */
const MAX_REPLIES = PIECE_SIZE / 4;

/** Up to this many bytes are copied one by one. */
const SHORT_PIECE = 48;

/**
 * Shared by calls without a reply, because most pieces of a long reply end
 * none.
 */
const NO_CODES = new Uint16Array(0);

// memory has a fixed size, so views of it never detach; they stay in this file
const { buffer } = memory;
const INPUT = inputAddress();
const bytes = new Uint8Array(buffer);
const state = new Int32Array(buffer, stateAddress(), STATE_WORDS);
const replyCodes = new Uint16Array(buffer, replyCodesAddress(), MAX_REPLIES);
const replyStarts = new Int32Array(buffer, replyStartsAddress(), MAX_REPLIES);
const replyEnds = new Int32Array(buffer, replyEndsAddress(), MAX_REPLIES);

// the table of a listing's lines reaches up to the input
const listingWords = new Int32Array(
  buffer,
  listingAddress(),
  (INPUT - listingAddress()) / Int32Array.BYTES_PER_ELEMENT,
);

/** Words of a reply stream's state, as `assembly/state.ts` lays them out. */
const WORD = {
  status: 7,
  hint: 8,
  maxLine: 9,
  maxReply: 10,
  lenient: 11,
  dataStart: 12,
  dataLength: 13,
  keep: 14,
  wrongEnd: 15,
} as const;

/** States of a reply stream, by the numbers of `assembly/state.ts`. */
const REPLY_STATUSES = [
  "good",
  "malformed",
  "lineTooLong",
  "replyTooLong",
] as const;

/** State of a reply stream; all but `"good"` are final. */
export type ReplyStatus = typeof REPLY_STATUSES[number];

/** Options for {@linkcode ReplyScanner}. */
export interface ReplyScannerOptions {
  /** Longest line in bytes, its LF excluded. */
  maxReplyLine: number;
  /**
   * Largest reply in bytes, including its LFs and the blank lines before it.
   */
  maxReply: number;
  /** Whether a line with another code may end a multi-line reply. */
  lenient: boolean;
}

/**
 * Finds the replies in a stream of bytes that arrives in pieces. Returns
 * positions; the caller keeps the bytes.
 */
export class ReplyScanner {
  readonly #state = new Int32Array(STATE_WORDS);

  /**
   * Creates a scanner at the start of a stream.
   *
   * @param options Limits and grammar
   */
  constructor(options: ReplyScannerOptions) {
    this.#state[WORD.maxLine] = toWord(options.maxReplyLine);
    this.#state[WORD.maxReply] = toWord(options.maxReply);
    this.#state[WORD.lenient] = options.lenient ? 1 : 0;
  }

  /**
   * Scans the next piece of the stream. Read the results before any scanner
   * scans again.
   *
   * @param piece At most {@linkcode PIECE_SIZE} bytes
   * @returns Number of replies that ended in it
   */
  scan(piece: Uint8Array): number {
    writeInput(piece);
    const own = this.#state;
    for (let word = 0; word < STATE_WORDS; word++) state[word] = own[word]!;
    const count = scanReplies(piece.length);
    for (let word = 0; word < STATE_WORDS; word++) own[word] = state[word]!;
    return count;
  }

  /**
   * Scans a chunk of any length for codes only.
   *
   * @param chunk The next bytes of the stream
   * @returns Codes of the replies that ended in it, in order
   */
  scanCodes(chunk: Uint8Array): Uint16Array {
    if (chunk.length <= PIECE_SIZE) {
      const count = this.scan(chunk);
      return count === 0 ? NO_CODES : replyCodes.slice(0, count);
    }
    const found: Uint16Array[] = [];
    let total = 0;
    for (let at = 0; at < chunk.length; at += PIECE_SIZE) {
      const count = this.scan(chunk.subarray(at, at + PIECE_SIZE));
      found.push(replyCodes.slice(0, count));
      total += count;
    }
    const codes = new Uint16Array(total);
    let to = 0;
    for (const some of found) {
      codes.set(some, to);
      to += some.length;
    }
    return codes;
  }

  /**
   * Returns the text that the last positions refer to: the piece itself, or a
   * copy without its Telnet commands.
   *
   * @param piece The piece that was scanned last
   */
  text(piece: Uint8Array): Uint8Array {
    const start = this.#state[WORD.dataStart]!;
    const length = this.#state[WORD.dataLength]!;
    if (start === 0 && length === piece.length) return piece;
    return bytes.slice(INPUT + start, INPUT + start + length);
  }

  /** Code of a reply that ended in the last piece. */
  code(index: number): number {
    return replyCodes[index]!;
  }

  /**
   * Position where the reply starts in the text; -1 if it began in an earlier
   * piece.
   */
  start(index: number): number {
    return replyStarts[index]!;
  }

  /**
   * Position where the reply ends in the text, without its line end; below 0 if
   * the line end began in an earlier piece.
   */
  end(index: number): number {
    return replyEnds[index]!;
  }

  /**
   * Position from which the text belongs to the unfinished reply; -1 if all of
   * it continues the bytes kept of earlier pieces.
   */
  get keep(): number {
    return this.#state[WORD.keep]!;
  }

  /** State of the stream. */
  get status(): ReplyStatus {
    return REPLY_STATUSES[this.#state[WORD.status]!]!;
  }

  /** Position where the invalid line ends in the text. */
  get wrongEnd(): number {
    return this.#state[WORD.wrongEnd]!;
  }

  /** Whether the last complete line would end the reply, but for its code. */
  get hint(): boolean {
    return this.#state[WORD.hint] !== 0;
  }
}

/** Copies a piece to the parser's input. */
function writeInput(piece: Uint8Array): void {
  const { length } = piece;
  // for a few bytes the call of set() costs more than the copy
  if (length > SHORT_PIECE) bytes.set(piece, INPUT);
  else for (let at = 0; at < length; at++) bytes[INPUT + at] = piece[at]!;
}

/** Converts a limit to the parser's word. */
function toWord(cap: number): number {
  return Math.max(0, Math.min(Math.floor(cap), 0x3fffffff));
}

/** Lines of a listing and their contents, in memory that the caller owns. */
export interface ListingRecords {
  /** Number of lines. */
  readonly count: number;
  /** Words of all records, {@linkcode RECORD.words} for each. */
  readonly words: Int32Array;
  /** The same memory as 64-bit numbers. */
  readonly numbers: Float64Array;
  /** Number of bytes that the records cover: complete lines, from the start. */
  readonly consumed: number;
  /** These bytes; empty if all lines are blank. */
  readonly bytes: Uint8Array;
}

/** Options for {@linkcode ListingScanner}. */
export interface ListingScannerOptions {
  /** Bits of the formats to try: 1 MLSD, 2 Unix, 4 DOS. */
  formats: number;
  /** Latest time of a date without a year, in milliseconds since 1970. */
  latest: number;
  /** Zone of the times, in milliseconds east of UTC. */
  zone: number;
}

/** Finds and reads the lines of a listing. Keeps no bytes between calls. */
export class ListingScanner {
  readonly #options: ListingScannerOptions;

  /**
   * Creates a scanner.
   *
   * @param options Formats and calendar
   */
  constructor(options: ListingScannerOptions) {
    this.#options = options;
  }

  /**
   * Scans the complete lines at the start of some bytes, up to the size of the
   * table.
   *
   * @param held The first of the bytes
   * @param piece The following bytes; at most {@linkcode PIECE_SIZE} together
   * @param last Whether the listing ends with the piece, so that its last line
   * needs no line end
   * @returns The lines, without blank ones
   */
  scan(held: Uint8Array, piece: Uint8Array, last: boolean): ListingRecords {
    const { formats, latest, zone } = this.#options;
    bytes.set(held, INPUT);
    bytes.set(piece, INPUT + held.length);
    const count = scanListing(
      held.length + piece.length,
      last ? 1 : 0,
      formats,
      latest,
      zone,
    );
    const consumed = consumedBytes();
    // slice() of a typed array, because that of an ArrayBuffer clears its
    // memory first
    const words = listingWords.slice(0, count * RECORD.words);
    return {
      count,
      words,
      numbers: new Float64Array(words.buffer),
      consumed,
      bytes: bytes.slice(INPUT, count > 0 ? INPUT + consumed : INPUT),
    };
  }
}

/** The facts of some lines, in memory that the caller owns. */
export interface FactRecords {
  /** Number of lines. */
  readonly count: number;
  /**
   * A record for each line, as `assembly/facts.ts` lays them out:
   * {@linkcode FACT_RECORD.words}, and two for each value that differs.
   */
  readonly words: Int32Array;
  /** Number of bytes that the records cover: complete lines, from the start. */
  readonly consumed: number;
}

/** Words of the record of a line of facts. */
export const FACT_RECORD = {
  lineStart: 0,
  lineEnd: 1,
  /** 0 if the facts are unusual. */
  nameStart: 2,
  /** Shape and marks. */
  shape: 3,
  /** Bits of the values that differ from those of the shape's last line. */
  differing: 4,
  words: 5,
} as const;

/** Marks beside the number of a shape. */
export const FACT_MARK = {
  shapeMask: 7,
  /** The first line of the shape. */
  isNew: 8,
  /** The name is not ASCII. */
  isEncoded: 16,
} as const;

/**
 * Finds the facts of MLSD's lines.
 *
 * @param piece Lines that end with LF; at most {@linkcode PIECE_SIZE} bytes
 * @returns The complete lines, up to the size of the table
 */
export function scanFacts(piece: Uint8Array): FactRecords {
  bytes.set(piece, INPUT);
  const count = scanFactLines(piece.length);
  return {
    count,
    words: listingWords.slice(0, factWords()),
    consumed: consumedFactBytes(),
  };
}
