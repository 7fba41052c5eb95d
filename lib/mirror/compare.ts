/**
 * Whether a file has to be transferred.
 *
 * @module
 */

import { hashBoth, hashChunks } from "../files/hash.ts";
import { PlainFile, type PlainPath } from "../files/plain_file.ts";
import { locallyAsync } from "../files/errors.ts";
import { runOperation } from "../files/operation.ts";
import type { SessionProvider } from "../files/session_provider.ts";
import { withRecovery } from "../files/recovery.ts";
import type { Lead } from "../transfer/server_clock.ts";
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
 * Compares what is known of two files without reading them.
 *
 * @param source The file
 * @param target What is there in its place
 * @param compare What counts
 * @param isCurrent Whether their times prove that they are the same
 * @returns Why the file has to be transferred, or `undefined`
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

/** The time of a file on the server, and what is known of it. */
export interface RemoteTime {
  /** The digits that the server shows, read as UTC. */
  readonly shown: number;
  /** How exact they are, in milliseconds. */
  readonly precision: number;
  /** Minutes east of UTC; `undefined` if they are not proven. */
  readonly zone: number | undefined;
  /** How far they are ahead of this side's clock. */
  readonly lead: Lead;
}

/**
 * Whether a file here has the time of one there, as far as the server shows it.
 *
 * @param local Milliseconds since 1970
 * @param remote The time there
 * @returns Whether they are equal; where no zone is proven, to what is shown
 */
export function isSameTime(
  local: number,
  { shown, precision, zone = 0 }: RemoteTime,
): boolean {
  // a listing's days begin at the server's midnight
  const meant = local + zone * MINUTE;
  return Math.floor(meant / precision) === Math.floor(shown / precision);
}

/**
 * Whether a file there was written after one here was changed, whatever is not
 * known of the server's clock.
 *
 * @param local Milliseconds since 1970
 * @param remote The time there
 * @returns Whether it certainly was
 */
export function isWrittenLater(local: number, remote: RemoteTime): boolean {
  return local < remote.shown - remote.lead[1];
}

/**
 * Whether a file there was changed before one here was written, whatever is not
 * known of the server's clock.
 *
 * @param local Milliseconds since 1970
 * @param remote The time there
 * @returns Whether it certainly was
 */
export function isChangedEarlier(local: number, remote: RemoteTime): boolean {
  return local > remote.shown + remote.precision - remote.lead[0];
}

/**
 * Whether a listing leaves open what only the server can tell exactly.
 *
 * @param remote The file there
 * @param local The file here, and how it is reached
 * @param compare What counts
 * @returns Whether to ask
 */
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
 * @param provider The client
 * @param remote The file there
 * @param local The file here
 * @param size Bytes of each
 * @param options How calls are tried again
 * @returns Whether they are the same, `undefined` where the server has no hash
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
