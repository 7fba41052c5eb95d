/**
 * Mirrors one directory to another.
 *
 * @module
 */

import { filterAll, PauseTimer } from "../connection/pauses.ts";
import { unwrapped } from "../files/errors.ts";
import type { SessionProvider } from "../files/session_provider.ts";
import { KindReplacement } from "./kind_replacement.ts";
import { TreeQueue } from "./tree_queue.ts";
import { WorkerPool } from "../files/worker_pool.ts";
import {
  countRemovals,
  isExtraneous,
  type Removal,
  removeItems,
} from "./removals.ts";
import { quote } from "../protocol/printable.ts";
import {
  directoryOf,
  type DirectoryPath,
  entryOf,
  type MirrorItem,
  quoteRoot,
  Snapshot,
} from "./snapshot.ts";
import {
  limitOf,
  type MirrorEntry,
  type MirrorOptions,
  type MirrorResult,
  type RemovalLimit,
} from "./options.ts";
import {
  checkClash,
  checkSource,
  findCounterpart,
  findLost,
  lateError,
  reasonToSkip,
} from "./safety.ts";
import { FTPMirrorError } from "./errors.ts";
import { MirrorReport } from "./report.ts";
import type { MirrorTask, SnapshotPair } from "./direction.ts";

/** Default of `maxDepth`. */
const MAX_DEPTH = 256;

/**
 * Largest number of directories to revisit; if there are more, all are visited.
 */
const MAX_REMEMBERED = 1000;

/**
 * One mirror. It holds the entries of about as many directories as there are
 * connections, and the paths of waiting directories.
 */
export class Mirror implements AsyncDisposable {
  readonly #pool: WorkerPool<MirrorTask>;
  readonly #options: MirrorOptions;
  readonly #report: MirrorReport;
  readonly #maxDepth: number;
  readonly #limit: RemovalLimit;
  readonly #replacement: KindReplacement;
  /** Entries of the target that take part, as far as it was read. */
  #entries = 0;
  /**
   * Directories with something to remove; `undefined` if there are too many.
   */
  #remembered: Set<DirectoryPath> | undefined = new Set();
  #isUnread = false;

