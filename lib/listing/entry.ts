/**
 * An entry of a listing: a file, directory or link.
 *
 * @module
 */

import { isFileTime } from "../protocol/numbers.ts";
import { printableInspection } from "../protocol/printable.ts";

/** Kind of an entry. A line that no format can read is `"unknown"`. */
export type EntryKind = Entry["kind"];

/** Resolution of an entry's time. */
export type TimePrecision = "second" | "minute" | "day";

const MINUTE = 60_000;

/** Resolutions in milliseconds. */
export const TIME_PRECISIONS: Readonly<Record<TimePrecision, number>> = {
  second: 1000,
  minute: MINUTE,
  day: 86_400_000,
};

/**
 * Data of entries: the lines that were read together. Each method reads the
 * line anew.
 *
 * @internal
 */
export interface EntrySource {
  /** The name as text. */
  name(index: number): string;
  /** The name as bytes, which the caller may keep. */
  rawName(index: number): Uint8Array;
  /** The path from the listed directory; without it, the name. */
  path?(index: number): string;
  /** Kind of the entry. */
  kind(index: number): EntryKind;
  /** Size in bytes. */
  size(index: number): number | undefined;
  /** Whether the server rounded the size. */
  isSizeApproximate(index: number): boolean;
  /** Time of the last modification, a new `Date` on each call. */
  mtime(index: number): Date | undefined;
  /** Resolution of `mtime`. */
  mtimePrecision(index: number): TimePrecision | undefined;
  /** Permission bits. */
  mode(index: number): number | undefined;
  /** Target of a symbolic link. */
  linkTarget(index: number): string | undefined;
  /** The owner, by name or number. */
  owner(index: number): string | undefined;
  /** The group, by name or number. */
  group(index: number): string | undefined;
  /** Facts of MLSD. */
  facts(index: number): Record<string, string> | undefined;
  /** The line as text. */
  line(index: number): string;
  /** Length of the line in bytes, without decoding it. */
  lineLength(index: number): number;
  /** Name of the format that read the line. */
  format(index: number): string;
  /** Releases memory, at the cost of the next access. */
  pack?(): void;
}

/** Names that must not be a segment of a path. */
const HOSTILE_REGEXP = /^\.{0,2}$|[/\\\0\r\n]/;

/**
 * Returns the path of an entry from the listed directory: its name, unless it is
 * in another directory of the same listing (a member of a file of IBM i).
 */
export let pathOfEntry: (entry: Entry) => string;

/** Returns the length of an entry's line in bytes, without decoding it. */
export let lineLengthOf: (entry: Entry) => number;

/** Sets the target of a link, which another line contains. */
export let resolveLink: (entry: Entry, target: string) => void;

/** Properties that replace those of the line. */
export interface EntryChanges {
  /** The name, as text and as bytes. */
  readonly name?: { readonly text: string; readonly raw: Uint8Array };
  /** Zone of the time, in minutes east of UTC. */
  readonly zone?: number | undefined;
  /** Target of a link, from another line. */
  readonly target?: string;
}

/** Arguments that create the same entry with some properties replaced. */
export let changed: (
  entry: Entry,
  changes?: EntryChanges,
) => [source: EntrySource, index: number, changes: EntryChanges | undefined];

/**
 * A file, directory or link of a listing. The fields are named as in
 * `Deno.DirEntry` and `Deno.FileInfo`.
 *
 * An entry reads its fields from the block of lines that it came with, when
 * they are used. To keep millions of entries, keep their fields instead.
 *
 * @example Create an entry in a test of your own code
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Entry } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
 *
 * const entry = Entry.from({ name: "a.txt", size: 5, mtime: new Date(0) });
 * assertEquals(entry.isFile, true);
 * ```
 */
export class Entry implements Deno.DirEntry {
  readonly #source: EntrySource;
  readonly #index: number;
  #changes: EntryChanges | undefined;

