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
import { enterDirectory } from "./change_directory.ts";
import {
  type ListRequest,
  NOTHING,
  openMLSD,
  type Received,
  receiveOrNothing,
} from "./listing_transfer.ts";

/** Longest wait for the first `MLSD` to send data, in milliseconds. */
const FIRST_WAIT = 10_000;

/** Largest share of the time-out that this wait takes. */
const FIRST_WAIT_SHARE = 1 / 3;

/** Unparsable lines after which `MLSD` is given up. */
const MAX_UNREAD = 100;

/** Lists by `MLSD`, which is known to work. */
export async function* listByMLSD(
  request: ListRequest,
): AsyncGenerator<Entry[], Received> {
  const { signal } = request.options;
  const open = (turn: ExclusiveTurn) => openMLSD(turn, request, signal);
  const options = { open, zone: 0, signal };
  const received = yield* receiveOrNothing(request, options);
  await proveEmpty(request, received);
  return received;
}

/**
 * Checks that an empty directory can be entered: for other paths, ProFTPD and
 * pyftpdlib confirm an empty listing. The current directory needs no check.
 */
async function proveEmpty(
  { path, options: { signal }, exclusive }: ListRequest,
  { count, isRefused }: Received,
): Promise<void> {
  if (count > 0 || isRefused || path.length === 0 || path === ".") return;
  await exclusive(async (turn) => {
    const leave = await enterDirectory(turn, path, { signal });
    await leave?.();
  }, { signal });
}

/**
 * Lists by `MLSD` without knowing whether it works. Sets
 * `session.profile.hasMLSD` when it is known.
 */
export async function* tryMLSD(
  request: ListRequest,
  unread: Entry[],
): AsyncGenerator<Entry[], boolean> {
  const { session, options } = request;
  const limit = new AbortController();
  const signal = anySignal(limit.signal, options.signal);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const open = (turn: ExclusiveTurn) => {
    timer = setTimeout(() => limit.abort(), firstWaitOf(session));
    return openMLSD(turn, request, signal);
  };
  const onData = () => clearTimeout(timer);
  const batches = receiveOrNothing(request, { open, zone: 0, signal, onData });
  try {
    while (true) {
      const { done, value } = await batches.next();
      if (done) {
        if (value.count + value.selfEntries > unread.length) {
          session.profile.hasMLSD = true;
        }
        // no line: an empty directory, or an MLSD that does nothing
        const isBelieved = session.profile.hasMLSD === true ||
          (session.profile.givesAllByMLSD && unread.length === 0);
        if (!isBelieved) return value.isRefused;
        await proveEmpty(request, value);
        // another connection proved MLSD meanwhile
        if (unread.length > 0) yield unread.splice(0);
        return true;
      }
      if (session.profile.hasMLSD === true) {
        yield [...unread.splice(0), ...value];
      } else if (value.every(isUnread)) {
        unread.push(...value);
        if (unread.length > MAX_UNREAD) return false;
      } else {
        session.profile.hasMLSD = true;
        yield [...unread.splice(0), ...value];
      }
    }
  } catch (error) {
    const isLate = limit.signal.aborted && options.signal?.aborted !== true;
    if (isLate && session.isLost) throw session.control.failure;
    if (await isReplaced(session, error, options.signal)) return false;
    if (!isLate && !isUnknownCommand(replyOf(error))) throw error;
    // another connection may have proved it meanwhile
    if (isLate) session.profile.hasMLSD ??= false;
    else session.profile.hasMLSD = false;
    return false;
  } finally {
    clearTimeout(timer);
    // stopped here or by the caller: nothing stays open
    await batches.return(NOTHING);
  }
}

/**
 * Whether the server closed the connection after `MLSD`, and another connection
 * replaced it.
 */
async function isReplaced(
  session: Session,
  error: unknown,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { control, profile } = session;
  const isOver = control.lostOver?.verb === "MLSD" && session.isLost &&
    control.failure instanceof Deno.errors.UnexpectedEof &&
    profile.hasMLSD !== true;
  if (!isOver) return false;
  profile.hasMLSD = false;
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
