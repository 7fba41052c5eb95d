/**
 * The end of a transfer: the server's word, and what it leaves open.
 *
 * @module
 */

import { FTPError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import { isTruncated } from "../transfer/cut_data.ts";
import type { SignalOptions } from "../transfer/session.ts";
import type { Transfer } from "../transfer/transfer.ts";
import { FTPUnconfirmedError } from "./errors.ts";

/**
 * Waits for the final reply.
 *
 * @param transfer The transfer, its data at the end
 * @param bytes Bytes of the file that are on the other side
 * @param size Size of the file, where it is known
 * @param options A signal
 * @returns The final 2yz reply
 * @throws {FTPUnconfirmedError} If all bytes of the file went through and no
 * reply came
 */
export async function confirm(
  transfer: Transfer,
  bytes: number,
  size: number | null,
  options: SignalOptions,
): Promise<Reply> {
  try {
    const { signal } = options;
    // of a file that grew meanwhile, all that it had at first
    const isWhole = size !== null && bytes >= size;
    return await transfer.finish({ signal, isWhole });
  } catch (error) {
    const isAnswered = isTruncated(error) ||
      (error instanceof FTPError && error.reply !== undefined);
    if (isAnswered || options.signal?.aborted || bytes !== size) throw error;
    throw new FTPUnconfirmedError(
      `Cannot confirm "${transfer.command}": all ${bytes} bytes of the file went through, but the server did not say that the transfer is complete`,
      { bytes, size, command: transfer.command, cause: error },
    );
  }
}
