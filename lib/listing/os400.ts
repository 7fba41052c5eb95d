/**
 * IBM i (OS/400): `QSYS            77824 02/23/00 15:09:55 *DIR       home/`.
 *
 * @module
 */

import {
  type EntryTime,
  type LineContext,
  type LineResult,
  type ListingFormat,
  parseSize,
  toFullYear,
  toTime,
} from "./listing_format.ts";

const OS400_REGEXP =
  /^(\S{1,10}) +(?:(\d{1,20}) +(\d\d)([/.-])(\d\d)\4(\d\d) +(\d\d):(\d\d):(\d\d) +)?(\*[A-Z]{2,9}) *(.*)$/s;

/** Objects that hold others. */
const DIRECTORIES = new Set(["*DIR", "*DDIR", "*LIB", "*FLR", "*FILE"]);

/** Listings of IBM i in its own name format; it also speaks Unix. */
export const OS400: ListingFormat = { name: "os400", read };

function read(line: string, context: LineContext): LineResult {
  const match = OS400_REGEXP.exec(line);
  if (match === null) return undefined;
  const [, owner, size, , , , , , , , type, path] = match;
  // A data base file without its members is listed with no name at all.
  if (path === "") return type === "*MEM" ? "frame" : undefined;
  const isDirectory = path!.endsWith("/") || DIRECTORIES.has(type!);
  const name = path!.replace(/\/$/, "");
  return {
    // A member is listed as FILE/MEMBER.MBR, and stands in its file.
    name: type === "*MEM" ? name.slice(name.lastIndexOf("/") + 1) : name,
    kind: isDirectory ? "directory" : type === "*SYMLNK" ? "symlink" : "file",
    size: isDirectory ? undefined : parseSize(size ?? ""),
    owner,
    ...(size !== undefined && readDate(match.slice(3, 10), context)),
  };
}

/**
 * The order of the date is the server's own affair and not told: a date counts
 * only when one order alone makes it a day that has been.
 */
function readDate(
  parts: readonly (string | undefined)[],
  context: LineContext,
): EntryTime | undefined {
  const [a, mark, b, c, hour, minute, second] = parts;
  const orders = mark === "." ? [[c, b, a]] : [[a, b, c], [c, a, b], [c, b, a]];
  const times = new Map<number, EntryTime>();
  for (const [year, month, day] of orders) {
    const time = toTime({
      year: toFullYear(Number(year)),
      month: Number(month),
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
      second: Number(second),
    }, context);
    if (time === undefined) continue;
    const at = time.mtime.getTime();
    if (at <= context.now + context.slack) times.set(at, time);
  }
  return times.size === 1 ? [...times.values()][0] : undefined;
}
