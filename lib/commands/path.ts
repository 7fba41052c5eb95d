/**
 * Names and paths: joined without rewriting, and never trusted when a server
 * chose them.
 *
 * @module
 */

import { printable } from "../protocol/printable.ts";

/**
 * Insists on a name that is one segment of a path, here and there.
 *
 * @param name What a server calls an entry of a directory
 * @returns The name
 * @throws {Deno.errors.InvalidData} If it is empty, "." or "..", or has a
 * slash or a backslash, which could lead out of the directory, or a NUL, CR or LF,
 * which no command can carry
 */
export function checkName(name: string): string {
  const isSegment = name !== "" && name !== "." && name !== ".." &&
    !/[/\\\0\r\n]/.test(name);
  if (isSegment) return name;
  throw new Deno.errors.InvalidData(
    `Cannot use the name ${
      printable(JSON.stringify(name))
    } that the server gave: it is not a plain name, and may lead out of its directory or into another command`,
  );
}

/**
 * Splits a path on a server behind its last slash.
 *
 * @param path The path
 * @returns The directory with its slash, "" if there is none; and the name
 */
export function splitPath(path: string): [directory: string, name: string] {
  const slash = path.lastIndexOf("/") + 1;
  return [path.slice(0, slash), path.slice(slash)];
}

/**
 * The path of an entry of a directory on a server.
 *
 * @param directory The directory; "" for the current one
 * @param name The entry
 * @returns The path
 */
export function joinPath(directory: string, name: string): string {
  if (directory === "" || directory.endsWith("/")) return directory + name;
  return `${directory}/${name}`;
}

/** Longest name that a temporary name is derived from, in bytes of 255. */
const MAX_STEM = 200;

/** Most bytes that a unit of a string takes in UTF-8. */
const MAX_BYTES = 3;

/**
 * The temporary name of a file that is being transferred:
 * `.name.0123456789abcdef.part`, or `.name.resume-0123456789abcdef.part` for
 * one that may be resumed.
 *
 * @param name The file's name
 * @param mark Hexadecimal digits: random, or what the part was taken from
 * @param isResumable Whether it may be resumed
 * @returns The temporary name
 */
export function partName(
  name: string,
  mark: string,
  isResumable: boolean,
): string {
  return `${partPrefix(name)}${isResumable ? "resume-" : ""}${mark}.part`;
}

/**
 * Whether a name is that of a part of a file that might have been resumed.
 *
 * @param name The name to look at
 * @param of The file's name
 * @returns Whether it is
 */
export function isResumablePart(name: string, of: string): boolean {
  const prefix = `${partPrefix(of)}resume-`;
  return name.startsWith(prefix) &&
    /^[0-9a-f]{16}\.part$/.test(name.slice(prefix.length));
}

/**
 * Whether a name is that of a part of a file, whether or not it might have been
 * resumed.
 *
 * @param name The name to look at
 * @param of The file's name
 * @returns Whether it is
 */
export function isPartOf(name: string, of: string): boolean {
  const prefix = partPrefix(of);
  return isResumablePart(name, of) ||
    name.startsWith(prefix) &&
      /^[0-9a-f]{16}\.part$/.test(name.slice(prefix.length));
}

/**
 * Whether a name is that of a file that is being transferred, or was.
 *
 * @param name The name to look at
 * @returns Whether it is
 */
export function isPart(name: string): boolean {
  return /^\..+\.(resume-)?[0-9a-f]{16}\.part$/s.test(name);
}

function partPrefix(name: string): string {
  if (name.length * MAX_BYTES <= MAX_STEM) return `.${name}.`;
  const encoder = new TextEncoder();
  let stem = "";
  let size = 0;
  for (const char of name) { // not by code units: half a character is none
    size += encoder.encode(char).length;
    if (size > MAX_STEM) break;
    stem += char;
  }
  return `.${stem}.`;
}

/**
 * Sixteen hexadecimal digits nobody else has.
 *
 * @returns The digits
 */
export function randomMark(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 16);
}
