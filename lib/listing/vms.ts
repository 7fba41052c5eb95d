/**
 * OpenVMS: `NAME.EXT;2  12/15  2-JUN-1998 07:32:04  [GROUP,OWNER]  (RWED,RWED,RE,)`.
 *
 * @module
 */

import {
  type LineContext,
  type LineResult,
  type ListingFormat,
  parseMonth,
  toTime,
} from "./listing_format.ts";

const NAME_REGEXP = /^([^;\s][^;]{0,254});(\d{1,5})(?=\s|$)/;
const NEXT_NAME_REGEXP = /^\s*[^\s;[(]{1,254};\d{1,5}(?=\s|$)/;
const DATE_REGEXP =
  /\s(\d{1,2})-([A-Za-z]{3})-(\d{4})(?: +(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d{1,7})?)?)?(?=\s|$)/;
const SIZE_REGEXP = /\s(\d{1,12})(?:\/\d{1,12})?(?=\s|$)/;
const OWNER_REGEXP = /\s\[([^\]]{1,80})\]/;
const PROTECTION_REGEXP = /\s\(([^)]{0,40})\)\s*$/;

/** Bytes of a block, the unit of sizes. */
const BLOCK = 512;

/** Listings of OpenVMS. A long name has a line of its own. */
export const VMS: ListingFormat = { name: "vms", read };

function read(line: string, context: LineContext): LineResult {
  if (/^(?:Directory \S|Total of \d+ |Grand total of )/i.test(line)) {
    return "frame";
  }
  const match = NAME_REGEXP.exec(line);
  if (match === null) return undefined;
  const [whole, file, version] = match;
  const rest = line.slice(whole.length);
  if (rest.trim() === "") return "partial";
  // two entries were joined
  if (NEXT_NAME_REGEXP.test(rest)) return undefined;
  const date = DATE_REGEXP.exec(rest);
  // %RMS-E-PRV and the like replace the rest
  if (date === null && !/^\s+%[A-Z]+-[A-Z]-/.test(rest)) return undefined;
  const isDirectory = /\.DIR$/i.test(file!);
  const size = SIZE_REGEXP.exec(rest);
  const owner = OWNER_REGEXP.exec(rest)?.[1]?.split(",");
  return {
    name: isDirectory ? file!.slice(0, -4) : file!,
    version: Number(version),
    kind: isDirectory ? "directory" : "file",
    // the size of the directory's own file does not describe its contents
    size: isDirectory || size === null ? undefined : Number(size[1]) * BLOCK,
    isSizeApproximate: true,
    mode: parseProtection(PROTECTION_REGEXP.exec(rest)?.[1]),
    owner: owner?.at(-1),
    group: owner !== undefined && owner.length > 1 ? owner[0] : undefined,
    ...(date && readDate(date, context)),
  };
}

function readDate(match: RegExpExecArray, context: LineContext) {
  const [, day, month, year, hour, minute, second] = match;
  return toTime({
    year: Number(year),
    month: parseMonth(month!),
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
