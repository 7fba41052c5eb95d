/**
 * Queue of a tree: directories to read, and entries of the directories that
 * were read.
 *
 * @module
 */

import type { Task, TaskQueue } from "../files/worker_pool.ts";
import {
  collisionKey,
  type DirectoryPath,
  type MirrorItem,
} from "./snapshot.ts";
import type { MirrorTask, SnapshotPair } from "./direction.ts";

/** Operations on a tree. */
export interface TreeTask {
  /**
   * Reads a directory.
   *
   * @returns Both sides, or `undefined` to leave it out
   */
  open(
    task: MirrorTask,
    directory: DirectoryPath,
  ): Promise<SnapshotPair | undefined>;
  /** Processes one entry. */
  transfer(
    task: MirrorTask,
    pair: SnapshotPair,
    item: MirrorItem,
  ): Promise<DirectoryPath | undefined>;
  /** Called after all entries of a directory. */
  close(pair: SnapshotPair): Promise<void>;
}

/**
 * Queues a tree, each directory before those in it. Entries of open directories
 * come first, so that few directories are open: one for each worker, and those
 * that wait for their last entry.
 */
export class TreeQueue implements TaskQueue<MirrorTask> {
  readonly #operations: TreeTask;
  readonly #directories: DirectoryPath[];
  readonly #open: OpenFolder[] = [];
  /** Number of directories that are being read. */
  #entering = 0;

  /** Creates a queue with one directory in it. */
  constructor(root: DirectoryPath, operations: TreeTask) {
    this.#directories = [root];
    this.#operations = operations;
  }

  get size(): number {
    return this.#open.reduce(
      (sum, folder) => sum + folder.size,
      this.#directories.length,
    );
  }

  /** Number of directories and entries that were not processed to their end. */
  get unfinished(): number {
    return this.#open.reduce(
      (sum, folder) => sum + folder.unfinished,
      this.#directories.length + this.#entering,
    );
  }

  take(): Task<MirrorTask> | undefined {
    for (const folder of this.#open) {
      const item = folder.take();
      if (item !== undefined) {
        return (task) => this.#transfer(task, folder, item);
      }
      this.#takeDirectories(folder);
    }
    const directory = this.#directories.pop();
    return directory && ((task) => this.#enter(task, directory));
  }

  async #enter(task: MirrorTask, directory: DirectoryPath): Promise<void> {
    this.#entering++; // after an error, it stays unfinished
    const pair = await this.#operations.open(task, directory);
    this.#entering--;
    if (pair === undefined) return;
    const folder = new OpenFolder(pair);
    this.#open.push(folder);
    await this.#closeIfDone(folder);
  }

  async #transfer(
    task: MirrorTask,
    folder: OpenFolder,
    item: MirrorItem,
  ): Promise<void> {
    const directory = await this.#operations.transfer(task, folder.pair, item);
    folder.finish(item, directory);
    await this.#closeIfDone(folder);
  }

  async #closeIfDone(folder: OpenFolder): Promise<void> {
    if (!folder.isDone) return;
    this.#takeDirectories(folder);
    this.#open.splice(this.#open.indexOf(folder), 1);
    await this.#operations.close(folder.pair);
  }

  #takeDirectories(folder: OpenFolder): void {
    // push(...directories) overflows the stack for large arrays
    for (const directory of folder.takeDirectories()) {
      this.#directories.push(directory);
    }
  }
}

/** Entries that wait for another one with the same key. */
interface Waiting {
  readonly items: MirrorItem[];
  next: number;
}

/** A directory whose entries are being processed. */
class OpenFolder {
  readonly pair: SnapshotPair;
  readonly #items: Iterator<MirrorItem>;
  /** Entries that wait for another one that may be the same file, by key. */
  readonly #current = new Map<string, Waiting>();
  /** Keys of the entries that are being processed. */
  readonly #collisionKeys = new Map<MirrorItem, string>();
  readonly #next: MirrorItem[] = [];
  readonly #directories: DirectoryPath[] = [];
  #left: number;

  constructor(pair: SnapshotPair) {
    this.pair = pair;
    this.#items = pair.source.items.values();
    this.#left = pair.source.items.size;
  }

  /** Number of entries that were not taken. */
  get size(): number {
    return this.#left + this.#next.length;
  }

  /** Number of entries, and of directories found, that were not processed. */
  get unfinished(): number {
    let waiting = 0;
    for (const { items, next } of this.#current.values()) {
      waiting += items.length - Math.min(next, items.length);
    }
    return this.#left + waiting + this.#collisionKeys.size +
      this.#directories.length;
  }

  get isDone(): boolean {
    return this.size === 0 && this.#current.size === 0;
  }

  take(): MirrorItem | undefined {
    const item = this.#next.shift();
    if (item !== undefined) return item;
    while (this.#left > 0) {
      this.#left--;
      const item: MirrorItem = this.#items.next().value;
      const key = collisionKey(item.name);
      const waiting = this.#current.get(key);
      if (waiting === undefined) {
        this.#current.set(key, { items: [], next: 0 });
        this.#collisionKeys.set(item, key);
        return item;
      }
      waiting.items.push(item); // one after the other: the second finds the first
    }
    return undefined;
  }

  finish(item: MirrorItem, directory: DirectoryPath | undefined): void {
    if (directory !== undefined) this.#directories.push(directory);
    const key = this.#collisionKeys.get(item)!;
    this.#collisionKeys.delete(item);
    const waiting = this.#current.get(key)!;
    const next = waiting.items[waiting.next++];
    if (next === undefined) {
      this.#current.delete(key);
    } else {
      this.#collisionKeys.set(next, key);
      this.#next.push(next);
    }
  }

  /** Returns the directories found so far, last first. */
  takeDirectories(): DirectoryPath[] {
    return this.#directories.splice(0).reverse();
  }
}
