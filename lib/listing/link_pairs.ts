/**
 * Symbolic links whose target is another line of the listing.
 *
 * @module
 */

import { Entry, resolveLink } from "./entry.ts";
import type { TableSource } from "./table_source.ts";

/** How many entries back, and links open, are remembered: memory is bounded. */
const MAX_REMEMBERED = 128;

/** Entries that came one after the other. */
interface Run {
  /** How many. */
  readonly count: number;
  /** Gives one of them. */
  entry(at: number): Entry;
}

/**
 * Joins the links of an MLSD listing with their targets. Servers that follow the
 * errata of RFC 3659 (eid 1500) write a link as `type=OS.unix=symlink` and its
 * target as a line of its own, with the same fact `unique`. Where that line has a
 * path, it is about a file outside of the directory and is no entry.
 */
export class LinkPairs {
  /**
   * The last entries, before the first link makes it worth to index them. Most
   * come as runs of lines: noting each would cost more than making it.
   */
  #recent: Run[] = [];
  /** How many entries those are. */
  #count = 0;
  /** Entries by `unique`, once a link was open; `undefined` before. */
  #targets: Map<string, Entry> | undefined;
  /** Links that wait for their target, by `unique`. */
  readonly #open = new Map<string, Entry[]>();

  /**
   * Takes the next entry.
   *
   * @param entry The entry
   * @param isOpenLink Whether it is a link of MLSD without a target
   * @returns Whether it is an entry of the directory
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

  /** Whether a link has come, so that every entry has to be shown to `add`. */
  get isIndexed(): boolean {
    return this.#targets !== undefined;
  }

  /**
   * Takes lines that are entries and no open links, all of them at once, as long
   * as there was no link.
   *
   * @param source The lines that were read together
   * @param start The first of them
   * @param end The first that is none of them
   */
  addRun(source: TableSource, start: number, end: number): void {
    if (start === end) return;
    this.#note({
      count: end - start,
      entry: (at) => new Entry(source, start + at),
    });
  }

  /** Keeps a run, and of those before it what is recent still. */
  #note(run: Run): void {
    const recent = this.#recent;
    recent.push(run);
    this.#count += run.count;
    // None is kept longer than it has to be: it holds the lines it came with.
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
    // Only a path that some link leads to is explained: others are hostile.
    return links === undefined || !entry.name.includes("/");
  }

  #index(): Map<string, Entry> {
    const targets = new Map<string, Entry>();
    // As many for every cutting of the listing into runs.
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

/** Sets a key and forgets the oldest one when there are too many. */
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
