/**
 * Verifies a download against the server's file.
 *
 * @module
 */

import { quote } from "../../protocol/printable.ts";
import {
  type RemoteFacts,
  requestBinarySize,
  requestFacts,
} from "../../commands/queries.ts";
import type { Session } from "../../transfer/session.ts";
import { hashBoth } from "../hash.ts";
import { FTPVerificationError } from "../errors.ts";
import type { DownloadOptions } from "../options.ts";
import type { Part } from "./part.ts";

/** A downloaded file, and what the server reported about it. */
export interface DownloadedFile {
  /** Path on the server. */
  readonly remote: string;
  /** The local file. */
  readonly part: Part;
  /** Size and time reported before the transfer. */
  readonly facts: RemoteFacts;
  /** Size in the reply that opened the transfer, if there was one. */
  readonly announced: number | null;
  /**
   * Whether the transfer took so long that another round trip does not matter.
   */
  readonly isSlow: boolean;
}

/**
 * Compares size, time and hash. Empties a file that differs.
 *
 * @returns What is equal: "size", the name of a hash, or `null` if the server
 * reported nothing to compare
 * @throws {FTPVerificationError} If the files differ
 */
export async function verifyDownload(
  session: Session,
  downloaded: DownloadedFile,
  { verify, signal }: DownloadOptions,
): Promise<string | null> {
  const { remote, part, facts, announced } = downloaded;
  if (part.position < (facts.size ?? announced ?? 0)) {
    throw differs(downloaded, "size", facts.size ?? announced!, part.position);
  }
  if (facts.size !== null) await checkAgain(session, downloaded, { signal });
  if (verify === "hash" && part.isReadable) {
    const hashes = await hashBoth(
      session,
      remote,
      { size: part.position, signal },
      (hash, signal) => part.hash(hash, signal),
    );
    if (hashes !== undefined) {
      const { name, local, remote } = hashes;
      if (local !== remote) throw notResumable(downloaded, name, remote, local);
      return name;
    }
  }
  const isSized = facts.size !== null || part.position === announced;
  return isSized ? "size" : null;
}

/**
 * Checks whether the file changed during the transfer. A file that grew, such
 * as a log, is complete as of one point in time: all earlier bytes came, and no
 * more than it has now.
 */
async function checkAgain(
  session: Session,
  downloaded: DownloadedFile,
  options: { signal: AbortSignal | undefined },
): Promise<void> {
  const { remote, part: { position }, facts, isSlow } = downloaded;
  if (position > facts.size!) {
    const size = await session.shared(
      (turn) => requestBinarySize(turn, remote, options),
      options,
    );
    if (position <= (size ?? 0)) return;
    throw notResumable(downloaded, "size", size ?? facts.size!, position);
  }
  // for a small file another round trip costs too much
  if (!isSlow || facts.shown === null) return;
  const { size, shown } = await requestFacts(session, remote, options);
  if (size === null) return; // removed meanwhile
  if (size < position) throw notResumable(downloaded, "size", size, position);
  if (size > position || shown === null) return;
  if (shown.getTime() === facts.shown.getTime()) return;
  throw notResumable(
    downloaded,
    "mtime",
    facts.shown.toISOString(),
    shown.toISOString(),
    `Cannot download ${
      quote(remote)
    }: the file on the server changed during the transfer`,
  );
}

/** Creates the error for a download that cannot be resumed. */
function notResumable(
  downloaded: DownloadedFile,
  what: string,
  expected: number | string,
  actual: number | string,
  message?: string,
): FTPVerificationError {
  downloaded.part.reset();
  return differs(downloaded, what, expected, actual, message);
}

function differs(
  { remote }: DownloadedFile,
  what: string,
  expected: number | string,
  actual: number | string,
  message = `Cannot verify the download of ${quote(remote)}`,
): FTPVerificationError {
  return new FTPVerificationError(message, { what, expected, actual });
}
