/**
 * Lists a directory by `MLSD`, or by `LIST` if that does not work. `FEAT` is
 * unreliable, so only a try decides; the server's profile remembers the result.
 *
 * @module
 */

import { PauseTimer } from "../connection/pauses.ts";
import { changed, Entry, lineLengthOf } from "../listing/entry.ts";
import { withoutNested } from "../listing/entry_path.ts";
import { checkPath, type Path } from "../protocol/command.ts";
import { FTPError, isUnknownCommand, replyOf } from "../protocol/errors.ts";
import { quote } from "../protocol/printable.ts";
import { BatchIterator } from "../transfer/batch_iterator.ts";
import { tooLarge } from "../transfer/kept_lines.ts";
import { Listener } from "../transfer/listener.ts";
import type { ServerProfile } from "../transfer/server_profile.ts";
import type { Session } from "../transfer/session.ts";
import { textOfPath } from "../commands/queries.ts";
import { ListListing } from "./list_by_list.ts";
import {
  isReplaced,
  isUnread,
  mlsdListing,
  MLSDTrial,
} from "./list_by_mlsd.ts";
import { checkListOptions, type ListOptions } from "./listing_options.ts";
import { EMPTY, type ListRequest } from "./listing_transfer.ts";
import { PartialListingError } from "./partial_listing_error.ts";
import { provesMLSD, verifyEntered, verifyReadable } from "./verify_empty.ts";

/** Default limit of entries that are kept at once. */
export const MAX_KEPT = 1_000_000;

/** Approximate size of an entry besides its line, in bytes. */
const ENTRY_SIZE = 64;

/**
 * Lists a directory entry by entry, before the listing has ended. The session
 * is busy while it is open.
 *
 * @param path The directory; "" for the current one
 */
export function listDirectory(
  open: () => Session | Promise<Session>,
  path: Path,
  options: ListOptions,
): AsyncGenerator<Entry> {
  return new BatchIterator(readBatches(open, path, options), (entry) => entry);
}

async function* readBatches(
  open: () => Session | Promise<Session>,
  path: Path,
  options: ListOptions,
): AsyncGenerator<Entry[]> {
  checkPath(path, "path");
  checkListOptions(options);
  const opened = open();
  const session = opened instanceof Promise ? await opened : opened;
  const { maxEntries = Infinity } = options;
  const listener = new Listener();
  let count = 0;
  const request: ListRequest = {
    session,
    path,
    options,
    exclusive: (run, options) => session.exclusive(run, options),
    onNote: noteTo(options, listener),
  };
  for await (const batch of listBatches(request)) {
    const entries = reportUnread(inZone(session, batch), options, listener);
    count += entries.length;
    if (count > maxEntries) {
      yield entries.slice(0, maxEntries - count);
      throw tooMany(session, path, maxEntries);
    }
    yield entries;
  }
  await listener.settle();
}

/** Callbacks while entries are read. */
export interface EntryHooks {
  /** Called with the entries for the directory itself and its parent. */
  readonly onSelf?: ((entry: Entry) => void) | undefined;
  /** Same as {@linkcode ListRequest.onEnd}. */
  readonly onEnd?: (() => void) | undefined;
  /**
   * Returns whether to keep an entry. All entries count toward the size limit.
   */
  readonly isWanted?: ((entry: Entry) => boolean) | undefined;
  /**
   * Called if the listing is incomplete; the entries so far are returned.
   * Without it, that is an error.
   */
  readonly onPartial?: ((error: PartialListingError) => void) | undefined;
  /** Same as {@linkcode ListRequest.isStrict}. */
  readonly isStrict?: boolean | undefined;
  /** Bytes that the caller keeps of other directories. */
  readonly held?: number | undefined;
  /** Called with the approximate size of all entries, in bytes. */
  readonly onSize?: ((size: number) => void) | undefined;
  /** Whether to return times as the server shows them, in any zone. */
  readonly isRaw?: boolean | undefined;
}

/**
 * Reads a whole directory in one turn. Other calls wait until it is done.
 *
 * @throws {RangeError} If there are more than `maxEntries` (default: a
 * million), or if all entries take more than `maxListing` bytes
 */
