/**
 * Reads the entries of a directory listing from bytes. Does no I/O.
 *
 * @module
 */

import {
  FLAG,
  type ListingRecords,
  ListingScanner,
  PIECE_SIZE,
  RECORD,
} from "../../parser/mod.ts";
import { checkWord } from "../protocol/check_word.ts";
import { makeEncoding } from "../protocol/encoding.ts";
import { FTPProtocolError } from "../protocol/errors.ts";
import { FormatDetector } from "./format_detector.ts";
import { Entry } from "./entry.ts";
import { FORMATS } from "./formats.ts";
import { LinkPairs } from "./link_pairs.ts";
import { NamePadding } from "./name_padding.ts";
import type { ListingFormat } from "./listing_format.ts";
import {
  DEFAULT_SLACK,
  type ListingReaderOptions,
  MAX_LISTING_LINE,
} from "./listing_options.ts";
import { TABLE_FORMATS, TableSource, type TextReader } from "./table_source.ts";

/**
 * Reads a directory listing of any server. Entries are returned as soon as
 * their lines are complete and the first lines have shown the format. The
 * result does not depend on how the bytes are split.
 *
 * No line is lost. Noise lines (`total 12`, headers, error messages of `ls`)
 * are not entries; `complaint` is the first such message. An unreadable line
 * before the first entry or after the last one is a note if it does not look
 * like an entry. Any other line that cannot be read is an entry of kind
 * `"unknown"`, with the line as its name.
 *
 * @example Read a LIST
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const reader = new ListingReader({ now: new Date("2024-06-01T00:00:00Z") });
 * const bytes = new TextEncoder().encode(
 *   "total 8\r\n-rw-r--r-- 1 ann staff 42 Mar 25 10:00 notes.txt\r\n",
 * );
 * const entries = [...reader.push(bytes), ...reader.end()];
 *
 * assertEquals(entries.map((entry) => entry.name), ["notes.txt"]);
 * assertEquals(entries[0]?.mtime, new Date("2024-03-25T10:00:00Z"));
 * assertEquals(entries[0]?.mtimePrecision, "minute");
 * ```
 */
export class ListingReader {
  readonly #scanner: ListingScanner;
  readonly #scanAgain: (bytes: Uint8Array) => ListingRecords;
  readonly #detector: FormatDetector;
  readonly #pairs = new LinkPairs();
  readonly #padding = new NamePadding();
  readonly #text: TextReader;
  readonly #maxLine: number;
  readonly #onSelf: ((entry: Entry) => void) | undefined;
  /** Bytes of the incomplete line, at the start of the buffer. */
  readonly #buffer = new Uint8Array(PIECE_SIZE);
  #filled = 0;
  /** Number of CRs at its end. */
  #crs = 0;
  #error: FTPProtocolError | undefined;
  #ended = false;

