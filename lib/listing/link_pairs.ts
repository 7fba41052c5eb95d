/**
 * Joins symbolic links with their targets in other lines of the listing.
 *
 * @module
 */

import { Entry, resolveLink } from "./entry.ts";
import type { TableSource } from "./table_source.ts";

/**
 * Number of entries and open links that are remembered, which bounds memory.
 */
const MAX_REMEMBERED = 128;

/** Consecutive entries. */
interface Run {
  /** Number of entries. */
  readonly count: number;
  /** Returns one of them. */
  entry(at: number): Entry;
}

/**
 * Joins the links of an MLSD listing with their targets. Servers that follow
 * the errata of RFC 3659 (eid 1500) write a link as `type=OS.unix=symlink`, and
 * its target as another line with the same fact `unique`. If that line contains
 * a path, it is a file outside the directory, and not an entry.
 */
export class LinkPairs {
  /**
   * The last entries, until the first link requires an index. They are kept as
   * runs of lines, because storing each would cost more than creating it.
   */
  #recent: Run[] = [];
  /** Number of these entries. */
  #count = 0;
  /** Entries by `unique`, after the first link; `undefined` before. */
  #targets: Map<string, Entry> | undefined;
  /** Links that wait for their target, by `unique`. */
  readonly #open = new Map<string, Entry[]>();

  /**
   * Adds the next entry. Returns whether it is an entry of the directory.
   *
   * @param isOpenLink Whether it is an MLSD link without a target
   */
  add(entry: Entry, isOpenLink: boolean): boolean {
    if (isOpenLink) {
      this.#addLink(entry);
      return true;
    }
    if (this.#targets !== undefined) return this.#addTarget(entry);
    this.#note({ count: 1, entry: () => entry });
    return true;
  }

  /** Whether a link was found, so that every entry has to be added. */
  get isIndexed(): boolean {
    return this.#targets !== undefined;
  }

  /**
   * Adds consecutive lines that are entries and not open links, while there is
   * no link.
   */
  addRun(source: TableSource, start: number, end: number): void {
    if (start === end) return;
    this.#note({
      count: end - start,
      entry: (at) => new Entry(source, start + at),
    });
  }

  /** Adds a run, and drops old ones. */
  #note(run: Run): void {
    const recent = this.#recent;
    recent.push(run);
    this.#count += run.count;
    // a run keeps its whole block of lines in memory, so it is dropped early
    while (this.#count - recent[0]!.count >= MAX_REMEMBERED) {
      this.#count -= recent.shift()!.count;
    }
  }

  #addLink(link: Entry): void {
    this.#targets ??= this.#index();
    const unique = link.facts?.unique;
    if (!unique) return;
    const target = this.#targets.get(unique);
    if (target !== undefined) {
      resolveLink(link, target.name);
      return;
    }
    const links = this.#open.get(unique);
    if (links === undefined) remember(this.#open, unique, [link]);
    else if (links.length < MAX_REMEMBERED) links.push(link);
  }

  #addTarget(entry: Entry): boolean {
    const unique = entry.facts?.unique;
    if (!unique || entry.isSymlink) return true;
    remember(this.#targets!, unique, entry);
    const links = this.#open.get(unique);
    for (const link of links ?? []) resolveLink(link, entry.name);
    // other names with a path are hostile
    return links === undefined || !entry.name.includes("/");
  }

  #index(): Map<string, Entry> {
    const targets = new Map<string, Entry>();
    // the same number for every way of cutting the listing into runs
    let before = this.#count;
    for (const run of this.#recent) {
      for (let at = 0; at < run.count; at++) {
        if (before-- > MAX_REMEMBERED) continue;
        const entry = run.entry(at);
        const unique = entry.facts?.unique;
        if (unique && !entry.isSymlink) remember(targets, unique, entry);
      }
    }
    this.#recent = [];
    return targets;
  }
}

/** Sets a key, and removes the oldest one if there are too many. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > MAX_REMEMBERED) {
    for (const oldest of map.keys()) {
      map.delete(oldest);
      break;
    }
  }
}
