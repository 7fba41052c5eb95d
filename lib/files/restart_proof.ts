/**
 * Proves that a server starts a download at the offset of `REST`.
 *
 * @module
 */

import { textOfPath } from "../commands/queries.ts";
import type { Path } from "../protocol/command.ts";
import { quote } from "../protocol/printable.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import type { Transfer } from "../transfer/transfer.ts";
import { openAt } from "./open_at.ts";
import { requestSize } from "./request_size.ts";

/**
 * Downloads the last byte of a file, unless an earlier download has shown that
 * the server starts at an offset. Some servers accept every `REST`, and send
 * the whole file. Without `SIZE`, and for a file that grows meanwhile, nothing
 * is proven.
 *
 * @param start The offset that is needed, in bytes
 * @throws {Deno.errors.NotSupported} If the server ignores the offset
 */
export async function proveRestart(
  session: Session,
  path: Path,
  start: number,
  options: SignalOptions,
): Promise<void> {
  const { profile } = session;
  if (profile.startsAt(start)) return;
  const size = await requestSize(session, path, options);
  if (size === null || size === 0) return;
  const at = Math.max(size - 1, 1); // a file of one byte has none there
  const transfer = await openAt(session, "RETR", path, at, options);
  const count = await countToTwo(transfer, options);
  if (count <= size - at) {
    if (count === 1) profile.noteStart(at);
    return;
  }
  if (count === 2) await transfer.abort();
  if (await requestSize(session, path, options) !== size) return;
  throw new Deno.errors.NotSupported(
    `Cannot read ${
      quote(textOfPath(session, path))
    } from an offset: the server accepts REST, but ignores it; download the whole file`,
  );
}

/** Counts bytes up to two, and finishes a transfer that has fewer. */
async function countToTwo(
  transfer: Transfer,
  options: SignalOptions,
): Promise<number> {
  const byte = new Uint8Array(1);
  for (let count = 0; count < 2; count++) {
    let n: number | null;
    try {
      n = await transfer.data.read(byte);
    } catch (error) {
      await transfer.endAfter(error, options);
      return count; // reset after the last byte
    }
    if (n !== null) continue;
    await transfer.finish(options);
    return count;
  }
  return 2;
}
