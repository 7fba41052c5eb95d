/**
 * Whether what came is the file that the server has.
 *
 * @module
 */

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

/** A file that came, and what the server said of it. */
export interface DownloadedFile {
  /** The file on the server. */
  readonly remote: string;
  /** What came of it. */
  readonly part: Part;
  /** What the server said before. */
  readonly facts: RemoteFacts;
  /** Bytes that the server said when it began to send, where it did. */
  readonly announced: number | null;
  /** Whether it took so long that another round trip does not matter. */
  readonly isSlow: boolean;
}

/**
 * Compares size, time and hash. A part that is of no use is emptied.
 *
 * @param session The session
 * @param arrival What came
 * @param options What is compared, and a signal
 * @returns What is the same: "size", the name of a hash, or `null` if the server
 * told nothing to compare
 * @throws {FTPVerificationError} If the two differ
 */
export async function verifyDownload(
  session: Session,
  arrival: DownloadedFile,
  { verify, signal }: DownloadOptions,
): Promise<string | null> {
  const { remote, part, facts, announced } = arrival;
  if (part.position < (facts.size ?? announced ?? 0)) {
    throw differs(arrival, "size", facts.size ?? announced!, part.position);
  }
  if (facts.size !== null) await checkAgain(session, arrival, { signal });
  if (verify === "hash" && part.isReadable) {
    const hashes = await hashBoth(
      session,
      remote,
      { size: part.position, signal },
      (hash, signal) => part.hash(hash, signal),
    );
    if (hashes !== undefined) {
      const { name, local, remote } = hashes;
      if (local !== remote) throw spoiled(arrival, name, remote, local);
      return name;
    }
  }
  const isSized = facts.size !== null || part.position === announced;
  return isSized ? "size" : null;
}

/**
 * Looks whether the file has become another meanwhile. One that grew, such as a
 * log, is whole as it was at some moment: all that it had came, and no more
 * than it has.
 */
async function checkAgain(
  session: Session,
  arrival: DownloadedFile,
  options: { signal: AbortSignal | undefined },
): Promise<void> {
  const { remote, part: { position }, facts, isSlow } = arrival;
  if (position > facts.size!) {
    const size = await requestBinarySize(session, remote, options);
    if (position <= (size ?? 0)) return;
    throw spoiled(arrival, "size", size ?? facts.size!, position);
  }
  // for a small file that would be a round trip too many
  if (!isSlow || facts.shown === null) return;
  const { size, shown } = await requestFacts(session, remote, options);
  if (size === null) return; // it was removed meanwhile
  if (size < position) throw spoiled(arrival, "size", size, position);
  if (size > position || shown === null) return;
  if (shown.getTime() === facts.shown.getTime()) return;
  throw spoiled(
    arrival,
    "mtime",
    facts.shown.toISOString(),
    shown.toISOString(),
    `Cannot download "${remote}": the file on the server changed meanwhile`,
  );
}

/** The error for a part that no other attempt can go on with. */
function spoiled(
  arrival: DownloadedFile,
  what: string,
  expected: number | string,
  actual: number | string,
  message?: string,
): FTPVerificationError {
  arrival.part.reset();
  return differs(arrival, what, expected, actual, message);
}

function differs(
  { remote }: DownloadedFile,
  what: string,
  expected: number | string,
  actual: number | string,
  message = `Cannot verify the download of "${remote}"`,
): FTPVerificationError {
  return new FTPVerificationError(message, { what, expected, actual });
}
