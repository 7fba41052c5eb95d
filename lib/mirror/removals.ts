/**
 * What the target of a mirror has and its source lacks.
 *
 * @module
 */

import { quote } from "../protocol/printable.ts";
import { Breather } from "../connection/breather.ts";
import {
  type DirectoryPath,
  entryOf,
  type MirrorItem,
  type Side,
  type Snapshot,
} from "./snapshot.ts";
import type { SessionProvider } from "../files/session_provider.ts";
import type { MirrorEntry, MirrorOptions } from "./options.ts";
import type { MirrorReport } from "./report.ts";

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
export function isExtraneous(
  { name }: MirrorItem,
  source: Snapshot,
  target: Snapshot,
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
  readonly provider: SessionProvider;
  /** Who is asked once more for what it does not list. */
  readonly source: Side;
  /** Where from. */
  readonly target: Side;
  /** Who counts. */
  readonly report: MirrorReport;
  /** The caller's. */
  readonly options: MirrorOptions;
  /** Why, unless the source lacks it. */
  readonly reason?: "kind" | undefined;
  /** Whether the source was asked already. */
  readonly isProven?: boolean | undefined;
  /** The source's directory, which may answer to one name for another. */
  readonly twins?: Snapshot | undefined;
}

/**
 * Removes entries, but for those that take no part. Right before that the source
 * is asked for each by its name: a listing alone is not believed.
 *
 * @param removal How
 * @param place Where they are
 * @param items The entries
 * @returns Whether all are gone
 * @throws {Deno.errors.InvalidData} If the source has one of them
 */
export async function removeItems(
  removal: Removal,
  place: DirectoryPath,
  items: readonly MirrorItem[],
): Promise<boolean> {
  const { provider, report, options, reason = "missing" } = removal;
  const whole: MirrorItem[] = [];
  let areGone = true;
  const breather = new Breather();
  for (const item of items) {
    if (breather.isDue) await breather.pause(options.signal);
    const entry = entryOf(place, item);
    if (!report.includes(entry)) {
      areGone = false;
    } else if (item.problem !== undefined) {
      report.record({ action: "skip", entry, reason: "hostile" });
      areGone = false;
    } else if (item.kind !== "directory" || options.filter === undefined) {
      whole.push(item);
    } else if (!await removeFiltered(removal, place, item)) {
      areGone = false;
    }
  }
  for (let at = 0; at < whole.length; at += WINDOW) {
    const some = whole.slice(at, at + WINDOW);
    const missing = await findMissing(removal, place, some);
    if (missing.length < some.length) areGone = false;
    const entries = missing.map((item) => entryOf(place, item));
    const errors = await remove(removal, entries, true);
    for (const [index, entry] of entries.entries()) {
      const error = errors[index];
      if (error === undefined) {
        report.record({ action: "remove", entry, reason });
      } else {
        areGone = false;
        await report.attempt(provider, entry, () => Promise.reject(error));
      }
    }
  }
  return areGone;
}

/** How many entries there are to remove. */
export interface RemovalCounts {
  /** Entries that are to go, those in directories too. */
  readonly removed: number;
  /** Entries in directories that are to go, whether they go or not. */
  readonly below: number;
}

/**
 * Counts what {@linkcode removeItems} would remove, if the source has none of
 * it.
 *
 * @param removal How
 * @param place Where they are
 * @param items The entries
 * @returns The counts; if a directory cannot be read, the report has a failure
 */
export async function countRemovals(
  removal: Removal,
  place: DirectoryPath,
  items: readonly MirrorItem[],
): Promise<RemovalCounts> {
  const { provider, target, report, options } = removal;
  let removed = 0;
  let below = 0;
  const breather = new Breather();
  for (const item of items) {
    if (breather.isDue) await breather.pause(options.signal);
    const entry = entryOf(place, item);
    if (!report.includes(entry) || item.problem !== undefined) continue;
    removed++;
    if (item.kind !== "directory") continue;
    const { path, depth } = entry;
    const { identity } = item;
    const inner = { path, depth, parent: place, identity, isNew: false };
    const folder = await report.attempt(
      provider,
      entry,
      () => target.read(inner),
    );
    if (folder === undefined) break;
    const all = [...folder.items.values()];
    const counts = await countRemovals(removal, inner, all);
    const wanted = all.filter((item) => report.includes(entryOf(inner, item)));
    below += wanted.length + counts.below;
    removed += counts.removed;
    // what is left out stays, and so do the directories that it is in
    if (counts.removed < all.length + counts.below) removed--;
  }
  return { removed, below };
}

/** Removes what may go of a directory, and itself if that is all of it. */
async function removeFiltered(
  removal: Removal,
  place: DirectoryPath,
  item: MirrorItem,
): Promise<boolean> {
  const { provider, target, report, options, reason = "missing" } = removal;
  const entry = entryOf(place, item);
  const isMissing = (await findMissing(removal, place, [item])).length > 0;
  if (!isMissing) return false;
  if (options.dryRun !== true) {
    // a server may show a link as what it leads to: it is not gone through
    const [error] = await remove(removal, [entry], false);
    if (error === undefined) {
      report.record({ action: "remove", entry, reason });
      return true;
    }
  }
  const { path, depth } = entry;
  const { identity } = item;
  const inner = { path, depth, parent: place, identity, isNew: false };
  const folder = await report.attempt(
    provider,
    entry,
    () => target.read(inner),
  );
  if (folder === undefined) return false;
  const isEmptied = await removeItems(
    { ...removal, isProven: false, twins: undefined },
    inner,
    [...folder.items.values()],
  );
  if (!isEmptied) return false;
  const [error] = await remove(removal, [entry], false);
  if (error === undefined) report.record({ action: "remove", entry, reason });
  else await report.attempt(provider, entry, () => Promise.reject(error));
  return error === undefined;
}

/** The entries that the source lacks, by its word for each name. */
async function findMissing(
  { provider, source, target, report, isProven, twins }: Removal,
  place: DirectoryPath,
  items: readonly MirrorItem[],
): Promise<readonly MirrorItem[]> {
  if (isProven) return items;
  const answers = await source.ask(place, items);
  const missing: MirrorItem[] = [];
  for (const [index, item] of items.entries()) {
    const answer = answers[index]!;
    const entry = entryOf(place, item);
    if (answer === false) {
      missing.push(item);
    } else if (answer instanceof TypeError) {
      report.record({ action: "skip", entry, reason: "hostile" });
    } else if (answer !== true) {
      await report.attempt(provider, entry, () => Promise.reject(answer));
    } else if (twins?.twinOf(item.name) !== undefined) {
      // on some file systems that is another name of what was listed
      report.record({ action: "skip", entry, reason: "twin" });
    } else {
      throw new Deno.errors.InvalidData(
        `Cannot remove ${quote(target.at(entry.path))}: the source has ${
          quote(source.at(entry.path))
        }, though it does not list it`,
      );
    }
  }
  return missing;
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
