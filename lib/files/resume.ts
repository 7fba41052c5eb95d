/**
 * Whether what one side has is the beginning of what the other has.
 *
 * @module
 */

import { FTPPermanentError } from "../protocol/errors.ts";
import type { SignalOptions } from "../transfer/session.ts";
import type { Transfer } from "../transfer/transfer.ts";

/** Bytes before the end of a part that are fetched or sent again. */
export const OVERLAP: number = 64 * 1024;

/**
 * Whether the server refused an offset, and not the transfer.
 *
 * @param error What was thrown
 * @returns Whether it starts at the beginning only
 */
export function isRestRefused(error: unknown): boolean {
  return error instanceof FTPPermanentError &&
    error.command?.startsWith("REST") === true;
}

/**
 * Compares the first bytes of a download.
 *
 * @param transfer The open transfer
 * @param expected What they should be
 * @param options A signal
 * @returns Whether they are
 */
export async function isSameStart(
  transfer: Transfer,
  expected: Uint8Array,
  options: SignalOptions,
): Promise<boolean> {
  const bytes = new Uint8Array(expected.length);
  let at = 0;
  try {
    while (at < bytes.length) {
      const n = await transfer.data.read(bytes.subarray(at));
      if (n === null) return false;
      at += n;
    }
  } catch (error) {
    throw await transfer.failed(error, options);
  }
  return bytes.every((byte, index) => byte === expected[index]);
}

/**
 * Whether a download has no more bytes. Its end is to be read before it is
 * finished: under TLS one that is closed before may have to be aborted.
 *
 * @param transfer The open transfer
 * @param options A signal
 * @returns Whether it is at its end
 */
export async function isAtEnd(
  transfer: Transfer,
  options: SignalOptions,
): Promise<boolean> {
  try {
    return await transfer.data.read(new Uint8Array(1)) === null;
  } catch (error) {
    throw await transfer.failed(error, options);
  }
}

/**
 * Compares a whole download, and ends it.
 *
 * @param transfer The open transfer
 * @param chunks What it should be
 * @param options A signal
 * @returns Whether it is that, and no more
 */
export async function isSameFile(
  transfer: Transfer,
  chunks: AsyncIterable<Uint8Array>,
  options: SignalOptions,
): Promise<boolean> {
  for await (const chunk of chunks) {
    if (await isSameStart(transfer, chunk, options)) continue;
    await transfer.abort();
    return false;
  }
  const isWhole = await isAtEnd(transfer, options);
  if (isWhole) await transfer.finish(options);
  else await transfer.abort();
  return isWhole;
}
