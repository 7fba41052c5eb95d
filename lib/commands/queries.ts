/**
 * What a server can do, and what it knows of a file: `FEAT`, `SIZE`, `MDTM`,
 * `PWD`. Each answer of the server that something is unknown to it is
 * remembered for the server.
 *
 * @module
 */

import { checkPath, type Path } from "../protocol/command.ts";
import { FTPPermanentError } from "../protocol/errors.ts";
import {
  parseDirectory,
  parseFeatures,
  parseModificationTime,
} from "../protocol/reply_values.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { requestSize } from "./files.ts";

/** Replies that mean "I do not know that command" (RFC 959 section 4.2.1). */
export const UNKNOWN_REPLIES: readonly number[] = [500, 502, 504];

/** How exact `MDTM` is, in milliseconds. */
export const SECOND = 1000;

/** What a server says of a file. */
export interface RemoteFacts {
  /** Size in bytes, where it is known. */
  readonly size: number | null;
  /** Time of the last change, where it is known. */
  readonly modified: Date | null;
  /**
   * The same as the server shows it, whatever its zone: it tells one version of
   * the file from another.
   */
  readonly shown: Date | null;
  /**
   * The latest moment, by this side's clock, at which it may have been changed,
   * in milliseconds since 1970: the server's zone and clock may not be known.
   */
  readonly latest: number | null;
}

/**
 * What the server can do (`FEAT`, RFC 2389). It is asked once for each
 * user.
 *
 * @param session The session
 * @param options A signal
 * @returns Names in upper case with their parameters; empty where `FEAT` is
 * refused
 */
