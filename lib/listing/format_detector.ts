/**
 * Detects the format of a listing, and reads the lines that the WASM parser
 * cannot.
 *
 * @module
 */

import { Entry } from "./entry.ts";
import { hasEntryShape } from "./entry_shape.ts";
import { FORMATS } from "./formats.ts";
import type { NamePadding } from "./name_padding.ts";
import { isComplaint, isNoise } from "./noise.ts";
import type {
  LineContext,
  LineResult,
  ListingFormat,
  ParsedLine,
} from "./listing_format.ts";
import { ParsedSource, toByteText } from "./parsed_source.ts";
import { TABLE_FORMATS, type TableSource } from "./table_source.ts";

/** A line that the scanner found. */
export interface ListingLine {
  /** The lines that were scanned together. */
  source: TableSource;
  /** Index of the line. */
  index: number;
}

/** Number of lines that decide on the format. */
const SAMPLE_LINES = 10;

/** Lines in a row that only another format can read, after which it is used. */
const CANDIDATE_LINES = 3;

/** Longest line of a rare format, in bytes; longer lines are not tried. */
const MAX_RARE_LINE = 4096;

/** Largest number of unreadable lines in a row that may be notes. */
const MAX_NOTES = 64;

/** Options of a {@linkcode FormatDetector}. */
export interface FormatDetectorOptions {
  /** The only format to use: a name of the scanner's, or an object. */
  forced: string | ListingFormat | undefined;
  /** Current time and time zone. */
  context: LineContext;
  /** Decodes bytes in the session's encoding. */
  decode: (bytes: Uint8Array) => string;
  /** Whether every version of a file is an entry. */
  allVersions: boolean;
  /** Removes the padding of names. */
  padding: NamePadding;
  /** Called with each note. */
  onNote: ((line: string, entry: Entry) => void) | undefined;
}

/** A format that is read in TypeScript, or the name of a scanner format. */
type KnownFormat = string | ListingFormat;

/** Format name of lines that no format can read. */
const UNREAD = "unknown";

/** Score of a noise line of a format, which decides between equal scores. */
const FRAME_SCORE = 0.01;

/** A line that no format can read. */
interface UnreadLine {
  entry: Entry;
  line: string;
  /** Whether it might be an entry. */
  hasShape: boolean;
}

/** An entry, with its line if no format can read it. */
interface ReadEntry {
  entry: Entry;
  unread?: Omit<UnreadLine, "entry">;
}

/**
 * Detects the format from the first lines, and changes it when it no longer
 * fits.
 */
export class FormatDetector {
  readonly #options: FormatDetectorOptions;
  readonly #formats: readonly ListingFormat[];
  #current: KnownFormat | undefined;
  /** The first lines, until they decide. */
  #sample: ListingLine[] | undefined = [];
  /** A line that continues in the next one. */
  #partial: { format: ListingFormat; text: string } | undefined;
  #newest: { name: string; version: number } | undefined;
  #candidate: KnownFormat | undefined;
  #candidateLines = 0;
  /** Unreadable lines that are notes, unless an entry follows. */
  #unread: UnreadLine[] = [];
  #hasEntry = false;
  #complaint: string | undefined;

  /** Creates a detector. */
  constructor(options: FormatDetectorOptions) {
    this.#options = options;
    const { forced } = options;
    this.#formats = forced === undefined
      ? FORMATS
      : typeof forced === "string"
      ? []
      : [forced];
    if (forced !== undefined) {
      this.#current = forced;
      this.#sample = undefined;
    }
  }

  /** The first line that says that the listing is incomplete. */
  get complaint(): string | undefined {
    return this.#complaint;
  }

