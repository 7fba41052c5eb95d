/**
 * Checks that keep a mirror from destroying or duplicating files.
 *
 * @module
 */

import { filterAll } from "../connection/pauses.ts";
import { isPart } from "../commands/path.ts";
import { quote } from "../protocol/printable.ts";
import {
  type DirectoryPath,
  isLoop,
  type MirrorItem,
  quoteRoot,
  type Side,
} from "./snapshot.ts";
import type { MirrorOptions, MirrorReason } from "./options.ts";
import type { MirrorTask, SnapshotPair } from "./direction.ts";

/** Returns the reason to skip an entry of the source, or `undefined`. */
export function reasonToSkip(
  item: MirrorItem,
  directory: DirectoryPath,
): MirrorReason | undefined {
  switch (item.kind) {
    case "file":
      return isPart(item.name) ? "part" : undefined;
    case "directory":
      if (isPart(item.name)) return "part"; // of a mirror that was killed
      return isLoop(item, directory) ? "loop" : undefined;
    case "symlink":
      return "symlink";
    default:
      return "other";
  }
}

/** The target's entry for an entry of the source. */
export interface Counterpart {
  /** The entry. */
  readonly item: MirrorItem;
  /** Whether it appeared after the directory was listed. */
  readonly isLate: boolean;
}

/**
 * Finds the target's entry for an entry of the source, which may have another
 * name.
 *
 * @throws {Deno.errors.AlreadyExists} If it belongs to another entry of the
 * source
 */
export async function findCounterpart(
  side: Side,
  { source, target }: SnapshotPair,
  { name }: MirrorItem,
  path: string,
): Promise<Counterpart | undefined> {
  const listed = target.items.get(name);
  if (listed !== undefined) return { item: listed, isLate: false };
  if (target.isMissing) return undefined;
  await target.foldNames();
  const found = side.mayHide(target, name) ? await side.probe(path) : undefined;
  if (found === undefined) return undefined;
  const variant = target.caseVariantOf(name);
  const isOwn = variant === undefined
    ? target.hidesDots
    : !source.items.has(variant);
  if (isOwn) return { item: found, isLate: false };
  if (await side.hasName(path)) return { item: found, isLate: true };
  throw new Deno.errors.AlreadyExists(
    `Cannot write to ${quote(side.at(path))}: it is the same there as ${
      variant === undefined ? "something else" : quote(variant)
    }`,
  );
}

/** Creates the error for an entry that appeared after the listing. */
export function lateError(path: string): Error {
  return new Deno.errors.AlreadyExists(
    `Cannot write to ${
      quote(path)
    }: it appeared after the directory was listed, and differs; another run may be writing here, otherwise try again`,
  );
}

/**
 * Rejects an obstacle in the target that may not be removed.
 *
 * @throws {Deno.errors.AlreadyExists} If it has to stay
 */
export function checkClash(
  there: MirrorItem,
  kind: string,
  path: string,
  mayRemove: boolean,
): void {
  if (there.kind === "symlink") {
    throw new Deno.errors.AlreadyExists(
      `Cannot write to ${
        quote(path)
      }: it is a symbolic link there, which is not followed`,
    );
  }
  if (there.kind !== "file" && there.kind !== "directory") {
    throw new Deno.errors.AlreadyExists(
      `Cannot write to ${
        quote(path)
      }: it is neither a file nor a directory there`,
    );
  }
  if (mayRemove) return;
  throw new Deno.errors.AlreadyExists(
    `Cannot replace the ${there.kind} ${
      quote(path)
    } by a ${kind}: only { delete: true } removes it`,
  );
}

/**
 * Refuses to remove everything: an empty source is probably a mistake.
 *
 * @throws {Deno.errors.InvalidData} If the source is empty and the target is
 * not
 */
export function checkSource(
  { source, target }: MirrorTask,
  pair: SnapshotPair,
): void {
  if (pair.source.items.size > 0 || pair.target.items.size === 0) return;
  throw new Deno.errors.InvalidData(
    `Cannot remove all that is in ${quoteRoot(target)}: the source ${
      quoteRoot(source)
    } is empty, which may be a mistake`,
  );
}

/**
 * Finds an entry that was transferred and is not listed: Pure-FTPd replaces a
 * blank at the end of a name by "_", and the file of that name would be
 * removed.
 *
 * @returns The first entry that the target lacks, if there is one
 */
export async function findLost(
  { directory, source, target }: SnapshotPair,
  includes: (item: MirrorItem) => boolean,
  signal?: AbortSignal,
): Promise<MirrorItem | undefined> {
  await target.foldNames(signal);
  const [first] = await filterAll(source.items.values(), (item) => {
    const { name, problem } = item;
    const isListed = target.items.has(name) ||
      target.caseVariantOf(name) !== undefined ||
      (target.hidesDots && name.startsWith("."));
    return !isListed && problem === undefined &&
      reasonToSkip(item, directory) === undefined && includes(item);
  }, signal);
  return first;
}

/**
 * Checks that the source has an entry of another kind under the name of an
 * entry to remove, whatever its listing shows.
 *
 * @throws {Deno.errors.InvalidData} If it does not exist, or has another kind
 */
export async function confirmKind(
  side: Side,
  { kind }: MirrorItem,
  path: string,
  { symlinks }: MirrorOptions,
): Promise<void> {
  const found = await side.probe(path);
  if (found?.kind === kind) return;
  // a followed link was requested by its name
  if (found?.kind === "symlink" && symlinks === "follow") return;
  throw new Deno.errors.InvalidData(
    `Cannot remove what is in the way of ${
      quote(side.at(path))
    }: the source lists it as a ${kind}, and shows ${
      found === undefined ? "nothing" : `a ${found.kind}`
    } under its name`,
  );
}
