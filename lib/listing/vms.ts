/**
 * OpenVMS: `NAME.EXT;2  12/15  2-JUN-1998 07:32:04  [GROUP,OWNER]  (RWED,RWED,RE,)`.
 *
 * @module
 */

import {
  type LineContext,
  type LineResult,
  type ListingFormat,
  toTime,
} from "./listing_format.ts";
import { parseLocalMonth } from "./local_month.ts";

const NAME_REGEXP = /^([^;\s][^;]{0,254});(\d{1,5})(?=\s|$)/;
/** MultiNet leaves the version out if a name has a line of its own. */
const BARE_NAME_REGEXP =
  /^([A-Z0-9$_~-]{1,80}\.[A-Z0-9$_~-]{0,80})(?:$|(\s+\d{1,13}(?:\/\d{1,13})?\s+\d{1,2}-.*)$)/;
/** CMU puts the directory before each name. */
const DIRECTORY_PREFIX_REGEXP = /^\[[\w$.~-]{1,200}\](?=.)/;
const NEXT_NAME_REGEXP = /^\s*[^\s;[(]{1,254};\d{1,5}(?=\s|$)/;
const DATE_REGEXP =
  /\s(\d{1,2})-([A-Za-z\x80-\xff]{3,12}\.?)-(\d{4})(?: +(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d{1,7})?)?)?(?=\s|$)/;
const SIZE_REGEXP =
  /\s(\d{1,13}(?:\.\d{1,3}(?=[KMGkmg]))?)(?:\/\d{1,13})?(?:([KMGkmg])[Bb]?)?(?=\s|$)/;
const OWNER_REGEXP = /\s\[([^\]]{1,80})\]/;
/** Between the date and the protection an owner may have no brackets. */
const BARE_OWNER_REGEXP = /^\s+([A-Z$][A-Z0-9$_]{0,30})\s+\(/;
const PROTECTION_REGEXP = /\s\(([^)]{0,40})\)\s*$/;

/** `DISK:[DIR]` above the list. */
const DIRECTORY_REGEXP =
  /^(?:[\w$-]{1,64}::)?[\w$-]{1,64}:\[[^\]\s]{1,255}\]\s*$/;
/** Reasons why the server does not show the facts of a file. */
const ERROR_REGEXP =
  /^\s+(?:<?%[A-Z0-9$_]{1,32}-[A-Z]-|(?:[Ii]nsufficient|[Nn]o) privilege\b)/;
/** If nothing was found, the pattern is listed with an error. */
const NOTHING_REGEXP =
  /^[^\s*;]{0,80}\*[^\s;]{0,80};\d{1,5}\s+<?%[A-Z0-9$_]{1,32}-[A-Z]-/;

/** Bytes of a block, the unit of sizes. */
const BLOCK = 512;
/** Bytes of other units. */
const UNITS: Readonly<Record<string, number>> = {
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
};

/** Listings of OpenVMS. A long name has a line of its own. */
export const VMS: ListingFormat = { name: "vms", read, readLoose };

function read(line: string, context: LineContext): LineResult {
  const isFrame =
    /^(?:Directory \S|Total of \d+ |Grand total of )/i.test(line) ||
    DIRECTORY_REGEXP.test(line);
  if (isFrame) return "frame";
  if (/^Total \d+ files?\b/i.test(line)) return "note";
  if (NOTHING_REGEXP.test(line)) return "note";
  const match = NAME_REGEXP.exec(line);
  if (match === null) return undefined;
  const [whole, file, version] = match;
  const rest = line.slice(whole.length);
  if (rest.trim() === "") return "partial";
  // two entries were joined
  if (NEXT_NAME_REGEXP.test(rest)) return undefined;
  return readRest(file!, Number(version), rest, context);
}

function readLoose(line: string, context: LineContext): LineResult {
  const match = BARE_NAME_REGEXP.exec(line);
  if (match === null) return undefined;
  const [, file, rest] = match;
  if (rest === undefined) return "partial";
  return readRest(file!, undefined, rest, context);
}

/** Reads the columns after a name. */
function readRest(
  path: string,
  version: number | undefined,
  rest: string,
  context: LineContext,
): LineResult {
  const file = path.replace(DIRECTORY_PREFIX_REGEXP, "");
  const isDirectory = /\.DIR$/i.test(file);
  const name = isDirectory ? file.slice(0, -4) : file;
  const kind = isDirectory ? "directory" : "file";
  // %RMS-E-PRV and the like replace the rest
  if (ERROR_REGEXP.test(rest)) return { name, kind, version };
  const date = DATE_REGEXP.exec(rest);
  if (date === null) return undefined;
  const size = SIZE_REGEXP.exec(rest);
  const afterDate = rest.slice(date.index + date[0].length);
  const owner = (OWNER_REGEXP.exec(rest) ?? BARE_OWNER_REGEXP.exec(afterDate))
    ?.[1]
    ?.split(",");
  return {
    name,
    version,
    kind,
    // the size of the directory's own file does not describe its contents
    size: isDirectory || size === null ? undefined : sizeOf(size[1]!, size[2]),
    isSizeApproximate: true,
    mode: parseProtection(PROTECTION_REGEXP.exec(rest)?.[1]),
    owner: owner?.at(-1),
    group: owner !== undefined && owner.length > 1 ? owner[0] : undefined,
    ...readDate(date, context),
  };
}

/** Returns a size that has a unit, or is in blocks. */
function sizeOf(digits: string, unit = ""): number | undefined {
  const factor = UNITS[unit.toUpperCase()] ?? BLOCK;
  const size = Math.round(Number(digits) * factor);
  return Number.isSafeInteger(size) ? size : undefined;
}

function readDate(match: RegExpExecArray, context: LineContext) {
  const [, day, month, year, hour, minute, second] = match;
  return toTime({
    year: Number(year),
    month: parseLocalMonth(month!),
    day: Number(day),
    ...(hour !== undefined && { hour: Number(hour), minute: Number(minute) }),
    ...(second !== undefined && { second: Number(second) }),
  }, context);
}

/**
 * Reads the protection of system, owner, group and world. The last three are
 * permission bits.
 */
function parseProtection(text: string | undefined): number | undefined {
  const parts = text?.toUpperCase().split(",");
  if (parts?.length !== 4) return undefined;
  return parts.slice(1).reduce(
    (mode, part) =>
      mode << 3 | (part.includes("R") ? 4 : 0) | (part.includes("W") ? 2 : 0) |
      (part.includes("E") ? 1 : 0),
    0,
  );
}
