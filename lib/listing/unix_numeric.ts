/**
 * Unix with numbers throughout: `0100644   500  101   12345    123456789       name`.
 *
 * @module
 */

import type { EntryKind } from "./entry.ts";
import {
  type LineResult,
  type ListingFormat,
  parseSize,
} from "./listing_format.ts";

const NUMERIC_REGEXP =
  /^ *(0?[0-7]{5,6}) +(\d{1,10}) +(\d{1,10}) +(\d{1,15}) +(\d{1,11}) +(\S.*)$/s;

/** The file types of `stat`. */
const KINDS: Readonly<Record<number, EntryKind>> = {
  0o100000: "file",
  0o040000: "directory",
  0o120000: "symlink",
  0o060000: "other",
  0o020000: "other",
  0o010000: "other",
  0o140000: "other",
};

/** Type and mode, owner, group, size, seconds since 1970, name. */
export const UNIX_NUMERIC: ListingFormat = { name: "unix-numeric", read };

function read(line: string): LineResult {
  const match = NUMERIC_REGEXP.exec(line);
  if (match === null) return undefined;
  const [, digits, owner, group, size, seconds, text] = match;
  const mode = parseInt(digits!, 8);
  const kind = KINDS[mode & 0o170000];
  if (kind === undefined) return undefined;
  const arrow = kind === "symlink" ? text!.indexOf(" -> ") : -1;
  return {
    name: arrow < 0 ? text! : text!.slice(0, arrow),
    kind,
    size: parseSize(size!),
    mode: mode & 0o7777,
    linkTarget: arrow < 0 ? undefined : text!.slice(arrow + 4),
    owner,
    group,
    mtime: new Date(Number(seconds) * 1000),
    mtimePrecision: "second",
  };
}
