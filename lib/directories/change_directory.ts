/**
 * Changes to another directory for one command, and back.
 *
 * @module
 */

import { quote } from "../protocol/printable.ts";
import { connectionError } from "../protocol/with_message.ts";
import { requestDirectory, textOfPath } from "../commands/queries.ts";
import {
  isCurrentDirectory,
  type Path,
  withPath,
} from "../protocol/command.ts";
import {
  FTPError,
  FTPPermanentError,
  isRefusal,
  replyOf,
} from "../protocol/errors.ts";
import { openTransfer } from "../transfer/open_transfer.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import type { ExclusiveTurn, Turn } from "../transfer/turn.ts";

/** Makes IBM i report all names as paths. */
const NAME_FORMAT = "SITE NAMEFMT";
const NAME_FORMAT_COMMAND = { verb: "SITE", argument: "NAMEFMT 1" };

/**
 * Returns to the original directory. If that fails, the session is closed.
 *
 * @param turn Sends the command, instead of the turn in which it was entered
 */
export type Leave = (turn?: Turn) => Promise<void>;

/**
 * Changes to a directory. The turn is kept until `leave` is
 * done: relative paths of other commands would name other files.
 *
 * @param onSent Called when the command was sent, to send others with it
 * @returns A function that changes back; `undefined`, and nothing is done, if
 * the server does not tell the current directory
 * @throws {FTPError} If there is no such directory; the session's directory is
 * unchanged
 */
export async function enterDirectory(
  turn: ExclusiveTurn,
  path: Path,
  options: SignalOptions,
  onSent?: () => void,
): Promise<Leave | undefined> {
  const origin = await originOf(turn, path, options);
  if (origin === undefined) return undefined;
  try {
    const entering = turn.perform(
      { verb: "CWD", argument: path, name: "path" },
      options,
    );
    onSent?.();
    await entering;
  } catch (error) {
    if (isRefusal(error)) turn.session.state.directory = origin;
    else await returnTo(turn, origin); // the reply is missing, so the directory is unknown
    throw error;
  }
  return (other = turn) => returnTo(other, origin);
}

/**
 * Whether a path is a directory: changes to it and back, because no other
 * command works on every server.
 *
 * @param path The path; "" for the current directory
 * @returns Whether it is; `false` also if the server does not tell the current
 * directory
 */
export async function isDirectory(
  turn: ExclusiveTurn,
  path: Path,
  options: SignalOptions,
): Promise<boolean> {
  const directory = path.length === 0 ? "." : path;
  try {
    if (directory === ".") {
      // on z/OS, "." is no name
      const current = await requestDirectory(turn, options);
      if (current.startsWith("'")) {
        return !current.endsWith(".'") || await hasNames(turn, "", options);
      }
    }
    const leave = await enterDirectory(turn, directory, options);
    if (leave === undefined) return false;
    try {
      const { lastReply } = turn.session.control;
      const isPrefix = PREFIX_REGEXP.test(lastReply!.text);
      return !isPrefix || await hasNames(turn, "", options);
    } finally {
      await leave();
    }
  } catch (error) {
    if (!isNoDirectory(error)) throw error;
    return false;
  }
}

/** Whether a refused `CWD` is final. bftpd sends 451 for any system error. */
export function isNoDirectory(error: unknown): boolean {
  if (error instanceof FTPPermanentError) return true;
  const reply = replyOf(error);
  if (reply?.code !== 451) return reply?.code === 450;
  return /\b(no such (file|dir)|not a directory)/i.test(reply.text);
}

/**
 * z/OS's reply to a `CWD` with a name that is not a partitioned data set. The
 * names of any number of data sets begin with it, or of none.
 */
const PREFIX_REGEXP = /^250\b.*\bworking directory name prefix\b/i;

/**
 * Whether a path is a z/OS data set, by its quotes or those of the current
 * directory, which is known.
 */
export function isDataSet(session: Session, path: Path): boolean {
  const text = textOfPath(session, path);
  return text.startsWith("'") ||
    (!text.startsWith("/") &&
      session.state.directory?.startsWith("'") === true);
}

