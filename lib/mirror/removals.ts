/**
 * Removes extraneous entries: those that the target has and the source lacks.
 *
 * @module
 */

import { quote } from "../protocol/printable.ts";
import { PauseTimer, visitAll } from "../connection/pauses.ts";
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

/** Removals that are sent at once. */
const WINDOW = 64;

/** Whether an entry of the target has no counterpart in the source. */
export function isExtraneous(
  { name }: MirrorItem,
  source: Snapshot,
  target: Snapshot,
): boolean {
  if (source.items.has(name)) return false;
  if (source.hidesDots && name.startsWith(".")) return false;
  // on some file systems "a" is the file that "A" was written to: then there is
  // no "A"
  const variant = source.caseVariantOf(name);
  return variant === undefined || target.items.has(variant);
}

/** Context of a removal. */
export interface Removal {
  /** The client. */
  readonly provider: SessionProvider;
  /** The source, which is asked again for entries that it does not list. */
  readonly source: Side;
  /** The target. */
  readonly target: Side;
  /** The report that counts the removals. */
  readonly report: MirrorReport;
  /** Options of the caller. */
  readonly options: MirrorOptions;
  /** Reason, if it is not that the source lacks the entry. */
  readonly reason?: "kind" | undefined;
  /** Whether the source was asked already. */
  readonly isProven?: boolean | undefined;
  /** The source's directory, in which a name may stand for another one. */
  readonly variants?: Snapshot | undefined;
}

/**
 * Removes entries that take part. Just before, the source is asked for each by
 * its name, because a listing alone is not believed. Returns whether all are
 * gone.
 *
 * @throws {Deno.errors.InvalidData} If the source has one of them
 */
export async function removeItems(
  removal: Removal,
  directory: DirectoryPath,
  items: Iterable<MirrorItem>,
): Promise<boolean> {
  const { provider, report, options, reason = "missing" } = removal;
  const whole: MirrorItem[] = [];
  let areGone = true;
  const pauses = new PauseTimer();
  for (const item of items) {
    if (pauses.isDue) await pauses.pause(options.signal);
    const entry = entryOf(directory, item);
    if (!report.includes(entry)) {
      areGone = false;
    } else if (item.problem !== undefined) {
      report.record({ action: "skip", entry, reason: "hostile" });
      areGone = false;
    } else if (item.kind !== "directory" || options.filter === undefined) {
      whole.push(item);
    } else if (!await removeFiltered(removal, directory, item)) {
      areGone = false;
    }
  }
  for (let at = 0; at < whole.length; at += WINDOW) {
    const some = whole.slice(at, at + WINDOW);
    const missing = await findMissing(removal, directory, some);
    if (missing.length < some.length) areGone = false;
    const entries = missing.map((item) => entryOf(directory, item));
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

/** Number of entries to remove. */
export interface RemovalCounts {
  /** Entries to remove, including those in directories. */
  readonly removed: number;
  /** Entries in directories to remove, whether they are removed or not. */
  readonly below: number;
}

/**
 * Counts the entries that {@linkcode removeItems} would remove if the source
 * has none of them. If a directory cannot be read, the report has a failure.
 */
export async function countRemovals(
  removal: Removal,
  directory: DirectoryPath,
  items: Iterable<MirrorItem>,
): Promise<RemovalCounts> {
  const { report, options } = removal;
  let removed = 0;
  let below = 0;
  const pauses = new PauseTimer();
  for (const item of items) {
    if (pauses.isDue) await pauses.pause(options.signal);
    const entry = entryOf(directory, item);
    if (!report.includes(entry) || item.problem !== undefined) continue;
    removed++;
    if (item.kind !== "directory") continue;
    const read = await readInner(removal, directory, item, entry);
    if (read === undefined) break;
    const { inner, folder } = read;
    const { items } = folder;
    const counts = await countRemovals(removal, inner, items.values());
    await visitAll(items.values(), (item) => {
      if (report.includes(entryOf(inner, item))) below++;
    }, options.signal);
    below += counts.below;
    removed += counts.removed;
    // entries left out stay, and so do the directories that contain them
    if (counts.removed < items.size + counts.below) removed--;
  }
  return { removed, below };
}

/** Reads a directory of the target; `undefined` if that fails. */
async function readInner(
  { provider, target, report }: Removal,
  directory: DirectoryPath,
  { identity }: MirrorItem,
  entry: MirrorEntry,
): Promise<{ inner: DirectoryPath; folder: Snapshot } | undefined> {
  const { path, depth } = entry;
  const inner = { path, depth, parent: directory, identity, isNew: false };
  const folder = await report.attempt(
    provider,
    entry,
    () => target.read(inner),
  );
  return folder === undefined ? undefined : { inner, folder };
}

/**
 * Removes the entries of a directory that take part, and the directory if
 * nothing is left.
 */
async function removeFiltered(
  removal: Removal,
  directory: DirectoryPath,
  item: MirrorItem,
): Promise<boolean> {
  const { provider, report, options, reason = "missing" } = removal;
  const entry = entryOf(directory, item);
  const isMissing = (await findMissing(removal, directory, [item])).length > 0;
  if (!isMissing) return false;
  if (options.dryRun !== true) {
    // a server may show a link as a directory: the link itself is removed first
    const [error] = await remove(removal, [entry], false);
    if (error === undefined) {
      report.record({ action: "remove", entry, reason });
      return true;
    }
  }
  const read = await readInner(removal, directory, item, entry);
  if (read === undefined) return false;
  const { inner, folder } = read;
  const isEmptied = await removeItems(
    { ...removal, isProven: false, variants: undefined },
    inner,
    folder.items.values(),
  );
  if (!isEmptied) return false;
  const [error] = await remove(removal, [entry], false);
  if (error === undefined) report.record({ action: "remove", entry, reason });
  else await report.attempt(provider, entry, () => Promise.reject(error));
  return error === undefined;
}

/** Returns the entries that the source lacks, after asking it for each name. */
async function findMissing(
  { provider, source, target, report, isProven, variants }: Removal,
  directory: DirectoryPath,
  items: readonly MirrorItem[],
): Promise<readonly MirrorItem[]> {
  if (isProven) return items;
  const answers = await source.ask(directory, items);
  const missing: MirrorItem[] = [];
  for (const [index, item] of items.entries()) {
    const answer = answers[index]!;
    const entry = entryOf(directory, item);
    if (answer === false) {
      missing.push(item);
    } else if (answer instanceof TypeError) {
      report.record({ action: "skip", entry, reason: "hostile" });
    } else if (answer !== true) {
      await report.attempt(provider, entry, () => Promise.reject(answer));
    } else if (variants?.caseVariantOf(item.name) !== undefined) {
      // on some file systems this is another name of a listed entry
      report.record({ action: "skip", entry, reason: "twin" });
    } else {
      throw new Deno.errors.InvalidData(
        `Cannot remove ${quote(target.at(entry.path))}: the source has ${
          quote(source.at(entry.path))
        }, but does not list it`,
      );
    }
  }
  return missing;
}

/** Returns an error or `undefined` for each entry. */
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
