/**
 * Microware OS-9: `20.20 07/03/29 1026 d-ewrewr 2650 85920 programs`.
 *
 * @module
 */

import {
  type LineContext,
  type LineResult,
  type ListingFormat,
  toFullYear,
  toTime,
} from "./listing_format.ts";

const OS9_REGEXP =
  /^ *(\d{1,5})\.(\d{1,5}) +(\d\d)\/(\d\d)\/(\d\d) +(\d\d):?(\d\d) +([-d])[-s]([-e][-w][-r])([-e][-w][-r]) +[0-9A-Fa-f]{1,8} +([0-9A-Fa-f]{1,15}) +(\S.*)$/s;
const HEADER_REGEXP = /^ *(?:Owner +Last modified +|Directory of \S)/i;

/** Listings of OS-9, whose dates begin with the year. */
export const OS9: ListingFormat = { name: "os9", read };

function read(line: string, context: LineContext): LineResult {
  if (HEADER_REGEXP.test(line)) return "frame";
  const match = OS9_REGEXP.exec(line);
  if (match === null) return undefined;
  const [, group, owner, year, month, day, hour, minute, ...rest] = match;
  const [letter, others, own, size, name] = rest;
  const isDirectory = letter === "d";
  const othersMode = modeOf(others!);
  return {
    name: name!,
    kind: isDirectory ? "directory" : "file",
    // Some systems count in hexadecimal, and a line without letters is either.
    ...(!isDirectory && {
      size: parseInt(size!, /[A-F]/i.test(size!) ? 16 : 10),
      isSizeApproximate: true,
    }),
    mode: modeOf(own!) << 6 | othersMode << 3 | othersMode,
    owner,
    group,
    ...toTime({
      year: toFullYear(Number(year)),
      month: Number(month),
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
    }, context),
  };
}

/** Execute, write and read, in this order. */
function modeOf(letters: string): number {
  return (letters[2] === "r" ? 4 : 0) | (letters[1] === "w" ? 2 : 0) |
    (letters[0] === "e" ? 1 : 0);
}
