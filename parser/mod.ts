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
  inputAddress,
  inputSize,
  memory,
  replyCodesAddress,
  replyEndsAddress,
  replyStartsAddress,
  scanReplies,
  stateAddress,
} from "./parser.wasm";

/** How many bytes one call to a scanner takes at most. */
export const PIECE_SIZE: number = inputSize();

/** How many words a stream's state has. */
const STATE_WORDS = 16;

/** No reply is shorter than three digits and LF. */
const MAX_REPLIES = PIECE_SIZE / 4;

// Memory has a fixed size, so views of it never detach. They stay in this file.
const { buffer } = memory;
const INPUT = inputAddress();
const bytes = new Uint8Array(buffer);
const state = new Int32Array(buffer, stateAddress(), STATE_WORDS);
const replyCodes = new Uint16Array(buffer, replyCodesAddress(), MAX_REPLIES);
const replyStarts = new Int32Array(buffer, replyStartsAddress(), MAX_REPLIES);
const replyEnds = new Int32Array(buffer, replyEndsAddress(), MAX_REPLIES);

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
    bytes.set(piece, INPUT);
    state.set(this.#state);
    const count = scanReplies(piece.length);
    this.#state.set(state);
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
      return replyCodes.slice(0, this.scan(chunk));
    }
    const codes = new Uint16Array(chunk.length >> 2);
    let total = 0;
    for (let at = 0; at < chunk.length; at += PIECE_SIZE) {
      const count = this.scan(chunk.subarray(at, at + PIECE_SIZE));
      codes.set(replyCodes.subarray(0, count), total);
      total += count;
    }
    return codes.slice(0, total);
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

/** The cap as the parser takes it. */
function toWord(cap: number): number {
  return Math.max(0, Math.min(Math.floor(cap), 0x3fffffff));
}
