/**
 * Requests the size of a file for a proof.
 *
 * @module
 */

import { requestBinarySize } from "../commands/queries.ts";
import type { Path } from "../protocol/command.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";

/**
 * Requests the size of a file.
 *
 * @returns Bytes; `null` if the server refuses `SIZE`, or hangs up at it
 * @throws {FTPTemporaryError} If the server may answer later
 */
export async function requestSize(
  session: Session,
  path: Path,
  options: SignalOptions,
): Promise<number | null> {
  return await session.pastHangUps(
    () =>
      session.shared(
        (turn) => requestBinarySize(turn, path, options),
        options,
      ),
    options,
  );
}
