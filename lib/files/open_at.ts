/**
 * Opens a file on the server at an offset.
 *
 * @module
 */

import type { Path } from "../protocol/command.ts";
import {
  openTransfer,
  type TransferOptions,
} from "../transfer/open_transfer.ts";
import type { Session } from "../transfer/session.ts";
import type { Transfer } from "../transfer/transfer.ts";

/**
 * Opens a transfer of a file in type I.
 *
 * @param start Offset in bytes; 0 needs no `REST`
 */
export async function openAt(
  session: Session,
  verb: "RETR" | "STOR" | "APPE",
  path: Path,
  start: number,
  { signal, early, isPlain }: Pick<
    TransferOptions,
    "signal" | "early" | "isPlain"
  >,
): Promise<Transfer> {
  const command = { verb, argument: path, name: "remote" };
  const rest = start || undefined;
  const options = { type: "I", rest, signal, early, isPlain } as const;
  return await session.exclusive(
    (turn) => openTransfer(turn, command, options),
    { signal },
  );
}
