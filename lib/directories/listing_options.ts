/**
 * Options of listings.
 *
 * @module
 */

import type { Entry } from "../listing/entry.ts";
import type { ListingFormat } from "../listing/listing_format.ts";
import { MAX_LISTING_LINE } from "../listing/listing_options.ts";
import { checkFormat, ListingReader } from "../listing/listing_reader.ts";
import type { NamesOf } from "../protocol/check_names.ts";
import { checkNumber } from "../protocol/check_number.ts";
import { checkWord } from "../protocol/check_word.ts";
import type { Session } from "../transfer/session.ts";

/** Options of {@linkcode FTP.prototype.list FTP.list}. */
export interface ListOptions {
  /**
   * The command to send, without trying others. On some servers, `LIST` shows
   * links and owners and `MLSD` does not.
   *
   * @default "MLSD" where it works, else "LIST"
   */
  command?: "MLSD" | "LIST" | undefined;
  /**
   * Format of the lines: `"auto"` detects it, a name (as in `Entry.format`)
   * selects it, an object reads the lines itself.
   *
   * @default "auto"
   */
  format?: string | ListingFormat | undefined;
  /**
   * Time zone of a `LIST`, whose lines have none: minutes east of UTC, or
   * `"infer"`. The latter compares the newest file of the listing with its
   * `MDTM`, once for each server, and reads the listing twice for it. The
   * result is only as good as the zone of `MDTM`: UTC, unless an upload or
   * `serverZone` has shown another. `MLSD` uses UTC.
   *
   * A mirror trusts a number, and derives the zone of `MDTM` from it: the same,
   * if both show the same time for one file.
   *
   * @default the zone that is known of the server, else 0
   */
  zone?: number | "infer" | undefined;
  /**
   * Current time, for dates without a year.
   *
   * @default () => new Date()
   */
  now?: Date | (() => Date) | undefined;
  /**
   * Milliseconds by which a date without a year may lie in the future. Later
   * dates belong to the previous year.
   *
   * @default 86_400_000
   */
  slack?: number | undefined;
  /**
   * Whether to request hidden names with a leading dot (`LIST -a`). If that
   * does not work, a plain `LIST` is sent.
   *
   * @default false
   */
  all?: boolean | undefined;
  /**
   * Whether to return every version of a file, if the server keeps several
   * (OpenVMS).
   *
   * @default false
   */
  allVersions?: boolean | undefined;
  /**
   * Largest number of entries. More entries are a `RangeError`.
   *
   * @default Infinity
   */
  maxEntries?: number | undefined;
  /**
   * Called with each line that no format can read. Not awaited; if it throws,
   * the listing fails. Without it, such a line is an entry of kind `"unknown"`,
   * with the line as its name.
   *
   * A header or a trailer is never an entry: an unreadable line before the first
   * entry or after the last one that does not look like an entry.
   */
  onUnknown?: ((line: string, entry: Entry) => unknown) | undefined;
  /** Aborts the listing. The connection stays usable. */
  signal?: AbortSignal | undefined;
}

/** Names of the options of a listing. */
export const LIST_OPTIONS: NamesOf<ListOptions> = {
  command: true,
  format: true,
  zone: true,
  now: true,
  slack: true,
  all: true,
  allVersions: true,
  maxEntries: true,
  onUnknown: true,
  signal: true,
};

/** Settings of a listing, other than the options of the caller. */
export interface ReadingOptions {
  /** Minutes east of UTC. */
  zone: number;
  /** Name of the directory without its parents, if it is known. */
  directory: string | undefined;
  /** Called with each header and trailer. */
  onNote: ((line: string, entry: Entry) => void) | undefined;
  /** Called with the entries for the directory itself and its parent. */
  onSelf: (entry: Entry) => void;
}

/**
 * Creates a reader for one listing.
 *
 * @param reading Zone, name of the directory, and callbacks
 */
export function makeReader(
  session: Session,
  options: ListOptions,
  { zone, directory, onNote, onSelf }: ReadingOptions,
): ListingReader {
  const { format, now, slack, allVersions } = options;
  return new ListingReader({
    decode: (bytes) => session.control.encoding.decode(bytes),
    zone,
    maxLine: Math.min(session.options.maxLine, MAX_LISTING_LINE),
    onNote,
    onSelf,
    directory,
    ...format !== undefined && { format },
    ...now !== undefined && { now },
    ...slack !== undefined && { slack },
    ...allVersions !== undefined && { allVersions },
  });
}

/**
 * Rejects invalid options before anything is sent.
 *
 * @throws {RangeError} If `maxEntries`, `slack` or `zone` is out of range
 * @throws {TypeError} If `command` or `format` is unknown
 */
export function checkListOptions(options: ListOptions): void {
  const { command, format, maxEntries, now, slack, zone } = options;
  checkWord("command", command, ["MLSD", "LIST"]);
  checkFormat(format);
  checkNumber("slack", slack);
  checkNow(now);
  if (maxEntries !== undefined && !(maxEntries >= 0)) {
    throw new RangeError(
      `Cannot take ${maxEntries} entries: "maxEntries" must be a number from 0`,
    );
  }
  if (zone !== undefined && zone !== "infer" && !Number.isFinite(zone)) {
    throw new RangeError(
      `Cannot use the zone ${zone}: it must be minutes east of UTC, or "infer"`,
    );
  }
}

/** Rejects an invalid date, which would remove the time of every entry. */
function checkNow(now: ListOptions["now"]): void {
  const isTime = now === undefined || typeof now === "function" ||
    (now instanceof Date && !Number.isNaN(now.getTime()));
  if (isTime) return;
  throw new TypeError(
    'Cannot use "now": it must be a valid Date, or a function that returns one',
  );
}
