/**
 * Entries that are kept until they are needed.
 *
 * @module
 */

import { changed, Entry } from "./entry.ts";

/** Consecutive lines of one block, of which only the first has an object. */
interface EntryRun {
  readonly first: Entry;
  count: number;
}

/**
 * A queue of entries. Consecutive lines of a block take the memory of their
 * block and of one object for all of them.
 */
export class EntryList {
  #runs: (EntryRun | undefined)[] = [];
  #length = 0;
  /** The run that is being taken, and the entries taken of it. */
  #run = 0;
  #taken = 0;

  /** Number of entries that were not taken. */
  get length(): number {
    return this.#length;
  }

  /** Adds an entry at the end. */
  push(entry: Entry): void {
    this.#length++;
    const run = this.#runs.at(-1);
    if (run !== undefined && follows(entry, run)) return void run.count++;
    this.#runs.push({ first: entry, count: 1 });
    if (run !== undefined) packBefore(entry, run);
  }

  /** Takes the first entry. Blocks of lines that were taken are released. */
  shift(): Entry | undefined {
    const run = this.#runs[this.#run];
    if (run === undefined) return undefined;
    const entry = entryAt(run, this.#taken++);
    if (this.#taken === run.count) {
      this.#runs[this.#run++] = undefined;
      this.#taken = 0;
    }
    this.#length--;
    return entry;
  }
}

function entryAt({ first }: EntryRun, at: number): Entry {
  if (at === 0) return first;
  const [source, index, changes] = changed(first);
  return new Entry(source, index + at, changes);
}

/** Packs the block of an entry that is in another one than the next entry. */
function packBefore(next: Entry, { first }: EntryRun): void {
  const [source] = changed(first);
  if (source !== changed(next)[0]) source.pack?.();
}

/** Whether an entry is the line after a run, and never changes. */
function follows(entry: Entry, { first, count }: EntryRun): boolean {
  // the target of a link may come in a later line
  if (entry.isSymlink || first.isSymlink) return false;
  const [source, index, changes] = changed(entry);
  const [firstSource, firstIndex, firstChanges] = changed(first);
  return source === firstSource && index === firstIndex + count &&
    changes === firstChanges;
}
