/**
 * The permissions of a file on the server, for the one that takes its place.
 *
 * @module
 */

import type { Command } from "../../protocol/command.ts";
import { FTPError } from "../../protocol/errors.ts";
import { readOctal } from "../../protocol/numbers.ts";
import type { Session, SignalOptions } from "../../transfer/session.ts";
import { UNKNOWN_REPLIES } from "../../commands/queries.ts";
import { chmodCommand } from "../../commands/permissions.ts";

// what a session remembers that the server does not know
const CHMOD = "SITE CHMOD";
const STAT = "STAT path";
const MLST = "MLST";

// what STAT may take for a pattern, or for options
const PATTERN_REGEXP = /[*?[\]{}\\~]|^-/;

// what Pure-FTPd's STAT does not find: names with blanks, beside patterns
const BLANK_REGEXP = / /;

const LINE_REGEXP = /^([-bcdlps])([-rwxsStT]{9})[^\s]* +\d+ /;

/**
 * Whether the permissions of a file can be set at all.
 *
 * @param session The session
 * @returns Whether the server may do it
 */
export function canChangeMode(session: Session): boolean {
  return !session.profile.lacks(CHMOD) && !session.profile.lacks(STAT);
}

/**
 * Asks for the permissions of a file: by `STAT`, which tells a link from a file
 * on every server, and by `MLST`, which ProFTPD answers with a link's mode as
 * a file's, where `STAT` may not find it.
 *
 * @param session The session
 * @param path The path of a file: of a directory `STAT` tells all that is in it
 * @param options A signal
 * @returns Nine bits, or `undefined` if the server does not tell, or if it is
 * no plain file
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
  const lines = status.filter((line) => LINE_REGEXP.test(line));
  return lines.length > 0 ? readListedMode(lines, path) : readFactOfMode(facts);
}

function readListedMode(
  [line, ...others]: readonly string[],
  path: string,
): number | undefined {
  const [, kind, letters] = LINE_REGEXP.exec(line!)!;
  const name = path.slice(path.lastIndexOf("/") + 1);
  const isIt = kind === "-" && line!.endsWith(name) && others.length === 0;
  if (!isIt) return undefined;
  // an "S" or a "T" is a bit of its own over no "x"
  return [...letters!].reduce(
    (mode, letter) => mode * 2 + (/[-ST]/.test(letter) ? 0 : 1),
    0,
  );
}

function readFactOfMode(lines: readonly string[]): number | undefined {
  const facts = lines
    .map((line) => line.replace(/ .*/, "").toLowerCase())
    .find((facts) => /(^|;)type=file;/.test(facts));
  const digits = /(?:^|;)unix\.mode=([0-7]+);/.exec(facts ?? "")?.[1];
  const mode = (readOctal(digits) ?? 0o777) & 0o777;
  return mode === 0o777 ? undefined : mode; // it may be a link's
}

/**
 * Gives a file permissions (`SITE CHMOD`), where the server lets us. The
 * command is sent at once: the caller has the turn, and sends another without
 * waiting.
 *
 * @param session The session
 * @param path The file
 * @param mode Nine bits
 * @param options A signal
 */
export async function tryToChangeMode(
  session: Session,
  path: string,
  mode: number,
  options: SignalOptions,
): Promise<void> {
  try {
    await session.exchange(chmodCommand(session, path, mode), options);
  } catch (error) {
    noteUnknown(session, error, CHMOD);
    // a lost connection concerns the command that is sent after this one
  }
}

/** The lines of a reply; none for whatever refusal: nothing depends on it. */
async function requestLines(
  session: Session,
  command: Command,
  key: string,
  options: SignalOptions,
): Promise<string[]> {
  try {
    const { lines } = await session.turns.share(
      () => session.exchange(command, options),
      options,
    );
    return lines.map((line) => line.replace(/^2\d\d[- ]/, "").trimStart());
  } catch (error) {
    noteUnknown(session, error, key);
    if (error instanceof FTPError && error.reply !== undefined) return [];
    throw error;
  }
}

function noteUnknown(session: Session, error: unknown, key: string): void {
  const code = error instanceof FTPError ? error.reply?.code ?? 0 : 0;
  if (UNKNOWN_REPLIES.includes(code)) session.profile.noteLacking(key);
}
