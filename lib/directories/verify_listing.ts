/**
 * How a listing ends: confirmed, failed, or left early.
 *
 * @module
 */

import { settle } from "../connection/waiting.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Transfer } from "../transfer/transfer.ts";
import type { Leave } from "./change_directory.ts";

/**
 * A listing that is left early is read to its end if that takes no more than so
 * many bytes and milliseconds, and else aborted: an abort costs more.
 */
const MAX_DRAIN_SIZE = 4 * 1024 * 1024;
const MAX_DRAIN_TIME = 250;

/** A listing that the server has begun to send. */
export interface OpenListing {
  readonly transfer: Transfer;
  /** Called when the transfer is over, in the same turn. */
  readonly leave: Leave;
}

/**
 * Ends a listing whose data has ended.
 *
 * @param listing The listing
 * @param signal Ends the wait for the server's word
 * @returns The server's 2yz
 * @throws {FTPError} If there is none
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

/**
 * Ends a listing that failed.
 *
 * @param listing The listing
 * @param error What happened
 * @param signal The signal that the listing runs under
 * @returns The error to throw
 */
export async function fail(
  { transfer, leave }: OpenListing,
  error: unknown,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const reason = await transfer.failed(error, { signal });
  await leave();
  return reason;
}

/**
 * Ends a listing that nobody wants any more: what is short is read out.
 *
 * @param listing The listing
 * @param buffer Where to read to
 */
export async function stop(
  { transfer, leave }: OpenListing,
  buffer: Uint8Array,
): Promise<void> {
  try {
    const isRead = transfer.data.isEnded ||
      await settle(drain(transfer, buffer), MAX_DRAIN_TIME);
    if (isRead === true) {
      await transfer.finish().catch(() => {}); // nobody asks any more
    } else {
      await transfer.abort();
    }
  } finally {
    await leave();
  }
}

/** Whether the end of the data was reached. */
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
