/**
 * Compares the beginnings of files before a transfer is resumed.
 *
 * @module
 */

import { isEqual } from "../protocol/bytes.ts";
import { FTPTemporaryError, isRefusal } from "../protocol/errors.ts";
import type { SignalOptions } from "../transfer/session.ts";
import type { Transfer } from "../transfer/transfer.ts";

/** Bytes before the end of an unfinished file that are transferred again. */
export const OVERLAP: number = 64 * 1024;

/** Replies that refuse the kind of command, not the file. */
const UNSUITABLE = [500, 501, 502, 503, 504, 554];

// ProFTPD without AllowStoreRestart answers 451 "Append/Restart not permitted"
const RESTART_REGEXP = /\b(restart|resum|append)/i;

/**
 * Whether the server refused the offset, not the transfer: `REST` itself, or
 * the command after it. Some servers accept every `REST` and refuse the `STOR`
 * after it.
 *
 * @param error Error of a transfer with an offset, or of `APPE`
 */
export function isRestRefused(error: unknown): boolean {
  if (!isRefusal(error)) return false;
  if (error.command?.startsWith("REST")) {
    return !(error instanceof FTPTemporaryError);
  }
  const { code, text } = error.reply;
  return UNSUITABLE.includes(code) || RESTART_REGEXP.test(text);
}

/** Compares the first bytes of a download. */
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
  return isEqual(bytes, expected);
}

/**
 * Whether a download has no more bytes. Read the end before finishing: under
 * TLS, a data connection closed before its end may have to be aborted.
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

/** Compares a complete download, and finishes it. */
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
