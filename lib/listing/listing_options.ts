/**
 * What a listing is read with.
 *
 * @module
 */

import type { ListingFormat } from "./listing_format.ts";

/** Longest line of a listing, in bytes, and the most that can be asked for. */
export const MAX_LISTING_LINE = 65_535;

/** A server's clock may be ahead of ours, and its zone unknown: a day. */
export const DEFAULT_SLACK = 86_400_000;

/** Options for `ListingReader`. */
export interface ListingReaderOptions {
  /**
   * Bytes to text in the session's encoding, without failing.
   *
   * @default {UTF-8, undecodable bytes as lone surrogates}
   */
  decode?: (bytes: Uint8Array) => string;
  /**
   * The format of the lines: `"auto"` finds it out, and finds it out again when
   * it stops fitting; a name, as in `Entry.format`, forces it; an object reads
   * the lines itself.
   *
   * @default {"auto"}
   */
  format?: string | ListingFormat;
  /**
   * What time it is, for dates without a year. Asked once, at the start.
   *
   * @default {() => new Date()}
   */
  now?: Date | (() => Date);
  /**
   * Minutes that the times of a LIST are east of UTC. MLSD's are UTC.
   *
   * @default {0}
   */
  zone?: number;
  /**
   * Milliseconds that a date without a year may lie in the future before it is
   * taken for last year's.
   *
   * @default {86_400_000}
   */
  slack?: number;
  /**
   * Bytes a line may have; at most 65,535. A longer one is no listing: the
   * reader stops with an error.
   *
   * @default {65_535}
   */
  maxLine?: number;
  /**
   * Whether to give entries for the listed directory and its parent (`.`, `..`,
   * MLSD's `cdir` and `pdir`).
   *
   * @default {false}
   */
  includeSelf?: boolean;
  /**
   * Whether to give every version of a file where the server keeps several
   * (OpenVMS), with the version in the name: `A.TXT;3`. Otherwise the newest one
   * is given, under the name without it.
   *
   * @default {false}
   */
  allVersions?: boolean;
}
