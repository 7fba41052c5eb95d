/**
 * The parser's face: the only file that touches linear memory.
 *
 * Bytes are copied in, scanned, and what was found is read out, all in one
 * synchronous call. The state of a stream lives in its scanner and is in linear
 * memory during a call only, so streams never mix, and nothing of them is there
 * across an `await`.
 *
 * @module
 */

import {
  consumedBytes,
  inputAddress,
  inputSize,
  listingAddress,
  memory,
  replyCodesAddress,
  replyEndsAddress,
  replyStartsAddress,
  scanListing,
  scanReplies,
  stateAddress,
} from "./parser.wasm";
import { RECORD } from "./listing_record.ts";

export { FLAG, RECORD } from "./listing_record.ts";

/** How many bytes one call to a scanner takes at most. */
export const PIECE_SIZE: number = inputSize();

/** How many words a stream's state has. */
const STATE_WORDS = 16;

/** No reply is shorter than three digits and LF. */
const MAX_REPLIES = PIECE_SIZE / 4;

/** Up to so many bytes are copied one by one. */
const SHORT_PIECE = 48;

/** Arrays are not free: most pieces of a long reply end none. */
const NO_CODES = new Uint16Array(0);

// Memory has a fixed size, so views of it never detach. They stay in this file.
const { buffer } = memory;
const INPUT = inputAddress();
const bytes = new Uint8Array(buffer);
const state = new Int32Array(buffer, stateAddress(), STATE_WORDS);
const replyCodes = new Uint16Array(buffer, replyCodesAddress(), MAX_REPLIES);
const replyStarts = new Int32Array(buffer, replyStartsAddress(), MAX_REPLIES);
const replyEnds = new Int32Array(buffer, replyEndsAddress(), MAX_REPLIES);

// The table of a listing's lines has the room up to the input.
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

/** What became of a stream of replies, by the numbers of `assembly/state.ts`. */
const REPLY_STATUSES = [
  "good",
  "malformed",
  "lineTooLong",
  "replyTooLong",
] as const;

/** What became of a stream of replies; all but `"good"` are final. */
export type ReplyStatus = typeof REPLY_STATUSES[number];

/** Options for {@linkcode ReplyScanner}. */
export interface ReplyScannerOptions {
  /** How many bytes a line may have, its LF not counted. */
  maxReplyLine: number;
  /** How many bytes a reply may have, its LFs and blank lines before it counted. */
  maxReply: number;
  /** Whether a line with another code may end a multi-line reply. */
  lenient: boolean;
}

/**
 * Finds the replies in a stream of bytes that comes in pieces. It says where
 * they lie; whoever calls has the bytes.
 */
export class ReplyScanner {
  readonly #state = new Int32Array(STATE_WORDS);

  /**
   * Makes a scanner at the start of a stream.
   *
   * @param options Caps and grammar
   */
  constructor(options: ReplyScannerOptions) {
    this.#state[WORD.maxLine] = toWord(options.maxReplyLine);
    this.#state[WORD.maxReply] = toWord(options.maxReply);
    this.#state[WORD.lenient] = options.lenient ? 1 : 0;
  }

  /**
   * Scans the next piece of the stream. What it found is to be read before any
   * scanner scans again.
   *
   * @param piece At most {@linkcode PIECE_SIZE} bytes
   * @returns How many replies ended in it
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
   * Scans a chunk of any length for codes alone.
   *
   * @param chunk The next bytes of the stream
   * @returns The codes of the replies that ended in it, in order
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
   * Gives the text the last positions are about: the piece itself or, when it
   * had Telnet commands in it, a copy without them.
   *
   * @param piece The piece that was scanned last
   * @returns The piece without Telnet commands
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

  /** Where the reply starts in the text: -1 when it began in an older piece. */
  start(index: number): number {
    return replyStarts[index]!;
  }

  /**
   * Where the reply ends in the text, its line end excluded: below 0 when the
   * line end began in an older piece.
   */
  end(index: number): number {
    return replyEnds[index]!;
  }

  /**
   * From where on the text belongs to a reply that has not ended: -1 when all
   * of it goes on with what was kept of older pieces.
   */
  get keep(): number {
    return this.#state[WORD.keep]!;
  }

  /** What became of the stream. */
  get status(): ReplyStatus {
    return REPLY_STATUSES[this.#state[WORD.status]!]!;
  }

  /** Where the line that is wrong ends in the text. */
  get wrongEnd(): number {
    return this.#state[WORD.wrongEnd]!;
  }

  /** Whether the last complete line would end the reply, but for its code. */
  get hint(): boolean {
    return this.#state[WORD.hint] !== 0;
  }
}

/** Copies a piece to where the parser looks for it. */
function writeInput(piece: Uint8Array): void {
  const { length } = piece;
  // For a few bytes the call of set() costs more than the copy.
  if (length > SHORT_PIECE) bytes.set(piece, INPUT);
  else for (let at = 0; at < length; at++) bytes[INPUT + at] = piece[at]!;
}

/** The cap as the parser takes it. */
function toWord(cap: number): number {
  return Math.max(0, Math.min(Math.floor(cap), 0x3fffffff));
}

/** Lines of a listing and what is in them: the caller's own. */
export interface ListingRecords {
  /** How many lines there are. */
  readonly count: number;
  /** The words of all records, {@linkcode RECORD.words} a record. */
  readonly words: Int32Array;
  /** The same memory in numbers of 64 bits. */
  readonly numbers: Float64Array;
  /** How many bytes the records are about: whole lines, from the start on. */
  readonly consumed: number;
  /** Those bytes; none where there is no line but blank ones. */
  readonly bytes: Uint8Array;
}

/** Options for {@linkcode ListingScanner}. */
export interface ListingScannerOptions {
  /** Bits of the formats to try: 1 MLSD, 2 Unix, 4 DOS. */
  formats: number;
  /** Latest time a date without a year can mean, in milliseconds since 1970. */
  latest: number;
  /** How far the times' zone is east of UTC, in milliseconds. */
  zone: number;
}

/** Finds and reads the lines of a listing. It holds no bytes between calls. */
export class ListingScanner {
  readonly #options: ListingScannerOptions;

  /**
   * Makes a scanner.
   *
   * @param options Formats and calendar
   */
  constructor(options: ListingScannerOptions) {
    this.#options = options;
  }

  /**
   * Scans the whole lines at the start of some bytes, as many as fit the table.
   *
   * @param held The first of the bytes
   * @param piece Those that follow; at most {@linkcode PIECE_SIZE} in all
   * @param last Whether the listing ends with the piece, so that its last line
   * needs no line end
   * @returns The lines, blank ones left out
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
    // slice() of a typed array: that of an ArrayBuffer clears its memory first.
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
