/**
 * Decides whether a file has to be transferred.
 *
 * @module
 */

import { hashBoth, hashChunks } from "../files/hash.ts";
import { PlainFile, type PlainPath } from "../files/plain_file.ts";
import { locallyAsync } from "../files/errors.ts";
import { runOperation } from "../files/operation.ts";
import type { SessionProvider } from "../files/session_provider.ts";
import { withRecovery } from "../files/recovery.ts";
import type { ClockDifference } from "../transfer/server_clock.ts";
import type { MirrorItem } from "./snapshot.ts";
import type {
  MirrorComparison,
  MirrorOptions,
  MirrorReason,
} from "./options.ts";

/** Bytes of a file that are read at once. */
const BLOCK_SIZE = 128 * 1024;
const MINUTE = 60_000;

/**
 * Compares two files by size and time.
 *
 * @returns The reason to transfer the file, or `undefined`
 */
export function differenceOf(
  source: MirrorItem,
  target: MirrorItem,
  compare: MirrorComparison,
  isCurrent: () => boolean,
): MirrorReason | undefined {
  if (compare === "always") return "always";
  const isSized = source.size !== undefined && target.size !== undefined;
  if (isSized && source.size !== target.size) return "size";
  if (compare === "size") return isSized ? undefined : "size";
  return isCurrent() ? undefined : "time";
}

/** The time of a remote file, and how exact it is. */
export interface RemoteTime {
  /** The digits that the server shows, read as UTC. */
  readonly shown: number;
  /** Resolution in milliseconds. */
  readonly precision: number;
  /** Minutes east of UTC; `undefined` if not proven. */
  readonly zone: number | undefined;
  /** Bounds of the difference to the local clock. */
  readonly difference: ClockDifference;
}

/** Whether a local file has the time of a remote one, within its resolution. */
export function isSameTime(
  local: number,
  { shown, precision, zone = 0 }: RemoteTime,
): boolean {
  // a day in a listing starts at the server's midnight
  const meant = local + zone * MINUTE;
  return Math.floor(meant / precision) === Math.floor(shown / precision);
}

/**
 * Whether a remote file was written after the last change of a local one, for
 * every possible difference of the clocks. A time in the future is not that of
 * an upload.
 */
export function isWrittenLater(
  local: number,
  remote: RemoteTime,
  now: number = Date.now(),
): boolean {
  const earliest = remote.shown - remote.difference[1];
  return local < earliest && earliest <= now;
}

/**
 * Whether a remote file was changed before a local one was written, for every
 * possible difference of the clocks. A time in the future is not that of a
 * download.
 */
export function isChangedEarlier(
  local: number,
  remote: RemoteTime,
  now: number = Date.now(),
): boolean {
  return local > remote.shown + remote.precision - remote.difference[0] &&
    local <= now;
}

/** Whether a listing is too inexact for the comparison. */
export function isVague(
  remote: MirrorItem,
  local: MirrorItem,
  compare: MirrorComparison = "size-and-time",
): boolean {
  if (compare === "always") return false;
  if (remote.size === undefined) return true;
  if (compare === "size" || remote.size !== local.size) return false;
  return remote.mtime === undefined || remote.precision > 1000;
}

/**
 * Compares the hashes of two files.
 *
 * @returns Whether they are equal; `undefined` if the server has no hash
 */
export function haveSameHash(
  provider: SessionProvider,
  remote: string,
  local: { readonly path: string; readonly plain: PlainPath },
  size: number,
  options: MirrorOptions,
): Promise<boolean | undefined> {
  const { signal } = options;
  const compare = async (): Promise<boolean | undefined> => {
    const hashes = await hashBoth(
      provider.session,
      remote,
      { size, signal },
      (hash, signal) =>
        locallyAsync(async () => {
          using file = new PlainFile(local.path, local.plain);
          return await hashChunks(file.read(0, BLOCK_SIZE), hash, signal);
        }),
    );
    return hashes && hashes.local === hashes.remote;
  };
  return runOperation(
    provider,
    options,
    (options) => withRecovery(provider, options, () => 0, compare),
  );
}
