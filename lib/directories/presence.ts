/**
 * Checks whether a path exists, by its name. An entry that a listing omits or
 * shows under another name must not be treated as missing.
 *
 * @module
 */

import type { EntryKind } from "../listing/entry.ts";
import { type Command, type Path, withPath } from "../protocol/command.ts";
import { FTPError, isUnknownCommand, replyOf } from "../protocol/errors.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { hasNames, isDirectory } from "./change_directory.ts";

/** Text of a refusal that does not say whether the path exists. */
export const DENIED_REGEXP = /permission|denied|not allowed|privilege|log ?in/i;

/** Text of a temporary refusal that means a missing path (bftpd). */
const MISSING_REGEXP = /\bno such (?:file|dir)|\bnot found\b/i;

/** A path to check. */
export interface ExpectedPath {
  /** The path. */
  readonly path: Path;
  /** Its expected kind. */
  readonly kind: EntryKind;
}

/**
 * Whether a path exists: by `MLST`, else by `SIZE` and `MDTM` for a file and
 * `CWD` for a directory, else by `NLST`. Checks of files are pipelined.
 *
 * @throws {FTPError} If the server does not tell
 * @throws {TypeError} If no command can contain the path
 */
export async function isPresent(
  session: Session,
  { path, kind }: ExpectedPath,
  options: SignalOptions,
): Promise<boolean> {
  if (!session.profile.lacks("MLST")) {
    const told = await ask(session, withPath("MLST", path), options);
    if (told !== undefined) return told;
  }
  return kind === "directory"
    ? await isDirectoryThere(session, path, options)
    : await isFileThere(session, path, options);
}

async function isFileThere(
  session: Session,
  path: Path,
  options: SignalOptions,
): Promise<boolean> {
  const command = (verb: string) => ({ verb, argument: path, name: "path" });
  const [, ...answers] = await Promise.all([
    session.shared((turn) => turn.ensureType("I", options), options),
    ask(session, command("SIZE"), options),
    ask(session, command("MDTM"), options),
  ]);
  if (answers.includes(true)) return true;
  if (answers.includes(false)) return false;
  return await session.exclusive(async (turn) => {
    try {
      return await hasNames(turn, path, options);
    } catch (error) {
      return isAbsence(error) ? false : fail(error);
    }
  }, options);
}

function isDirectoryThere(
  session: Session,
  path: Path,
  options: SignalOptions,
): Promise<boolean> {
  return session.exclusive(async (turn) => {
    if (await isDirectory(turn, path, options)) return true;
    const { lastReply } = session.control;
    const isMissing = session.state.directory !== "" &&
      !(lastReply !== undefined && lastReply.code >= 400 &&
        DENIED_REGEXP.test(lastReply.text));
    if (isMissing) return false;
    throw new FTPError(
      "Cannot tell whether the directory exists: the server does not say",
      { reply: lastReply },
    );
  }, options);
}

/** Sends one command; `undefined` if the server does not know it. */
async function ask(
  session: Session,
  command: Command,
  options: SignalOptions,
): Promise<boolean | undefined> {
  const { verb } = command;
  if (session.profile.lacks(verb)) return undefined;
  try {
    await session.shared((turn) => turn.perform(command, options), options);
    return true;
  } catch (error) {
    if (isUnknownCommand(replyOf(error))) {
      session.profile.noteLacking(verb);
      return undefined;
    }
    return isAbsence(error) ? false : fail(error);
  }
}

/** Whether a refusal means that the path does not exist. */
function isAbsence(error: unknown): boolean {
  const reply = replyOf(error);
  if (reply === undefined || DENIED_REGEXP.test(reply.text)) return false;
  return [450, 501, 550, 553].includes(reply.code) ||
    (reply.code === 451 && MISSING_REGEXP.test(reply.text));
}

function fail(error: unknown): never {
  throw error;
}
