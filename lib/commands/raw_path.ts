/**
 * Paths as bytes, in any encoding.
 *
 * @module
 */

import { joinBytes } from "../protocol/bytes.ts";
import type { Path } from "../protocol/command.ts";
import type { Session } from "../transfer/session.ts";

const SLASH = 0x2F;

/**
 * Returns the bytes of a path.
 *
 * @throws {TypeError} If the text does not fit the encoding
 */
export function rawPathOf(session: Session, path: Path): Uint8Array {
  return typeof path === "string"
    ? session.control.encoding.encode(path)
    : path;
}

/** Puts a path after the other words of a command's argument. */
export function appendPath(
  session: Session,
  words: string,
  path: Path,
): Uint8Array {
  const head = session.control.encoding.encode(words);
  return joinBytes([head, rawPathOf(session, path)]);
}

/** Joins a directory and a name. */
export function joinRawPath(
  directory: Uint8Array,
  name: Uint8Array,
): Uint8Array {
  const isOpen = directory.length > 0 && directory.at(-1) !== SLASH;
  return joinBytes([directory, Uint8Array.of(...isOpen ? [SLASH] : []), name]);
}

/**
 * Splits a path at its last slash, ignoring slashes at its end.
 *
 * @returns The directory, empty if there is none; and the name, empty for the
 * root
 */
export function splitRawPath(
  path: Uint8Array,
): [directory: Uint8Array, name: Uint8Array] {
  let end = path.length;
  while (end > 0 && path[end - 1] === SLASH) end--;
  const start = path.lastIndexOf(SLASH, end - 1) + 1;
  if (end === 0) {
    return [path.subarray(0, Math.min(1, path.length)), path.subarray(0, 0)];
  }
  return [path.subarray(0, start), path.subarray(start, end)];
}
