/**
 * Detects the format of a listing, and reads the lines that the WASM parser
 * cannot.
 *
 * @module
 */

import { Entry } from "./entry.ts";
import { FORMATS } from "./formats.ts";
import { isNoise } from "./noise.ts";
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
const RIVAL_LINES = 3;

/** Longest line of a rare format, in bytes; longer lines are not tried. */
const MAX_RARE_LINE = 4096;

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
}

/** A format that is read in TypeScript, or the name of a scanner format. */
type KnownFormat = string | ListingFormat;

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
  #rival: KnownFormat | undefined;
  #rivalLines = 0;

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
    if (typeof current !== "string" || this.#rivalLines > 0) return -1;
    return TABLE_FORMATS.findIndex((name) => name === current);
  }

  /** Reads a line, or keeps it until the format is known. */
  read(line: ListingLine): Entry[] {
    if (this.#sample === undefined) return this.#readLine(line);
    this.#sample.push(line);
    return this.#sample.length < SAMPLE_LINES ? [] : this.#decide();
  }

  /** Ends the listing. */
  end(): Entry[] {
    const entries = this.#decide();
    entries.push(...this.#endPartial());
    return entries;
  }

  #decide(): Entry[] {
    const sample = this.#sample;
    if (sample === undefined) return [];
    this.#sample = undefined;
    this.#current = this.#best(sample);
    return sample.flatMap((line) => this.#readLine(line));
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
    let partial: string | undefined;
    for (const line of lines) {
      const text = partial === undefined ? line : `${partial} ${line}`;
      let result = this.#try(format, text);
      if (result === undefined && partial !== undefined) {
        result = this.#try(format, line);
      }
      partial = result === "partial" ? line : undefined;
      if (typeof result === "object") score++;
    }
    return score;
  }

  #try(format: ListingFormat, line: string): LineResult {
    if (line.length > MAX_RARE_LINE && this.#formats === FORMATS) {
      return undefined;
    }
    return format.read(line, this.#options.context);
  }

  #readLine(line: ListingLine): Entry[] {
    const { source, index } = line;
    const scanned = source.format(index);
    const isScanned = typeof this.#current !== "object" &&
      this.#partial === undefined && scanned !== "unknown";
    if (isScanned) {
      this.#note(scanned);
      return [new Entry(source, index)];
    }
    const text = toByteText(source.lineBytes(index));
    if (this.#partial !== undefined) {
      const { format, text: first } = this.#partial;
      const whole = `${first} ${text}`;
      const result = this.#try(format, whole);
      if (typeof result === "object") {
        this.#partial = undefined;
        return this.#entries(result, whole, format.name);
      }
      return [...this.#endPartial(), ...this.#readLine(line)];
    }
    const current = this.#current;
    if (typeof current === "object") {
      const result = this.#try(current, text);
      if (result === "partial") {
        this.#partial = { format: current, text };
        return [];
      }
      if (result !== undefined) {
        this.#rivalLines = 0;
        return result === "frame"
          ? []
          : this.#entries(result, text, current.name);
      }
    }
    if (scanned !== "unknown") {
      this.#note(scanned);
      return [new Entry(source, index)];
    }
    return this.#readRare(text);
  }

  /** Reads a line that neither the current format nor the scanner can read. */
  #readRare(text: string): Entry[] {
    // RFC 3659, 7.2: no facts, a blank, and the name
    if (this.#current === "mlsd" && text.startsWith(" ") && text.length > 1) {
      return [
        this.#entry({ name: text.slice(1), kind: "unknown" }, text, "mlsd"),
      ];
    }
    if (isNoise(text)) return [];
    for (const format of this.#formats) {
      const result = this.#try(format, text);
      if (result === undefined || result === "partial") continue;
      if (result === "frame") return [];
      this.#note(format);
      return this.#entries(result, text, format.name);
    }
    return [this.#entry({ name: text, kind: "unknown" }, text, "unknown")];
  }

  /**
   * Counts the lines in a row that a format read, and makes it current after
   * some.
   */
  #note(format: KnownFormat): void {
    if (format === this.#current) {
      this.#rivalLines = 0;
      return;
    }
    this.#rivalLines = format === this.#rival ? this.#rivalLines + 1 : 1;
    this.#rival = format;
    if (this.#rivalLines >= RIVAL_LINES || this.#current === undefined) {
      this.#current = format;
      this.#rivalLines = 0;
    }
  }

  /** Ends a line that the next one did not continue, as unreadable. */
  #endPartial(): Entry[] {
    if (this.#partial === undefined) return [];
    const { text } = this.#partial;
    this.#partial = undefined;
    return [this.#entry({ name: text, kind: "unknown" }, text, "unknown")];
  }

  /** Returns the entry, unless it is an older version of the previous one. */
  #entries(parsed: ParsedLine, line: string, format: string): Entry[] {
    const { name, version } = parsed;
    if (version === undefined) return [this.#entry(parsed, line, format)];
    if (this.#options.allVersions) {
      const versioned = { ...parsed, name: `${name};${version}` };
      return [this.#entry(versioned, line, format)];
    }
    const newest = this.#newest;
    if (newest?.name === name && newest.version > version) return [];
    this.#newest = { name, version };
    return [this.#entry(parsed, line, format)];
  }

  #entry(parsed: ParsedLine, line: string, format: string): Entry {
    const { decode } = this.#options;
    return new Entry(new ParsedSource({ parsed, line, format, decode }), 0);
  }
}

function nameOf(format: KnownFormat | undefined): string | undefined {
  return typeof format === "object" ? format.name : format;
}
