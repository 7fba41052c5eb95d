/**
 * VShell before 2003: `206876  Apr 04, 2000 21:06 file`, directories end in `/`.
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

const VSHELL_REGEXP =
  /^(\d{1,20}) +([A-Za-z]{3}) (\d{1,2}), (\d{4}) (\d{1,2}):(\d\d) (.+)$/s;

/** Listings of old versions of VShell. New ones use the Unix format. */
export const VSHELL: ListingFormat = { name: "vshell", read };

function read(line: string, context: LineContext): LineResult {
  const match = VSHELL_REGEXP.exec(line);
  if (match === null) return undefined;
  const [, size, month, day, year, hour, minute, path] = match;
  const isDirectory = path!.endsWith("/");
  return {
    name: isDirectory ? path!.slice(0, -1) : path!,
    kind: isDirectory ? "directory" : "file",
    size: isDirectory ? undefined : parseSize(size!),
    ...toTime({
      year: Number(year),
      month: parseMonth(month!),
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
    }, context),
  };
}
