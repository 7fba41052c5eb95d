/**
 * What an upload leaves on the server: looked for, and deleted.
 *
 * @module
 */

import { existsPath } from "../directories/stat.ts";
import { deleteFile } from "../commands/files.ts";
import { requestBinarySize } from "../commands/queries.ts";
import { FTPError } from "../protocol/errors.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";

/**
 * Whether there is something under a path: by `SIZE`, else by `MLST`, `CWD` and
 * the listing of its directory.
 *
 * @param session The session
 * @param path The path
 * @param options A signal
 * @returns Whether there is; `undefined` if the server does not tell
 */
export async function isThere(
  session: Session,
  path: string,
  { signal }: SignalOptions,
): Promise<boolean | undefined> {
  for (
    const ask of [
      async () =>
        await requestBinarySize(session, path, { signal }) !== null ||
        undefined,
      () => existsPath(session, path, { signal }),
    ]
  ) {
    try {
      const isFound = await ask();
      if (isFound !== undefined) return isFound;
    } catch (error) {
      const isRefused = error instanceof FTPError &&
        error.reply !== undefined && !session.isLost;
      if (!isRefused) throw error;
    }
  }
  return undefined;
}

/**
 * Deletes files, as far as the server lets us.
 *
 * @param session The session
 * @param paths The files
 * @param options A signal
 * @returns For each what went wrong, if anything did
 */
export async function deleteAll(
  session: Session,
  paths: readonly string[],
  { signal }: SignalOptions = {},
): Promise<unknown[]> {
  const deleting = paths.map((path) =>
    session.turns.share(
      () => deleteFile(session, path, { signal }),
      { signal },
    )
  );
  // one may never have been made, and the connection be lost
  const outcomes = await Promise.allSettled(deleting);
  return outcomes.map((outcome) =>
    outcome.status === "fulfilled" ? undefined : outcome.reason
  );
}