export async function readDirectory(
  session: Session,
  path: Path,
  options: ListOptions,
  hooks: EntryHooks = {},
): Promise<Entry[]> {
  checkListOptions(options);
  const { onSelf, onEnd, isWanted, onPartial, isStrict, isRaw, held = 0 } =
    hooks;
  const { maxEntries = MAX_KEPT } = options;
  const { maxListing } = session.options;
  const listener = new Listener();
  return await session.exclusive(async (turn) => {
    const request: ListRequest = {
      session,
      path,
      options,
      // another connection may take this one's place in the turn
      exclusive: async (run, { signal } = {}) => {
        await session.ready(signal);
        return await run(turn);
      },
      onSelf,
      onEnd,
      onNote: noteTo(options, listener),
      isStrict,
      isRaw,
    };
    const entries: Entry[] = [];
    let read = 0;
    const pauses = new PauseTimer();
    try {
      for await (const batch of listBatches(request)) {
        const given = isRaw ? batch : inZone(session, batch);
        for (const entry of reportUnread(given, options, listener)) {
          const taken = lineLengthOf(entry) + ENTRY_SIZE;
          read += taken;
          if (isWanted?.(entry) !== false) entries.push(entry);
          if (pauses.isDue) await pauses.pause(options.signal);
        }
        // in an endless listing, the wanted entries may never come
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
    hooks.onSize?.(read);
    return withoutNested(entries);
  }, options);
}

/** Chooses how to request a listing: "MLSD?" is an `MLSD` that may not work. */
function chooseListCommand(
  { hasMLSD }: ServerProfile,
  { command }: ListOptions,
): "MLSD" | "MLSD?" | "LIST" {
  if (command !== undefined) return command;
  if (hasMLSD === undefined) return "MLSD?";
  return hasMLSD ? "MLSD" : "LIST";
}

async function* listBatches(request: ListRequest): AsyncGenerator<Entry[]> {
  const { session: { profile }, options } = request;
  const command = chooseListCommand(profile, options);
  if (command === "MLSD") {
    const listing = mlsdListing(request);
    yield* listing.batches();
    return await verifyEntered(request, listing.outcome);
  }
  let unread: Entry[] = [];
  if (command === "MLSD?") {
    const trial = new MLSDTrial(request);
    yield* trial.batches();
    if (trial.outcome !== undefined) {
      return await verifyEntered(request, trial.outcome);
    }
    unread = trial.unread;
    if (unread.length === 0 && await provesMLSD(request)) {
      return await verifyEntered(request, EMPTY);
    }
  }
  const listing = new ListListing(request);
  let isListed = false;
  try {
    for await (const batch of listing.batches()) {
      isListed ||= batch.length > 0;
      yield batch;
    }
    if (isListed) profile.recalled.delete("MLSD");
  } catch (error) {
    const mayRepeat = !isListed && command === "MLSD?";
    if (mayRepeat && await isReplaced(request.session, error, options.signal)) {
      return yield* listBatches(request);
    }
    const isOutdated = !isListed && mayLackLIST(request, error) &&
      profile.unlearn("MLSD");
    if (
      !isOutdated || replyOf(error) === undefined || options.signal?.aborted
    ) throw error;
    return yield* listBatches(request);
  }
  const { count, format } = listing.outcome;
  // an empty LIST agrees with an MLSD that returned nothing
  if (options.command === "LIST" || profile.hasMLSD === false) {
    await verifyReadable(request, listing.outcome);
  }
  if (options.command === "LIST") return;
  // MLSD returned nothing, but the directory is not empty
  if (count > 0 && format !== undefined) profile.hasMLSD ??= false;
  if (count === 0 && unread.length > 0) yield unread;
}

/** Whether an error may mean that `LIST` does not work, but `MLSD` does. */
function mayLackLIST(
  { session: { profile }, options: { command } }: ListRequest,
  error: unknown,
): boolean {
  const reply = replyOf(error);
  if (command !== undefined) return false;
  if (isUnknownCommand(reply)) return true;
  // the directory may be missing if it was not entered
  if (profile.neverHasMLSD || reply?.code === 421) return false;
  return !(error instanceof FTPError) ||
    error.command?.startsWith("LIST") === true;
}

/**
 * Converts times to UTC if the server's `MLSD` is known to use another zone
 * (pyftpdlib's `use_gmt_times = False`). Times of a `LIST` are already
 * converted.
 */
function inZone(session: Session, entries: Entry[]): Entry[] {
  const zone = session.profile.clock.zoneOf("MLSD") ?? 0;
  if (zone === 0) return entries;
  return entries.map((entry) =>
    entry.format === "mlsd" ? new Entry(...changed(entry, { zone })) : entry
  );
}

/** Returns a function that reports headers and trailers to the caller. */
function noteTo({ onUnknown }: ListOptions, listener: Listener) {
  if (onUnknown === undefined) return undefined;
  return (line: string, entry: Entry) =>
    void listener.call(() => onUnknown(line, entry));
}

/** Removes unparsable lines if there is a callback for them. */
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

/** Creates the error for a directory with too many entries. */
export function tooMany(
  session: Session,
  path: Path,
  maxEntries: number,
): RangeError {
  return new RangeError(
    `Cannot list ${
      quote(textOfPath(session, path))
    }: it has more than ${maxEntries} entries, the most that "maxEntries" allows`,
  );
}
