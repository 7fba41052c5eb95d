/**
 * Listing by `LIST` (RFC 959 section 4.1.3): with hidden names where that
 * works, and in the zone that the server's times are in.
 *
 * @module
 */

import type { Entry } from "../listing/entry.ts";
import { inferZone } from "../listing/infer_zone.ts";
import { askShownTime, textOfPath } from "../commands/queries.ts";
import { joinRawPath, rawPathOf } from "../commands/raw_path.ts";
import { printable } from "../protocol/printable.ts";
import { FTPError } from "../protocol/errors.ts";
import type { Session } from "../transfer/session.ts";
import {
  type ListRequest,
  openList,
  type Received,
  receiveOrNothing,
} from "./listing_transfer.ts";
import { PartialListingError } from "./partial_listing_error.ts";

/** How many entries are looked at for a file whose time tells the zone. */
const ZONE_SAMPLE = 1000;

/** `LIST -a` may be read as a list of the file "-a". */
const NO_FLAG_REPLIES = [450, 500, 501, 502, 504, 550];

/**
 * Lists by `LIST`.
 *
 * @param request Which directory
 * @returns Batches of entries; then what came of it
 */
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

function listPlain(
  request: ListRequest,
  zone: number,
  flags?: string,
): AsyncGenerator<Entry[], Received> {
  const { signal } = request.options;
  const open = () => openList(request, flags);
  return receiveOrNothing(request, { open, zone, signal });
}

/** Gives `undefined` where `LIST -a` does not work, or seems not to. */
async function* listAll(
  request: ListRequest,
  zone: number,
): AsyncGenerator<Entry[], Received | undefined> {
  const { session } = request;
  try {
    const received = yield* listPlain(request, zone, "-a");
    if (received.count + received.selves > 0) session.profile.hasListAll = true;
    noteSelf(session, received);
    return session.profile.hasListAll === true ? received : undefined;
  } catch (error) {
    const isRefused = session.profile.hasListAll !== true &&
      error instanceof FTPError &&
      NO_FLAG_REPLIES.includes(error.reply?.code ?? 0);
    if (!isRefused) throw error;
    return undefined;
  }
}

/** Takes note of whether `LIST -a` has a line for the directory itself. */
function noteSelf(session: Session, { count, selves }: Received): void {
  if (selves > 0) session.profile.showsSelf = true;
  else if (count > 0) session.profile.showsSelf ??= false;
}

/**
 * Insists on a directory that may be read, where `LIST` gave nothing: ProFTPD
 * confirms that of any other, too, but by `LIST -a` shows not even the directory
 * itself.
 *
 * @param request Which directory
 * @param received What came of its listing
 * @throws {PartialListingError} If it may not be read
 */
export async function proveRead(
  request: ListRequest,
  { count, selves, isRefused }: Received,
): Promise<void> {
  if (count + selves > 0 || isRefused) return;
  const { session, path } = request;
  if (session.profile.showsSelf === false) return;
  const received = await readAll(request);
  if (received === undefined || received.count + received.selves > 0) return;
  if (session.profile.showsSelf === undefined) {
    // not empty: it has this one in it
    const parent = joinRawPath(rawPathOf(session, path), PARENT);
    await readAll({ ...request, path: parent });
  }
  if (session.profile.showsSelf !== true) {
    session.profile.showsSelf = false; // once is enough
    return;
  }
  const { reply } = received;
  throw new PartialListingError(
    `Cannot list "${
      printable(textOfPath(session, path))
    }": the server does not show even the directory itself, as where it may not read`,
    { reply, command: "LIST -a" },
  );
}

const PARENT = new TextEncoder().encode("..");

/** What comes of `LIST -a`; `undefined` where the server refuses. */
async function readAll(request: ListRequest): Promise<Received | undefined> {
  const { session } = request;
  const batches = listPlain({ ...request, onSelf: undefined }, 0, "-a");
  try {
    let next = await batches.next();
    while (!next.done) next = await batches.next();
    noteSelf(session, next.value);
    return next.value;
  } catch (error) {
    const isRefused = error instanceof FTPError && error.reply !== undefined &&
      !(error instanceof PartialListingError);
    if (!isRefused) throw error;
    return undefined;
  }
}

/**
 * The zone of a listing's times, from its newest file and what `MDTM` shows for
 * that; the two are compared once a server.
 */
async function findZone(request: ListRequest): Promise<number> {
  const { clock } = request.session.profile;
  if (!clock.isListCompared) await compareNewest(request);
  return clock.zoneOf("LIST") ?? clock.listAhead;
}

async function compareNewest(request: ListRequest): Promise<void> {
  const { session, path, options: { signal }, turn } = request;
  if (session.profile.lacks("MDTM")) return;
  const newest = await findNewest(request);
  if (newest === undefined) return;
  const file = joinRawPath(rawPathOf(session, path), newest.rawName);
  try {
    const ask = () => askShownTime(session, file, { signal });
    const shown = await turn(ask, { signal });
    const ahead = shown === null ? undefined : inferZone(newest, shown);
    if (ahead !== undefined) session.profile.clock.noteListAhead(ahead);
  } catch (error) {
    if (!(error instanceof FTPError && error.reply !== undefined)) throw error;
  }
}

async function findNewest(request: ListRequest): Promise<Entry | undefined> {
  let newest: Entry | undefined;
  let count = 0;
  for await (const batch of listPlain({ ...request, onSelf: undefined }, 0)) {
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
