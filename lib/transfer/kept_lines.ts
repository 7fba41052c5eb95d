/**
 * Receives lines and keeps them, up to a limit in bytes.
 *
 * @module
 */

import type { Command } from "../protocol/command.ts";
import { quote } from "../protocol/printable.ts";
import { receiveLines } from "./receive.ts";
import type { Session, SignalOptions } from "./session.ts";

/** Approximate size of a line besides its characters, in bytes. */
const LINE_SIZE = 64;

/**
 * Receives a text, and returns its lines without their ends.
 *
 * @throws {RangeError} If they take more than `maxListing` bytes; the transfer
 * is aborted
 */
export async function keepLines(
  session: Session,
  command: Command,
  options: SignalOptions,
): Promise<string[]> {
  const { maxListing } = session.options;
  const { argument = "" } = command;
  const lines: string[] = [];
  let size = 0;
  await receiveLines(session, command, (line) => {
    size += line.length + LINE_SIZE;
    if (size > maxListing) throw tooLarge(String(argument), maxListing);
    lines.push(line);
  }, options);
  return lines;
}

/** Creates the error for a directory over the limit. */
export function tooLarge(path: string, maxListing: number): RangeError {
  return new RangeError(
    `Cannot list ${
      quote(path)
    }: its entries take more than ${maxListing} bytes, the most that "maxListing" allows`,
  );
}
