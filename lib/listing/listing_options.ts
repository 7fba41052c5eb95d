/**
 * Options of a listing reader.
 *
 * @module
 */

import type { Entry } from "./entry.ts";
import type { ListingFormat } from "./listing_format.ts";

/** Longest line of a listing, in bytes, and the largest limit. */
export const MAX_LISTING_LINE = 65_535;

/** A server's clock may be ahead, and its zone unknown: a day. */
export const DEFAULT_SLACK = 86_400_000;

/** Options for `ListingReader`. */
export interface ListingReaderOptions {
  /**
   * Decodes bytes in the session's encoding. Must not throw.
   *
   * @default UTF-8, undecodable bytes as lone surrogates
   */
  decode?: (bytes: Uint8Array) => string;
  /**
   * Format of the lines. `"auto"` detects it, and detects it again when it no
   * longer fits. A name, as in `Entry.format`, selects it. An object reads the
   * lines itself.
   *
   * @default "auto"
   */
  format?: string | ListingFormat;
  /**
   * Current time, for dates without a year. Read once, at the start.
   *
   * @default () => new Date()
   */
  now?: Date | (() => Date);
  /**
   * Zone of a LIST's times, in minutes east of UTC. MLSD uses UTC.
   *
   * @default 0
   */
  zone?: number;
  /**
   * Milliseconds by which a date without a year may lie in the future. Later
   * dates belong to the previous year.
   *
   * @default 86_400_000
   */
  slack?: number;
  /**
   * Longest line, in bytes; at most 65,535. With a longer one the reader stops
   * with an error.
   *
   * @default 65_535
   */
  maxLine?: number;
  /**
   * Name of the listed directory without its parents. IBM i lists a member with
   * its file's name, also in the listing of that file.
   *
   * @default not known
   */
  directory?: string | undefined;
  /**
   * Called with the entries for the listed directory and its parent (`.`, `..`,
   * MLSD's `cdir` and `pdir`), which are not returned.
   *
   * @default such entries are ignored
   */
  onSelf?: ((entry: Entry) => void) | undefined;
  /**
   * Called with each header and trailer: an unreadable line before the first
   * entry or after the last one that does not look like an entry. The entry is
   * of kind `"unknown"`, with the line as its name.
   *
   * @default such lines are ignored
   */
  onNote?: ((line: string, entry: Entry) => void) | undefined;
  /**
   * Whether to return every version of a file, if the server keeps several
   * (OpenVMS), with the version in the name: `A.TXT;3`. Otherwise the newest
   * one is returned, without the version.
   *
   * @default false
   */
  allVersions?: boolean;
}
