/**
 * Whether what one side has is the beginning of what the other has.
 *
 * @module
 */

import { FTPError, FTPPermanentError } from "../protocol/errors.ts";
import type { SignalOptions } from "../transfer/session.ts";
import type { Transfer } from "../transfer/transfer.ts";

/** Bytes before the end of a part that are fetched or sent again. */
export const OVERLAP: number = 64 * 1024;

/** What refuses a command for what it asks, and not for the file. */
const UNSUITABLE = [500, 501, 502, 503, 504, 554];

// ProFTPD's 451 where AllowStoreRestart is off: "Append/Restart not permitted"
const RESTART_REGEXP = /\b(restart|resum|append)/i;

/**
 * Whether the server refused to go on in the middle of a file, and not the
 * transfer: the offset, or what was to begin there (some say yes to every
 * `REST`, and no to the `STOR` behind it).
 *
 * @param error What was thrown by a transfer with an offset, or by `APPE`
 * @returns Whether it starts at the beginning only
 */
export function isRestRefused(error: unknown): boolean {
  if (!(error instanceof FTPError) || error.reply === undefined) return false;
  if (error.command?.startsWith("REST")) {
    return error instanceof FTPPermanentError;
  }
  const { code, text } = error.reply;
  return UNSUITABLE.includes(code) || RESTART_REGEXP.test(text);
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