  /**
   * Creates a reader.
   *
   * @throws {RangeError} If `maxLine` or `zone` is out of range
   * @throws {TypeError} If `format` is unknown
   */
  constructor(options: ListingReaderOptions = {}) {
    const {
      decode = makeEncoding("utf-8").decode,
      format = "auto",
      now = () => new Date(),
      zone = 0,
      slack = DEFAULT_SLACK,
      maxLine = MAX_LISTING_LINE,
      onSelf,
      allVersions = false,
      onNote,
      directory,
    } = options;
    if (!(maxLine >= 1 && maxLine <= MAX_LISTING_LINE)) {
      throw new RangeError(
        `Cannot read lines of ${maxLine} bytes: "maxLine" must be 1 to ${MAX_LISTING_LINE}`,
      );
    }
    if (!Number.isFinite(zone) || Math.abs(zone) > 24 * 60) {
      throw new RangeError(
        `Cannot use the zone ${zone}: it must be minutes east of UTC, a day at most`,
      );
    }
    checkFormat(format);
    const time = (typeof now === "function" ? now() : now).getTime();
    this.#maxLine = maxLine;
    this.#onSelf = onSelf;
    this.#text = { decode, isAsciiTransparent: isAsciiTransparent(decode) };
    this.#scanner = new ListingScanner({
      formats: scannedFormats(format),
      latest: time + slack,
      zone: zone * 60_000,
    });
    const scanner = this.#scanner;
    this.#scanAgain = (bytes) => scanner.scan(NO_BYTES, bytes, true);
    this.#detector = new FormatDetector({
      forced: format === "auto" ? undefined : findFormat(format),
      context: { now: time, slack, zone, directory },
      decode,
      allVersions,
      padding: this.#padding,
      onNote,
    });
  }

  /**
   * The error of a line over the limit. The entries before it were returned,
   * and nothing after it is read.
   */
  get error(): FTPProtocolError | undefined {
    return this.#error;
  }

  /**
   * The first line of the listing that says that it is incomplete, such as
   * `ls: a: Permission denied`; `undefined` if there is none.
   */
  get complaint(): string | undefined {
    return this.#detector.complaint;
  }

  /**
   * Name of the current format; `undefined` until the first lines have shown
   * it.
   */
  get format(): string | undefined {
    return this.#detector.current;
  }

  /**
   * Reads the next bytes, which may be overwritten afterwards. Never throws;
   * check `error` at the end.
   */
  push(chunk: Uint8Array): Entry[] {
    const entries: Entry[] = [];
    let at = 0;
    while (at < chunk.length && this.#error === undefined && !this.#ended) {
      const room = PIECE_SIZE - this.#filled;
      const piece = chunk.subarray(at, at + room);
      at += piece.length;
      this.#take(entries, piece);
    }
    return entries;
  }

  /** Ends the listing. The last line needs no line end. */
  end(): Entry[] {
    const entries: Entry[] = [];
    if (this.#ended) return entries;
    this.#ended = true;
    if (this.#error === undefined && this.#filled > 0) {
      this.#scan(entries, NO_BYTES, true);
    }
    for (const entry of this.#detector.end()) this.#add(entries, entry);
    return entries;
  }

  /** Reads the complete lines, and keeps the rest. */
  #take(entries: Entry[], piece: Uint8Array): void {
    let rest = piece;
    // an incomplete line costs nothing but its copy
    while (rest.includes(LF)) {
      rest = rest.subarray(this.#scan(entries, rest, false));
      if (this.#error !== undefined) return;
    }
    this.#buffer.set(rest, this.#filled);
    this.#filled += rest.length;
    const crs = countCRs(rest);
    this.#crs = crs === rest.length ? this.#crs + crs : crs;
    this.#checkRest();
  }

  /**
   * Reads complete lines, starting with the kept bytes. Returns the number of
   * bytes used of the piece.
   */
  #scan(entries: Entry[], piece: Uint8Array, last: boolean): number {
    const held = this.#filled;
    const records = this.#scanner.scan(
      this.#buffer.subarray(0, held),
      piece,
      last,
    );
    this.#filled = 0;
    this.#crs = 0;
    if (records.count > 0) this.#read(entries, records);
    return records.consumed - held;
  }

  #read(entries: Entry[], records: ListingRecords): void {
    const source = new TableSource(records, this.#text, this.#scanAgain);
    const { bytes, count, words } = records;
    const isLong = bytes.length > this.#maxLine;
    const pairs = this.#pairs;
    const padding = this.#padding;
    let accepted = this.#detector.accepted;
    let special = FLAG.self | padding.mask;
    // start of the lines that are entries and were not added to the pairs
    let runStart = 0;
    for (let index = 0; index < count; index++) {
      if (isLong && source.lineLength(index) > this.#maxLine) {
        return this.#fail();
      }
      let flags = words[index * RECORD.words + RECORD.flags]!;
      const isAccepted =
        (flags >> FLAG.formatShift & FLAG.formatMask) === accepted;
      if (
        isAccepted && (flags & special) === 0 &&
        (accepted !== MLSD || !pairs.isIndexed && !source.isOpenLink(index))
      ) {
        entries.push(new Entry(source, index));
        continue;
      }
      if (accepted === MLSD) pairs.addRun(source, runStart, index);
      runStart = index + 1;
      if (!isAccepted) {
        for (const entry of this.#detector.read({ source, index })) {
          this.#add(entries, entry);
        }
        accepted = this.#detector.accepted;
        special = FLAG.self | padding.mask;
        continue;
      }
      if (flags & padding.mask) {
        padding.apply(source, index);
        special = FLAG.self | padding.mask;
        flags = source.flags(index);
      }
      const entry = new Entry(source, index);
      if (flags & FLAG.self) this.#onSelf?.(entry);
      else if (pairs.add(entry, source.isOpenLink(index))) entries.push(entry);
    }
    if (accepted === MLSD) pairs.addRun(source, runStart, count);
  }

  #add(entries: Entry[], entry: Entry): void {
    if (isSelf(entry)) return this.#onSelf?.(entry);
    const isOpenLink = entry.isSymlink && entry.format === "mlsd" &&
      entry.linkTarget === undefined;
    if (this.#pairs.add(entry, isOpenLink)) entries.push(entry);
  }

  /**
   * Checks the length of the incomplete line. CRs at its end may belong to its
   * line end.
   */
  #checkRest(): void {
    const length = this.#filled - this.#crs;
    if (length > this.#maxLine || this.#filled === PIECE_SIZE) this.#fail();
  }

  #fail(): void {
    this.#error ??= new FTPProtocolError(
      `Cannot read the listing: a line has more than ${this.#maxLine} bytes`,
    );
    this.#filled = 0;
  }
}

