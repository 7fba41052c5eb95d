/**
 * Names and paths. Names from a server are not trusted, and paths are joined
 * without changes.
 *
 * @module
 */

import { quoteEscaped } from "../protocol/printable.ts";

/**
 * Rejects a name that is not a single path segment, on the server or locally.
 *
 * @throws {Deno.errors.InvalidData} If it is empty, "." or "..", has a slash or
 * backslash, which could lead out of the directory, or has NUL, CR or LF, which
 * no command can contain
 */
export function checkName(name: string): string {
  const isSegment = name !== "" && name !== "." && name !== ".." &&
    !/[/\\\0\r\n]/.test(name);
  if (isSegment) return name;
  throw new Deno.errors.InvalidData(
    `Cannot use the name ${
      quoteEscaped(name)
    } that the server gave: it is not a single path segment, and may lead out of its directory or into another command`,
  );
}

/**
 * Splits a server path after its last slash.
 *
 * @returns The directory with its slash, "" if there is none; and the name
 */
export function splitPath(path: string): [directory: string, name: string] {
  const slash = path.lastIndexOf("/") + 1;
  return [path.slice(0, slash), path.slice(slash)];
}

/** Whether a path ends with a name; the root, "." and "a/.." do not. */
export function endsWithName(path: string): boolean {
  const last = path.split("/").findLast((segment) => segment !== "") ?? ".";
  return last !== "." && last !== "..";
}

/** Removes the slashes at the end of a path; of the root one stays. */
export function withoutTrailingSlashes(path: string): string {
  return path.replace(/(?<=[^/])\/+$|(?<=^\/)\/+$/, "");
}

/** Joins a server directory ("" for the current one) and a name. */
export function joinPath(directory: string, name: string): string {
  if (directory === "" || directory.endsWith("/")) return directory + name;
  return `${directory}/${name}`;
}

/**
 * Longest part of a name that a temporary name contains, in bytes; the limit
 * for all is 255.
 */
const MAX_STEM = 200;

/** Most bytes of a UTF-16 code unit in UTF-8. */
const MAX_BYTES = 3;

/**
 * Returns the temporary name of a file: `.name.0123456789abcdef.part`, or
 * `.name.resume-0123456789abcdef.part` if it may be resumed.
 *
 * @param mark Hexadecimal digits: random, or derived from the source
 */
export function partName(
  name: string,
  mark: string,
  isResumable: boolean,
): string {
  return `${partPrefix(name)}${isResumable ? "resume-" : ""}${mark}.part`;
}

/** Whether a name is that of a resumable temporary file for `of`. */
export function isResumablePart(name: string, of: string): boolean {
  const prefix = `${partPrefix(of)}resume-`;
  return name.startsWith(prefix) &&
    /^[0-9a-f]{16}\.part$/.test(name.slice(prefix.length));
}

/** Whether a name is that of a temporary file for `of`, resumable or not. */
export function isPartOf(name: string, of: string): boolean {
  const prefix = partPrefix(of);
  return isResumablePart(name, of) ||
    name.startsWith(prefix) &&
      /^[0-9a-f]{16}\.part$/.test(name.slice(prefix.length));
}

/** Whether a name is that of a temporary file. */
export function isPart(name: string): boolean {
  return /^\..+\.(resume-)?[0-9a-f]{16}\.part$/s.test(name);
}

function partPrefix(name: string): string {
  if (name.length * MAX_BYTES <= MAX_STEM) return `.${name}.`;
  const encoder = new TextEncoder();
  let stem = "";
  let size = 0;
  for (const char of name) { // by characters, because half a surrogate pair is not one
    size += encoder.encode(char).length;
    if (size > MAX_STEM) break;
    stem += char;
  }
  return `.${stem}.`;
}

/** Returns sixteen random hexadecimal digits. */
export function randomMark(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 16);
}
