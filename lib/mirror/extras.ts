/**
 * What the target of a mirror has and its source lacks.
 *
 * @module
 */

import {
  entryOf,
  type Folder,
  type Item,
  type Place,
  type Side,
} from "./folder.ts";
import type { Link } from "../files/link.ts";
import type { MirrorEntry, MirrorOptions } from "./options.ts";
import type { Tally } from "./tally.ts";

/** Removals under way at once. */
const WINDOW = 64;

/**
 * Whether an entry of the target has no counterpart in the source.
 *
 * @param item The entry
 * @param source The source's directory
 * @param target The target's
 * @returns Whether it is to go
 */
export function isExtra(
  { name }: Item,
  source: Folder,
  target: Folder,
): boolean {
  if (source.items.has(name)) return false;
  if (source.hidesDots && name.startsWith(".")) return false;
  // on some file systems "a" is what "A" was written to: if so, there is no "A"
  const twin = source.twinOf(name);
  return twin === undefined || target.items.has(twin);
}

/** What removals need. */
export interface Removal {
  /** The client. */
  readonly link: Link;
  /** Where from. */
  readonly target: Side;
  /** Who counts. */
  readonly tally: Tally;
  /** The caller's. */
  readonly options: MirrorOptions;
  /** Why. */
  readonly reason: "missing" | "kind";
}

/**
 * Removes entries, but for those that take no part.
 *
 * @param removal How
 * @param place Where they are
 * @param items The entries
 * @returns Whether all are gone
 */
export async function removeItems(
  removal: Removal,
  place: Place,
  items: readonly Item[],
): Promise<boolean> {
  const { link, tally, options, reason } = removal;
  const whole: MirrorEntry[] = [];
  let areGone = true;
  for (const item of items) {
    const entry = entryOf(place, item);
    if (!tally.wants(entry)) {
      areGone = false;
    } else if (item.problem !== undefined) {
      tally.note({ action: "skip", entry, reason: "hostile" });
      areGone = false;
    } else if (item.kind !== "directory" || options.filter === undefined) {
      whole.push(entry);
    } else if (!await removeFiltered(removal, place, item)) {
      areGone = false;
    }
  }
  for (let at = 0; at < whole.length; at += WINDOW) {
    const entries = whole.slice(at, at + WINDOW);
    const errors = await remove(removal, entries, true);
    for (const [index, entry] of entries.entries()) {
      const error = errors[index];
      if (error === undefined) {
        tally.note({ action: "remove", entry, reason });
      } else {
        areGone = false;
        await tally.attempt(link, entry, () => Promise.reject(error));
      }
    }
  }
  return areGone;
}

/** Removes what may go of a directory, and itself if that is all of it. */
async function removeFiltered(
  removal: Removal,
  place: Place,
  item: Item,
): Promise<boolean> {
  const { link, target, tally, options, reason } = removal;
  const entry = entryOf(place, item);
  if (options.dryRun !== true) {
    // a server may show a link as what it leads to: it is not gone through
    const [error] = await remove(removal, [entry], false);
    if (error === undefined) {
      tally.note({ action: "remove", entry, reason });
      return true;
    }
  }
  const { path, depth } = entry;
  const { identity } = item;
  const inner = { path, depth, parent: place, identity, isNew: false };
  const folder = await tally.attempt(link, entry, () => target.read(inner));
  if (folder === undefined) return false;
  const isEmptied = await removeItems(
    removal,
    inner,
    [...folder.items.values()],
  );
  if (!isEmptied) return false;
  const [error] = await remove(removal, [entry], false);
  if (error === undefined) tally.note({ action: "remove", entry, reason });
  else await tally.attempt(link, entry, () => Promise.reject(error));
  return error === undefined;
}

/** Gives for each entry what went wrong. */
async function remove(
  { target, options }: Removal,
  entries: readonly MirrorEntry[],
  recursive: boolean,
): Promise<unknown[]> {
  if (options.dryRun === true) return [];
  try {
    return await target.remove(entries, recursive);
  } catch (error) {
    return entries.map(() => error);
  }
}
