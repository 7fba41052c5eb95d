/**
 * Joins the paths of entries. The format of the listing determines how.
 *
 * @module
 */

import { type Entry, pathOfEntry } from "./entry.ts";
import { FORMATS } from "./formats.ts";
import { toBytes, toByteText } from "./parsed_source.ts";

/** Joins the path of a directory and a name. */
export type JoinPath = (directory: string, name: string) => string;

/** Joins with a slash, as nearly all servers do. */
function joinSlash(directory: string, name: string): string {
  if (directory === "" || directory.endsWith("/")) return directory + name;
  return `${directory}/${name}`;
}

/**
 * Returns the function that joins paths below a directory.
 *
 * @param format The format of its listing, as in `Entry.format`
 * @returns The function; `undefined` for formats with slashes
 */
export function joinerOf(format: string): JoinPath | undefined {
  return FORMATS.find(({ name }) => name === format)?.join;
}

/**
 * Returns the path of an entry.
 *
 * @param directory The directory that was listed; "" for the current one
 */
export function joinEntry(directory: string, entry: Entry): string {
  const join = joinerOf(entry.format) ?? joinSlash;
  return join(directory, pathOfEntry(entry));
}

/**
 * Returns the path of an entry in bytes.
 *
 * @param directory The directory that was listed; empty for the current one
 */
export function joinRawEntry(directory: Uint8Array, entry: Entry): Uint8Array {
  const join = joinerOf(entry.format) ?? joinSlash;
  return toBytes(join(toByteText(directory), toByteText(entry.rawName)));
}

/**
 * Removes entries that are listed again in another directory of the same
 * listing: IBM i lists the members of a library's files along with the files.
 *
 * @returns The entries of the listed directory itself
 */
export function withoutNested(entries: Entry[]): Entry[] {
  const isNested = (entry: Entry) => pathOfEntry(entry) !== entry.name;
  if (!entries.some((entry) => entry.format === "os400" && isNested(entry))) {
    return entries;
  }
  const directories = new Set(
    entries.filter((entry) => entry.isDirectory)
      .map(({ name }) => name.toUpperCase()),
  );
  return entries.filter((entry) => {
    const [first] = pathOfEntry(entry).split("/", 1);
    return !isNested(entry) || !directories.has(first!.toUpperCase());
  });
}
