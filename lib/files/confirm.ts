/**
 * Waits for the server's confirmation of a transfer.
 *
 * @module
 */

import { isRefusal } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import { isTruncated } from "../transfer/cut_data.ts";
import type { SignalOptions } from "../transfer/session.ts";
import type { Transfer } from "../transfer/transfer.ts";
import { FTPUnconfirmedError } from "./errors.ts";

/**
 * Waits for the final reply.
 *
 * @param bytes Bytes of the file that were transferred
 * @throws {FTPUnconfirmedError} If all bytes of the file were transferred and
 * no reply came
 */
export async function awaitConfirmation(
  transfer: Transfer,
  bytes: number,
  size: number | null,
  options: SignalOptions,
): Promise<Reply> {
  try {
    const { signal } = options;
    // a file that grew meanwhile is complete with the bytes it had at first
    const isWhole = size !== null && bytes >= size;
    return await transfer.finish({ signal, isWhole });
  } catch (error) {
    const isAnswered = isTruncated(error) || isRefusal(error);
    if (isAnswered || options.signal?.aborted || bytes !== size) throw error;
    throw new FTPUnconfirmedError(
      `Cannot confirm "${transfer.command}": all ${bytes} bytes of the file were transferred, but the server did not confirm it; compare the files`,
      { bytes, size, command: transfer.command, cause: error },
    );
  }
}
