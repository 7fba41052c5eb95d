/**
 * Sets the modification time of a file, with the command that the server has.
 *
 * @module
 */

import type { Command, Path } from "../protocol/command.ts";
import { quote } from "../protocol/printable.ts";
import {
  FTPPermanentError,
  FTPReplyError,
  isUnknownCommand,
} from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import {
  formatTime,
  parseModificationTime,
  parseTime,
} from "../protocol/reply_values.ts";
import type { Written } from "../transfer/server_clock.ts";
import { SUPERFLUOUS } from "../transfer/session_state.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import type { Turn } from "../transfer/turn.ts";
import { requestShownTime, SECOND, textOfPath } from "./queries.ts";
import { appendPath } from "./raw_path.ts";

/** Commands that set a time, the one intended for it first. */
const COMMANDS: readonly { verb: string; prefix: string }[] = [
  { verb: "MFMT", prefix: "" }, // draft-somers-ftp-mfxx
  { verb: "MDTM", prefix: "" }, // vsftpd
  { verb: "SITE", prefix: "UTIME " }, // Pure-FTPd, ProFTPD's mod_site_misc
];

/** Options for setting a time. */
export interface DatingOptions extends SignalOptions {
  /**
   * When this client wrote the file, from which the server's clock can be
   * learned.
   */
  written?: Written | undefined;
  /** Proves the zone of `MDTM`, if it matters and is unknown. */
  prove?: (() => Promise<void>) | undefined;
}

/** A time that was set. */
export interface SetTime {
  /** The command. */
  readonly command: string;
  /** The digits that were sent, read as UTC. */
  readonly digits: Date;
}

/**
 * Sets the modification time of a file.
 *
 * @throws {FTPError} If the server does not confirm it
 * @throws {RangeError} If the date is invalid, or its year is not 1 to 9999
 */
export async function changeModificationTime(
  session: Session,
  path: Path,
  date: Date,
  options: DatingOptions = {},
): Promise<SetTime> {
  const year = date.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) {
    throw new RangeError(
      `Cannot set the time of ${
        quote(textOfPath(session, path))
      }: the date must be one of the years 1 to 9999`,
    );
  }
  const { clock } = session.profile;
  const { written } = options;
  const isFirst = written !== undefined && !clock.isProven("MDTM") &&
    clock.isUntried("MDTM");
  // in one segment with the next command
  const proving = isFirst
    ? proveByFile(session, path, written, options)
    : undefined;
  proving?.catch(() => {});
  let refusal: Reply | undefined;
  for (const { verb, prefix } of COMMANDS) {
    const key = `${verb} time`;
    if (session.profile.lacks(key)) continue;
    // vsftpd sets the time that it shows
    if (verb === "MDTM") {
      await proving;
      if (!clock.isProven("MDTM")) await options.prove?.();
    }
    const digits = clock.toSet(verb, date);
    const reply = await ask(session, {
      verb,
      argument: appendPath(session, `${prefix}${formatTime(digits)} `, path),
      name: "path",
    }, options);
    if (isUnknownCommand(reply)) session.profile.noteLacking(key);
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
    `Cannot set the time of ${quote(textOfPath(session, path))}: ${why}`,
    { reply: refusal, command: "MFMT" },
  );
}

/**
 * Sets the modification time of a file, if possible. Returns whether it was
 * set.
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
 * Returns what sets a time, if that is known to work and nothing has to be
 * learned before.
 *
 * @returns Sends the command at once, and tells whether the time was set
 */
export function knownDating(
  session: Session,
  path: Path,
  date: Date,
): ((turn: Turn, options: SignalOptions) => Promise<boolean>) | undefined {
  const { clock } = session.profile;
  const year = date.getUTCFullYear();
  const mayLearn = !clock.isProven("MDTM") && clock.isUntried("MDTM");
  const known = COMMANDS.find(({ verb }) =>
    !session.profile.lacks(`${verb} time`)
  );
  const isKnown = clock.isSettable === true && !mayLearn &&
    known !== undefined && year >= 1 && year <= 9999;
  if (!isKnown) return undefined;
  const { verb, prefix } = known;
  const digits = clock.toSet(verb, date);
  const argument = appendPath(session, `${prefix}${formatTime(digits)} `, path);
  return async (turn, options) => {
    try {
      const command = { verb, argument, name: "path" };
      return isDone(verb, await turn.perform(command, options), digits);
    } catch (error) {
      const isRefusal = error instanceof FTPPermanentError ||
        error instanceof FTPReplyError;
      if (!isRefusal) throw error;
      return false;
    }
  };
}

/**
 * Learns the server's clock from a file that was just written, at most once an
 * hour.
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
    findShownTime(session, path, options),
    hasFacts ? findShownTimeInFacts(session, path, options) : undefined,
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
 * Returns the time that `MDTM` shows, with its digits read as UTC; `null` if it
 * shows none.
 */
export async function findShownTime(
  session: Session,
  path: Path,
  options: SignalOptions,
): Promise<Date | null> {
  try {
    return await session.shared(
      (turn) => requestShownTime(turn, path, options),
      options,
    );
  } catch (error) {
    if (error instanceof FTPPermanentError) return null;
    throw error;
  }
}

/**
 * Returns the time that `MLST` shows, with its digits read as UTC; `null` if it
 * shows none.
 */
export async function findShownTimeInFacts(
  session: Session,
  path: Path,
  options: SignalOptions,
): Promise<Date | null> {
  const command = { verb: "MLST", argument: path, name: "path" };
  const reply = await ask(session, command, options);
  if (isUnknownCommand(reply)) session.profile.noteLacking("MLST");
  const word = /[ ;]modify=(\d{14})/i.exec(reply.text)?.[1];
  return reply.code === 250 && word !== undefined ? parseTime(word) : null;
}

/** Cuts off fractions of a second. */
export function toSecond(date: Date): number {
  return Math.floor(date.getTime() / SECOND) * SECOND;
}

/** Returns the reply, also if it is a permanent refusal. */
async function ask(
  session: Session,
  command: Command,
  options: SignalOptions,
): Promise<Reply> {
  try {
    return await session.shared(
      (turn) => turn.perform(command, options),
      options,
    );
  } catch (error) {
    const isFinal = error instanceof FTPPermanentError ||
      error instanceof FTPReplyError;
    if (isFinal && error.reply !== undefined) return error.reply;
    throw error;
  }
}

/**
 * Whether a time was set. `MDTM` with two arguments may be read as a query,
 * whose reply has the old time.
 */
function isDone(verb: string, reply: Reply, date: Date): boolean {
  if (reply.code < 200 || reply.code >= 300) return false;
  if (reply.code === SUPERFLUOUS) return false;
  if (verb !== "MDTM") return true;
  const told = parseModificationTime(reply);
  return told === null || formatTime(told) === formatTime(date);
}
