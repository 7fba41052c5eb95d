/**
 * What is to be done of a tree: directories to go into, and what is in those
 * that are open.
 *
 * @module
 */

import type { Task, TaskQueue } from "./worker_pool.ts";
import {
  collisionKey,
  type DirectoryPath,
  type MirrorItem,
} from "./snapshot.ts";
import type { MirrorTask, SnapshotPair } from "./direction.ts";

/** What is done with a tree. */
export interface TreeTask {
  /**
   * Looks at a directory.
   *
   * @param task By whom
   * @param place The directory
   * @returns Both sides, or `undefined` if it is not gone into
   */
  open(
    task: MirrorTask,
    place: DirectoryPath,
  ): Promise<SnapshotPair | undefined>;
  /**
   * Deals with one entry.
   *
   * @param task By whom
   * @param pair The directory
   * @param item The entry
   * @returns A directory to go into
   */
  bring(
    task: MirrorTask,
    pair: SnapshotPair,
    item: MirrorItem,
  ): Promise<DirectoryPath | undefined>;
  /**
   * Is called when all entries of a directory are dealt with.
   *
   * @param pair The directory
   */
  close(pair: SnapshotPair): Promise<void>;
}

/**
 * A tree, a directory before those in it. The entries of directories that are
 * open go first, so that there are no more of these than workers, but for those
 * that wait for a worker's last entry.
 */
export class TreeQueue implements TaskQueue<MirrorTask> {
  readonly #work: TreeTask;
  readonly #places: DirectoryPath[];
  readonly #open: OpenFolder[] = [];

  /**
   * Makes a queue with one directory in it.
   *
   * @param root Where to begin
   * @param work What is done
   */
  constructor(root: DirectoryPath, work: TreeTask) {
    this.#places = [root];
    this.#work = work;
  }

  get size(): number {
    return this.#open.reduce(
      (sum, folder) => sum + folder.size,
      this.#places.length,
    );
  }

  take(): Task<MirrorTask> | undefined {
    for (const folder of this.#open) {
      const item = folder.take();
      if (item !== undefined) return (task) => this.#bring(task, folder, item);
      this.#takePlaces(folder);
    }
    const place = this.#places.pop();
    return place && ((task) => this.#enter(task, place));
  }

  async #enter(task: MirrorTask, place: DirectoryPath): Promise<void> {
    const pair = await this.#work.open(task, place);
    if (pair === undefined) return;
    const folder = new OpenFolder(pair);
    this.#open.push(folder);
    await this.#closeIfDone(folder);
  }

  async #bring(
    task: MirrorTask,
    folder: OpenFolder,
    item: MirrorItem,
  ): Promise<void> {
    const place = await this.#work.bring(task, folder.pair, item);
    folder.finish(item, place);
    await this.#closeIfDone(folder);
  }

  async #closeIfDone(folder: OpenFolder): Promise<void> {
    if (!folder.isDone) return;
    this.#takePlaces(folder);
    this.#open.splice(this.#open.indexOf(folder), 1);
    await this.#work.close(folder.pair);
  }

  #takePlaces(folder: OpenFolder): void {
    // there may be more than a call can have arguments
    for (const place of folder.takePlaces()) this.#places.push(place);
  }
}

/** Entries that wait for another one, and the first that still does. */
interface Waiting {
  readonly items: MirrorItem[];
  next: number;
}

/** A directory whose entries are being dealt with. */
class OpenFolder {
  readonly pair: SnapshotPair;
  readonly #items: Iterator<MirrorItem>;
  /** What waits for another entry that may mean the same file. */
  readonly #underway = new Map<string, Waiting>();
  /** The likenesses of the entries that are underway. */
  readonly #likenesses = new Map<MirrorItem, string>();
  readonly #next: MirrorItem[] = [];
  readonly #places: DirectoryPath[] = [];
  #left: number;

  constructor(pair: SnapshotPair) {
    this.pair = pair;
    this.#items = pair.source.items.values();
    this.#left = pair.source.items.size;
  }

  /** Entries that nobody took. */
  get size(): number {
    return this.#left + this.#next.length;
  }

  get isDone(): boolean {
    return this.size === 0 && this.#underway.size === 0;
  }

  take(): MirrorItem | undefined {
    const item = this.#next.shift();
    if (item !== undefined) return item;
    while (this.#left > 0) {
      this.#left--;
      const item: MirrorItem = this.#items.next().value;
      const key = collisionKey(item.name);
      const waiting = this.#underway.get(key);
      if (waiting === undefined) {
        this.#underway.set(key, { items: [], next: 0 });
        this.#likenesses.set(item, key);
        return item;
      }
      waiting.items.push(item); // one after the other: the second sees the first
    }
    return undefined;
  }

  finish(item: MirrorItem, place: DirectoryPath | undefined): void {
    if (place !== undefined) this.#places.push(place);
    const key = this.#likenesses.get(item)!;
    this.#likenesses.delete(item);
    const waiting = this.#underway.get(key)!;
    const next = waiting.items[waiting.next++];
    if (next === undefined) {
      this.#underway.delete(key);
    } else {
      this.#likenesses.set(next, key);
      this.#next.push(next);
    }
  }

  /** The directories met so far, last first. */
  takePlaces(): DirectoryPath[] {
    return this.#places.splice(0).reverse();
  }
}
