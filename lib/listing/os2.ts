/**
 * OS/2: `  36611      A    04-23-103  10:57  file` and `0 DIR  02-11-103  16:15  dir`.
 *
 * @module
 */

import {
  type LineContext,
  type LineResult,
  type ListingFormat,
  parseSize,
  toFullYear,
  toTime,
} from "./listing_format.ts";

const OS2_REGEXP =
  /^ *(\d{1,20}) +(?:[ADHRS]{1,5} +)?(DIR +)?(?:[ADHRS]{1,5} +)?(\d{1,2})-(\d{1,2})-(\d{2,4}) +(\d{1,2}):(\d\d) +(\S.*)$/s;

/** Listings of OS/2, whose years may count from 1900. */
export const OS2: ListingFormat = { name: "os2", read };

function read(line: string, context: LineContext): LineResult {
  const match = OS2_REGEXP.exec(line);
  if (match === null) return undefined;
  const [, size, mark, month, day, year, hour, minute, name] = match;
  return {
    name: name!,
    kind: mark === undefined ? "file" : "directory",
    size: mark === undefined ? parseSize(size!) : undefined,
    ...toTime({
      year: toFullYear(Number(year)),
      month: Number(month),
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
    }, context),
  };
}
