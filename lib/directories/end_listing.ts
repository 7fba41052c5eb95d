/**
 * Ends a listing: confirmed, failed, or left early.
 *
 * @module
 */

import { settle } from "../connection/waiting.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Transfer } from "../transfer/transfer.ts";
import type { Leave } from "./change_directory.ts";

/**
 * A listing that is left early is read to its end, up to this many bytes and
 * milliseconds, because an abort takes longer.
 */
const MAX_DRAIN_SIZE = 4 * 1024 * 1024;
const MAX_DRAIN_TIME = 250;

/** A listing that the server has started to send. */
export interface OpenListing {
  readonly transfer: Transfer;
  /** Called in the same turn, after the transfer. */
  readonly leave: Leave;
}

/**
 * Returns to the original directory together with the wait for the final reply,
 * where the server allows it. {@linkcode finish} waits for both.
 */
export function leaveBehind({ transfer, leave }: OpenListing): void {
  if (!transfer.takesBehind) return;
  transfer.askBehind((turn) => {
    leave(turn).catch(() => {}); // finish() throws it
  });
}

/**
 * Ends a listing after its data.
 *
 * @throws {FTPError} If the server does not confirm it
 */
export async function finish(
  { transfer, leave }: OpenListing,
  signal: AbortSignal | undefined,
): Promise<Reply> {
  try {
    return await transfer.finish({ signal });
  } finally {
    await leave();
  }
}

/** Ends a failed listing. */
export async function fail(
  { transfer, leave }: OpenListing,
  error: unknown,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const reason = await transfer.failed(error, { signal });
  await leave();
  return reason;
}

/** Ends a listing that is no longer needed. A short rest is read. */
export async function stop(
  { transfer, leave }: OpenListing,
  buffer: Uint8Array,
): Promise<void> {
  try {
    const isRead = transfer.data.isEnded ||
      await settle(drain(transfer, buffer), MAX_DRAIN_TIME);
    if (isRead === true) {
      await transfer.finish().catch(() => {}); // the result is no longer needed
    } else {
      await transfer.abort();
    }
  } finally {
    await leave();
  }
}

/** Reads the rest of the data. Returns whether its end was reached. */
async function drain(
  { data }: Transfer,
  buffer: Uint8Array,
): Promise<boolean> {
  for (let size = 0; size < MAX_DRAIN_SIZE;) {
    const n = await data.read(buffer);
    if (n === null) return true;
    size += n;
  }
  return false;
}
