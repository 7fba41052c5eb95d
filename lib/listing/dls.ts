/**
 * `/bin/dls`, a list with descriptions:
 * `README              763  Feb  3 18:21  Information about this server`.
 *
 * @module
 */

import {
  type EntryTime,
  type LineContext,
  type LineResult,
  type ListingFormat,
  parseMonth,
  parseSize,
  readRecentDate,
} from "./listing_format.ts";

/** The column that sizes end in. */
const SIZE_END = 23;

const LINE_REGEXP = /^(\S{1,255}) {1,255}(\d{1,15}|[-=])(?: {2}(.*))?$/s;
const NAME_REGEXP = /^\S{1,255}$/;
const DATE_REGEXP =
  /^ ?(?:([A-Z][a-z]{2}) {1,2}(\d{1,2})|(\d{1,2}) ([A-Z][a-z]{2})) {1,2}(\d{4}|\d{1,2}:\d\d)(?: {2}|$)/;

/**
 * Listings of dls. A long name has a line of its own. Prose may look like its
 * lines, so the format is used only if it reads all of them.
 */
export const DLS: ListingFormat = {
  name: "dls",
  read: () => undefined,
  readLoose,
};

function readLoose(line: string, context: LineContext): LineResult {
  if (NAME_REGEXP.test(line)) return "partial";
  const match = LINE_REGEXP.exec(line);
  if (match === null) return undefined;
  const [, path, size, rest = ""] = match;
  const text = rest === "" ? line.trimEnd() : line.slice(0, -rest.length - 2);
  const isInColumn = text.length === SIZE_END ||
    text.length === path!.length + 1 + SIZE_END;
  if (!isInColumn) return undefined;
  const isDirectory = path!.endsWith("/");
  const date = DATE_REGEXP.exec(rest);
  const description = date === null ? rest : rest.slice(date[0].length);
  const target = /^-> (\S+)$/.exec(description)?.[1];
  return {
    name: isDirectory ? path!.slice(0, -1) : path!,
    kind: isDirectory ? "directory" : target !== undefined ? "symlink" : "file",
    ...(!isDirectory && { size: parseSize(size!), isSizeApproximate: true }),
    linkTarget: target,
    ...(date !== null && readDate(date, context)),
  };
}

function readDate(
  match: RegExpExecArray,
  context: LineContext,
): EntryTime | undefined {
  const [, month, day, dayFirst, monthLast, rest] = match;
  return readRecentDate(
    parseMonth(month ?? monthLast!),
    Number(day ?? dayFirst),
    rest!,
    context,
  );
}
