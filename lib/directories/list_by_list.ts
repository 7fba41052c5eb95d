/**
 * Lists by `LIST` (RFC 959 section 4.1.3), with hidden names if possible, and
 * in the server's time zone.
 *
 * @module
 */

import type { Entry } from "../listing/entry.ts";
import { joinRawEntry } from "../listing/entry_path.ts";
import { inferZone } from "../listing/infer_zone.ts";
import { requestShownTime, textOfPath } from "../commands/queries.ts";
import { joinRawPath, rawPathOf } from "../commands/raw_path.ts";
import { quote } from "../protocol/printable.ts";
import { isRefusal } from "../protocol/errors.ts";
import type { Session } from "../transfer/session.ts";
import type { ExclusiveTurn } from "../transfer/turn.ts";
import {
  type ListRequest,
  openList,
  type Received,
  receiveOrNothing,
} from "./listing_transfer.ts";
import { PartialListingError } from "./partial_listing_error.ts";

/** Entries that are searched for a file whose time shows the zone. */
const ZONE_SAMPLE = 1000;

/** Replies of servers that read `LIST -a` as a request for the file "-a". */
const NO_FLAG_REPLIES = [450, 500, 501, 502, 504, 550];

/** Lists by `LIST`. */
export async function* listByList(
  request: ListRequest,
): AsyncGenerator<Entry[], Received> {
  const { session, options } = request;
  const found = options.zone === "infer"
    ? await findZone(request)
    : options.zone ?? session.profile.clock.zoneOf("LIST") ?? 0;
  const zone = request.isRaw ? 0 : found;
  const isFlagged = options.all === true &&
    session.profile.hasListAll !== false;
  if (isFlagged) {
    const received = yield* listAll(request, zone);
    if (received !== undefined) return received;
  }
  const received = yield* listPlain(request, zone);
  if (isFlagged && received.count > 0) session.profile.hasListAll ??= false;
  return received;
}

/** Returns the request without the callbacks of the caller. */
function silent(request: ListRequest): ListRequest {
  return { ...request, onSelf: undefined, onNote: undefined };
}

function listPlain(
  request: ListRequest,
  zone: number,
  flags?: string,
): AsyncGenerator<Entry[], Received> {
  const { signal } = request.options;
  const open = (turn: ExclusiveTurn) => openList(turn, request, flags);
  return receiveOrNothing(request, { open, zone, signal });
}

/**
 * Lists by `LIST -a`; returns `undefined` if that does not work, or seems not
 * to.
 */
async function* listAll(
  request: ListRequest,
  zone: number,
): AsyncGenerator<Entry[], Received | undefined> {
  const { session } = request;
  try {
    const received = yield* listPlain(request, zone, "-a");
    if (received.count + received.selfEntries > 0) {
      session.profile.hasListAll = true;
    }
    noteSelf(session, received);
    return session.profile.hasListAll === true ? received : undefined;
  } catch (error) {
    const isRefused = session.profile.hasListAll !== true &&
      isRefusal(error, NO_FLAG_REPLIES);
    if (!isRefused) throw error;
    return undefined;
  }
}

/** Notes whether `LIST -a` has a line for the directory itself. */
function noteSelf(session: Session, { count, selfEntries }: Received): void {
  if (selfEntries > 0) session.profile.showsSelf = true;
  else if (count > 0) session.profile.showsSelf ??= false;
}

/**
 * Checks that an empty `LIST` is not caused by missing permission. ProFTPD
 * confirms such a listing, but its `LIST -a` does not even show the directory
 * itself.
 *
 * @throws {PartialListingError} If the directory may not be read
 */
export async function proveRead(
  request: ListRequest,
  { count, selfEntries, isRefused }: Received,
): Promise<void> {
  if (count + selfEntries > 0 || isRefused) return;
  const { session, path } = request;
  const { showsSelf, admitsUnreadable } = session.profile;
  if (showsSelf === false || admitsUnreadable) return;
  const received = await readAll(request);
  if (received === undefined || received.count + received.selfEntries > 0) {
    return;
  }
  if (session.profile.showsSelf === undefined) {
    // the parent cannot be empty: it contains this directory
    const parent = joinRawPath(rawPathOf(session, path), PARENT);
    await readAll({ ...request, path: parent });
  }
  if (session.profile.showsSelf !== true) {
    session.profile.showsSelf = false; // one check is enough
    return;
  }
  const { reply } = received;
  throw new PartialListingError(
    `Cannot list ${
      quote(textOfPath(session, path))
    }: the server does not list even the directory itself; it may lack permission to read it`,
    { reply, command: "LIST -a" },
  );
}

const PARENT = new TextEncoder().encode("..");

/** Runs `LIST -a`; `undefined` if the server refuses. */
async function readAll(request: ListRequest): Promise<Received | undefined> {
  const { session } = request;
  const batches = listPlain(silent(request), 0, "-a");
  try {
    let next = await batches.next();
    while (!next.done) next = await batches.next();
    noteSelf(session, next.value);
    return next.value;
  } catch (error) {
    const isRefused = isRefusal(error) &&
      !(error instanceof PartialListingError);
    if (!isRefused) throw error;
    return undefined;
  }
}

/**
 * Determines the zone of a listing's times from its newest file and the `MDTM`
 * of that file. They are compared once for each server.
 */
async function findZone(request: ListRequest): Promise<number> {
  const { clock } = request.session.profile;
  if (!clock.isListCompared) await compareNewest(request);
  return clock.zoneOf("LIST") ?? clock.listAhead;
}

async function compareNewest(request: ListRequest): Promise<void> {
  const { session, path, options: { signal }, exclusive } = request;
  if (session.profile.lacks("MDTM")) return;
  const newest = await findNewest(request);
  if (newest === undefined) return;
  const file = joinRawEntry(rawPathOf(session, path), newest);
  try {
    const shown = await exclusive(
      (turn) => requestShownTime(turn, file, { signal }),
      { signal },
    );
    const ahead = shown === null ? undefined : inferZone(newest, shown);
    if (ahead !== undefined) session.profile.clock.noteListAhead(ahead);
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}

async function findNewest(request: ListRequest): Promise<Entry | undefined> {
  let newest: Entry | undefined;
  let count = 0;
  for await (const batch of listPlain(silent(request), 0)) {
    for (const entry of batch) {
      const isExact = entry.isFile && !entry.hostile &&
        entry.mtime !== undefined && entry.mtimePrecision !== "day";
      if (isExact && (newest === undefined || entry.mtime > newest.mtime!)) {
        newest = entry;
      }
    }
    count += batch.length;
    if (newest !== undefined && count >= ZONE_SAMPLE) break;
  }
  return newest;
}
