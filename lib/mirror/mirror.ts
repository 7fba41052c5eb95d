/**
 * Making one directory what another one is.
 *
 * @module
 */

import { Breather, filterAll } from "../connection/breather.ts";
import { unwrapped } from "../files/errors.ts";
import type { SessionProvider } from "../files/session_provider.ts";
import { TreeQueue } from "./tree_queue.ts";
import { WorkerPool } from "./worker_pool.ts";
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
  confirmKind,
  findCounterpart,
  findLost,
  reasonToSkip,
} from "./safety.ts";
import { MirrorReport } from "./report.ts";
import type { MirrorTask, SnapshotPair } from "./direction.ts";

/** Deepest tree that is mirrored without being told how deep to go. */
const MAX_DEPTH = 256;

/** Why what is in the way of something else is removed. */
const KIND = { reason: "kind", isProven: true } as const;

/** Directories to come back to; if there are more, all are gone through. */
const MAX_REMEMBERED = 1000;

/**
 * One run. It keeps the entries of about as many directories as there are
 * connections, and the directories that wait beside those above them.
 */
export class Mirror implements AsyncDisposable {
  readonly #pool: WorkerPool<MirrorTask>;
  readonly #options: MirrorOptions;
  readonly #report: MirrorReport;
  readonly #maxDepth: number;
  readonly #limit: RemovalLimit;
  /** Entries of the target that take part, as far as it was read. */
  #entries = 0;
  /** Where something is to be removed; `undefined` if that is too much. */
  #remembered: Set<DirectoryPath> | undefined = new Set();
  #isUnread = false;

