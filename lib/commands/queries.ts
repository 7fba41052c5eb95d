/**
 * Queries of a server and its files: `FEAT`, `SIZE`, `MDTM`, `PWD`. Commands
 * that the server does not know are noted in its profile.
 *
 * @module
 */

import { checkPath, type Path } from "../protocol/command.ts";
import { FTPPermanentError, isUnknownCommand } from "../protocol/errors.ts";
import {
  parseDirectory,
  parseFeatures,
  parseModificationTime,
} from "../protocol/reply_values.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import type { Turn } from "../transfer/turn.ts";
import { requestSize } from "./files.ts";

/** Resolution of `MDTM`, in milliseconds. */
export const SECOND = 1000;

/** Size and time of a remote file. */
export interface RemoteFacts {
  /** Size in bytes, if it is known. */
  readonly size: number | null;
  /** Time of the last change, if it is known. */
  readonly modified: Date | null;
  /**
   * The same time as the server shows it, in any zone. It identifies a version
   * of the file.
   */
  readonly shown: Date | null;
  /**
   * Latest possible time of the last change by the local clock, in milliseconds
   * since 1970. The server's zone and clock may be unknown.
   */
  readonly latest: number | null;
}

/**
 * Returns the server's features (`FEAT`, RFC 2389), requested once for each
 * user.
 */
export async function requestFeatures(
  session: Session,
  options: SignalOptions = {},
): Promise<Map<string, string>> {
  const { profile, state: { identity } } = session;
  const known = profile.featuresFor(identity);
  if (known !== undefined) return known;
  if (profile.lacks("FEAT")) return profile.noteFeatures(identity, undefined);
  const reply = await unlessRefused(
    () =>
      session.shared(
        (turn) => turn.exchange({ verb: "FEAT" }, options),
        options,
      ),
  );
  const isList = reply?.code === 211;
  return profile.noteFeatures(
    identity,
    isList ? parseFeatures(reply) : undefined,
  );
}

/**
 * Requests the time of a file's last change (`MDTM`, RFC 3659 section 3).
 *
 * @returns The time, converted from the server's zone if that is proven; `null`
 * if the server has no `MDTM`
 * @throws {FTPError} If the server refuses, for example because the file does
 * not exist
 */
export async function requestModificationTime(
  session: Session,
  path: Path,
  options: SignalOptions = {},
): Promise<Date | null> {
  const shown = await session.shared(
    (turn) => requestShownTime(turn, path, options),
    options,
  );
  return shown && session.profile.clock.toUTC("MDTM", shown);
}

/**
 * Requests the time that `MDTM` shows.
 *
 * @returns The digits read as UTC, or `null` if the server has no `MDTM`
 * @throws {FTPError} If the server refuses, for example because the file does
 * not exist
 */
export async function requestShownTime(
  turn: Turn,
  path: Path,
  options: SignalOptions = {},
): Promise<Date | null> {
  const command = { verb: "MDTM", argument: path, name: "path" };
  const ask = () => turn.exchange(command, options);
  const reply = await optional(turn.session, "MDTM", ask, false);
  return reply?.code === 213 ? parseModificationTime(reply) : null;
}

/**
 * Requests size and time of a file together, in type I.
 *
 * @throws {FTPTemporaryError} If the server may answer later
 */
export async function requestFacts(
  session: Session,
  path: Path,
  options: SignalOptions = {},
): Promise<RemoteFacts> {
  return await session.shared(
    (turn) => requestFactsIn(turn, path, options),
    options,
  );
}

/** Requests size and time of a file together, in a turn. */
export async function requestFactsIn(
  turn: Turn,
  path: Path,
  options: SignalOptions = {},
): Promise<RemoteFacts> {
  const [size, asked] = await Promise.all([
    requestBinarySize(turn, path, options),
    unlessRefused(() => requestShownTime(turn, path, options)),
  ]);
  const shown = asked ?? null;
  const { clock } = turn.session.profile;
  return {
    size,
    modified: shown && clock.toUTC("MDTM", shown),
    shown,
    latest: shown && shown.getTime() + SECOND - clock.differenceOf("MDTM")[0],
  };
}

/**
 * Requests the size of a file in type I (`SIZE`, RFC 3659 section 4). The
 * commands are written at once, with those before and after it.
 *
 * @returns Bytes; `null` if the server does not tell, or the number is too
 * large
 * @throws {FTPTemporaryError} If the server may answer later
 */
export async function requestBinarySize(
  turn: Turn,
  path: Path,
  options: SignalOptions = {},
): Promise<number | null> {
  if (turn.session.state.type === "I") {
    const ask = () => requestSize(turn, path, options);
    return await optional(turn.session, "SIZE", ask) ?? null;
  }
  const ask = async () => {
    if (turn.session.profile.hungUpAt("TYPE I")) {
      // its substitute may be refused
      await turn.ensureType("I", options);
      return await requestSize(turn, path, options);
    }
    // nothing is awaited: the commands go out with others, TYPE first
    const [, size] = await Promise.all([
      turn.ensureType("I", options),
      requestSize(turn, path, options),
    ]);
    return size;
  };
  return await optional(turn.session, "SIZE", ask) ?? null;
}

/**
 * Returns the current directory (`PWD`), requested once until it may have
 * changed; "" if the server does not tell.
 */
export async function requestDirectory(
  turn: Turn,
  options: SignalOptions = {},
): Promise<string> {
  const { session } = turn;
  if (session.state.directory !== undefined) return session.state.directory;
  if (session.profile.lacks("PWD")) return session.state.directory = "";
  const reply = await unlessRefused(
    () => turn.exchange({ verb: "PWD" }, options),
  );
  return session.state.directory = reply?.code === 257
    ? parseDirectory(reply)
    : "";
}

/** Converts a path to text without losing its bytes. */
export function textOfPath(session: Session, path: Path): string {
  checkPath(path, "path");
  return typeof path === "string"
    ? path
    : session.control.encoding.decode(path);
}

/** Runs a query, unless the server lacks the command. */
async function optional<T>(
  session: Session,
  command: string,
  ask: () => Promise<T>,
  mayRefuse = true,
): Promise<T | undefined> {
  if (session.profile.lacks(command)) return undefined;
  return await unlessRefused(ask, (refusal) => {
    const isUnknown = isUnknownCommand(refusal);
    if (isUnknown) session.profile.noteLacking(command);
    return isUnknown || mayRefuse;
  });
}

/**
 * Returns the result of a query, or `undefined` after an expected 5yz reply.
 */
async function unlessRefused<T>(
  ask: () => Promise<T>,
  isExpected: (refusal: Reply | undefined) => boolean = () => true,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    const isRefused = error instanceof FTPPermanentError &&
      isExpected(error.reply);
    if (!isRefused) throw error;
    return undefined;
  }
}
