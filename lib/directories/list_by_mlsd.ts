/**
 * A server's first `MLSD`: it may be unknown, hang, or give nothing that can
 * be used, whatever `FEAT` says.
 *
 * @module
 */

import type { Entry } from "../listing/entry.ts";
import { FTPPermanentError } from "../protocol/errors.ts";
import type { Session } from "../transfer/session.ts";
import { UNKNOWN_REPLIES } from "../commands/queries.ts";
import { enterDirectory } from "./change_directory.ts";
import {
  type ListRequest,
  NOTHING,
  openMLSD,
  type Received,
  receiveOrNothing,
} from "./listing_transfer.ts";

/** Longest wait for a first `MLSD` to send something, in milliseconds. */
const PATIENCE = 10_000;

/** The part of the time-out that this wait may take at most. */
const PATIENCE_SHARE = 1 / 3;

/** So many lines that nobody can read, and it is no listing. */
const MAX_UNREAD = 100;

/**
 * Lists by `MLSD`, which is known to work.
 *
 * @param request Which directory
 * @returns Batches of entries
 */
export async function* listByMLSD(
  request: ListRequest,
): AsyncGenerator<Entry[], Received> {
  const { signal } = request.options;
  const open = () => openMLSD(request, signal);
  const options = { open, zone: 0, signal };
  const received = yield* receiveOrNothing(request, options);
  await proveEmpty(request, received);
  return received;
}

/**
 * Insists on a directory that may be entered, where nothing was listed: in
 * another one ProFTPD and pyftpdlib pass over all there is, and confirm that.
 * The current one was entered.
 */
async function proveEmpty(
  { session, path, options: { signal }, turn }: ListRequest,
  { count, isRefused }: Received,
): Promise<void> {
  if (count > 0 || isRefused || path.length === 0 || path === ".") return;
  await turn(async () => {
    const leave = await enterDirectory(session, path, { signal });
    await leave?.();
  }, { signal });
}

/**
 * Lists by `MLSD`, of which is not known whether it works; sets
 * `session.profile.hasMLSD` when it is.
 *
 * @param request Which directory
 * @param unread Gets the lines that nobody could read
 * @returns Batches of entries; then whether the directory was listed. If it was
 * not, `LIST` has to
 */
export async function* tryMLSD(
  request: ListRequest,
  unread: Entry[],
): AsyncGenerator<Entry[], boolean> {
  const { session, options } = request;
  const box = new AbortController();
  const signal = options.signal === undefined
    ? box.signal
    : AbortSignal.any([options.signal, box.signal]);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const open = () => {
    timer = setTimeout(() => box.abort(), patienceOf(session));
    return openMLSD(request, signal);
  };
  const onData = () => clearTimeout(timer);
  const batches = receiveOrNothing(request, { open, zone: 0, signal, onData });
  try {
    while (true) {
      const { done, value } = await batches.next();
      if (done) {
        if (value.count + value.selves > unread.length) {
          session.profile.hasMLSD = true;
        }
        // without a line: an empty directory, or an MLSD that does nothing
        if (session.profile.hasMLSD !== true) return value.isRefused;
        await proveEmpty(request, value);
        // MLSD was proven by another connection meanwhile
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
    const isLate = box.signal.aborted && options.signal?.aborted !== true;
    if (isLate && session.isLost) throw session.control.failure;
    if (await isReplaced(session, error, options.signal)) return false;
    if (!isLate && !isUnknownCommand(error)) throw error;
    // another connection may have proven it meanwhile
    if (isLate) session.profile.hasMLSD ??= false;
    else session.profile.hasMLSD = false;
    return false;
  } finally {
    clearTimeout(timer);
    // stopped here or by the caller: nothing of it stays open
    await batches.return(NOTHING);
  }
}

/** Whether the server hung up at `MLSD`, and there is another connection. */
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

/**
 * Whether an entry is a line that no format could read.
 *
 * @param entry The entry
 * @returns Whether it is
 */
export function isUnread(entry: Entry): boolean {
  return entry.format === "unknown";
}

/**
 * Whether a server does not know a command.
 *
 * @param error What was thrown
 * @returns Whether it says so
 */
export function isUnknownCommand(error: unknown): boolean {
  return error instanceof FTPPermanentError &&
    UNKNOWN_REPLIES.includes(error.reply?.code ?? 0);
}

function patienceOf({ options: { timeout } }: Session): number {
  return timeout > 0 ? Math.min(PATIENCE, timeout * PATIENCE_SHARE) : PATIENCE;
}