export async function requestFeatures(
  session: Session,
  options: SignalOptions = {},
): Promise<Map<string, string>> {
  const { profile, identity } = session;
  const known = profile.featuresFor(identity);
  if (known !== undefined) return known;
  if (profile.lacks("FEAT")) return profile.noteFeatures(identity, undefined);
  const reply = await unlessRefused(
    () =>
      session.turns.share(
        () => session.exchange({ verb: "FEAT" }, options),
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
 * When a file was last changed (`MDTM`, RFC 3659 section 3).
 *
 * @param session The session
 * @param path The file
 * @param options A signal
 * @returns The time, in the server's zone as far as that is proven, else as it
 * is shown; or `null` where the server has no `MDTM`
 * @throws {FTPError} If the server refuses, such as for a file that is not there
 */
export async function requestModificationTime(
  session: Session,
  path: Path,
  options: SignalOptions = {},
): Promise<Date | null> {
  const shown = await requestShownTime(session, path, options);
  return shown && session.profile.clock.toUTC("MDTM", shown);
}

/**
 * What `MDTM` shows for a file.
 *
 * @param session The session
 * @param path The file
 * @param options A signal
 * @returns The digits read as UTC, or `null` where the server has no `MDTM`
 * @throws {FTPError} If the server refuses, such as for a file that is not there
 */
export async function requestShownTime(
  session: Session,
  path: Path,
  options: SignalOptions = {},
): Promise<Date | null> {
  if (session.profile.lacks("MDTM")) return null;
  return await session.turns.share(
    () => askShownTime(session, path, options),
    options,
  );
}

/**
 * What `MDTM` shows for a file, as {@linkcode requestShownTime}. The caller has
 * the turn.
 */
export async function askShownTime(
  session: Session,
  path: Path,
  options: SignalOptions,
): Promise<Date | null> {
  const command = { verb: "MDTM", argument: path, name: "path" };
  const ask = () => session.exchange(command, options);
  const reply = await optional(session, "MDTM", ask, false);
  return reply?.code === 213 ? parseModificationTime(reply) : null;
}

/**
 * Size and time of a file, asked for at once, in type I.
 *
 * @param session The session
 * @param path The file
 * @param options A signal
 * @returns What the server tells
 * @throws {FTPTemporaryError} If it may tell later
 */
export async function requestFacts(
  session: Session,
  path: Path,
  options: SignalOptions = {},
): Promise<RemoteFacts> {
  const [size, asked] = await Promise.all([
    requestBinarySize(session, path, options),
    unlessRefused(() => requestShownTime(session, path, options)),
  ]);
  const shown = asked ?? null;
  const { clock } = session.profile;
  return {
    size,
    modified: shown && clock.toUTC("MDTM", shown),
    shown,
    latest: shown && shown.getTime() + SECOND - clock.leadOf("MDTM")[0],
  };
}

/**
 * Size of a file in type I (`SIZE`, RFC 3659 section 4).
 *
 * @param session The session
 * @param path The file
 * @param options A signal
 * @returns Bytes, or `null` where the server does not tell, or tells more than
 * a number can hold
 * @throws {FTPTemporaryError} If it may tell later
 */
export async function requestBinarySize(
  session: Session,
  path: Path,
  options: SignalOptions = {},
): Promise<number | null> {
  const size = await optional(
    session,
    "SIZE",
    () =>
      session.turns.share(() => askBinarySize(session, path, options), options),
  );
  return size ?? null;
}

/**
 * Size of a file, as {@linkcode requestBinarySize}. The caller has the turn, and
 * sends other commands before and after without waiting.
 *
 * @param session The session
 * @param path The file
 * @param options A signal
 * @returns Bytes, or `null`
 */
export async function requestSizeInTurn(
  session: Session,
  path: Path,
  options: SignalOptions,
): Promise<number | null> {
  const ask = () => askBinarySize(session, path, options);
  return await optional(session, "SIZE", ask) ?? null;
}

async function askBinarySize(
  session: Session,
  path: Path,
  options: SignalOptions,
): Promise<number | null> {
  // nothing is awaited: the commands go out with others, TYPE first
  const [, size] = await Promise.all([
    session.type === "I" ? undefined : session.ensureType("I", options),
    requestSize(session, path, options),
  ]);
  return size;
}

/**
 * The current directory (`PWD`). It is asked for once, until it may have
 * changed.
 *
 * @param session The session
 * @param options A signal
 * @returns The path, or "" where the server does not tell
 */
export async function requestDirectory(
  session: Session,
  options: SignalOptions = {},
): Promise<string> {
  if (session.directory !== undefined) return session.directory;
  return await session.turns.share(
    () => askDirectory(session, options),
    options,
  );
}

/**
 * The current directory, as {@linkcode requestDirectory}. The caller has the
 * turn.
 *
 * @param session The session
 * @param options A signal
 * @returns The path, or "" where the server does not tell
 */
export async function askDirectory(
  session: Session,
  options: SignalOptions,
): Promise<string> {
  if (session.directory !== undefined) return session.directory;
  if (session.profile.lacks("PWD")) return session.directory = "";
  const reply = await unlessRefused(
    () => session.exchange({ verb: "PWD" }, options),
  );
  return session.directory = reply?.code === 257 ? parseDirectory(reply) : "";
}

/**
 * A path as text, in which its bytes survive.
 *
 * @param session The session
 * @param path Text or bytes
 * @returns The text
 */
export function textOfPath(session: Session, path: Path): string {
  checkPath(path, "path");
  return typeof path === "string"
    ? path
    : session.control.encoding.decode(path);
}

/** Asks unless the server is known not to know the command. */
async function optional<T>(
  session: Session,
  command: string,
  ask: () => Promise<T>,
  mayRefuse = true,
): Promise<T | undefined> {
  if (session.profile.lacks(command)) return undefined;
  return await unlessRefused(ask, (code) => {
    const isUnknown = UNKNOWN_REPLIES.includes(code);
    if (isUnknown) session.profile.noteLacking(command);
    return isUnknown || mayRefuse;
  });
}

/** What the server answers, or `undefined` for a 5yz that is to be expected. */
async function unlessRefused<T>(
  ask: () => Promise<T>,
  isExpected: (code: number) => boolean = () => true,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    const isRefused = error instanceof FTPPermanentError &&
      isExpected(error.reply?.code ?? 0);
    if (!isRefused) throw error;
    return undefined;
  }
}
