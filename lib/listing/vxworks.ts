/**
 * VxWorks: `2048    Feb-28-1998  05:23:30   logs <DIR>`.
 *
 * @module
 */

import {
  type LineContext,
  type LineResult,
  type ListingFormat,
  parseMonth,
  parseSize,
  toTime,
} from "./listing_format.ts";

const VXWORKS_REGEXP =
  /^ *(\d{1,20}) +([A-Za-z]{3})-(\d{1,2})-(\d{4}) +(\d{1,2}):(\d\d):(\d\d) +(\S.*)$/s;
// starts at the first blank of a run, so that a long run is not searched from
// each blank
const MARK_REGEXP = /(?<! ) +<DIR> *$/;

/** Listings of VxWorks, used in routers and other devices. */
export const VXWORKS: ListingFormat = { name: "vxworks", read };

function read(line: string, context: LineContext): LineResult {
  if (/^ *size +date +time +name *$/i.test(line)) return "frame";
  const match = VXWORKS_REGEXP.exec(line);
  if (match === null) return undefined;
  const [, size, month, day, year, hour, minute, second, text] = match;
  const name = text!.replace(MARK_REGEXP, "");
  const isDirectory = name.length < text!.length;
  return {
    name,
    kind: isDirectory ? "directory" : "file",
    size: isDirectory ? undefined : parseSize(size!),
    ...toTime({
      year: Number(year),
      month: parseMonth(month!),
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
      second: Number(second),
    }, context),
  };
}
