/**
 * Making one directory what another one is.
 *
 * @module
 */

import { unwrapped } from "../files/faults.ts";
import { isExtra, removeItems } from "./extras.ts";
import {
  directoryOf,
  entryOf,
  Folder,
  type Item,
  type Place,
  quote,
} from "./folder.ts";
import type { MirrorEntry, MirrorOptions, MirrorResult } from "./options.ts";
import {
  checkClash,
  checkSource,
  findCounterpart,
  findLost,
  reasonToSkip,
} from "./rules.ts";
import { Tally } from "./tally.ts";
import type { MirrorTask, Pair } from "./task.ts";

/** Deepest tree that is mirrored without being told how deep to go. */
const MAX_DEPTH = 256;

/** Directories to come back to; if there are more, all are gone through. */
const MAX_REMEMBERED = 1000;

/** Deals with a directory; gives those in it that are next. */
type Visit = (pair: Pair) => Promise<Place[]>;

/**
 * One run. It keeps the entries of one directory at a time, and the directories
 * that wait beside those above it.
 */
export class Mirror {
  readonly #task: MirrorTask;
  readonly #options: MirrorOptions;
  readonly #tally: Tally;
  readonly #maxDepth: number;
  /** Where something is to be removed; `undefined` if that is too much. */
  #remembered: Place[] | undefined = [];
  #isUnread = false;

  /**
   * Makes a run.
   *
   * @param task What it is about
   * @param options The caller's
   * @throws {RangeError} If `maxDepth` is not 1 or more
   */
  constructor(task: MirrorTask, options: MirrorOptions) {
    const { maxDepth = MAX_DEPTH } = options;
    if (!(maxDepth >= 1)) {
      throw new RangeError(
        `Cannot mirror ${maxDepth} levels: "maxDepth" must be 1 or more`,
      );
    }
    this.#task = task;
    this.#options = options;
    this.#maxDepth = maxDepth;
    this.#tally = new Tally(task.link, task.title, options);
  }

  /**
   * Mirrors.
   *
   * @returns What was done
   * @throws {FTPMirrorError} If something failed
   */
  async run(): Promise<MirrorResult> {
    const { result } = this.#tally;
    const root: Place = {
      path: "",
      depth: 0,
      parent: undefined,
      identity: {},
      isNew: false,
    };
    await unwrapped(async () => {
      await this.#walk(root, (pair) => this.#bringAll(pair));
      // last, and only if all is there: what is to go may be the only copy
      if (result.failed === 0) await this.#tidyUp(root);
    });
    if (result.failed > 0) throw this.#tally.error();
    return { ...result };
  }