  /**
   * Creates a mirror.
   *
   * @param make Creates a task for one connection, with a signal that ends it
   * @throws {RangeError} If `maxDepth` is not 1 or more
   */
  constructor(
    provider: SessionProvider,
    options: MirrorOptions,
    make: (provider: SessionProvider, signal: AbortSignal) => MirrorTask,
  ) {
    const { maxDepth = MAX_DEPTH, connections = 1, dryRun, signal } = options;
    if (!(maxDepth >= 1)) {
      throw new RangeError(
        `Cannot mirror ${maxDepth} levels: "maxDepth" must be 1 or more`,
      );
    }
    const most = dryRun === true ? 1 : connections;
    const pool = new WorkerPool(provider, { most, signal }, make);
    this.#pool = pool;
    this.#options = { ...options, signal: pool.signal };
    this.#maxDepth = maxDepth;
    this.#limit = limitOf(options.maxDelete);
    this.#report = new MirrorReport(
      pool.first.title,
      this.#options,
      (provider) => pool.dropWorker(provider),
    );
    this.#replacement = new KindReplacement({
      task: pool.first,
      report: this.#report,
      options: this.#options,
      put: (pair, item) => this.#put(pool.first, pair, item, undefined),
      transferTree: (directory) => this.#transferTree(directory),
    });
  }

  /**
   * Runs the mirror.
   *
   * @throws {FTPMirrorError} If something failed
   */
  async run(): Promise<MirrorResult> {
    const { result } = this.#report;
    const root: DirectoryPath = {
      path: "",
      depth: 0,
      parent: undefined,
      identity: {},
      isNew: false,
    };
    await unwrapped(async () => {
      await this.#pool.prepare();
      await this.#transferTree(root);
      // last, and only if everything was transferred: an extraneous entry may
      // be the only copy
      if (result.failed === 0) await this.#checkLimit(root);
      if (result.failed === 0) await this.#removeExtraneous(root);
      await this.#report.settle();
    });
    if (result.failed > 0) throw this.#report.error();
    return { ...result };
  }

  /** Closes the connections that the mirror opened. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  /** Transfers the missing entries of a tree, over all connections. */
  async #transferTree(root: DirectoryPath): Promise<void> {
    const queue = new TreeQueue(root, {
      open: (task, directory) => this.#inspect(task, directory),
      transfer: (task, pair, item) => this.#transferIncluded(task, pair, item),
      close: (pair) => this.#close(pair),
    });
    try {
      await this.#pool.run(queue);
    } catch (error) {
      if (!(error instanceof FTPMirrorError)) throw error;
      // the error was created while other files were in progress
      throw this.#report.error(error.cause, queue.unfinished);
    }
  }

  /** Reads a directory on both sides. */
  async #open(
    task: MirrorTask,
    directory: DirectoryPath,
  ): Promise<SnapshotPair | undefined> {
    const read = async (): Promise<SnapshotPair> => {
      // `filter` may leave out any number of entries
      const isExpecting = this.#pool.hasRoom &&
        this.#options.filter === undefined;
      const isVacant = isExpecting && (directory.isNew ||
        (directory.parent === undefined && task.target.isVacant()));
      const source = await task.source.read(
        directory,
        isVacant ? (count) => this.#expect(count) : undefined,
      );
      directory.identity = source.identity;
      const target = await this.#readTarget(
        task,
        directory,
        isExpecting ? () => this.#expect(source.items.size) : undefined,
      );
      return { directory, source, target };
    };
    const entry = directoryOf(directory);
    // if the root fails, there is nothing to report
    const pair = directory.parent === undefined
      ? await read()
      : await this.#report.attempt(task.provider, entry, read);
    const error = pair?.source.partial;
    if (error !== undefined) {
      this.#report.record({ action: "fail", entry, error });
    }
    this.#isUnread ||= pair === undefined || error !== undefined;
    return pair;
  }

  /**
   * Opens further connections for the entries of a directory, which the target
   * lacks, while this one is still busy with the directory.
   */
  #expect(count: number): void {
    this.#pool.addWorkers(count - 1); // this connection takes one
  }

  async #readTarget(
    { target }: MirrorTask,
    directory: DirectoryPath,
    onMissing: (() => void) | undefined,
  ): Promise<Snapshot> {
    const isDry = this.#options.dryRun === true;
    let isNew = directory.isNew;
    if (directory.parent === undefined) {
      if (isDry) isNew = await target.probe("") === undefined;
      else isNew = await target.make("", onMissing);
    }
    if (!isNew) return await target.read(directory);
    const snapshot = new Snapshot();
    snapshot.isMissing = isDry;
    return snapshot;
  }

  /**
   * Reads a directory on both sides, and requests what the listings do not
   * show.
   */
  async #inspect(
    task: MirrorTask,
    directory: DirectoryPath,
  ): Promise<SnapshotPair | undefined> {
    this.#pool.addWorkers();
    const pair = await this.#open(task, directory);
    if (pair === undefined) return undefined;
    const { provider } = task;
    return await this.#report.attempt(
      provider,
      directoryOf(directory),
      async () => {
        await this.#checkNames(task, pair);
        const isFirst = directory.parent === undefined;
        if (isFirst && this.#options.delete) checkSource(task, pair);
        await this.#countEntries(pair);
        await task.refine(pair);
        return pair;
      },
    );
  }

  /**
   * Fails before anything is sent to a directory that cannot have one of the
   * entries.
   *
   * @throws {TypeError} If it cannot
   */
  async #checkNames({ target }: MirrorTask, pair: SnapshotPair): Promise<void> {
    const { directory, source } = pair;
    const rule = target.ruleOf(directory);
    if (rule === undefined) return;
    const pauses = new PauseTimer();
    for (const item of source.items.values()) {
      if (pauses.isDue) await pauses.pause(this.#options.signal);
      const isIdle = item.problem !== undefined ||
        reasonToSkip(item, directory) !== undefined ||
        !this.#isWanted(directory, item);
      const reason = isIdle ? undefined : rule(item);
      if (reason === undefined) continue;
      throw new TypeError(
        `Cannot store ${quote(item.name)} in ${
          quote(target.at(directory.path))
        }: ${reason}; rename it, or omit it with "filter"`,
      );
    }
  }

  /** Transfers one entry, if it takes part. */
  async #transferIncluded(
    task: MirrorTask,
    pair: SnapshotPair,
    item: MirrorItem,
  ): Promise<DirectoryPath | undefined> {
    const entry = entryOf(pair.directory, item);
    if (!this.#report.includes(entry)) return undefined;
    return await this.#report.attempt(
      task.provider,
      entry,
      () => this.#transfer(task, pair, item, entry),
    );
  }

  /** Remembers a directory that has something to remove. */
  async #close(pair: SnapshotPair): Promise<void> {
    const { directory } = pair;
    const pauses = new PauseTimer();
    for (const item of await this.#extraneousOf(pair)) {
      if (this.#isWanted(directory, item)) return this.#remember(directory);
      if (pauses.isDue) await pauses.pause(this.#options.signal);
    }
  }

  /** Transfers one entry. Returns the path of a directory. */
  async #transfer(
    task: MirrorTask,
    pair: SnapshotPair,
    item: MirrorItem,
    entry: MirrorEntry,
  ): Promise<DirectoryPath | undefined> {
    const { target } = task;
    if (item.problem !== undefined) throw item.problem;
    const reason = reasonToSkip(item, pair.directory);
    if (reason !== undefined) {
      this.#report.record({ action: "skip", entry, reason });
      return undefined;
    }
    target.check(item.name);
    const found = await findCounterpart(target, pair, item, entry.path);
    if (found?.isLate) {
      return await this.#keepLate(task, pair, item, found.item);
    }
    const there = found?.item;
    if (there === undefined || there.kind === item.kind) {
      return await this.#put(task, pair, item, there);
    }
    const path = target.at(entry.path);
    checkClash(there, item.kind, path, this.#options.delete === true);
    this.#remember(pair.directory);
    return undefined;
  }

  /**
   * Keeps an entry that appeared after the listing, if it is equal: another run
   * may have been faster.
   *
   * @throws {Deno.errors.AlreadyExists} If it differs
   */
  async #keepLate(
    task: MirrorTask,
    pair: SnapshotPair,
    item: MirrorItem,
    there: MirrorItem,
  ): Promise<DirectoryPath | undefined> {
    const { directory } = pair;
    const { path } = entryOf(directory, item);
    const late = lateError(task.target.at(path));
    if (there.kind !== item.kind) throw late;
    if (item.kind !== "file") return await this.#put(task, pair, item, there);
    const [source, target] = [new Snapshot(), new Snapshot()];
    source.set(item);
    target.set(there);
    await task.refine({ directory, source, target });
    const refined = source.items.get(item.name) ?? item;
    const reason = await task.compare(path, refined, there);
    if (reason !== undefined && reason !== "always") throw late;
    return await this.#put(task, pair, refined, there);
  }

  /** Transfers a file, or creates a directory. */
  async #put(
    task: MirrorTask,
    pair: SnapshotPair,
    item: MirrorItem,
    there: MirrorItem | undefined,
  ): Promise<DirectoryPath | undefined> {
    const next = item.kind === "directory"
      ? await this.#enter(task, pair.directory, item, there === undefined)
      : await this.#send(task, pair, item, there);
    // another name may be the same on the target
    if (!pair.target.isMissing) pair.target.set(item);
    return next;
  }

  async #enter(
    task: MirrorTask,
    directory: DirectoryPath,
    item: MirrorItem,
    isNew: boolean,
  ): Promise<DirectoryPath> {
    const entry = entryOf(directory, item);
    const { path, depth } = entry;
    if (depth > this.#maxDepth) {
      throw new RangeError(
        `Cannot mirror ${
          quote(path)
        }: it is more than ${this.#maxDepth} levels deep; increase "maxDepth"`,
      );
    }
    if (isNew) {
      if (this.#options.dryRun !== true) await task.target.make(path);
      this.#report.record({ action: "make", entry });
    }
    return { path, depth, parent: directory, identity: item.identity, isNew };
  }

  async #send(
    task: MirrorTask,
    { directory, target }: SnapshotPair,
    item: MirrorItem,
    there: MirrorItem | undefined,
  ): Promise<undefined> {
    const entry = entryOf(directory, item);
    const { path, size } = entry;
    if (this.#options.compare === "hash") this.#pool.addWorkers();
    const reason = there === undefined
      ? "new"
      : await task.compare(path, item, there);
    if (reason === undefined) {
      this.#report.record({ action: "unchanged", entry });
      return;
    }
    if (this.#options.dryRun === true) {
      this.#report.result.bytes += Number(size ?? 0);
    } else {
      this.#pool.addWorkers();
      const send = () => task.transfer(path, item, target, this.#report);
      await this.#report.count(path, send);
    }
    this.#report.record({ action: "transfer", entry, reason });
  }

  #remember(directory: DirectoryPath): void {
    this.#remembered?.add(directory);
    if ((this.#remembered?.size ?? 0) > MAX_REMEMBERED) {
      this.#remembered = undefined;
    }
  }

  async #extraneousOf({ source, target }: SnapshotPair): Promise<MirrorItem[]> {
    if (this.#options.delete !== true || target.items.size === 0) return [];
    await source.foldNames(this.#options.signal);
    return await filterAll(
      target.items.values(),
      (item) => isExtraneous(item, source, target),
      this.#options.signal,
    );
  }

  #isWanted(directory: DirectoryPath, item: MirrorItem): boolean {
    return this.#report.includes(entryOf(directory, item));
  }

  /** Counts the target's entries, if `maxDelete` is a percentage. */
  async #countEntries({ directory, target }: SnapshotPair): Promise<void> {
    const isNeeded = this.#options.delete === true &&
      this.#limit.percent !== Infinity;
    if (!isNeeded) return;
    const wanted = await filterAll(
      target.items.values(),
      (item) => this.#isWanted(directory, item),
      this.#options.signal,
    );
    this.#entries += wanted.length;
  }

  /** Fails before anything is removed if more than `maxDelete` would be. */
  async #checkLimit(root: DirectoryPath): Promise<void> {
    const { delete: mayRemove, maxDelete } = this.#options;
    const { entries, percent } = this.#limit;
    if (!mayRemove || (entries === Infinity && percent === Infinity)) return;
    let count = 0;
    await this.#visit(root, async (pair) => {
      const items = await this.#extraneousOf(pair);
      const directories: DirectoryPath[] = [];
      for await (const { item, there } of this.#shared(pair)) {
        if (there.kind !== item.kind) items.push(there);
        else if (item.kind === "directory") {
          directories.push(
            await this.#enter(this.#pool.first, pair.directory, item, false),
          );
        }
      }
      const { provider, source, target } = this.#pool.first;
      const report = this.#report;
      const removal = { provider, source, target, report };
      const options = this.#options;
      const counts = await countRemovals(
        { ...removal, options },
        pair.directory,
        items,
      );
      count += counts.removed;
      this.#entries += counts.below;
      return directories;
    });
    if (this.#report.result.failed > 0) return;
    const isShare = percent !== Infinity;
    const isOver = isShare
      ? count * 100 > this.#entries * percent
      : count > entries;
    if (!isOver) return;
    const error = new RangeError(
      `Cannot remove ${count}${isShare ? ` of ${this.#entries}` : ""} ${
        count === 1 && !isShare ? "entry" : "entries"
      } from ${
        quoteRoot(this.#pool.first.target)
      }: "maxDelete" is ${maxDelete}; nothing was removed`,
    );
    this.#report.record({ action: "fail", entry: directoryOf(root), error });
  }

  /**
   * Removes extraneous entries, one directory after the other, with the
   * client's own connection.
   */
  async #removeExtraneous(root: DirectoryPath): Promise<void> {
    await this.#visit(root, (pair) => this.#removeFrom(pair));
  }

  /** Reads again the directories that have something to remove, one by one. */
  async #visit(
    root: DirectoryPath,
    visit: (pair: SnapshotPair) => Promise<DirectoryPath[]>,
  ): Promise<void> {
    const isEverywhere = this.#remembered === undefined;
    const directories = [...this.#remembered ?? [root]].reverse();
    for (let directory; (directory = directories.pop()) !== undefined;) {
      const pair = await this.#open(this.#pool.first, directory);
      const inner = pair === undefined ? [] : await visit(pair);
      if (!isEverywhere) continue;
      for (const directory of inner.reverse()) directories.push(directory);
    }
  }

  /**
   * Lists the source's entries that take part and have a counterpart in the
   * target.
   */
  async *#shared(
    { directory, source, target }: SnapshotPair,
  ): AsyncGenerator<{ item: MirrorItem; there: MirrorItem }> {
    const pauses = new PauseTimer();
    for (const item of source.items.values()) {
      if (pauses.isDue) await pauses.pause(this.#options.signal);
      const there = target.items.get(item.name);
      const isIdle = there === undefined || item.problem !== undefined ||
        reasonToSkip(item, directory) !== undefined ||
        !this.#isWanted(directory, item);
      if (!isIdle) yield { item, there };
    }
  }

  /**
   * Removes the extraneous entries of a directory that was read again. Returns
   * its directories.
   */
  async #removeFrom(pair: SnapshotPair): Promise<DirectoryPath[]> {
    const task = this.#pool.first;
    const { directory, source } = pair;
    const directories: DirectoryPath[] = [];
    // one failed listing makes all others doubtful
    if (this.#isUnread) return directories;
    const lost = this.#options.dryRun === true ? undefined : await findLost(
      pair,
      (item) => this.#isWanted(directory, item),
      this.#options.signal,
    );
    if (lost !== undefined) {
      const entry = entryOf(directory, lost);
      const path = quote(task.target.at(entry.path));
      const error = new Deno.errors.NotFound(
        `Cannot remove anything beside ${path}: the target does not list this entry, although it was transferred`,
      );
      this.#report.record({ action: "fail", entry, error });
      return directories;
    }
    const { provider, target } = task;
    const [report, options] = [this.#report, this.#options];
    const removal: Removal = {
      provider,
      source: task.source,
      target,
      report,
      options,
      variants: source,
    };
    const removed = await report.attempt(
      provider,
      directoryOf(directory),
      async () =>
        await removeItems(removal, directory, await this.#extraneousOf(pair)),
    );
    this.#isUnread ||= removed === undefined;
    if (removed === undefined) return directories;
    for await (const { item, there } of this.#shared(pair)) {
      if (there.kind !== item.kind) {
        await this.#replacement.replace(pair, item, there);
      } else if (item.kind === "directory") {
        directories.push(await this.#enter(task, directory, item, false));
      }
    }
    return directories;
  }
}
