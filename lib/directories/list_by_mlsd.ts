/**
 * Lists by `MLSD`. On first use it may be unknown, hang, or return nothing
 * usable, whatever `FEAT` says.
 *
 * @module
 */

import { anySignal } from "../connection/waiting.ts";
import type { Entry } from "../listing/entry.ts";
import { isUnknownCommand, replyOf } from "../protocol/errors.ts";
import type { Session } from "../transfer/session.ts";
import type { ExclusiveTurn } from "../transfer/turn.ts";
import {
  type ListingOutcome,
  ListingTransfer,
  type ListRequest,
  openMLSD,
} from "./listing_transfer.ts";

/** Longest wait for the first `MLSD` to send data, in milliseconds. */
const FIRST_WAIT = 10_000;

/** Largest share of the time-out that this wait takes. */
const FIRST_WAIT_SHARE = 1 / 3;

/** Unparsable lines after which `MLSD` is given up. */
const MAX_UNREAD = 100;

/** Creates a listing by `MLSD`, which is known to work. */
export function mlsdListing(request: ListRequest): ListingTransfer {
  const { signal } = request.options;
  const open = (turn: ExclusiveTurn) => openMLSD(turn, request, signal);
  return new ListingTransfer(request, { open, zone: 0, signal });
}

/**
 * A listing by `MLSD` without knowing whether it works. Sets
 * `session.profile.hasMLSD` when it is known.
 */
export class MLSDTrial {
  /** Lines that no format could read; the listing may consist of them. */
  readonly unread: Entry[] = [];
  readonly #request: ListRequest;
  #outcome: ListingOutcome | undefined;

  /** Creates a listing, without I/O. */
  constructor(request: ListRequest) {
    this.#request = request;
  }

  /**
   * What the listing contained, after the last batch; `undefined` if `MLSD`
   * does not seem to work.
   */
  get outcome(): ListingOutcome | undefined {
    return this.#outcome;
  }

  /** Receives the listing, or ends early if `MLSD` does not work. */
  async *batches(): AsyncGenerator<Entry[]> {
    const { session, options } = this.#request;
    const { profile } = session;
    const { unread } = this;
    const limit = new AbortController();
    const signal = anySignal(limit.signal, options.signal);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const open = (turn: ExclusiveTurn) => {
      timer = setTimeout(() => limit.abort(), firstWaitOf(session));
      return openMLSD(turn, this.#request, signal);
    };
    const onData = () => clearTimeout(timer);
    const transfer = new ListingTransfer(this.#request, {
      open,
      zone: 0,
      signal,
      onData,
    });
    try {
      for await (const batch of transfer.batches()) {
        if (profile.hasMLSD !== true && batch.every(isUnread)) {
          unread.push(...batch);
          if (unread.length > MAX_UNREAD) return;
          continue;
        }
        profile.hasMLSD = true;
        yield [...unread.splice(0), ...batch];
      }
    } catch (error) {
      const isLate = limit.signal.aborted && options.signal?.aborted !== true;
      if (isLate && session.isLost) throw session.control.failure;
      if (await isReplaced(session, error, options.signal)) {
        unread.length = 0;
        // once more, unless that has proven that MLSD does not work
        if (profile.hasMLSD === undefined) yield* this.batches();
        return;
      }
      if (!isLate && !isUnknownCommand(replyOf(error))) throw error;
      // another connection may have proved it meanwhile
      if (isLate) profile.hasMLSD ??= false;
      else profile.hasMLSD = false;
      return;
    } finally {
      clearTimeout(timer);
    }
    const { outcome } = transfer;
    if (outcome.count + outcome.selfEntries > unread.length) {
      profile.hasMLSD = true;
    }
    // no line: an empty directory, or an MLSD that does nothing
    const isBelieved = profile.hasMLSD === true ||
      (profile.givesAllByMLSD && unread.length === 0);
    if (!isBelieved && !outcome.isRefused) return;
    this.#outcome = outcome;
    // another connection proved MLSD meanwhile
    if (isBelieved && unread.length > 0) yield unread.splice(0);
  }
}

/**
 * Whether the server closed the connection after `MLSD`, and another connection
 * replaced it.
 */
export async function isReplaced(
  session: Session,
  error: unknown,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { control, profile } = session;
  const isOver = session.isLost && profile.hasMLSD !== true &&
    control.isHungUp &&
    (control.hungUpAt?.verb === "MLSD" || control.unknown?.verb === "MLSD");
  if (!isOver) return false;
  if (!profile.noteHangUp("MLSD", control)) profile.hasMLSD = false;
  return await session.replace(error, signal);
}

/** Whether an entry is a line that no format could read. */
export function isUnread(entry: Entry): boolean {
  return entry.format === "unknown";
}

function firstWaitOf({ options: { timeout } }: Session): number {
  return timeout > 0
    ? Math.min(FIRST_WAIT, timeout * FIRST_WAIT_SHARE)
    : FIRST_WAIT;
}
