/**
 * Learns a server's clock from a temporary file.
 *
 * @module
 */

import { writeAll } from "../connection/byte_stream.ts";
import { settle } from "../connection/waiting.ts";
import { TIME_PRECISIONS } from "../listing/entry.ts";
import {
  changeModificationTime,
  findShownTime,
  findShownTimeInFacts,
  proveByFile,
  toSecond,
} from "../commands/modification_time.ts";
import { joinRawPath, rawPathOf, splitRawPath } from "../commands/raw_path.ts";
import { partName, randomMark } from "../commands/path.ts";
import type { Path } from "../protocol/command.ts";
import { FTPPermanentError, isRefusal } from "../protocol/errors.ts";
import { openTransfer } from "../transfer/open_transfer.ts";
import type { TimeCommand, Written } from "../transfer/server_clock.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { readDirectory } from "./listing.ts";

/**
 * Milliseconds by which the file's time is set back. Not a zone, to detect a
 * server that only claims to set times.
 */
const SET_BACK = 1_000_000;

/** Longest wait for the file's deletion, in milliseconds. */
const CLEANUP_TIMEOUT = 5000;

/** Options for learning a clock. */
export interface ProofOptions extends SignalOptions {
  /** Command that shows the relevant times. */
  readonly timeCommand?: TimeCommand | undefined;
  /** Returns the temporary name, as for an upload. */
  readonly temporaryName?:
    | ((name: string, mark: string) => string)
    | undefined;
}

/**
 * Learns the server's zone, the difference of its clock, and whether it sets
 * times. Writes a file of one byte, reads and sets its time, and deletes it. If
 * the server refuses the file, nothing is learned.
 */
export async function proveClock(
  session: Session,
  directory: Path,
  options: ProofOptions = {},
): Promise<void> {
  const { clock } = session.profile;
  const { signal, timeCommand = "MDTM" } = options;
  clock.noteTry(timeCommand);
  await withFile(session, directory, options, async (path, name, written) => {
    await proveByFile(session, path, written, { signal });
    if (timeCommand === "LIST") {
      const folder = rawPathOf(session, directory);
      await proveByList(session, folder, name, written, options);
    }
    await trySetting(session, path, written, options);
  });
}

/**
 * Learns the zones of other days, when daylight saving time may differ
 * (pyftpdlib's `use_gmt_times = False`). Sets the time of a temporary file to
 * each day, and reads it.
 *
 * @param times One time of each day, in milliseconds since 1970
 */
export async function proveDays(
  session: Session,
  directory: Path,
  times: readonly number[],
  options: ProofOptions,
): Promise<void> {
  const { clock } = session.profile;
  const { signal, timeCommand = "MDTM" } = options;
  await withFile(session, directory, options, async (path) => {
    for (const time of times) {
      await changeModificationTime(session, path, new Date(time), { signal });
      const [shown, told] = await Promise.all([
        findShownTime(session, path, { signal }),
        timeCommand === "MLSD"
          ? findShownTimeInFacts(session, path, { signal })
          : null,
      ]);
      // a download gets its time from MDTM, whatever the listing shows
      if (shown !== null) clock.noteDay("MDTM", time, toSecond(shown));
      if (told !== null) clock.noteDay("MLSD", time, toSecond(told));
    }
  });
}

/**
 * Writes a temporary file and deletes it after use, unless the server refuses.
 */
async function withFile(
  session: Session,
  directory: Path,
  options: ProofOptions,
  use: (path: Uint8Array, name: Uint8Array, written: Written) => Promise<void>,
): Promise<void> {
  const mark = randomMark();
  const name = rawPathOf(
    session,
    options.temporaryName?.("clock", mark) ?? partName("clock", mark, false),
  );
  const path = joinRawPath(rawPathOf(session, directory), name);
  const written = await write(session, path, options);
  if (written === undefined) return;
  try {
    await use(path, name, written);
  } catch (error) {
    // over another connection, the file can still be deleted
    if (session.isLost) {
      await session.replace(error, options.signal).catch(() => false);
    }
    throw error;
  } finally {
    await deleteTemporary(session, path);
  }
}

/**
 * Sets the time of a file. If the server sets it in the zone that it shows
 * (vsftpd), and that zone is unknown, a temporary file is written next to it
 * first.
 */
export async function dateFile(
  session: Session,
  path: Path,
  date: Date,
  options: SignalOptions,
): Promise<void> {
  const [directory] = splitRawPath(rawPathOf(session, path));
  const { clock } = session.profile;
  const prove = async () => {
    if (clock.isUntried("MDTM")) await proveClock(session, directory, options);
  };
  await changeModificationTime(session, path, date, { ...options, prove });
}

/** Writes one byte; `undefined` if the server refuses. */
async function write(
  session: Session,
  path: Uint8Array,
  { signal }: SignalOptions,
): Promise<Written | undefined> {
  const command = { verb: "STOR", argument: path, name: "path" };
  let from = 0;
  try {
    const transfer = await session.exclusive(
      (turn) => openTransfer(turn, command, { type: "I", signal }),
      { signal },
    );
    await transfer.complete(async (data) => {
      from = Date.now();
      await writeAll(data, Uint8Array.of(0x0A));
      await data.closeWrite();
    }, { signal });
    return { from, to: Date.now() };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return undefined;
  }
}

/** Reads the file's time from a listing, if only listings show times. */
async function proveByList(
  session: Session,
  folder: Uint8Array,
  name: Uint8Array,
  written: Written,
  { signal }: SignalOptions,
): Promise<void> {
  const text = session.control.encoding.decode(name);
  const [entry] = await readDirectory(
    session,
    folder,
    { command: "LIST", all: true, signal },
    { isWanted: ({ name }) => name === text, isRaw: true },
  );
  const { mtime, mtimePrecision = "second" } = entry ?? {};
  if (mtime === undefined) return;
  const precision = TIME_PRECISIONS[mtimePrecision];
  const time = { shown: mtime.getTime(), precision };
  session.profile.clock.noteWritten("LIST", time, written);
}

/** Sets the file's time, and checks whether it was set, and in which zone. */
async function trySetting(
  session: Session,
  path: Uint8Array,
  { from }: Written,
  { signal }: SignalOptions,
): Promise<void> {
  const { clock } = session.profile;
  const date = new Date(from - SET_BACK);
  try {
    const { command, digits } = await changeModificationTime(
      session,
      path,
      date,
      { signal },
    );
    const shown = await findShownTime(session, path, { signal });
    const sent = new Date(toSecond(digits));
    clock.noteSettable(true);
    if (shown !== null) {
      clock.noteSet(command, sent, new Date(toSecond(shown)));
    }
  } catch (error) {
    if (!(error instanceof FTPPermanentError)) throw error;
    clock.noteSettable(false);
  }
}

/** Deletes the file. If the connection is lost, the file stays. */
async function deleteTemporary(
  session: Session,
  path: Uint8Array,
): Promise<void> {
  const command = { verb: "DELE", argument: path, name: "path" };
  const deleting = session.shared((turn) => turn.exchange(command))
    .catch(() => {});
  await settle(deleting, CLEANUP_TIMEOUT);
}
