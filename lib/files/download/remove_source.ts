/**
 * Removes a file from the server after its download, if neither file has
 * changed.
 *
 * @module
 */

import { quote } from "../../protocol/printable.ts";
import { dirname } from "node:path";
import { withMessage } from "../../protocol/with_message.ts";
import { deleteFile } from "../../commands/files.ts";
import { requestFacts } from "../../commands/queries.ts";
import { FTPPermanentError } from "../../protocol/errors.ts";
import type { Session } from "../../transfer/session.ts";
import { FTPVerificationError, LocalError, locally } from "../errors.ts";
import { isThere } from "../leftovers.ts";
import type { DownloadOptions } from "../options.ts";
import { withRecovery } from "../recovery.ts";
import type { SessionProvider } from "../session_provider.ts";

/** A complete download, in its place. */
export interface MovedFile {
  /** The file on the server. */
  readonly remote: string;
  /** The local file. */
  readonly local: string;
  /** Size of the local file, in bytes. */
  readonly size: number;
  /** Time of the last change of the server's file, as the server reports it. */
  readonly shown: Date | null;
}

/**
 * Removes the server's file. If the reply is lost, asks whether the file still
 * exists.
 *
 * @param provider The client
 * @param file What was downloaded
 * @param options Retries and a signal
 * @throws {FTPVerificationError} If the server's file has changed, or cannot be
 * told from a changed one
 * @throws {FTPPermanentError} If the server refuses
 */
export async function removeSource(
  provider: SessionProvider,
  file: MovedFile,
  options: DownloadOptions,
): Promise<void> {
  locally(() => syncFolder(file.local));
  let isSent = false;
  await withRecovery(provider, options, () => file.size, async () => {
    const { session } = provider;
    const isRemoved = isSent &&
      await isThere(session, file.remote, options) === false;
    if (isRemoved) return;
    await checkUnchanged(session, file, options);
    isSent = true;
    await deleteSource(session, file.remote, options);
  });
}

/** Checks that neither file has changed since the download. */
async function checkUnchanged(
  session: Session,
  { remote, local, size, shown }: MovedFile,
  options: DownloadOptions,
): Promise<void> {
  const now = await requestFacts(session, remote, options);
  const isSameTime = now.shown?.getTime() === shown?.getTime();
  if (now.size !== size || !isSameTime) {
    const [what, actual, expected] = now.size !== size
      ? ["size", now.size, size] as const
      : ["mtime", now.shown?.toISOString(), shown?.toISOString()] as const;
    throw new LocalError(
      new FTPVerificationError(
        `Cannot remove ${quote(remote)} after its download: ${
          now.size === null
            ? "the server reports no size, so it may be missing or changed"
            : "it changed meanwhile"
        }`,
        {
          what,
          actual: actual ?? "unknown",
          expected: expected ?? "unknown",
        },
      ),
    );
  }
  const here = locally(() => Deno.statSync(local).size);
  if (here === size) return;
  throw new LocalError(
    new FTPVerificationError(
      `Cannot remove ${quote(remote)} after its download: the local file ${
        quote(local)
      } changed meanwhile`,
      { what: "size", actual: here, expected: size },
    ),
  );
}

async function deleteSource(
  session: Session,
  remote: string,
  options: DownloadOptions,
): Promise<void> {
  try {
    await session.shared(
      (turn) => deleteFile(turn, remote, options),
      options,
    );
  } catch (error) {
    if (!(error instanceof FTPPermanentError)) throw error;
    throw withMessage(
      error,
      (message) =>
        `Cannot remove ${quote(remote)} after its download: ${message}`,
    );
  }
}

/**
 * Writes the entry of a file in its directory to disk, if the file system
 * supports that.
 */
function syncFolder(path: string): void {
  if (Deno.build.os === "windows") return; // directories cannot be opened there
  const folder = dirname(path);
  try {
    using file = Deno.openSync(folder);
    file.syncSync();
  } catch (error) {
    // network file systems without this call report EINVAL
    if (/\(os error 22\)/.test(String(error))) return;
    throw withMessage(
      error,
      (message) =>
        `Cannot write the folder ${quote(folder)} to disk: ${message}`,
    );
  }
}
