/**
 * Entries of the formats that the WASM parser reads.
 *
 * @module
 */

import { FLAG, type ListingRecords, RECORD } from "../../parser/mod.ts";
import { readDecimal } from "../protocol/numbers.ts";
import { toAlignedText } from "./aligned_text.ts";
import type { EntryKind, EntrySource, TimePrecision } from "./entry.ts";
import { parseFacts } from "./facts.ts";

const KINDS: readonly EntryKind[] = [
  "unknown",
  "file",
  "directory",
  "symlink",
  "other",
];

/** Formats of the parser, by number. */
export const TABLE_FORMATS = ["unknown", "mlsd", "unix", "dos"] as const;

const PRECISIONS: readonly (TimePrecision | undefined)[] = [
  undefined,
  "second",
  "minute",
  "day",
];

/** Exactness of a size, by the parser's numbers. */
const SIZE = { none: 0, exact: 1, digits: 2, approximate: 3 };

/** Flags of an MLSD link. */
const OPEN_LINK_MASK = FLAG.kindMask | FLAG.formatMask << FLAG.formatShift;
const OPEN_LINK = KINDS.indexOf("symlink") |
  TABLE_FORMATS.indexOf("mlsd") << FLAG.formatShift;

/** Decodes text in the session's encoding. */
export interface TextReader {
  /** Decodes bytes. Never throws. */
  decode(bytes: Uint8Array): string;
  /** Whether bytes below 0x80 are always ASCII. */
  readonly isAsciiTransparent: boolean;
}

/** Lines that the parser read together, with their bytes. */
export class TableSource implements EntrySource {
  readonly #bytes: Uint8Array;
  /** Words of all records; `undefined` after {@linkcode pack}. */
  #words: Int32Array | undefined;
  /** The same memory as 64-bit numbers. */
  #numbers: Float64Array | undefined;
  readonly #reader: TextReader;
  readonly #scan: (bytes: Uint8Array) => ListingRecords;
  /** Whether the words differ from the scanner's. */
  #isChanged = false;
  /** Text of all lines, decoded on first use. */
  #text: string | undefined;

  /**
   * Creates a source.
   *
   * @param scan Scans its bytes again
   */
  constructor(
    records: ListingRecords,
    reader: TextReader,
    scan: (bytes: Uint8Array) => ListingRecords,
  ) {
    this.#bytes = records.bytes;
    this.#words = records.words;
    this.#numbers = records.numbers;
    this.#reader = reader;
    this.#scan = scan;
  }