/** z/OS's reply to a `CWD` to a partitioned data set. */
const LIBRARY_REPLY_REGEXP = /^250\b.*\bpartitioned data ?set\b/i;

/** A partitioned data set, or the first qualifiers of several. */
export type DataSetKind = "library" | "prefix";

/**
 * What a path of z/OS names; `undefined` if it is no data set, or if the server
 * does not say.
 *
 * @param path The path; "" for the current directory
 */
export async function dataSetKind(
  turn: ExclusiveTurn,
  path: string,
  options: SignalOptions,
): Promise<DataSetKind | undefined> {
  if (!path.startsWith("'")) await requestDirectory(turn, options);
  const { session } = turn;
  if (!isDataSet(session, path)) return undefined;
  if (isCurrentDirectory(path)) {
    return session.state.directory!.endsWith(".'") ? "prefix" : "library";
  }
  const leave = await enterDirectory(turn, path, options);
  try {
    const text = leave === undefined ? "" : session.control.lastReply!.text;
    if (PREFIX_REGEXP.test(text)) return "prefix";
    return LIBRARY_REPLY_REGEXP.test(text) ? "library" : undefined;
  } finally {
    await leave?.();
  }
}

/**
 * Whether `NLST` lists any name.
 *
 * @param path The path to list; "" for the current directory
 * @throws {FTPError} If the server refuses, for example because there are no
 * names
 */
export async function hasNames(
  turn: ExclusiveTurn,
  path: Path,
  { signal }: SignalOptions,
): Promise<boolean> {
  const options = { signal, type: "A" } as const;
  const command = withPath("NLST", path);
  const transfer = await openTransfer(turn, command, options);
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

/** Bytes of names that prove that there are some. */
const MAX_NAMES_SIZE = 64 * 1024;

/** Milliseconds after the first name, for servers that send names slowly. */
const MAX_NAMES_TIME = 2000;

/** The name of a library on IBM i. */
const LIBRARY_REGEXP = /^[A-Z$#@][A-Z0-9$#@_.]{0,9}$/;

/**
 * Returns the current directory, if it is possible to return to it. IBM i
 * reports a library by a name that it no longer accepts after a path was used,
 * unless it is told to report paths.
 */
async function originOf(
  turn: ExclusiveTurn,
  path: Path,
  options: SignalOptions,
): Promise<string | undefined> {
  const { session } = turn;
  const origin = await requestDirectory(turn, options);
  const isOneWay = textOfPath(session, path).startsWith("/") &&
    LIBRARY_REGEXP.test(origin);
  if (!isOneWay) return origin || undefined;
  if (session.profile.lacks(NAME_FORMAT)) return undefined;
  try {
    const { text } = await turn.perform({ verb: "SYST" }, options);
    if (/\bOS\/400\b/i.test(text)) {
      await turn.perform(NAME_FORMAT_COMMAND, options);
    }
  } catch (error) {
    // PWD shows the effect, whatever the reply was
    if (!(error instanceof FTPError) || error.reply?.code === 421) throw error;
  }
  const directory = await requestDirectory(turn, options);
  if (!LIBRARY_REGEXP.test(directory)) return directory || undefined;
  session.profile.noteLacking(NAME_FORMAT);
  return undefined;
}

/**
 * Changes back without the caller's signal, because a session in the wrong
 * directory would use wrong files. A session that replaces a lost one starts in
 * the original directory, too.
 */
async function returnTo(turn: Turn, origin: string): Promise<void> {
  const { session } = turn;
  try {
    if (session.control.failure !== undefined) return;
    await turn.perform({ verb: "CWD", argument: origin });
  } catch (error) {
    const failure = connectionError(
      error,
      (message) =>
        `Cannot return to ${
          quote(origin)
        }, so the connection is closed: ${message}`,
    );
    // another connection starts in the original directory
    if (!isRefusal(error)) return session.control.giveUp(failure);
    session.control.fail(failure);
    throw failure;
  } finally {
    session.state.directory = origin;
  }
}
