/**
 * Setting the time of a file, by whichever command the server has.
 *
 * @module
 */

import type { Command, Path } from "../protocol/command.ts";
import { printable } from "../protocol/printable.ts";
import { FTPPermanentError, FTPReplyError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import {
  formatTime,
  parseModificationTime,
  parseTime,
} from "../protocol/reply_values.ts";
import type { Written } from "../transfer/server_clock.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import {
  requestShownTime,
  SECOND,
  textOfPath,
  UNKNOWN_REPLIES,
} from "./queries.ts";
import { behind } from "./raw_path.ts";

/** What servers have, the one made for it first. */
const COMMANDS: readonly { verb: string; prefix: string }[] = [
  { verb: "MFMT", prefix: "" }, // draft-somers-ftp-mfxx
  { verb: "MDTM", prefix: "" }, // vsftpd
  { verb: "SITE", prefix: "UTIME " }, // Pure-FTPd, ProFTPD's mod_site_misc
];

/** How the time of a file is set. */
export interface DatingOptions extends SignalOptions {
  /** When this side wrote the file: what it proves of the server's clock. */
  written?: Written | undefined;
  /** Proves the zone of `MDTM`, where that matters and nothing else has. */
  prove?: (() => Promise<void>) | undefined;
}

/** What was sent to set a time. */
export interface Dated {
  /** The command. */
  readonly command: string;
  /** The digits, read as UTC. */
  readonly digits: Date;
}

/**
 * Sets the time of a file.
 *
 * @param session The session
 * @param path The file
 * @param date The time; what is finer than a second is cut off
 * @param options A signal, and what may prove the server's zone
 * @returns What did it
 * @throws {FTPError} If the server does not say that it did so
 * @throws {RangeError} If the date is invalid, or not of four digits
 */
export async function changeModificationTime(
  session: Session,
  path: Path,
  date: Date,
  options: DatingOptions = {},
): Promise<Dated> {
  const year = date.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) {
    throw new RangeError(
      `Cannot set the time of "${
        printable(textOfPath(session, path))
      }": the date must be one of the years 1 to 9999`,
    );
  }
  const { clock } = session.profile;
  const { written } = options;
  const isFirst = written !== undefined && !clock.isProven("MDTM") &&
    clock.isUntried("MDTM");
  // in one segment with what follows
  const proving = isFirst
    ? proveByFile(session, path, written, options)
    : undefined;
  proving?.catch(() => {});
  let refusal: Reply | undefined;
  for (const { verb, prefix } of COMMANDS) {
    const key = `${verb} time`;
    if (session.profile.lacks(key)) continue;
    // vsftpd: it sets what it shows
    if (verb === "MDTM") {
      await proving;
      if (!clock.isProven("MDTM")) await options.prove?.();
    }
    const digits = clock.toSet(verb, date);
    const reply = await ask(session, {
      verb,
      argument: behind(session, `${prefix}${formatTime(digits)} `, path),
      name: "path",
    }, options);
    if (UNKNOWN_REPLIES.includes(reply.code)) session.profile.noteLacking(key);
    else if (isDone(verb, reply, digits)) {
      await proving;
      return { command: verb, digits };
    } // "MDTM" without a second argument looks for a file with a blank in its name
    else if (refusal === undefined || verb === "MFMT") refusal = reply;
    if (verb === "MFMT" && !session.profile.lacks(key)) break;
  }
  await proving;
  const why = refusal?.text ?? "the server has no command for it";
  throw new FTPPermanentError(
    `Cannot set the time of "${textOfPath(session, path)}": ${why}`,
    { reply: refusal, command: "MFMT" },
  );
}

/**
 * Sets the time of a file, where that is possible.
 *
 * @param session The session
 * @param path The file
 * @param date The time
 * @param options A signal, and what may prove the server's zone
 * @returns Whether the server did so: not where one that says so was seen to
 * show another time
 */
export async function setModificationTime(
  session: Session,
  path: Path,
  date: Date,
  options: DatingOptions = {},
): Promise<boolean> {
  const { clock } = session.profile;
  try {
    await changeModificationTime(session, path, date, options);
    return clock.noteSettable(true);
  } catch (error) {
    if (!(error instanceof FTPPermanentError)) throw error;
    return clock.noteSettable(false);
  }
}

/**
 * Learns the server's clock from a file that this side has just written, at
 * most once an hour.
 *
 * @param session The session
 * @param path The file
 * @param written When it was written
 * @param options A signal
 */
export async function proveByFile(
  session: Session,
  path: Path,
  written: Written,
  options: SignalOptions,
): Promise<void> {
  const { clock } = session.profile;
  const hasFacts = session.profile.hasMLSD !== false &&
    !session.profile.lacks("MLST");
  clock.noteTry("MDTM");
  if (hasFacts) clock.noteTry("MLSD");
  const [shown, told] = await Promise.all([
    lookAt(session, path, options),
    hasFacts ? lookAtFacts(session, path, options) : undefined,
  ]);
  if (shown) {
    const time = { shown: toSecond(shown), precision: SECOND };
    clock.noteWritten("MDTM", time, written);
  }
  if (told) {
    const time = { shown: toSecond(told), precision: SECOND };
    clock.noteWritten("MLSD", time, written);
  }
}

/**
 * What `MDTM` shows for a file, where it does.
 *
 * @param session The session
 * @param path The file
 * @param options A signal
 * @returns The digits read as UTC, or `null`
 */
export async function lookAt(
  session: Session,
  path: Path,
  options: SignalOptions,
): Promise<Date | null> {
  try {
    return await requestShownTime(session, path, options);
  } catch (error) {
    if (error instanceof FTPPermanentError) return null;
    throw error;
  }
}

/**
 * What `MLST` shows for a file, where it does.
 *
 * @param session The session
 * @param path The file
 * @param options A signal
 * @returns The digits read as UTC, or `null`
 */
export async function lookAtFacts(
  session: Session,
  path: Path,
  options: SignalOptions,
): Promise<Date | null> {
  const command = { verb: "MLST", argument: path, name: "path" };
  const reply = await ask(session, command, options);
  if (UNKNOWN_REPLIES.includes(reply.code)) session.profile.noteLacking("MLST");
  const word = /[ ;]modify=(\d{14})/i.exec(reply.text)?.[1];
  return reply.code === 250 && word !== undefined ? parseTime(word) : null;
}

/**
 * Cuts off what is finer than a second.
 *
 * @param date The time
 * @returns Milliseconds since 1970
 */
export function toSecond(date: Date): number {
  return Math.floor(date.getTime() / SECOND) * SECOND;
}

/** The reply, also if it is a permanent refusal. */
async function ask(
  session: Session,
  command: Command,
  options: SignalOptions,
): Promise<Reply> {
  try {
    return await session.turns.share(
      () => session.perform(command, options),
      options,
    );
  } catch (error) {
    const isRefusal = error instanceof FTPPermanentError ||
      error instanceof FTPReplyError;
    if (isRefusal && error.reply !== undefined) return error.reply;
    throw error;
  }
}

/** A `MDTM` that was read as a question tells a time, and not the one to set. */
function isDone(verb: string, reply: Reply, date: Date): boolean {
  if (reply.code < 200 || reply.code >= 300) return false;
  if (verb !== "MDTM") return true;
  const told = parseModificationTime(reply);
  return told === null || formatTime(told) === formatTime(date);
}