  /**
   * Makes a run.
   *
   * @param provider The client
   * @param options The caller's
   * @param make Makes what works with one connection, until a signal
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
  }

  /**
   * Mirrors.
   *
   * @returns What was done
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
      await this.#bringTree(root);
      // last, and only if all is there: what is to go may be the only copy
      if (result.failed === 0) await this.#checkLimit(root);
      if (result.failed === 0) await this.#removeExtraneous(root);
      await this.#report.settle();
    });
    if (result.failed > 0) throw this.#report.error();
    return { ...result };
  }

  /** Closes the connections that the run has opened. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  /** Transfers what a tree lacks, over as many connections as there may be. */
  async #bringTree(root: DirectoryPath): Promise<void> {
    const queue = new TreeQueue(root, {
      open: (task, place) => this.#inspect(task, place),
      bring: (task, pair, item) => this.#bringWanted(task, pair, item),
      close: (pair) => this.#close(pair),
    });
    await this.#pool.run(queue);
  }

  /** Reads a directory on both sides. */
  async #open(
    task: MirrorTask,
    place: DirectoryPath,
  ): Promise<SnapshotPair | undefined> {
    const read = async (): Promise<SnapshotPair> => {
      const source = await task.source.read(place);
      place.identity = source.identity;
      return { place, source, target: await this.#readTarget(task, place) };
    };
    const entry = directoryOf(place);
    // without the first there is nothing to tell of
    const pair = place.parent === undefined
      ? await read()
      : await this.#report.attempt(task.provider, entry, read);
    const error = pair?.source.partial;
    if (error !== undefined) {
      this.#report.record({ action: "fail", entry, error });
    }
    this.#isUnread ||= pair === undefined || error !== undefined;
    return pair;
  }

  async #readTarget(
    { target }: MirrorTask,
    place: DirectoryPath,
  ): Promise<Snapshot> {
    if (place.isNew) return new Snapshot();
    if (place.parent === undefined) {
      if (this.#options.dryRun !== true) await target.make("");
      else if (await target.probe("") === undefined) return new Snapshot();
    }
    return await target.read(place);
  }

  /** Reads a directory, and what listings do not tell. */
  async #inspect(
    task: MirrorTask,
    place: DirectoryPath,
  ): Promise<SnapshotPair | undefined> {
    this.#pool.addWorkers();
    const pair = await this.#open(task, place);
    if (pair === undefined) return undefined;
    const { provider } = task;
    return await this.#report.attempt(
      provider,
      directoryOf(place),
      async () => {
        const isFirst = place.parent === undefined;
        if (isFirst && this.#options.delete) checkSource(task, pair);
        await this.#countEntries(pair);
        await task.refine(pair);
        return pair;
      },
    );
  }

  /** Brings one entry that takes part. */
  async #bringWanted(
    task: MirrorTask,
    pair: SnapshotPair,
    item: MirrorItem,
  ): Promise<DirectoryPath | undefined> {
    const entry = entryOf(pair.place, item);
    if (!this.#report.includes(entry)) return undefined;
    return await this.#report.attempt(
      task.provider,
      entry,
      () => this.#bring(task, pair, item, entry),
    );
  }

  /** Remembers a directory from which something is to be removed. */
  async #close(pair: SnapshotPair): Promise<void> {
    const { place } = pair;
    const breather = new Breather();
    for (const item of await this.#extraneousOf(pair)) {
      if (this.#isWanted(place, item)) return this.#remember(place);
      if (breather.isDue) await breather.pause(this.#options.signal);
    }
  }

  /** Brings one entry; gives the place of a directory. */
  async #bring(
    task: MirrorTask,
    pair: SnapshotPair,
    item: MirrorItem,
    entry: MirrorEntry,
  ): Promise<DirectoryPath | undefined> {
    const { target } = task;
    if (item.problem !== undefined) throw item.problem;
    const reason = reasonToSkip(item, pair.place);
    if (reason !== undefined) {
      this.#report.record({ action: "skip", entry, reason });
      return undefined;
    }
    target.check(item.name);
    const there = await findCounterpart(target, pair, item, entry.path);
    if (there === undefined || there.kind === item.kind) {
      return await this.#put(task, pair, item, there);
    }
    const path = target.at(entry.path);
    checkClash(there, item.kind, path, this.#options.delete === true);
    this.#remember(pair.place);
    return undefined;
  }

  /** Transfers a file, or makes a directory. */
  async #put(
    task: MirrorTask,
    pair: SnapshotPair,
    item: MirrorItem,
    there: MirrorItem | undefined,
  ): Promise<DirectoryPath | undefined> {
    const next = item.kind === "directory"
      ? await this.#enter(task, pair.place, item, there === undefined)
      : await this.#send(task, pair, item, there);
    pair.target.set(item); // from now on another name may mean this one
    return next;
  }

  async #enter(
    task: MirrorTask,
    place: DirectoryPath,
    item: MirrorItem,
    isNew: boolean,
  ): Promise<DirectoryPath> {
    const entry = entryOf(place, item);
    const { path, depth } = entry;
    if (depth > this.#maxDepth) {
      throw new RangeError(
        `Cannot mirror ${
          quote(path)
        }: it is more than ${this.#maxDepth} levels deep; set "maxDepth" to go on`,
      );
    }
    if (isNew) {
      if (this.#options.dryRun !== true) await task.target.make(path);
      this.#report.record({ action: "make", entry });
    }
    return { path, depth, parent: place, identity: item.identity, isNew };
  }

  async #send(
    task: MirrorTask,
    { place, target }: SnapshotPair,
    item: MirrorItem,
    there: MirrorItem | undefined,
  ): Promise<undefined> {
    const entry = entryOf(place, item);
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

  #remember(place: DirectoryPath): void {
    this.#remembered?.add(place);
    if ((this.#remembered?.size ?? 0) > MAX_REMEMBERED) {
      this.#remembered = undefined;
    }
  }

  async #extraneousOf({ source, target }: SnapshotPair): Promise<MirrorItem[]> {
    if (this.#options.delete !== true) return [];
    return await filterAll(
      target.items.values(),
      (item) => isExtraneous(item, source, target),
      this.#options.signal,
    );
  }

  #isWanted(place: DirectoryPath, item: MirrorItem): boolean {
    return this.#report.includes(entryOf(place, item));
  }

  /** Counts what the target has, if a share of that may be removed. */
  async #countEntries({ place, target }: SnapshotPair): Promise<void> {
    const isNeeded = this.#options.delete === true &&
      this.#limit.percent !== Infinity;
    if (!isNeeded) return;
    const wanted = await filterAll(
      target.items.values(),
      (item) => this.#isWanted(place, item),
      this.#options.signal,
    );
    this.#entries += wanted.length;
  }

  /** Fails, before anything is removed, if more is to go than may be. */
  async #checkLimit(root: DirectoryPath): Promise<void> {
    const { delete: mayRemove, maxDelete } = this.#options;
    const { entries, percent } = this.#limit;
    if (!mayRemove || (entries === Infinity && percent === Infinity)) return;
    let count = 0;
    await this.#visit(root, async (pair) => {
      const items = await this.#extraneousOf(pair);
      const places: DirectoryPath[] = [];
      for await (const { item, there } of this.#shared(pair)) {
        if (there.kind !== item.kind) items.push(there);
        else if (item.kind === "directory") {
          places.push(
            await this.#enter(this.#pool.first, pair.place, item, false),
          );
        }
      }
      const { provider, source, target } = this.#pool.first;
      const report = this.#report;
      const removal = { provider, source, target, report };
      const options = this.#options;
      const counts = await countRemovals(
        { ...removal, options },
        pair.place,
        items,
      );
      count += counts.removed;
      this.#entries += counts.below;
      return places;
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
        quote(this.#pool.first.target.at(""))
      }: "maxDelete" is ${maxDelete}; nothing was removed`,
    );
    this.#report.record({ action: "fail", entry: directoryOf(root), error });
  }

  /**
   * Removes what is to go, from where it was seen, or from everywhere: with the
   * client's own connection, one directory after the other.
   */
  async #removeExtraneous(root: DirectoryPath): Promise<void> {
    await this.#visit(root, (pair) => this.#tidy(pair));
  }

  /** Reads once more, one by one, the directories from which something is to go. */
  async #visit(
    root: DirectoryPath,
    visit: (pair: SnapshotPair) => Promise<DirectoryPath[]>,
  ): Promise<void> {
    const isEverywhere = this.#remembered === undefined;
    const places = [...this.#remembered ?? [root]].reverse();
    for (let place; (place = places.pop()) !== undefined;) {
      const pair = await this.#open(this.#pool.first, place);
      const inner = pair === undefined ? [] : await visit(pair);
      if (!isEverywhere) continue;
      for (const place of inner.reverse()) places.push(place);
    }
  }

  /** What takes part and has a counterpart in the target. */
  async *#shared(
    { place, source, target }: SnapshotPair,
  ): AsyncGenerator<{ item: MirrorItem; there: MirrorItem }> {
    const breather = new Breather();
    for (const item of source.items.values()) {
      if (breather.isDue) await breather.pause(this.#options.signal);
      const there = target.items.get(item.name);
      const isIdle = there === undefined || item.problem !== undefined ||
        reasonToSkip(item, place) !== undefined || !this.#isWanted(place, item);
      if (!isIdle) yield { item, there };
    }
  }

  /**
   * Removes what is to go from a directory, after another look at it; gives
   * the directories in it.
   */
  async #tidy(pair: SnapshotPair): Promise<DirectoryPath[]> {
    const task = this.#pool.first;
    const { place, source } = pair;
    const places: DirectoryPath[] = [];
    // one listing that failed casts doubt on all
    if (this.#isUnread) return places;
    const lost = this.#options.dryRun === true ? undefined : await findLost(
      pair,
      (item) => this.#isWanted(place, item),
      this.#options.signal,
    );
    if (lost !== undefined) {
      const entry = entryOf(place, lost);
      const path = quote(task.target.at(entry.path));
      const error = new Deno.errors.NotFound(
        `Cannot remove anything beside ${path}: it is not listed there, though the source has it`,
      );
      this.#report.record({ action: "fail", entry, error });
      return places;
    }
    const removed = await this.#report.attempt(
      task.provider,
      directoryOf(place),
      async () =>
        await this.#remove(place, await this.#extraneousOf(pair), {
          twins: source,
        }),
    );
    this.#isUnread ||= removed === undefined;
    if (removed === undefined) return places;
    for await (const { item, there } of this.#shared(pair)) {
      if (there.kind !== item.kind) {
        await this.#replace(pair, item, there);
      } else if (item.kind === "directory") {
        places.push(await this.#enter(task, place, item, false));
      }
    }
    return places;
  }

  /** Puts an entry where one of another kind is. */
  async #replace(
    pair: SnapshotPair,
    item: MirrorItem,
    there: MirrorItem,
  ): Promise<void> {
    const { place } = pair;
    const task = this.#pool.first;
    const entry = entryOf(place, item);
    const path = task.target.at(entry.path);
    const next = await this.#report.attempt(task.provider, entry, async () => {
      checkClash(there, item.kind, path, true);
      await confirmKind(task.source, item, entry.path, this.#options);
      if (await this.#remove(place, [there], KIND)) {
        return await this.#put(task, pair, item, undefined);
      }
      throw new Deno.errors.AlreadyExists(
        `Cannot replace the ${there.kind} ${
          quote(path)
        } by a ${item.kind}: not all that is in it could or may be removed`,
      );
    });
    if (next !== undefined) await this.#bringTree(next);
  }

  async #remove(
    place: DirectoryPath,
    items: MirrorItem[],
    why: Partial<Removal>,
  ): Promise<boolean> {
    const { provider, source, target } = this.#pool.first;
    const options = this.#options;
    const report = this.#report;
    const removal = { provider, source, target, report, options, ...why };
    return await removeItems(removal, place, items);
  }
}
