/**
 * Why a server refuses to store a file: a directory that is missing, or that
 * has the name.
 *
 * @module
 */

import {
  enterDirectory,
  isDataSet,
  isNoDirectory,
} from "../directories/change_directory.ts";
import { UNKNOWN_REPLIES } from "../commands/queries.ts";
import { splitPath } from "../commands/path.ts";
import { FTPError, FTPPermanentError } from "../protocol/errors.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";

/** What a server says where it cannot make a file; bftpd and Pure-FTPd have 451 for much. */
const REFUSALS = [450, 451, 501, 550, 551, 553];

/**
 * What a server says of a path that leads nowhere; Pure-FTPd's `MLST` says
 * "Can't check for file existence".
 */
const MISSING_REGEXP =
  /\b(no such|not exist|not found|does ?n.t exist|check for file existence)/i;

/**
 * Makes the refusal to store a file say what is wrong with its path, where that
 * can be found out. Nothing is sent for other errors.
 *
 * @param session The session
 * @param remote The file
 * @param error What was thrown
 * @param options A signal
 * @returns The error to throw, perhaps the same
 */
export async function explainRefusal(
  session: Session,
  remote: string,
  error: unknown,
  options: SignalOptions,
): Promise<unknown> {
  const isRefusal = error instanceof FTPError && error.reply !== undefined &&
    /^(STOR|APPE)\b/.test(error.command ?? "") &&
    REFUSALS.includes(error.reply.code) &&
    !session.isLost && !options.signal?.aborted;
  if (!isRefusal) return error;
  try {
    if (await settingsOf(session, remote, options) === "there") {
      return directoryError(remote, error);
    }
    const [prefix] = splitPath(remote);
    const directory = prefix.replace(/(?<=[^/])\/+$|(?<=^\/)\/+$/, "");
    if (directory === "" || directory === "/") return error;
    if (await settingsOf(session, directory, options) !== "missing") {
      return error;
    }
    const { reply, command } = error;
    return new FTPPermanentError(
      `Cannot write to "${remote}": the directory "${directory}" does not exist or cannot be entered; make it with ensureDir() (${
        reply!.text
      })`,
      { reply, command, cause: error },
    );
  } catch {
    return error; // a lost connection shows in the next call
  }
}

/**
 * Refuses a target that is a directory.
 *
 * @param session The session
 * @param remote The target
 * @param refusal What the server said, if it was told to write
 * @param options A signal
 * @throws {FTPPermanentError} If it is one
 */
export async function refuseDirectory(
  session: Session,
  remote: string,
  refusal: FTPError | undefined,
  options: SignalOptions,
): Promise<void> {
  if (await settingsOf(session, remote, options) !== "there") return;
  throw directoryError(remote, refusal);
}

/**
 * Whether `MLST` tells that a path is a directory.
 *
 * @param session The session
 * @param path The path
 * @param options A signal
 * @returns Whether it is; `undefined` if the server does not tell
 */
export async function isListedDirectory(
  session: Session,
  path: string,
  { signal }: SignalOptions,
): Promise<boolean | undefined> {
  if (session.profile.lacks("MLST")) return undefined;
  const command = { verb: "MLST", argument: path, name: "remote" };
  try {
    const { lines } = await session.turns.share(
      () => session.exchange(command, { signal }),
      { signal },
    );
    const facts = lines.map((line) =>
      line.replace(/^250-/, "").trimStart().split("; ", 1)[0]
    );
    const types = facts.map((facts) =>
      /(?:^|;)type=([^;]*)(?:;|$)/i.exec(facts!)?.[1]?.toLowerCase()
    );
    const [type] = types.filter((type) => type !== undefined);
    if (type === undefined || type.startsWith("os.")) return undefined; // a link
    return type !== "file";
  } catch (error) {
    const isRefused = error instanceof FTPError && error.reply !== undefined;
    if (!isRefused) throw error;
    const { code, text } = error.reply!;
    if (UNKNOWN_REPLIES.includes(code)) session.profile.noteLacking("MLST");
    return MISSING_REGEXP.test(text) ? false : undefined;
  }
}

function directoryError(
  remote: string,
  refusal: FTPError | undefined,
): FTPPermanentError {
  const { reply, command } = refusal ?? {};
  const why = reply === undefined ? "" : ` (${reply.text})`;
  return new FTPPermanentError(
    `Cannot write to "${remote}": it is a directory; give the name of a file in it${why}`,
    { reply, command, cause: refusal },
  );
}

/** Whether a path is a directory, as far as the server tells. */
async function settingsOf(
  session: Session,
  path: string,
  options: SignalOptions,
): Promise<"there" | "missing" | "unknown"> {
  // first: Pure-FTPd takes its time for each CWD that fails
  const isListed = await isListedDirectory(session, path, options);
  if (isListed !== undefined) return isListed ? "there" : "missing";
  return await session.turns.alone(async () => {
    try {
      const leave = await enterDirectory(session, path, options);
      if (leave === undefined) return "unknown";
      await leave();
      // z/OS goes to whatever its data sets could begin with
      return isDataSet(session, path) ? "unknown" : "there";
    } catch (error) {
      if (!isNoDirectory(error)) throw error;
      return isDataSet(session, path) ? "unknown" : "missing";
    }
  }, options);
}
