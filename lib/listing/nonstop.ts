/**
 * NonStop Guardian: `IARPTS     101   16354 18-Mar-09 15:09:12 244, 10 "nnnn"`.
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

const GUARDIAN_REGEXP =
  /^ *(\S{1,64}) +O?\d{1,6}[O+]{0,2} +(\d{1,20}) +(\d{1,2})-([A-Za-z]{3})-(\d{2,4}) +(\d{1,2}):(\d\d):(\d\d) +(\d{1,3}), *(\d{1,3}) +(?:"[^"]{1,8}"|[-A-Za-z*]{4}) *$/;

/** Files of the Guardian file system; it has no directories. */
export const NONSTOP: ListingFormat = { name: "nonstop", read };

function read(line: string, context: LineContext): LineResult {
  if (/^ *File +Code +EOF +Last Modification/i.test(line)) return "frame";
  const match = GUARDIAN_REGEXP.exec(line);
  if (match === null) return undefined;
  const [, name, size, day, month, year, hour, minute, second, group, owner] =
    match;
  return {
    name: name!,
    kind: "file",
    size: parseSize(size!),
    owner,
    group,
    ...toTime({
      year: toFullYear(Number(year)),
      month: parseMonth(month!),
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
      second: Number(second),
    }, context),
  };
}
