/**
 * Novell NetWare: `d [RWCEAFMS] supervisor     512       Jan 16 18:53    login`.
 *
 * @module
 */

import {
  type LineContext,
  type LineResult,
  type ListingFormat,
  parseMonth,
  parseSize,
  readRecentDate,
  toFullYear,
  toTime,
} from "./listing_format.ts";

const NETWARE_REGEXP =
  /^([-d]) ?\[[-A-Z]{7,8}\] +(?:\d+ +)?(\S+) +(\d{1,20}) +([A-Za-z]{3}) +(\d{1,2}) +(?:(\d{2}) +(\d{1,2}):(\d\d)|(\d{4}|\d{1,2}:\d\d)) +(\S.*)$/s;

/** Listings of NetWare, with rights in brackets. */
export const NETWARE: ListingFormat = { name: "netware", read };

function read(line: string, context: LineContext): LineResult {
  const match = NETWARE_REGEXP.exec(line);
  if (match === null) return undefined;
  const [, letter, owner, size, monthName, day, ...times] = match;
  const [year, hour, minute, rest, name] = times;
  const month = parseMonth(monthName!);
  const isDirectory = letter === "d";
  return {
    name: name!,
    kind: isDirectory ? "directory" : "file",
    size: isDirectory ? undefined : parseSize(size!),
    owner,
    ...(rest !== undefined
      ? readRecentDate(month, Number(day), rest, context)
      : toTime({
        year: toFullYear(Number(year)),
        month,
        day: Number(day),
        hour: Number(hour),
        minute: Number(minute),
      }, context)),
  };
}
