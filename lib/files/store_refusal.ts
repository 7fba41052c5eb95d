/**
 * Finds out why a server refuses to store a file: a missing directory, or a
 * directory with the same name.
 *
 * @module
 */

import { withoutPeriod } from "../protocol/with_advice.ts";
import { quote } from "../protocol/printable.ts";
import {
  enterDirectory,
  isDataSet,
  isNoDirectory,
} from "../directories/change_directory.ts";
import { splitPath, withoutTrailingSlashes } from "../commands/path.ts";
import {
  type FTPError,
  FTPPermanentError,
  isRefusal,
  isUnknownCommand,
} from "../protocol/errors.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";

/**
 * Replies to a file that cannot be created; bftpd and Pure-FTPd use 451 for
 * many reasons.
 */
const REFUSALS = [450, 451, 501, 550, 551, 553];

/**
 * Text of replies to a path that does not exist; Pure-FTPd's `MLST` says "Can't
 * check for file existence".
 */
const MISSING_REGEXP =
  /\b(no such|not exist|not found|does ?n.t exist|check for file existence)/i;

/**
 * Adds the reason to a refused `STOR` or `APPE`, if the path is the reason.
 * Other errors are returned unchanged, without a command.
 */
export async function explainRefusal(
  session: Session,
  remote: string,
  error: unknown,
  options: SignalOptions,
): Promise<unknown> {
  const isRefused = isRefusal(error, REFUSALS) &&
    /^(STOR|APPE)\b/.test(error.command ?? "") &&
    !session.isLost && !options.signal?.aborted;
  if (!isRefused) return error;
  try {
    if (await directoryState(session, remote, options) === "there") {
      return directoryError(remote, error);
    }
    const [prefix] = splitPath(remote);
    const directory = withoutTrailingSlashes(prefix);
    if (directory === "" || directory === "/") return error;
    if (await directoryState(session, directory, options) !== "missing") {
      return error;
    }
    const { reply, command } = error;
    return new FTPPermanentError(
      `Cannot write to ${quote(remote)}: the directory ${
        quote(directory)
      } does not exist or cannot be entered; make it with ensureDir() (${
        withoutPeriod(reply!.text)
      })`,
      { reply, command, cause: error },
    );
  } catch {
    return error; // the next call reports a lost connection
  }
}

/**
 * Rejects a target that is a directory.
 *
 * @param refusal The server's refusal to write, if there was one
 * @throws {FTPPermanentError} If it is a directory
 */
export async function refuseDirectory(
  session: Session,
  remote: string,
  refusal: FTPError | undefined,
  options: SignalOptions,
): Promise<void> {
  if (await directoryState(session, remote, options) !== "there") return;
  throw directoryError(remote, refusal);
}

/**
 * Whether a path is a directory, according to `MLST`.
 *
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
    const { lines } = await session.shared(
      (turn) => turn.exchange(command, { signal }),
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
    if (!isRefusal(error)) throw error;
    const { reply } = error;
    if (isUnknownCommand(reply)) session.profile.noteLacking("MLST");
    return MISSING_REGEXP.test(reply.text) ? false : undefined;
  }
}

function directoryError(
  remote: string,
  refusal: FTPError | undefined,
): FTPPermanentError {
  const { reply, command } = refusal ?? {};
  const why = reply === undefined ? "" : ` (${withoutPeriod(reply.text)})`;
  return new FTPPermanentError(
    `Cannot write to ${
      quote(remote)
    }: it is a directory; give the name of a file in it${why}`,
    { reply, command, cause: refusal },
  );
}

/** Whether a path is a directory, according to `MLST` or `CWD`. */
async function directoryState(
  session: Session,
  path: string,
  options: SignalOptions,
): Promise<"there" | "missing" | "unknown"> {
  // MLST first: Pure-FTPd delays each CWD that fails
  const isListed = await isListedDirectory(session, path, options);
  if (isListed !== undefined) return isListed ? "there" : "missing";
  return await session.exclusive(async (turn) => {
    try {
      const leave = await enterDirectory(turn, path, options);
      if (leave === undefined) return "unknown";
      await leave();
      // z/OS accepts every prefix of a data set name
      return isDataSet(session, path) ? "unknown" : "there";
    } catch (error) {
      if (!isNoDirectory(error)) throw error;
      return isDataSet(session, path) ? "unknown" : "missing";
    }
  }, options);
}
