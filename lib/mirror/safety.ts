/**
 * What a mirror does not do.
 *
 * @module
 */

import { filterAll } from "../connection/breather.ts";
import { isPart } from "../commands/path.ts";
import { quote } from "../protocol/printable.ts";
import {
  type DirectoryPath,
  isLoop,
  type MirrorItem,
  type Side,
} from "./snapshot.ts";
import type { MirrorOptions, MirrorReason } from "./options.ts";
import type { MirrorTask, SnapshotPair } from "./direction.ts";

/**
 * Why an entry of the source is passed over.
 *
 * @param item The entry
 * @param place Where it is
 * @returns Why, or `undefined` if it is not
 */
export function reasonToSkip(
  item: MirrorItem,
  place: DirectoryPath,
): MirrorReason | undefined {
  switch (item.kind) {
    case "file":
      return isPart(item.name) ? "part" : undefined;
    case "directory":
      return isLoop(item, place) ? "loop" : undefined;
    case "symlink":
      return "symlink";
    default:
      return "other";
  }
}

/**
 * What the target has in an entry's place, also under another name.
 *
 * @param side The target
 * @param pair The directory
 * @param item The entry
 * @param path Its path
 * @returns What is there, if anything
 * @throws {Deno.errors.AlreadyExists} If it is another entry of the source
 */
export async function findCounterpart(
  side: Side,
  { source, target }: SnapshotPair,
  { name }: MirrorItem,
  path: string,
): Promise<MirrorItem | undefined> {
  const listed = target.items.get(name);
  if (listed !== undefined) return listed;
  const found = side.mayHide(target, name) ? await side.probe(path) : undefined;
  if (found === undefined) return undefined;
  const twin = target.twinOf(name);
  const isOwn = twin === undefined ? target.hidesDots : !source.items.has(twin);
  if (isOwn) return found;
  throw new Deno.errors.AlreadyExists(
    `Cannot write to ${quote(side.at(path))}: it is the same there as ${
      twin === undefined ? "something else" : JSON.stringify(twin)
    }`,
  );
}

/**
 * Insists on something in an entry's way that may be removed.
 *
 * @param there What is in the way, of another kind
 * @param kind The entry's kind
 * @param path The path of both, on the target's side
 * @param mayRemove Whether the caller allows it
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
 * Refuses to remove everything: an empty source is rather a mistake.
 *
 * @param task What is mirrored
 * @param pair The directory that is mirrored
 * @throws {Deno.errors.InvalidData} If the source is empty, the target is not
 */
export function checkSource(
  { source, target }: MirrorTask,
  pair: SnapshotPair,
): void {
  if (pair.source.items.size > 0 || pair.target.items.size === 0) return;
  throw new Deno.errors.InvalidData(
    `Cannot remove all that is in ${quote(target.at(""))}: the source ${
      quote(source.at(""))
    } is empty, which may be a mistake`,
  );
}

/**
 * What was brought and is not there: Pure-FTPd puts "_" for a blank at the end
 * of a name, and what is called that would be removed again.
 *
 * @param pair The directory, after the transfers
 * @param wants Tells whether an entry takes part
 * @param signal Ends the search
 * @returns The first entry that the target lacks, if there is one
 */
export async function findLost(
  { place, source, target }: SnapshotPair,
  wants: (item: MirrorItem) => boolean,
  signal?: AbortSignal,
): Promise<MirrorItem | undefined> {
  const [first] = await filterAll(source.items.values(), (item) => {
    const { name, problem } = item;
    const isListed = target.items.has(name) ||
      target.twinOf(name) !== undefined ||
      (target.hidesDots && name.startsWith("."));
    return !isListed && problem === undefined &&
      reasonToSkip(item, place) === undefined && wants(item);
  }, signal);
  return first;
}

/**
 * Insists that the source has something else under the name of what is to be
 * removed, whatever its listing shows.
 *
 * @param side The source
 * @param item What it listed
 * @param path Its path
 * @param options Whether links are followed
 * @throws {Deno.errors.InvalidData} If there is nothing, or another kind
 */
export async function confirmKind(
  side: Side,
  { kind }: MirrorItem,
  path: string,
  { symlinks }: MirrorOptions,
): Promise<void> {
  const found = await side.probe(path);
  if (found?.kind === kind) return;
  // what a link leads to was asked for by its name
  if (found?.kind === "symlink" && symlinks === "follow") return;
  throw new Deno.errors.InvalidData(
    `Cannot remove what is in the way of ${
      quote(side.at(path))
    }: the source lists it as a ${kind}, and shows ${
      found === undefined ? "nothing" : `a ${found.kind}`
    } under its name`,
  );
}
