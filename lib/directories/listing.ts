/**
 * Listing a directory: by `MLSD` where it works, else by `LIST`. What works is
 * found out by trying, since `FEAT` lies, and remembered for the session.
 *
 * @module
 */

import { Entry } from "../listing/entry.ts";
import { checkPath, type Path } from "../protocol/command.ts";
import { printable } from "../protocol/printable.ts";
import { tooLarge } from "../transfer/kept_lines.ts";
import { Listener } from "../transfer/listener.ts";
import type { Session } from "../transfer/session.ts";
import { textOfPath } from "../commands/queries.ts";
import { EntryView } from "./entry_view.ts";
import { listByList, proveRead } from "./list_by_list.ts";
import { isUnread, listByMLSD, tryMLSD } from "./list_by_mlsd.ts";
import { checkListOptions, type ListOptions } from "./listing_options.ts";
import type { ListRequest } from "./listing_transfer.ts";
import { PartialListingError } from "./partial_listing_error.ts";

/** Most entries that are kept at once, unless the user says otherwise. */
const MAX_KEPT = 1_000_000;

/** Bytes that an entry takes beside its line, about. */
const ENTRY_SIZE = 64;

/**
 * Lists a directory, entry by entry, before the listing has ended. While it is
 * open the session is busy.
 *
 * @param open Gives the session, when the first entry is asked for
 * @param path The directory; "" for the current one
 * @param options Format, zone, caps and signal
 * @returns The entries; it ends only after the server's final 2yz
 */
export async function* listDirectory(
  open: () => Session | Promise<Session>,
  path: Path,
  options: ListOptions,
): AsyncGenerator<Entry> {
  checkPath(path, "path");
  checkListOptions(options);
  const opened = open();
  const session = opened instanceof Promise ? await opened : opened;
  const { maxEntries = Infinity } = options;
  const listener = new Listener();
  let count = 0;
  const turn: ListRequest["turn"] = (run, options) =>
    session.turns.alone(run, options);
  for await (const batch of listBatches({ session, path, options, turn })) {
    const entries = inZone(session, batch);
    for (const entry of reportUnread(entries, options, listener)) {
      if (++count > maxEntries) throw tooMany(session, path, maxEntries);
      yield entry;
    }
  }
  await listener.settle();
}

/** What is done with entries as they are read. */
export interface EntryHooks {
  /** Is told of the entries for the directory itself and its parent. */
  readonly onSelf?: ((entry: Entry) => void) | undefined;
  /** Whether an entry is kept; the others count for what is read. */
  readonly isWanted?: ((entry: Entry) => boolean) | undefined;
  /**
   * Is told that the listing is not whole, and what there is of it is given;
   * without it, that is an error.
   */
  readonly onPartial?: ((error: PartialListingError) => void) | undefined;
  /** As {@linkcode ListRequest.isStrict}. */
  readonly isStrict?: boolean | undefined;
  /** Bytes that the caller keeps of other directories. */
  readonly held?: number | undefined;
  /** Is told how many bytes the entries take, about. */
  readonly onSize?: ((size: number) => void) | undefined;
  /** Whether times are given as the server shows them, whatever its zone. */
  readonly isRaw?: boolean | undefined;
}

/**
 * Reads a whole directory in one turn: other calls wait until it is done.
 *
 * @param session The session
 * @param path The directory
 * @param options Format, zone, caps and signal
 * @param hooks What is done with entries as they are read
 * @returns All entries that are wanted
 * @throws {RangeError} If there are more than `maxEntries`, or a million, or if
 * they take more than `maxListing` bytes, wanted or not
 */
export async function readDirectory(
  session: Session,
  path: Path,
  options: ListOptions,
  hooks: EntryHooks = {},
): Promise<Entry[]> {
  checkListOptions(options);
  const { onSelf, isWanted, onPartial, isStrict, isRaw, held = 0 } = hooks;
  const { maxEntries = MAX_KEPT } = options;
  const { maxListing } = session.options;
  // the caller has the turn; another connection may take this one's place in it
  const turn: ListRequest["turn"] = async (run, { signal } = {}) => {
    await session.ready(signal);
    return await run();
  };
  const request = { session, path, options, turn, onSelf, isStrict, isRaw };
  const listener = new Listener();
  return await session.turns.alone(async () => {
    const entries: Entry[] = [];
    let size = 0;
    let read = 0;
    try {
      for await (const batch of listBatches(request)) {
        const given = isRaw ? batch : inZone(session, batch);
        for (const entry of reportUnread(given, options, listener)) {
          const taken = entry.line.length + ENTRY_SIZE;
          read += taken;
          if (isWanted?.(entry) === false) continue;
          entries.push(entry);
          size += taken;
        }
        // what is looked for may never come, in a listing that never ends
        if (held + read > maxListing) {
          throw tooLarge(textOfPath(session, path), maxListing);
        }
        if (entries.length > maxEntries) {
          throw tooMany(session, path, maxEntries);
        }
      }
    } catch (error) {
      const isPartial = error instanceof PartialListingError;
      if (!isPartial || onPartial === undefined) throw error;
      onPartial(error);
    }
    await listener.settle();
    hooks.onSize?.(size);
    return entries;
  }, options);
}

async function* listBatches(request: ListRequest): AsyncGenerator<Entry[]> {
  const { session, options: { command } } = request;
  if (command === "LIST") {
    await proveRead(request, yield* listByList(request));
    return;
  }
  if (command === "MLSD" || session.profile.hasMLSD === true) {
    yield* listByMLSD(request);
    return;
  }
  const unread: Entry[] = [];
  if (
    session.profile.hasMLSD === undefined && (yield* tryMLSD(request, unread))
  ) {
    return;
  }
  const received = yield* listByList(request);
  const { count, format } = received;
  // an MLSD that gave nothing agrees
  if (session.profile.hasMLSD === false) await proveRead(request, received);
  // MLSD gave nothing where there is something
  if (count > 0 && format !== undefined) session.profile.hasMLSD ??= false;
  if (count === 0 && unread.length > 0) yield unread;
}

/**
 * Entries with their times in UTC, where a server's `MLSD` is known to show
 * another zone (pyftpdlib's `use_gmt_times = False`). Those of a `LIST` were
 * read in theirs.
 */
function inZone(session: Session, entries: Entry[]): Entry[] {
  const zone = session.profile.clock.zoneOf("MLSD") ?? 0;
  if (zone === 0) return entries;
  return entries.map((entry) =>
    entry.format === "mlsd"
      ? new Entry(new EntryView(entry, { zone }), 0)
      : entry
  );
}

/** Takes out what nobody can read, where somebody is told of it. */
function reportUnread(
  entries: Entry[],
  { onUnknown }: ListOptions,
  listener: Listener,
): Entry[] {
  listener.check();
  if (onUnknown === undefined) return entries;
  return entries.filter((entry) => {
    if (!isUnread(entry)) return true;
    listener.call(() => onUnknown(entry.line, entry));
    return false;
  });
}

function tooMany(session: Session, path: Path, maxEntries: number): RangeError {
  return new RangeError(
    `Cannot list "${
      printable(textOfPath(session, path))
    }": it has more than ${maxEntries} entries, the most that "maxEntries" allows`,
  );
}
