/**
 * Listing by `LIST` (RFC 959 section 4.1.3): with hidden names where that
 * works, and in the zone that the server's times are in.
 *
 * @module
 */

import type { Entry } from "../listing/entry.ts";
import { inferZone } from "../listing/infer_zone.ts";
import { FTPError } from "../protocol/errors.ts";
import { parseModificationTime } from "../protocol/reply_text.ts";
import {
  type ListRequest,
  openList,
  type Received,
  receiveOrNothing,
} from "./listing_transfer.ts";
import { joinRawPath, rawPathOf } from "../paths/raw_path.ts";

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
  const zone = options.zone === "infer"
    ? await findZone(request)
    : options.zone ?? 0;
  const isFlagged = options.all === true && session.hasListAll !== false;
  if (isFlagged) {
    const received = yield* listAll(request, zone);
    if (received !== undefined) return received;
  }
  const received = yield* listPlain(request, zone);
  if (isFlagged && received.count > 0) session.hasListAll = false;
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
    // even an empty directory has a line for itself
    if (received.count + received.selves > 0) session.hasListAll = true;
    return session.hasListAll === true ? received : undefined;
  } catch (error) {
    const isRefused = session.hasListAll === undefined &&
      error instanceof FTPError &&
      NO_FLAG_REPLIES.includes(error.reply?.code ?? 0);
    if (!isRefused) throw error;
    return undefined;
  }
}

/**
 * The zone of the server's times, from the newest file of the listing and its
 * `MDTM`; found once a session.
 */
async function findZone(request: ListRequest): Promise<number> {
  const { session, path, options: { signal }, turn } = request;
  if (session.zone !== undefined) return session.zone;
  const newest = await findNewest(request);
  if (newest === undefined) return 0;
  const argument = joinRawPath(rawPathOf(session, path), newest.rawName);
  try {
    const reply = await turn(
      () =>
        session.exchange({ verb: "MDTM", argument, name: "path" }, { signal }),
      {
        signal,
      },
    );
    const time = reply.code === 213 ? parseModificationTime(reply) : null;
    if (time !== null) session.zone = inferZone(newest, time);
  } catch (error) {
    if (!(error instanceof FTPError && error.reply !== undefined)) throw error;
  }
  return session.zone ?? 0;
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
