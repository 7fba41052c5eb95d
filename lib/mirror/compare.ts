/**
 * Whether a file has to be transferred.
 *
 * @module
 */

import { hashBoth, hashChunks } from "../files/digest.ts";
import { PlainFile, type PlainPath } from "../files/plain_file.ts";
import { locallyAsync } from "../files/faults.ts";
import { runJob } from "../files/job.ts";
import type { Link } from "../files/link.ts";
import { withRecovery } from "../files/recovery.ts";
import type { Item } from "./folder.ts";
import type {
  MirrorComparison,
  MirrorOptions,
  MirrorReason,
} from "./options.ts";

/** Bytes of a file that are read at once. */
const BLOCK_SIZE = 128 * 1024;

/**
 * Compares what is known of two files without reading them.
 *
 * @param source The file
 * @param target What is there in its place
 * @param compare What counts
 * @returns Why the file has to be transferred, or `undefined`
 */
export function differenceOf(
  source: Item,
  target: Item,
  compare: MirrorComparison = "size-and-time",
): MirrorReason | undefined {
  if (compare === "always") return "always";
  const isSized = source.size !== undefined && target.size !== undefined;
  if (isSized && source.size !== target.size) return "size";
  const isTimed = source.mtime !== undefined && target.mtime !== undefined;
  if (compare === "size" || !isTimed) return isSized ? undefined : "size";
  const precision = Math.max(source.precision, target.precision, 1000);
  const isOlder = Math.floor(target.mtime / precision) <
    Math.floor(source.mtime / precision);
  return isOlder ? "time" : undefined;
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
  remote: Item,
  local: Item,
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
 * @param link The client
 * @param remote The file there
 * @param local The file here
 * @param size Bytes of each
 * @param options How calls are tried again
 * @returns Whether they are the same, `undefined` where the server has no hash
 */
export function haveSameHash(
  link: Link,
  remote: string,
  local: { readonly path: string; readonly plain: PlainPath },
  size: number,
  options: MirrorOptions,
): Promise<boolean | undefined> {
  const { signal } = options;
  const compare = async (): Promise<boolean | undefined> => {
    const hashes = await hashBoth(
      link.session,
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
  return runJob(
    link,
    options,
    (options) => withRecovery(link, options, () => 0, compare),
  );
}
