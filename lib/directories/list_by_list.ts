/**
 * Lists by `LIST` (RFC 959 section 4.1.3), with hidden names if possible, and
 * in the server's time zone.
 *
 * @module
 */

import type { Entry } from "../listing/entry.ts";
import { joinRawEntry } from "../listing/entry_path.ts";
import { inferZone } from "../listing/infer_zone.ts";
import { requestShownTime } from "../commands/queries.ts";
import { rawPathOf } from "../commands/raw_path.ts";
import { isRefusal } from "../protocol/errors.ts";
import type { ServerProfile } from "../transfer/server_profile.ts";
import type { ExclusiveTurn } from "../transfer/turn.ts";
import {
  type ListingOutcome,
  ListingTransfer,
  type ListRequest,
  openList,
} from "./listing_transfer.ts";

/** Entries that are searched for a file whose time shows the zone. */
const ZONE_SAMPLE = 1000;

/** Replies of servers that read `LIST -a` as a request for the file "-a". */
const NO_FLAG_REPLIES = [450, 500, 501, 502, 504, 550];

/** A listing by `LIST`, with hidden names if that is wanted and works. */
export class ListListing {
  readonly #request: ListRequest;
  #transfer: ListingTransfer | undefined;

  /** Creates a listing, without I/O. */
  constructor(request: ListRequest) {
    this.#request = request;
  }

  /** What the listing contained, after the last batch. */
  get outcome(): ListingOutcome {
    return this.#transfer!.outcome;
  }

  /** Receives the listing. */
  async *batches(): AsyncGenerator<Entry[]> {
    const { session, options } = this.#request;
    const { profile } = session;
    const found = options.zone === "infer"
      ? await findZone(this.#request)
      : options.zone ?? profile.clock.zoneOf("LIST") ?? 0;
    const zone = this.#request.isRaw ? 0 : found;
    const isFlagged = options.all === true && profile.hasListAll !== false;
    if (isFlagged) {
      this.#transfer = plainListing(this.#request, zone, "-a");
      try {
        yield* this.#transfer.batches();
        noteFlagged(profile, this.outcome);
      } catch (error) {
        const isRefused = profile.hasListAll !== true &&
          isRefusal(error, NO_FLAG_REPLIES);
        if (!isRefused) throw error;
      }
      // an empty listing may mean that the server reads "-a" as a name
      if (profile.hasListAll === true) return;
    }
    this.#transfer = plainListing(this.#request, zone);
    yield* this.#transfer.batches();
    if (isFlagged && this.outcome.count > 0) profile.hasListAll ??= false;
  }
}

/** Creates a listing by one `LIST`. */
export function plainListing(
  request: ListRequest,
  zone: number,
  flags?: string,
): ListingTransfer {
  const { signal } = request.options;
  const open = (turn: ExclusiveTurn) => openList(turn, request, flags);
  return new ListingTransfer(request, { open, zone, signal });
}

/** Returns the request without the callbacks of the caller. */
export function silent(request: ListRequest): ListRequest {
  return {
    ...request,
    onSelf: undefined,
    onEnd: undefined,
    onNote: undefined,
  };
}

/** Notes what a `LIST -a` shows about the command. */
function noteFlagged(profile: ServerProfile, outcome: ListingOutcome): void {
  if (outcome.count + outcome.selfEntries > 0) profile.hasListAll = true;
  noteSelf(profile, outcome);
}

/** Notes whether `LIST -a` has a line for the directory itself. */
export function noteSelf(
  profile: ServerProfile,
  { count, selfEntries }: ListingOutcome,
): void {
  if (selfEntries > 0) profile.showsSelf = true;
  else if (count > 0) profile.showsSelf ??= false;
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
  for await (const batch of plainListing(silent(request), 0).batches()) {
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
