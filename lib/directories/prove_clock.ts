/**
 * Learning a server's clock from a file that is written for it.
 *
 * @module
 */

import { writeAll } from "../connection/byte_stream.ts";
import { settle } from "../connection/waiting.ts";
import { TIME_PRECISIONS } from "../listing/entry.ts";
import {
  changeModificationTime,
  lookAt,
  lookAtFacts,
  proveByFile,
  toSecond,
} from "../commands/modification_time.ts";
import { joinRawPath, rawPathOf, splitRawPath } from "../commands/raw_path.ts";
import { partName, randomMark } from "../commands/path.ts";
import type { Path } from "../protocol/command.ts";
import { FTPError, FTPPermanentError } from "../protocol/errors.ts";
import { openTransfer } from "../transfer/open_transfer.ts";
import type { TimeTeller, Written } from "../transfer/server_clock.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { readDirectory } from "./listing.ts";

/**
 * How far back the time of the file is set, in milliseconds: no zone, so that a
 * server that only says that it did so is found out.
 */
const BACK = 1_000_000;

/** Longest wait, in milliseconds, for the file to be deleted. */
const CLEANUP_TIMEOUT = 5000;

/** How a clock is proven. */
export interface ProofOptions extends SignalOptions {
  /** What shows the times that matter. */
  readonly teller?: TimeTeller | undefined;
  /** Chooses the temporary name, as for an upload. */
  readonly temporaryName?:
    | ((name: string, mark: string) => string)
    | undefined;
}

/**
 * Learns the server's zone, how far its clock is ahead, and whether it sets
 * times: writes a file of one byte, asks for its time, sets that, and deletes
 * the file. A server that does not let it be written stays unproven.
 *
 * @param session The session
 * @param directory Where the file is written
 * @param options What shows the times that matter, a name, and a signal
 */
export async function proveClock(
  session: Session,
  directory: Path,
  options: ProofOptions = {},
): Promise<void> {
  const { clock } = session.profile;
  const { signal, teller = "MDTM" } = options;
  clock.noteTry(teller);
  await withFile(session, directory, options, async (path, name, written) => {
    await proveByFile(session, path, written, { signal });
    if (teller === "LIST") {
      const folder = rawPathOf(session, directory);
      await proveByList(session, folder, name, written, options);
    }
    await trySetting(session, path, written, options);
  });
}

/**
 * Learns the zones of other days, where summer time may make a difference
 * (pyftpdlib's `use_gmt_times = False`): sets the time of a temporary file to
 * each, and looks how the server shows it.
 *
 * @param session The session
 * @param directory Where the file is written
 * @param times One time of each day, in milliseconds since 1970
 * @param options What shows the times that matter, a name, and a signal
 */
export async function proveDays(
  session: Session,
  directory: Path,
  times: readonly number[],
  options: ProofOptions,
): Promise<void> {
  const { clock } = session.profile;
  const { signal, teller = "MDTM" } = options;
  await withFile(session, directory, options, async (path) => {
    for (const time of times) {
      await changeModificationTime(session, path, new Date(time), { signal });
      const [shown, told] = await Promise.all([
        lookAt(session, path, { signal }),
        teller === "MLSD" ? lookAtFacts(session, path, { signal }) : null,
      ]);
      // a download is dated by MDTM, whatever its listing shows
      if (shown !== null) clock.noteDay("MDTM", time, toSecond(shown));
      if (told !== null) clock.noteDay("MLSD", time, toSecond(told));
    }
  });
}

/** Writes a temporary file, and deletes it, unless the server refuses. */
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
  } finally {
    await clear(session, path);
  }
}

/**
 * Sets the time of a file. Where the server sets it in the zone that it shows
 * (vsftpd), and nothing has proven that, a file is written beside it first.
 *
 * @param session The session
 * @param path The file
 * @param date The time
 * @param options A signal
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

/** Writes one byte; gives `undefined` where the server refuses. */
async function write(
  session: Session,
  path: Uint8Array,
  { signal }: SignalOptions,
): Promise<Written | undefined> {
  const command = { verb: "STOR", argument: path, name: "path" };
  let from = 0;
  try {
    const transfer = await openTransfer(session, command, {
      type: "I",
      signal,
    });
    await transfer.complete(async (data) => {
      from = Date.now();
      await writeAll(data, Uint8Array.of(0x0A));
      await data.closeWrite();
    }, { signal });
    return { from, to: Date.now() };
  } catch (error) {
    const isRefused = error instanceof FTPError && error.reply !== undefined;
    if (!isRefused) throw error;
    return undefined;
  }
}

/** Looks for the file in a listing, where that is all that shows times. */
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

/** Sets the time, and looks whether it is set, and in which zone. */
async function trySetting(
  session: Session,
  path: Uint8Array,
  { from }: Written,
  { signal }: SignalOptions,
): Promise<void> {
  const { clock } = session.profile;
  const date = new Date(from - BACK);
  try {
    const { command, digits } = await changeModificationTime(
      session,
      path,
      date,
      { signal },
    );
    const shown = await lookAt(session, path, { signal });
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

/** Deletes the file; a connection that is lost leaves it behind. */
async function clear(session: Session, path: Uint8Array): Promise<void> {
  const command = { verb: "DELE", argument: path, name: "path" };
  const deleting = session.turns.share(() => session.exchange(command))
    .catch(() => {});
  await settle(deleting, CLEANUP_TIMEOUT);
}