  // a private getter would cost a tenth of the time of a listing
  #unpack(): Int32Array {
    const { words, numbers } = this.#scan(this.#bytes);
    this.#numbers = numbers;
    return this.#words = words;
  }

  #numbersAgain(): Float64Array {
    this.#unpack();
    return this.#numbers!;
  }

  /** Keeps only the bytes, which are scanned again on the next access. */
  pack(): void {
    if (this.#isChanged) return;
    this.#words = this.#numbers = undefined;
    this.#text = undefined;
  }

  /** Flags of a line. */
  flags(index: number): number {
    const words = this.#words ?? this.#unpack();
    return words[index * RECORD.words + RECORD.flags]!;
  }

  /** Removes the first blank of the name, unless it is the only character. */
  skipBlank(index: number): void {
    const words = this.#words ?? this.#unpack();
    const at = index * RECORD.words;
    const start = words[at + RECORD.nameStart]! + 1;
    const end = words[at + RECORD.nameEnd]!;
    if (start >= end) return;
    this.#isChanged = true;
    words[at + RECORD.nameStart] = start;
    const isDots = /^\.\.?$/.test(this.name(index));
    if (isDots && this.kind(index) === "directory") {
      words[at + RECORD.flags]! |= FLAG.self;
    }
  }

  /** Length of a line in bytes, without its line end. */
  lineLength(index: number): number {
    const words = this.#words ?? this.#unpack();
    const at = index * RECORD.words;
    return words[at + RECORD.lineEnd]! -
      words[at + RECORD.lineStart]!;
  }

  /** Whether a line is an MLSD link without a target. */
  isOpenLink(index: number): boolean {
    const words = this.#words ?? this.#unpack();
    return (this.flags(index) & OPEN_LINK_MASK) === OPEN_LINK &&
      words[index * RECORD.words + RECORD.targetEnd] === 0;
  }

  /** Bytes of a line, as a view. */
  lineBytes(index: number): Uint8Array {
    const words = this.#words ?? this.#unpack();
    const at = index * RECORD.words;
    return this.#bytes.subarray(
      words[at + RECORD.lineStart],
      words[at + RECORD.lineEnd],
    );
  }

  /**
   * Returns the text between two positions. ASCII text is cut from the text of
   * all lines.
   */
  #slice(index: number, start: number, end: number): string {
    if (this.#reader.isAsciiTransparent && this.flags(index) & FLAG.ascii) {
      this.#text ??= toAlignedText(this.#bytes);
      return this.#text.substring(start, end);
    }
    return this.#reader.decode(this.#bytes.subarray(start, end));
  }

  /**
   * Returns the text of an optional part, which has no end if it is missing.
   */
  #part(index: number, word: number): string | undefined {
    const words = this.#words ?? this.#unpack();
    const at = index * RECORD.words + word;
    const end = words[at + 1]!;
    if (end === 0) return undefined;
    return this.#slice(index, words[at]!, end);
  }

  name(index: number): string {
    const words = this.#words ?? this.#unpack();
    const at = index * RECORD.words;
    return this.#slice(
      index,
      words[at + RECORD.nameStart]!,
      words[at + RECORD.nameEnd]!,
    );
  }

  rawName(index: number): Uint8Array {
    const words = this.#words ?? this.#unpack();
    const at = index * RECORD.words;
    return this.#bytes.slice(
      words[at + RECORD.nameStart],
      words[at + RECORD.nameEnd],
    );
  }

  kind(index: number): EntryKind {
    return KINDS[this.flags(index) & FLAG.kindMask]!;
  }

  #sizeState(index: number): number {
    return this.flags(index) >> FLAG.sizeShift & FLAG.sizeMask;
  }

  size(index: number): number | undefined {
    const numbers = this.#numbers ?? this.#numbersAgain();
    const state = this.#sizeState(index);
    if (state === SIZE.none) return undefined;
    if (state !== SIZE.digits) {
      return numbers[index * (RECORD.words / 2) + RECORD.size];
    }
    const digits = this.#part(index, RECORD.digitsStart);
    return readDecimal(digits);
  }

  isSizeApproximate(index: number): boolean {
    return this.#sizeState(index) === SIZE.approximate;
  }

  mtime(index: number): Date | undefined {
    const numbers = this.#numbers ?? this.#numbersAgain();
    const time = numbers[index * (RECORD.words / 2) + RECORD.time]!;
    return Number.isNaN(time) ? undefined : new Date(time);
  }

  mtimePrecision(index: number): TimePrecision | undefined {
    return PRECISIONS[
      this.flags(index) >> FLAG.precisionShift & FLAG.precisionMask
    ];
  }

  mode(index: number): number | undefined {
    const words = this.#words ?? this.#unpack();
    if ((this.flags(index) & FLAG.hasMode) === 0) return undefined;
    return words[index * RECORD.words + RECORD.mode];
  }

  linkTarget(index: number): string | undefined {
    return this.#part(index, RECORD.targetStart);
  }

  owner(index: number): string | undefined {
    return this.#part(index, RECORD.ownerStart);
  }

  group(index: number): string | undefined {
    return this.#part(index, RECORD.groupStart);
  }

  facts(index: number): Record<string, string> | undefined {
    if (this.format(index) !== "mlsd") return undefined;
    return parseFacts(this.line(index)).facts;
  }

  line(index: number): string {
    const words = this.#words ?? this.#unpack();
    const at = index * RECORD.words;
    return this.#slice(
      index,
      words[at + RECORD.lineStart]!,
      words[at + RECORD.lineEnd]!,
    );
  }

  format(index: number): string {
    return TABLE_FORMATS[
      this.flags(index) >> FLAG.formatShift & FLAG.formatMask
    ]!;
  }
}
