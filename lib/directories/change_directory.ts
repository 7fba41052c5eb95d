/**
 * Going to another directory for one command, and coming back.
 *
 * @module
 */

import { withMessage } from "../connection/with_message.ts";
import { askDirectory, textOfPath } from "../commands/queries.ts";
import { type Path, withPath } from "../protocol/command.ts";
import { FTPError, FTPPermanentError } from "../protocol/errors.ts";
import { openTransferInTurn } from "../transfer/open_transfer.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";

/** Has IBM i call everything by a path. */
const NAME_FORMAT = "SITE NAMEFMT";
const NAME_FORMAT_COMMAND = { verb: "SITE", argument: "NAMEFMT 1" };

/** Comes back. It never leaves the session where it should not be. */
export type Leave = () => Promise<void>;

/**
 * Goes to a directory. The caller has the turn, and keeps it until `leave` is
 * done: a command of somebody else's in between would mean another file.
 *
 * @param session The session
 * @param path The directory
 * @param options A signal
 * @returns The way back; `undefined`, and nothing is done, where the server
 * does not tell where to come back to
 * @throws {FTPError} If there is no such directory; the session is where it was
 */
export async function enterDirectory(
  session: Session,
  path: Path,
  options: SignalOptions,
): Promise<Leave | undefined> {
  const origin = await originOf(session, path, options);
  if (origin === undefined) return undefined;
  try {
    await session.perform(
      { verb: "CWD", argument: path, name: "path" },
      options,
    );
  } catch (error) {
    const isRefused = error instanceof FTPError && error.reply !== undefined;
    if (isRefused) session.directory = origin;
    else await returnTo(session, origin); // nobody saw whether it went
    throw error;
  }
  return () => returnTo(session, origin);
}

/**
 * Whether a path is a directory: it is gone to, and come back from. No other
 * command tells it on every server. The caller has the turn.
 *
 * @param session The session
 * @param path The path; "" for the current directory
 * @param options A signal
 * @returns Whether it is; `false` also where the server does not tell where to
 * come back to
 */
export async function isDirectory(
  session: Session,
  path: Path,
  options: SignalOptions,
): Promise<boolean> {
  const directory = path.length === 0 ? "." : path;
  try {
    const leave = await enterDirectory(session, directory, options);
    if (leave === undefined) return false;
    try {
      const isPrefix = PREFIX_REGEXP.test(session.control.lastReply!.text);
      return !isPrefix || await hasNames(session, "", options);
    } finally {
      await leave();
    }
  } catch (error) {
    if (!isNoDirectory(error)) throw error;
    return false;
  }
}

/**
 * Whether a refusal to go to a directory will stay. bftpd has 451 for whatever
 * the system refused.
 *
 * @param error What was thrown
 * @returns Whether it is one
 */
export function isNoDirectory(error: unknown): boolean {
  if (error instanceof FTPPermanentError) return true;
  const reply = error instanceof FTPError ? error.reply : undefined;
  if (reply?.code !== 451) return reply?.code === 450;
  return /\b(no such (file|dir)|not a directory)/i.test(reply.text);
}

/**
 * What z/OS says to `CWD` of any name that is no partitioned data set: data sets
 * may begin with it, or not.
 */
const PREFIX_REGEXP = /^250\b.*\bworking directory name prefix\b/i;

/**
 * Whether a path is one of z/OS's data sets, by its quotes or by those of the
 * directory it is in. The directory was asked for.
 *
 * @param session The session
 * @param path The path
 * @returns Whether it is
 */
export function isDataSet(session: Session, path: Path): boolean {
  const text = textOfPath(session, path);
  return text.startsWith("'") ||
    (!text.startsWith("/") && session.directory?.startsWith("'") === true);
}

/**
 * Whether `NLST` names anything. The caller has the turn.
 *
 * @param session The session
 * @param path What to name; "" for what is in the current directory
 * @param options A signal
 * @returns Whether it does
 * @throws {FTPError} If the server refuses, such as for want of names
 */
export async function hasNames(
  session: Session,
  path: Path,
  { signal }: SignalOptions,
): Promise<boolean> {
  const options = { signal, type: "A" } as const;
  const command = withPath("NLST", path);
  const transfer = await openTransferInTurn(session, command, options);
  let size = 0;
  let first = 0;
  const enough = new Error("enough names came");
  try {
    await transfer.complete(
      (data) =>
        data.readToEnd((bytes) => {
          size += bytes.length;
          first ||= performance.now();
          const time = performance.now() - first;
          if (size > MAX_NAMES_SIZE || time > MAX_NAMES_TIME) throw enough;
        }),
      options,
    );
  } catch (error) {
    if (error !== enough) throw error;
  }
  return size > 0;
}

/** Bytes of names after which there is no doubt that there are some. */
const MAX_NAMES_SIZE = 64 * 1024;

/** Milliseconds after the first name, for names that come one by one. */
const MAX_NAMES_TIME = 2000;

/** What IBM i calls a library. */
const LIBRARY_REGEXP = /^[A-Z$#@][A-Z0-9$#@_.]{0,9}$/;

/**
 * The current directory, if there is a way back to it. IBM i tells of a library,
 * by a name that it does not know any more once it was given a path: unless it
 * is asked to tell of libraries as paths, too.
 */
async function originOf(
  session: Session,
  path: Path,
  options: SignalOptions,
): Promise<string | undefined> {
  const origin = await askDirectory(session, options);
  const isStranded = textOfPath(session, path).startsWith("/") &&
    LIBRARY_REGEXP.test(origin);
  if (!isStranded) return origin || undefined;
  if (session.profile.lacks(NAME_FORMAT)) return undefined;
  try {
    const { text } = await session.perform({ verb: "SYST" }, options);
    if (/\bOS\/400\b/i.test(text)) {
      await session.perform(NAME_FORMAT_COMMAND, options);
    }
  } catch (error) {
    if (!(error instanceof FTPPermanentError)) throw error;
  }
  const directory = await askDirectory(session, options);
  if (!LIBRARY_REGEXP.test(directory)) return directory || undefined;
  session.profile.noteLacking(NAME_FORMAT);
  return undefined;
}

/**
 * Without the caller's signal: a session in the wrong place hits wrong files.
 * One that takes the place of a lost session begins at the origin too.
 */
async function returnTo(session: Session, origin: string): Promise<void> {
  try {
    if (session.control.failure !== undefined) return;
    await session.perform({ verb: "CWD", argument: origin });
  } catch (error) {
    const failure = withMessage(
      error,
      (message) =>
        `Cannot return to "${origin}", so the connection is closed: ${message}`,
    );
    session.control.fail(failure);
    throw failure;
  } finally {
    session.directory = origin;
  }
}
