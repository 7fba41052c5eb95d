/**
 * NetManage Chameleon (NEWT) and SuperTCP on Windows:
 * `DESIGN1.DOC     11264      May 11 1995 14:20   A` and
 * `INSTALL         <DIR>           11-16-94        17:17`.
 *
 * @module
 */

import {
  type LineContext,
  type LineResult,
  type ListingFormat,
  parseMonth,
  parseSize,
  toFullYear,
  toTime,
} from "./listing_format.ts";

const CHAMELEON_REGEXP =
  /^(\S{1,64}) +(<DIR>|\d{1,15}) +(?:([A-Za-z]{3}) (\d{1,2}) (\d{4})|(\d{1,2})([-/])(\d{1,2})\7(\d{2,4})) +(\d{1,2}):(\d\d)(?: +[RHSA]{1,4})? *$/;

/** Listings of two servers for Windows 3, with the name in front. */
export const CHAMELEON: ListingFormat = { name: "chameleon", read };

function read(line: string, context: LineContext): LineResult {
  const match = CHAMELEON_REGEXP.exec(line);
  if (match === null) return undefined;
  const [, name, size, word, wordDay, wordYear, month, , day, year, ...time] =
    match;
  const isDirectory = size === "<DIR>";
  return {
    name: name!,
    kind: isDirectory ? "directory" : "file",
    size: isDirectory ? undefined : parseSize(size!),
    ...toTime({
      year: toFullYear(Number(wordYear ?? year)),
      month: word === undefined ? Number(month) : parseMonth(word),
      day: Number(wordDay ?? day),
      hour: Number(time[0]),
      minute: Number(time[1]),
    }, context),
  };
}
