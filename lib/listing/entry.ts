/**
 * One file, directory or link of a listing.
 *
 * @module
 */

import { isFileTime } from "../protocol/numbers.ts";
import { printableInspection } from "../protocol/printable.ts";

/** What an entry is. A line nobody can read is `"unknown"`. */
export type EntryKind = "file" | "directory" | "symlink" | "other" | "unknown";

/** How far the time of an entry can be trusted. */
export type TimePrecision = "second" | "minute" | "day";

/** The same in milliseconds. */
export const TIME_PRECISIONS: Readonly<Record<TimePrecision, number>> = {
  second: 1000,
  minute: 60_000,
  day: 86_400_000,
};

/**
 * Where entries have their data from: the lines that were read together. What
 * it holds is read when it is asked for, once per question.
 */
export interface EntrySource {
  /** The name as text. */
  name(index: number): string;
  /** The name as bytes, which the caller may keep. */
  rawName(index: number): Uint8Array;
  /** What the entry is. */
  kind(index: number): EntryKind;
  /** Bytes of the file. */
  size(index: number): number | undefined;
  /** Whether the server rounded the size. */
  isSizeApproximate(index: number): boolean;
  /** Time of the last modification, a new `Date` on each call. */
  mtime(index: number): Date | undefined;
  /** How exact `mtime` is. */
  mtimePrecision(index: number): TimePrecision | undefined;
  /** Permission bits. */
  mode(index: number): number | undefined;
  /** Where a link leads. */
  linkTarget(index: number): string | undefined;
  /** The owner, by name or number. */
  owner(index: number): string | undefined;
  /** The group, by name or number. */
  group(index: number): string | undefined;
  /** MLSD's facts. */
  facts(index: number): Record<string, string> | undefined;
  /** The line as text. */
  line(index: number): string;
  /** The name of the format that read the line. */
  format(index: number): string;
}

/** What makes a name unfit to be one segment of a path. */
const HOSTILE_REGEXP = /^\.{0,2}$|[/\\\0\r\n]/;

/** Tells an entry where it leads, as another line has it. */
export let resolveLink: (entry: Entry, target: string) => void;

/**
 * One file, directory or link, as a listing tells of it. The fields are those of
 * `Deno.DirEntry` and `Deno.FileInfo` where those have them.
 *
 * An entry reads its fields from the block of lines it came with, when they are
 * asked for. Whoever keeps millions of entries should keep the fields instead.
 *
 * @example Read a line of an MLSD listing
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ListingReader } from "./listing_reader.ts";
 *
 * const reader = new ListingReader({ format: "mlsd" });
 * const line = "type=file;size=5;modify=20240229120000; a b.txt\r\n";
 * const [entry] = reader.push(new TextEncoder().encode(line));
 *
 * assertEquals(entry?.name, "a b.txt");
 * assertEquals(entry?.isFile, true);
 * assertEquals(entry?.size, 5);
 * assertEquals(entry?.mtime, new Date("2024-02-29T12:00:00Z"));
 * ```
 */
export class Entry implements Deno.DirEntry {
  readonly #source: EntrySource;
  readonly #index: number;
  /** What another line told of the link's target. */
  #target: string | undefined;

  static {
    resolveLink = (entry, target) => entry.#target = target;
  }

  /**
   * Makes an entry. `ListingReader` does.
   *
   * @param source The lines that were read together
   * @param index Which of them this is
   */
  constructor(source: EntrySource, index: number) {
    this.#source = source;
    this.#index = index;
  }

  /** The name, as the server sent it, in the session's encoding. */
  get name(): string {
    return this.#source.name(this.#index);
  }

  /**
   * The name's bytes. Given back as a path they open this very file, whatever
   * its encoding is.
   */
  get rawName(): Uint8Array {
    return this.#source.rawName(this.#index);
  }

  /** What the entry is. */
  get kind(): EntryKind {
    return this.#source.kind(this.#index);
  }

  /** Whether it is a regular file. */
  get isFile(): boolean {
    return this.kind === "file";
  }

  /** Whether it is a directory. */
  get isDirectory(): boolean {
    return this.kind === "directory";
  }

  /** Whether it is a symbolic link. */
  get isSymlink(): boolean {
    return this.kind === "symlink";
  }

  /**
   * Bytes; `undefined` where the server does not say, or says more than 2^53,
   * which would be rounded (`facts.size` and `line` have it as it came).
   */
  get size(): number | undefined {
    return this.#source.size(this.#index);
  }

  /**
   * Whether the server rounded the size (kilobytes, blocks), so that it must not
   * be compared with a count of bytes.
   */
  get isSizeApproximate(): boolean {
    return this.#source.isSizeApproximate(this.#index);
  }

  /**
   * Time of the last modification, where it is known: a year before 1902 or
   * after 2499 stands for one that is not.
   */
  get mtime(): Date | undefined {
    const time = this.#source.mtime(this.#index);
    return time !== undefined && isFileTime(time.getTime()) ? time : undefined;
  }

  /**
   * How exact `mtime` is: a LIST line has minutes for new files and days for old
   * ones. `undefined` where there is no time.
   */
  get mtimePrecision(): TimePrecision | undefined {
    const { mtime } = this;
    return mtime && this.#source.mtimePrecision(this.#index);
  }

  /** Permission bits, set-user-ID, set-group-ID and sticky bits included. */
  get mode(): number | undefined {
    return this.#source.mode(this.#index);
  }

  /** Where a symbolic link leads, where the server tells. */
  get linkTarget(): string | undefined {
    return this.#target ?? this.#source.linkTarget(this.#index);
  }

  /** The owner, by name or number. */
  get owner(): string | undefined {
    return this.#source.owner(this.#index);
  }

  /** The group, by name or number. */
  get group(): string | undefined {
    return this.#source.group(this.#index);
  }

  /** MLSD's facts (RFC 3659, 7.5), keys in lower case; `undefined` in a LIST. */
  get facts(): Record<string, string> | undefined {
    return this.#source.facts(this.#index);
  }

  /** The line as the server sent it, without its line end. */
  get line(): string {
    return this.#source.line(this.#index);
  }

  /** The format that read the line; `"unknown"` when none did. */
  get format(): string {
    return this.#source.format(this.#index);
  }

  /**
   * Whether the name must not be made a part of a path: it is empty, `.` or
   * `..`, holds `/`, `\`, NUL, CR or LF, or is a line that no format could read.
   */
  get hostile(): boolean {
    return HOSTILE_REGEXP.test(this.name) || this.kind === "unknown" &&
        this.format === "unknown";
  }

  /**
   * Gives the fields as a plain object, which `JSON.stringify` writes and which
   * does not hold on to the listing.
   *
   * @returns The fields that are known
   */
  toJSON(): Record<string, unknown> {
    return {
      name: this.name,
      kind: this.kind,
      size: this.size,
      mtime: this.mtime?.toISOString(),
      mtimePrecision: this.mtimePrecision,
      mode: this.mode,
      linkTarget: this.linkTarget,
      owner: this.owner,
      group: this.group,
      facts: this.facts,
      line: this.line,
      format: this.format,
    };
  }

  /**
   * Shows the fields in `console.log`.
   *
   * @param inspect Deno's function that shows a value
   * @param options How it shows it
   * @returns The text
   */
  [Symbol.for("Deno.customInspect")](
    inspect: (value: unknown, options?: unknown) => string,
    options: unknown,
  ): string {
    const fields = Object.entries(this.toJSON())
      .filter(([, value]) => value !== undefined);
    return printableInspection(
      `Entry ${inspect(Object.fromEntries(fields), options)}`,
    );
  }
}
