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

/** Options of {@linkcode FTP.list}. */
export interface ListOptions {
  /**
   * The command to send, whatever was found out about it: `LIST` tells of links
   * and owners on some servers whose `MLSD` does not.
   *
   * @default {"MLSD" where it works, else "LIST"}
   */
  command?: "MLSD" | "LIST" | undefined;
  /**
   * The format of the lines: `"auto"` finds it out, a name (as in
   * `Entry.format`) forces it, an object reads the lines itself.
   *
   * @default {"auto"}
   */
  format?: string | ListingFormat | undefined;
  /**
   * Zone of the times in a `LIST`, which says none: minutes east of UTC, or
   * `"infer"`, which compares the newest file of the listing with its `MDTM`,
   * once a server. For that the listing is read twice. What it finds is only as
   * true as `MDTM`'s zone, which is UTC unless an upload or `serverZone` has
   * shown another. `MLSD` is in UTC.
   *
   * A mirror takes a number for the user's word, and reads `MDTM` in the zone
   * that follows from it: the same, if both show the same for one file.
   *
   * @default {the zone that is known of the server, else 0}
   */
  zone?: number | "infer" | undefined;
  /**
   * What time it is, for dates without a year.
   *
   * @default {() => new Date()}
   */
  now?: Date | (() => Date) | undefined;
  /**
   * Milliseconds that a date without a year may lie in the future before it is
   * taken for last year's.
   *
   * @default {86_400_000}
   */
  slack?: number | undefined;
  /**
   * Whether servers that hide names with a leading dot are asked for them
   * (`LIST -a`); where that does not work, a plain `LIST` follows.
   *
   * @default {false}
   */
  all?: boolean | undefined;
  /**
   * Whether to give every version of a file where the server keeps several
   * (OpenVMS).
   *
   * @default {false}
   */
  allVersions?: boolean | undefined;
  /**
   * Most entries to take; one more is a `RangeError`.
   *
   * @default {Infinity}
   */
  maxEntries?: number | undefined;
  /**
   * Called with each line that no format can read, and not awaited; what it
   * throws ends the listing. Without it such a line is an entry of kind
   * `"unknown"` with the line as its name.
   */
  onUnknown?: ((line: string, entry: Entry) => unknown) | undefined;
  /** Aborts the listing; the connection stays usable. */
  signal?: AbortSignal | undefined;
}

/** The options of a listing, by name. */
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

/**
 * A reader for one listing.
 *
 * @param session The session, for its encoding and caps
 * @param options What the user set
 * @param zone Minutes east of UTC
 * @returns The reader; it gives entries for the directory itself too
 */
export function makeReader(
  session: Session,
  options: ListOptions,
  zone: number,
): ListingReader {
  const { format, now, slack, allVersions } = options;
  return new ListingReader({
    decode: (bytes) => session.control.encoding.decode(bytes),
    zone,
    maxLine: Math.min(session.options.maxLine, MAX_LISTING_LINE),
    includeSelf: true,
    ...format !== undefined && { format },
    ...now !== undefined && { now },
    ...slack !== undefined && { slack },
    ...allVersions !== undefined && { allVersions },
  });
}

/**
 * Insists on options that can be used, before anything is sent.
 *
 * @param options What the user set
 * @throws {RangeError} If `maxEntries` is not a number of entries, or `zone` no
 * zone
 * @throws {TypeError} If there is no such `command` or `format`
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

/** A date that is none would leave every entry without a time. */
function checkNow(now: ListOptions["now"]): void {
  const isTime = now === undefined || typeof now === "function" ||
    (now instanceof Date && !Number.isNaN(now.getTime()));
  if (isTime) return;
  throw new TypeError(
    'Cannot use "now": it must be a valid Date, or a function that returns one',
  );
}