  /** Goes through a tree, a directory before those in it. */
  async #walk(root: Place, visit: Visit): Promise<void> {
    const places = [root];
    for (let place; (place = places.pop()) !== undefined;) {
      const pair = await this.#open(place);
      const inner = pair === undefined ? [] : await visit(pair);
      for (let next; (next = inner.pop()) !== undefined;) places.push(next);
    }
  }

  /** Reads a directory on both sides. */
  async #open(place: Place): Promise<Pair | undefined> {
    const read = async (): Promise<Pair> => {
      const source = await this.#task.source.read(place);
      place.identity = source.identity;
      return { place, source, target: await this.#readTarget(place) };
    };
    // without the first there is nothing to tell of
    if (place.parent === undefined) return await read();
    const pair = await this.#tally.attempt(directoryOf(place), read);
    this.#isUnread ||= pair === undefined;
    return pair;
  }

  async #readTarget(place: Place): Promise<Folder> {
    const { target } = this.#task;
    if (place.isNew) return new Folder();
    if (place.parent === undefined) {
      if (this.#options.dryRun !== true) await target.make("");
      else if (await target.probe("") === undefined) return new Folder();
    }
    return await target.read(place);
  }

  /** Transfers what a directory lacks. */
  async #bringAll(pair: Pair): Promise<Place[]> {
    const { place, source } = pair;
    const isKnown = await this.#tally.attempt(directoryOf(place), async () => {
      const isFirst = place.parent === undefined;
      if (isFirst && this.#options.delete) checkSource(this.#task, pair);
      await this.#task.sharpen(pair);
      return true;
    });
    if (isKnown === undefined) return [];
    const places: Place[] = [];
    for (const item of source.items.values()) {
      const entry = entryOf(place, item);
      if (!this.#tally.wants(entry)) continue;
      const next = await this.#tally.attempt(
        entry,
        () => this.#bring(pair, item, entry),
      );
      if (next !== undefined) places.push(next);
    }
    if (this.#extrasOf(pair).some((item) => this.#isWanted(place, item))) {
      this.#remember(place);
    }
    return places;
  }

  /** Brings one entry; gives the place of a directory. */
  async #bring(
    pair: Pair,
    item: Item,
    entry: MirrorEntry,
  ): Promise<Place | undefined> {
    const { target } = this.#task;
    if (item.problem !== undefined) throw item.problem;
    const reason = reasonToSkip(item, pair.place);
    if (reason !== undefined) {
      this.#tally.note({ action: "skip", entry, reason });
      return undefined;
    }
    target.check(item.name);
    const there = await findCounterpart(target, pair, item, entry.path);
    if (there === undefined || there.kind === item.kind) {
      return await this.#put(pair, item, there);
    }
    const path = target.at(entry.path);
    checkClash(there, item.kind, path, this.#options.delete === true);
    this.#remember(pair.place);
    return undefined;
  }

  /** Transfers a file, or makes a directory. */
  async #put(
    { place, target }: Pair,
    item: Item,
    there: Item | undefined,
  ): Promise<Place | undefined> {
    const next = item.kind === "directory"
      ? await this.#enter(place, item, there === undefined)
      : await this.#send(place, item, there);
    target.set(item); // from now on another name may mean this one
    return next;
  }

  async #enter(place: Place, item: Item, isNew: boolean): Promise<Place> {
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
      if (this.#options.dryRun !== true) await this.#task.target.make(path);
      this.#tally.note({ action: "make", entry });
    }
    return { path, depth, parent: place, identity: item.identity, isNew };
  }

  async #send(
    place: Place,
    item: Item,
    there: Item | undefined,
  ): Promise<undefined> {
    const entry = entryOf(place, item);
    const { path, size } = entry;
    const reason = there === undefined
      ? "new"
      : await this.#task.compare(path, item, there);
    if (reason === undefined) {
      this.#tally.note({ action: "unchanged", entry });
      return;
    }
    const bytes = this.#options.dryRun === true
      ? Number(size ?? 0)
      : await this.#task.transfer(path, item, this.#tally);
    this.#tally.result.bytes += bytes;
    this.#tally.note({ action: "transfer", entry, reason });
  }

  #remember(place: Place): void {
    if (this.#remembered?.at(-1) === place) return;
    this.#remembered?.push(place);
    if ((this.#remembered?.length ?? 0) > MAX_REMEMBERED) {
      this.#remembered = undefined;
    }
  }

  #extrasOf({ source, target }: Pair): Item[] {
    if (this.#options.delete !== true) return [];
    return [...target.items.values()]
      .filter((item) => isExtra(item, source, target));
  }

  #isWanted(place: Place, item: Item): boolean {
    return this.#tally.wants(entryOf(place, item));
  }

  /** Removes what is to go, from where it was seen, or from everywhere. */
  async #tidyUp(root: Place): Promise<void> {
    const places = this.#remembered;
    if (places === undefined) {
      return await this.#walk(root, (pair) => this.#tidy(pair));
    }
    for (const place of places) {
      const pair = await this.#open(place);
      if (pair !== undefined) await this.#tidy(pair);
    }
  }

  /** Removes what is to go from a directory, after another look at it. */
  async #tidy(pair: Pair): Promise<Place[]> {
    const { place, source, target } = pair;
    const places: Place[] = [];
    // one listing that failed casts doubt on all
    if (this.#isUnread) return places;
    const lost = this.#options.dryRun === true
      ? undefined
      : findLost(pair, (item) => this.#isWanted(place, item));
    if (lost !== undefined) {
      const entry = entryOf(place, lost);
      const path = quote(this.#task.target.at(entry.path));
      const error = new Deno.errors.NotFound(
        `Cannot remove anything beside ${path}: it is not listed there, though the source has it`,
      );
      this.#tally.note({ action: "fail", entry, error });
      return places;
    }
    await this.#remove(place, this.#extrasOf(pair), "missing");
    for (const item of source.items.values()) {
      const there = target.items.get(item.name);
      const isIdle = there === undefined || item.problem !== undefined ||
        reasonToSkip(item, place) !== undefined || !this.#isWanted(place, item);
      if (isIdle) continue;
      if (there.kind !== item.kind) {
        await this.#replace(pair, item, there);
      } else if (item.kind === "directory") {
        places.push(await this.#enter(place, item, false));
      }
    }
    return places;
  }

  /** Puts an entry where one of another kind is. */
  async #replace(pair: Pair, item: Item, there: Item): Promise<void> {
    const { place } = pair;
    const entry = entryOf(place, item);
    const path = this.#task.target.at(entry.path);
    const next = await this.#tally.attempt(entry, async () => {
      checkClash(there, item.kind, path, true);
      if (await this.#remove(place, [there], "kind")) {
        return await this.#put(pair, item, undefined);
      }
      throw new Deno.errors.AlreadyExists(
        `Cannot replace the ${there.kind} ${
          quote(path)
        } by a ${item.kind}: not all that is in it could or may be removed`,
      );
    });
    if (next === undefined) return;
    await this.#walk(next, (pair) => this.#bringAll(pair));
  }

  async #remove(
    place: Place,
    items: Item[],
    reason: "missing" | "kind",
  ): Promise<boolean> {
    const { target } = this.#task;
    const options = this.#options;
    const removal = { target, tally: this.#tally, options, reason };
    return await removeItems(removal, place, items);
  }
}
