/**
 * Finds and deletes files that an upload leaves on the server.
 *
 * @module
 */

import { existsPath } from "../directories/stat.ts";
import { deleteFile } from "../commands/files.ts";
import { requestBinarySize } from "../commands/queries.ts";
import { isRefusal } from "../protocol/errors.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";

/**
 * Whether a path exists: asks `SIZE`, then `MLST`, `CWD` and the directory's
 * listing.
 *
 * @returns Whether it exists; `undefined` if the server does not tell
 */
export async function isThere(
  session: Session,
  path: string,
  { signal }: SignalOptions,
): Promise<boolean | undefined> {
  for (
    const ask of [
      async () =>
        await session.shared(
            (turn) => requestBinarySize(turn, path, { signal }),
            { signal },
          ) !== null ||
        undefined,
      () => existsPath(session, path, { signal }),
    ]
  ) {
    try {
      const isFound = await ask();
      if (isFound !== undefined) return isFound;
    } catch (error) {
      const isRefused = isRefusal(error) && !session.isLost;
      if (!isRefused) throw error;
    }
  }
  return undefined;
}

/**
 * Deletes files.
 *
 * @returns The error for each file that could not be deleted, or `undefined`
 */
export async function deleteAll(
  session: Session,
  paths: readonly string[],
  { signal }: SignalOptions = {},
): Promise<unknown[]> {
  const deleting = paths.map((path) =>
    session.shared(
      (turn) => deleteFile(turn, path, { signal }),
      { signal },
    )
  );
  // a file may never have been made, and the connection may be lost
  const outcomes = await Promise.allSettled(deleting);
  return outcomes.map((outcome) =>
    outcome.status === "fulfilled" ? undefined : outcome.reason
  );
}