  static {
    lineLengthOf = (entry) => entry.#source.lineLength(entry.#index);
    resolveLink = (entry, target) => {
      entry.#changes = { ...entry.#changes, target };
    };
    pathOfEntry = (entry) =>
      entry.#changes?.name === undefined
        ? entry.#source.path?.(entry.#index) ?? entry.name
        : entry.name;
    changed = (entry, changes) => [
      entry.#source,
      entry.#index,
      changes === undefined
        ? entry.#changes
        : { ...entry.#changes, ...changes },
    ];
  }

  /**
   * Creates an entry from its fields, for tests.
   *
   * @param fields The name, and the other fields as far as they matter;
   * `kind` is `"file"` by default
   * @returns The entry
   */
  static from(
    fields:
      & Pick<Entry, "name">
      & Partial<
        Omit<
          Entry,
          "isFile" | "isDirectory" | "isSymlink" | "hostile" | "toJSON"
        >
      >,
  ): Entry {
    const { name, mtime } = fields;
    return new Entry({
      name: () => name,
      rawName: () => fields.rawName ?? new TextEncoder().encode(name),
      kind: () => fields.kind ?? "file",
      size: () => fields.size,
      isSizeApproximate: () => fields.isSizeApproximate ?? false,
      mtime: () => mtime && new Date(mtime),
      mtimePrecision: () => mtime && (fields.mtimePrecision ?? "second"),
      mode: () => fields.mode,
      linkTarget: () => fields.linkTarget,
      owner: () => fields.owner,
      group: () => fields.group,
      facts: () => fields.facts,
      line: () => fields.line ?? "",
      lineLength: () => (fields.line ?? "").length,
      format: () => fields.format ?? "none",
    }, 0);
  }

  /**
   * Creates an entry. `ListingReader` does this.
   *
   * @param source The lines that were read together
   * @param index Index of the line
   * @param changes Properties that replace those of the line
   * @ignore
   */
  constructor(source: EntrySource, index: number, changes?: EntryChanges) {
    this.#source = source;
    this.#index = index;
    this.#changes = changes;
  }

  /** The name as the server sent it, decoded with the session's encoding. */
  get name(): string {
    return this.#changes?.name?.text ?? this.#source.name(this.#index);
  }

  /**
   * The name as bytes. Used as a path, they open the same file in any encoding.
   */
  get rawName(): Uint8Array {
    return this.#changes?.name?.raw ?? this.#source.rawName(this.#index);
  }

  /** Kind of the entry. */
  get kind(): "file" | "directory" | "symlink" | "other" | "unknown" {
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
   * Size in bytes; `undefined` if the server does not report it, or if it
   * exceeds 2^53 (`facts.size` and `line` contain it).
   */
  get size(): number | undefined {
    return this.#source.size(this.#index);
  }

  /**
   * Whether the server rounded the size (kilobytes, blocks), so that it must
   * not be compared with a number of bytes.
   */
  get isSizeApproximate(): boolean {
    return this.#source.isSizeApproximate(this.#index);
  }

  /**
   * Time of the last modification; `undefined` if it is unknown. Servers send
   * years before 1902 or after 2499 for unknown times.
   */
  get mtime(): Date | undefined {
    const time = this.#source.mtime(this.#index);
    if (time === undefined || !isFileTime(time.getTime())) return undefined;
    const zone = this.#changes?.zone ?? 0;
    return zone === 0 ? time : new Date(time.getTime() - zone * MINUTE);
  }

  /**
   * Resolution of `mtime`: a LIST line has minutes for new files and days for
   * old ones. `undefined` without a time.
   */
  get mtimePrecision(): "second" | "minute" | "day" | undefined {
    const { mtime } = this;
    return mtime && this.#source.mtimePrecision(this.#index);
  }

  /** Permission bits, set-user-ID, set-group-ID and sticky bits included. */
  get mode(): number | undefined {
    return this.#source.mode(this.#index);
  }

  /**
   * Target of a symbolic link; `undefined` if the server does not report it.
   */
  get linkTarget(): string | undefined {
    return this.#changes?.target ?? this.#source.linkTarget(this.#index);
  }

  /** The owner, by name or number. */
  get owner(): string | undefined {
    return this.#source.owner(this.#index);
  }

  /** The group, by name or number. */
  get group(): string | undefined {
    return this.#source.group(this.#index);
  }

  /**
   * Facts of MLSD (RFC 3659, 7.5), with keys in lower case; `undefined` in a
   * LIST.
   */
  get facts(): Record<string, string> | undefined {
    return this.#source.facts(this.#index);
  }

  /** The line as the server sent it, without its line end. */
  get line(): string {
    return this.#source.line(this.#index);
  }

  /** Name of the format that read the line; `"unknown"` if none could. */
  get format(): string {
    return this.#source.format(this.#index);
  }

  /**
   * Whether the name must not become part of a path: it is empty, `.` or `..`,
   * contains `/`, `\`, NUL, CR or LF, or is a line that no format could read.
   */
  get hostile(): boolean {
    return HOSTILE_REGEXP.test(this.name) || this.kind === "unknown" &&
        this.format === "unknown";
  }

  /**
   * Returns the fields as a plain object, which `JSON.stringify` uses and which
   * does not keep the listing in memory.
   *
   * @returns The known fields
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
   * Formats the fields for `console.log`.
   *
   * @param inspect Deno's function that formats a value
   * @param options Options of `inspect`
   * @returns The text
   * @ignore
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
