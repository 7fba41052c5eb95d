/**
 * Setting the time of a file, by whichever command the server has.
 *
 * @module
 */

import type { Command, Path } from "../protocol/command.ts";
import { printable } from "../protocol/printable.ts";
import { FTPPermanentError, FTPReplyError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import { formatTime, parseModificationTime } from "../protocol/reply_text.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { textOfPath, UNKNOWN_REPLIES } from "./facts.ts";
import { behind } from "./raw_path.ts";

/** What servers have, the one made for it first. */
const COMMANDS: readonly { verb: string; prefix: string }[] = [
  { verb: "MFMT", prefix: "" }, // draft-somers-ftp-mfxx
  { verb: "MDTM", prefix: "" }, // vsftpd
  { verb: "SITE", prefix: "UTIME " }, // Pure-FTPd, ProFTPD's mod_site_misc
];

/**
 * Sets the time of a file.
 *
 * @param session The session
 * @param path The file
 * @param date The time; what is finer than a second is cut off
 * @param options A signal
 * @throws {FTPError} If the server does not say that it did so
 * @throws {RangeError} If the date is invalid, or not of four digits
 */
export async function changeModificationTime(
  session: Session,
  path: Path,
  date: Date,
  options: SignalOptions = {},
): Promise<void> {
  const year = date.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) {
    throw new RangeError(
      `Cannot set the time of "${
        printable(textOfPath(session, path))
      }": the date must be one of the years 1 to 9999`,
    );
  }
  let refusal: Reply | undefined;
  for (const { verb, prefix } of COMMANDS) {
    const key = `${verb} time`;
    if (session.unknown.has(key)) continue;
    const reply = await ask(session, {
      verb,
      argument: behind(session, `${prefix}${formatTime(date)} `, path),
      name: "path",
    }, options);
    if (UNKNOWN_REPLIES.includes(reply.code)) session.unknown.add(key);
    else if (isDone(verb, reply, date)) return;
    // "MDTM" without a second argument looks for a file with a blank in its name
    else if (refusal === undefined || verb === "MFMT") refusal = reply;
    if (verb === "MFMT" && !session.unknown.has(key)) break;
  }
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
 * @param options A signal
 * @returns Whether the server did so
 */
export async function setModificationTime(
  session: Session,
  path: Path,
  date: Date,
  options: SignalOptions = {},
): Promise<boolean> {
  try {
    await changeModificationTime(session, path, date, options);
    return true;
  } catch (error) {
    if (error instanceof FTPPermanentError) return false;
    throw error;
  }
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
