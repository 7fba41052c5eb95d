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
  /^(?:([^\s*]\S{0,9}) +| +)(?:(\d{1,20}) +)?(?:(\d\d)([/.-])(\d\d)\4(\d\d) +(\d\d):(\d\d):(\d\d) +)?(\*[A-Z]{2,9})(?: +(.*))?$/s;

/** Types of objects that contain others, except files. */
const DIRECTORIES = new Set(["*DIR", "*DDIR", "*LIB", "*FLR"]);
/** A file with members; a save file has none. */
const FILE_REGEXP = /\.FILE\/?$|^[^.]*$/i;
/** `FILE.FILE/MEMBER.MBR`, possibly with the path of the library. */
const MEMBER_REGEXP = /(?:^|\/)([^/\0\\]{1,32}\.FILE)\/([^/\0\\]{1,32}\.MBR)$/i;

/**
 * Listings of IBM i in its own name format. It also supports the Unix format.
 */
export const OS400: ListingFormat = { name: "os400", read };

function read(line: string, context: LineContext): LineResult {
  const match = OS400_REGEXP.exec(line);
  if (match === null) return undefined;
  const [, owner, size, first, , , , , , , type, path = ""] = match;
  if (!path.trim()) {
    // a file is listed without a name inside itself, or without its members
    if (type === "*MEM") return "frame";
    return type === "*FILE" ? "note" : undefined;
  }
  const date = first === undefined
    ? undefined
    : readDate(match.slice(3, 10), context);
  if (type === "*MEM") {
    const facts = { owner, size: parseSize(size ?? ""), ...date };
    return { ...facts, ...readMember(path, context) };
  }
  const isDirectory = path.endsWith("/") || DIRECTORIES.has(type!) ||
    (type === "*FILE" && FILE_REGEXP.test(path));
  return {
    name: path.replace(/\/$/, ""),
    kind: isDirectory ? "directory" : type === "*SYMLNK" ? "symlink" : "file",
    size: isDirectory ? undefined : parseSize(size ?? ""),
    owner,
    ...date,
  };
}

/** Reads a member, which is listed as FILE/MEMBER.MBR inside its file, too. */
function readMember(
  path: string,
  { directory }: LineContext,
): { name: string; kind: "file"; path?: string } {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const match = MEMBER_REGEXP.exec(path);
  const isOwn = match === null ||
    directory?.toUpperCase() === match[1]!.toUpperCase();
  return {
    name,
    kind: "file",
    ...(!isOwn && { path: `${match[1]}/${match[2]}` }),
  };
}

/**
 * Reads a date whose order is unknown. The date counts only if exactly one
 * order gives a day that is not in the future.
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
