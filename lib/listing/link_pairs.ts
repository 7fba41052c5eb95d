/**
 * Symbolic links whose target is another line of the listing.
 *
 * @module
 */

import { type Entry, resolveLink } from "./entry.ts";

/** How many entries back, and links open, are remembered: memory is bounded. */
const MAX_REMEMBERED = 128;

/**
 * Joins the links of an MLSD listing with their targets. Servers that follow the
 * errata of RFC 3659 (eid 1500) write a link as `type=OS.unix=symlink` and its
 * target as a line of its own, with the same fact `unique`. Where that line has a
 * path, it is about a file outside of the directory and is no entry.
 */
export class LinkPairs {
  /** The last entries, before the first link makes it worth to index them. */
  readonly #recent: Entry[] = [];
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
    this.#recent[this.#count++ % MAX_REMEMBERED] = entry;
    return true;
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
    const start = Math.max(0, this.#count - MAX_REMEMBERED);
    for (let i = start; i < this.#count; i++) {
      const entry = this.#recent[i % MAX_REMEMBERED]!;
      const unique = entry.facts?.unique;
      if (unique && !entry.isSymlink) remember(targets, unique, entry);
    }
    this.#recent.length = 0;
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