const MLSD = TABLE_FORMATS.indexOf("mlsd");
const NO_BYTES = new Uint8Array(0);
const LF = 0x0A;
const CR = 0x0D;

function countCRs(bytes: Uint8Array): number {
  let start = bytes.length;
  while (start > 0 && bytes[start - 1] === CR) start--;
  return bytes.length - start;
}

/** A fact of the listed directory or its parent, or a name like it. */
const SELF_REGEXP = /type=[cp]dir/i;

/** Whether an entry is the listed directory itself or its parent. */
function isSelf(entry: Entry): boolean {
  if (!entry.isDirectory) return false;
  if (entry.name === "." || entry.name === "..") return true;
  // a line may have thousands of facts, and ten lines are read at once
  return SELF_REGEXP.test(entry.line) &&
    /^[cp]dir$/i.test(entry.facts?.type ?? "");
}

/**
 * Whether an encoding maps ASCII to itself. Names in other encodings are
 * decoded one by one.
 */
function isAsciiTransparent(decode: (bytes: Uint8Array) => string): boolean {
  const ascii = Uint8Array.from({ length: 128 }, (_, code) => code);
  return decode(ascii) === String.fromCharCode(...ascii);
}

/** Returns the formats for the scanner, as bits. */
function scannedFormats(
  format: string | ListingFormat,
): number {
  if (format === "auto") return 7;
  if (typeof format !== "string") return 0;
  const index = TABLE_FORMATS.indexOf(format as typeof TABLE_FORMATS[number]);
  return index > 0 ? 1 << (index - 1) : 0;
}

function findFormat(
  format: string | ListingFormat,
): string | ListingFormat {
  if (typeof format !== "string") return format;
  return FORMATS.find((known) => known.name === format) ?? format;
}

/**
 * Rejects an unknown format.
 *
 * @throws {TypeError} If it is neither the name of a format nor an object
 */
export function checkFormat(format: string | ListingFormat | undefined): void {
  if (typeof format === "object" && format !== null) return;
  const names = FORMATS.map(({ name }) => name);
  const known = ["auto", ...TABLE_FORMATS.slice(1), ...names];
  checkWord("format", format, known, ["an object"]);
}