  /** Name of the current format. */
  get current(): string | undefined {
    return nameOf(this.#current);
  }

  /**
   * Number of the scanner format whose lines need no detection; -1 if every
   * line has to be passed to the detector.
   */
  get accepted(): number {
    const current = this.#current;
    if (typeof current !== "string" || this.#candidateLines > 0) return -1;
    if (!this.#hasEntry || this.#unread.length > 0) return -1;
    return TABLE_FORMATS.findIndex((name) => name === current);
  }

  /** Reads a line, or keeps it until the format is known. */
  read(line: ListingLine): Entry[] {
    if (this.#sample === undefined) return this.#settle(this.#readLine(line));
    this.#sample.push(line);
    return this.#sample.length < SAMPLE_LINES ? [] : this.#decide();
  }

  /** Ends the listing. */
  end(): Entry[] {
    const entries = this.#decide();
    entries.push(...this.#settle(this.#endPartial()));
    if (this.#hasEntry) this.#tellNotes();
    else entries.push(...this.#takeUnread());
    return entries;
  }

  /** Turns preceding unreadable lines into notes or entries. */
  #settle(read: ReadEntry[]): Entry[] {
    const entries: Entry[] = [];
    for (const { entry, unread } of read) {
      if (unread === undefined) {
        if (!this.#hasEntry) this.#tellNotes();
        this.#hasEntry = true;
        entries.push(...this.#takeUnread(), entry);
        continue;
      }
      this.#unread.push({ entry, ...unread });
      const isFull = this.#unread.length > MAX_NOTES;
      const isEntry = this.#hasEntry && unread.hasShape;
      if (isFull || isEntry) entries.push(...this.#takeUnread());
    }
    return entries;
  }

  /** Returns the kept unreadable lines as entries. */
  #takeUnread(): Entry[] {
    if (this.#unread.length === 0) return [];
    return this.#unread.splice(0).map(({ entry }) => entry);
  }

  /** Reports the unreadable lines that do not look like entries. */
  #tellNotes(): void {
    const { onNote } = this.#options;
    const notes = this.#unread.filter(({ hasShape }) => !hasShape);
    this.#unread = this.#unread.filter(({ hasShape }) => hasShape);
    for (const { entry, line } of notes) onNote?.(line, entry);
  }

  #decide(): Entry[] {
    const sample = this.#sample;
    if (sample === undefined) return [];
    this.#sample = undefined;
    this.#current = this.#best(sample);
    for (const { source, index } of sample) {
      this.#options.padding.note(source, index);
    }
    return sample.flatMap((line) => this.#settle(this.#readLine(line)));
  }

  /**
   * Returns the format that reads most of the lines; on a tie, one of the
   * scanner's.
   */
  #best(sample: readonly ListingLine[]): KnownFormat | undefined {
    const scores = new Map<KnownFormat, number>();
    for (const { source, index } of sample) {
      const format = source.format(index);
      if (format !== "unknown") {
        scores.set(format, (scores.get(format) ?? 0) + 1);
      }
    }
    // if the scanner read every line, no other format can be better
    const scanned = [...scores.values()].reduce((sum, score) => sum + score, 0);
    if (scanned < sample.length) {
      const lines = sample.map(({ source, index }) =>
        toByteText(source.lineBytes(index))
      );
      for (const format of this.#formats) {
        scores.set(format, this.#score(format, lines));
      }
    }
    let best: KnownFormat | undefined;
    let bestScore = 0;
    for (const [format, score] of scores) {
      if (score > bestScore) [best, bestScore] = [format, score];
    }
    return best;
  }

  #score(format: ListingFormat, lines: readonly string[]): number {
    let score = 0;
    let looseScore = 0;
    let partial: string | undefined;
    for (const line of lines) {
      const text = partial === undefined ? line : `${partial} ${line}`;
      let result = this.#try(format, text);
      const isLoose = result === undefined;
      if (isLoose) {
        result = this.#tryLoose(format, text) ??
          (partial === undefined
            ? undefined
            : this.#try(format, line) ?? this.#tryLoose(format, line));
      }
      partial = result === "partial" ? line : undefined;
      if (typeof result === "object") {
        looseScore++;
        if (!isLoose) score++;
      } else if (result === "frame") {
        looseScore += FRAME_SCORE;
        score += FRAME_SCORE;
      } else if (result === undefined && !isNoise(line)) looseScore = -Infinity;
    }
    return Math.max(score, looseScore);
  }

  #try(format: ListingFormat, line: string): LineResult {
    if (line.length > MAX_RARE_LINE && this.#formats === FORMATS) {
      return undefined;
    }
    return format.read(line, this.#options.context);
  }

  #tryLoose(format: ListingFormat, line: string): LineResult {
    if (line.length > MAX_RARE_LINE) return undefined;
    return format.readLoose?.(line, this.#options.context);
  }

  #readLine(line: ListingLine): ReadEntry[] {
    const { source, index } = line;
    const scanned = source.format(index);
    const isScanned = typeof this.#current !== "object" &&
      this.#partial === undefined && scanned !== "unknown";
    if (isScanned) {
      this.#note(scanned);
      return this.#scanned(line);
    }
    const text = toByteText(source.lineBytes(index));
    if (this.#partial !== undefined) {
      const { format, text: first } = this.#partial;
      const whole = `${first} ${text}`;
      const result = this.#try(format, whole) ?? this.#tryLoose(format, whole);
      if (typeof result === "object" || result === "note") {
        this.#partial = undefined;
        return this.#result(result, whole, format.name);
      }
      return [...this.#endPartial(), ...this.#readLine(line)];
    }
    const current = this.#current;
    if (typeof current === "object") {
      const result = this.#try(current, text) ?? this.#tryLoose(current, text);
      if (result === "partial") {
        this.#partial = { format: current, text };
        return [];
      }
      if (result !== undefined) {
        this.#candidateLines = 0;
        return this.#result(result, text, current.name);
      }
    }
    if (scanned !== "unknown") {
      this.#note(scanned);
      return this.#scanned(line);
    }
    return this.#readRare(text);
  }

  /** Returns the entry of a line that the scanner has read. */
  #scanned({ source, index }: ListingLine): ReadEntry[] {
    this.#options.padding.apply(source, index);
    return [{ entry: new Entry(source, index) }];
  }

  /** Reads a line that neither the current format nor the scanner can read. */
  #readRare(text: string): ReadEntry[] {
    // RFC 3659, 7.2: no facts, a blank, and the name
    if (this.#current === "mlsd" && text.startsWith(" ") && text.length > 1) {
      const bare = { name: text.slice(1), kind: "unknown" } as const;
      return [this.#entry(bare, text, "mlsd")];
    }
    if (isNoise(text)) {
      if (isComplaint(text)) this.#complaint ??= text;
      return [];
    }
    for (const format of this.#formats) {
      const result = this.#try(format, text);
      if (result === undefined || result === "partial") continue;
      if (typeof result === "object") this.#note(format);
      return this.#result(result, text, format.name);
    }
    return [this.#unreadable(text)];
  }

  #unreadable(text: string): ReadEntry {
    const isQuick = typeof this.#current === "string";
    const { entry } = this.#entry(
      { name: text, kind: "unknown" },
      text,
      UNREAD,
    );
    const { line } = entry;
    return { entry, unread: { line, hasShape: hasEntryShape(text, isQuick) } };
  }

  #result(
    result: ParsedLine | "frame" | "note",
    text: string,
    format: string,
  ): ReadEntry[] {
    if (typeof result === "object") return this.#entries(result, text, format);
    if (result === "note") {
      const { entry } = this.#unreadable(text);
      this.#options.onNote?.(entry.line, entry);
    }
    return [];
  }

  /**
   * Counts the lines in a row that a format read, and makes it current after
   * some.
   */
  #note(format: KnownFormat): void {
    if (format === this.#current) {
      this.#candidateLines = 0;
      return;
    }
    this.#candidateLines = format === this.#candidate
      ? this.#candidateLines + 1
      : 1;
    this.#candidate = format;
    if (
      this.#candidateLines >= CANDIDATE_LINES || this.#current === undefined
    ) {
      this.#current = format;
      this.#candidateLines = 0;
    }
  }

  /** Ends a line that the next one did not continue, as unreadable. */
  #endPartial(): ReadEntry[] {
    if (this.#partial === undefined) return [];
    const { text } = this.#partial;
    this.#partial = undefined;
    return [this.#unreadable(text)];
  }

  /** Returns the entry, unless it is an older version of the previous one. */
  #entries(parsed: ParsedLine, line: string, format: string): ReadEntry[] {
    const { name, version } = parsed;
    if (version === undefined) return [this.#entry(parsed, line, format)];
    if (this.#options.allVersions) {
      // CWD takes a directory without its version.
      if (parsed.kind === "directory") {
        return [this.#entry(parsed, line, format)];
      }
      const versioned = { ...parsed, name: `${name};${version}` };
      return [this.#entry(versioned, line, format)];
    }
    const newest = this.#newest;
    if (newest?.name === name && newest.version > version) return [];
    this.#newest = { name, version };
    return [this.#entry(parsed, line, format)];
  }

  #entry(parsed: ParsedLine, line: string, format: string): ReadEntry {
    const { decode } = this.#options;
    const source = new ParsedSource({ parsed, line, format, decode });
    return { entry: new Entry(source, 0) };
  }
}

function nameOf(format: KnownFormat | undefined): string | undefined {
  return typeof format === "object" ? format.name : format;
}
