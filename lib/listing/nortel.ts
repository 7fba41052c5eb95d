/**
 * Nortel's wfFtp of routers: `config       1014196  06/03/04  Thur.   10:20:03`.
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

const NORTEL_REGEXP =
  /^ *(\S{1,64}) +(\d{1,15}) +(\d\d)\/(\d\d)\/(\d\d) +(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}\.? +(\d\d):(\d\d):(\d\d) *$/;
const FRAME_REGEXP =
  /^ *(?:Volume - drive \S|Directory of \d+:|File Name +Size +Date +|\d+ bytes - (?:Total|Available|Contiguous))/i;

/** Files of a router; it has no directories. */
export const NORTEL: ListingFormat = { name: "nortel", read };

function read(line: string, context: LineContext): LineResult {
  if (FRAME_REGEXP.test(line)) return "frame";
  const match = NORTEL_REGEXP.exec(line);
  if (match === null) return undefined;
  const [, name, size, month, day, year, hour, minute, second] = match;
  return {
    name: name!,
    kind: "file",
    size: parseSize(size!),
    ...toTime({
      year: toFullYear(Number(year)),
      month: Number(month),
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
      second: Number(second),
    }, context),
  };
}
