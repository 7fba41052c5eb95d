/**
 * Copies the permissions of a replaced file on the server.
 *
 * @module
 */

import type { Entry } from "../../listing/entry.ts";
import { parseFacts } from "../../listing/facts.ts";
import { ListingReader } from "../../listing/listing_reader.ts";
import type { Command } from "../../protocol/command.ts";
import { isRefusal, isUnknownCommand, replyOf } from "../../protocol/errors.ts";
import { readOctal } from "../../protocol/numbers.ts";
import type { Session, SignalOptions } from "../../transfer/session.ts";
import type { Turn } from "../../transfer/turn.ts";
import { chmodCommand } from "../../commands/permissions.ts";

// noted in the server's profile if it lacks the command
const CHMOD = "SITE CHMOD";
const STAT = "STAT path";
const MLST = "MLST";

// STAT may read these as a pattern or as options
const PATTERN_REGEXP = /[*?[\]{}\\~]|^-/;

// Pure-FTPd's STAT does not find names with blanks
const BLANK_REGEXP = / /;

/** Whether permissions can be read and set at all. */
export function canChangeMode(session: Session): boolean {
  return !session.profile.lacks(CHMOD) && !session.profile.lacks(STAT);
}

/**
 * Requests the permissions of a file. `STAT` distinguishes links from files on
 * every server. ProFTPD's `MLST` reports a link's mode as a file's, so it is
 * used only if `STAT` finds nothing.
 *
 * @param path Path of a file, because `STAT` lists a directory
 * @returns Nine bits, or `undefined` if the server does not tell or it is not a
 * plain file
 */
export async function requestMode(
  session: Session,
  path: string,
  options: SignalOptions,
): Promise<number | undefined> {
  const isPattern = PATTERN_REGEXP.test(path);
  const isOdd = isPattern || BLANK_REGEXP.test(path);
  const ask = (verb: string, key: string) =>
    requestLines(
      session,
      { verb, argument: path, name: "remote" },
      key,
      options,
    );
  const [status, facts] = await Promise.all([
    isPattern ? [] : ask("STAT", STAT),
    isOdd && !session.profile.lacks(MLST) ? ask("MLST", MLST) : [],
  ]);
  const listed = readListing(session, status);
  return listed.length > 0 ? modeOfListed(listed, path) : readFactOfMode(facts);
}

/** Reads the lines of a reply that are lines of `ls -l`. */
function readListing(session: Session, lines: readonly string[]): Entry[] {
  const { encoding } = session.control;
  const entries: Entry[] = [];
  const reader = new ListingReader({
    decode: (bytes) => encoding.decode(bytes),
    format: "unix",
    onSelf: (entry) => entries.push(entry), // the path is a directory
  });
  entries.push(...reader.push(encoding.encode(lines.join("\n"))));
  entries.push(...reader.end());
  return entries.filter(({ mode }) => mode !== undefined);
}

function modeOfListed(
  [entry, ...others]: readonly Entry[],
  path: string,
): number | undefined {
  const { isFile, line, mode } = entry!;
  const name = path.slice(path.lastIndexOf("/") + 1);
  const isIt = isFile && line.endsWith(name) && others.length === 0;
  return isIt ? mode! & 0o777 : undefined;
}

function readFactOfMode(lines: readonly string[]): number | undefined {
  const found = lines.map((line) => parseFacts(line).facts)
    .find(({ type }) => type?.toLowerCase() === "file");
  const mode = (readOctal(found?.["unix.mode"]) ?? 0o777) & 0o777;
  return mode === 0o777 ? undefined : mode; // it may be a link's mode
}

/**
 * Sets the permissions of a file (`SITE CHMOD`), if the server allows it. Sends
 * the command at once: the caller sends another command without waiting.
 */
export async function tryToChangeMode(
  turn: Turn,
  path: string,
  mode: number,
  options: SignalOptions,
): Promise<void> {
  try {
    await turn.exchange(chmodCommand(turn.session, path, mode), options);
  } catch (error) {
    noteUnknown(turn.session, error, CHMOD);
    // the next command reports a lost connection
  }
}

/**
 * Returns the lines of a reply; none after a refusal, because the permissions
 * are optional.
 */
async function requestLines(
  session: Session,
  command: Command,
  key: string,
  options: SignalOptions,
): Promise<string[]> {
  try {
    const { lines } = await session.shared(
      (turn) => turn.exchange(command, options),
      options,
    );
    return lines.map((line) => line.replace(/^2\d\d[- ]/, "").trimStart());
  } catch (error) {
    noteUnknown(session, error, key);
    if (isRefusal(error)) return [];
    throw error;
  }
}

function noteUnknown(session: Session, error: unknown, key: string): void {
  if (isUnknownCommand(replyOf(error))) session.profile.noteLacking(key);
}
