/**
 * Replaces entries of the target by entries of another kind, such as a file by
 * a directory.
 *
 * @module
 */

import { isRefusal } from "../protocol/errors.ts";
import { quote } from "../protocol/printable.ts";
import { withAdvice } from "../protocol/with_advice.ts";
import { asError } from "../protocol/with_message.ts";
import type { MirrorTask, SnapshotPair } from "./direction.ts";
import type { MirrorEntry, MirrorOptions } from "./options.ts";
import { countRemovals, removeItems } from "./removals.ts";
import type { MirrorReport } from "./report.ts";
import { checkClash, confirmKind } from "./safety.ts";
import {
  type DirectoryPath,
  entryOf,
  type MirrorItem,
  type Side,
} from "./snapshot.ts";

/** Reason of a removal that makes room for an entry of another kind. */
const KIND = { reason: "kind", isProven: true } as const;

/** The parts of a mirror that a replacement uses. */
export interface ReplacementContext {
  /** The task with the client's own connection. */
  readonly task: MirrorTask;
  /** The report that counts the actions. */
  readonly report: MirrorReport;
  /** Options of the caller. */
  readonly options: MirrorOptions;
  /** Transfers an entry that the target lacks. Returns it if it is a directory. */
  readonly put: (
    pair: SnapshotPair,
    item: MirrorItem,
  ) => Promise<DirectoryPath | undefined>;
  /** Transfers the entries of a directory. */
  readonly transferTree: (directory: DirectoryPath) => Promise<void>;
}

/** Replaces entries of the target by entries of another kind. */
export class KindReplacement {
  readonly #task: MirrorTask;
  readonly #report: MirrorReport;
  readonly #options: MirrorOptions;
  readonly #put: ReplacementContext["put"];
  readonly #transferTree: ReplacementContext["transferTree"];

  /** Creates a replacement for one mirror. */
  constructor(
    { task, report, options, put, transferTree }: ReplacementContext,
  ) {
    this.#task = task;
    this.#report = report;
    this.#options = options;
    this.#put = put;
    this.#transferTree = transferTree;
  }

  /** Replaces an entry by one of another kind. */
  async replace(
    pair: SnapshotPair,
    item: MirrorItem,
    there: MirrorItem,
  ): Promise<void> {
    const { atomic, dryRun } = this.#options;
    const { provider, source, target } = this.#task;
    const isStaged = dryRun !== true && atomic !== false;
    const entry = entryOf(pair.directory, item);
    const isAllowed = await this.#report.attempt(provider, entry, async () => {
      checkClash(there, item.kind, target.at(entry.path), true);
      await confirmKind(source, item, entry.path, this.#options);
      if (isStaged) await this.#checkRemoval(pair.directory, item, there);
      return true;
    });
    if (isAllowed === undefined) return;
    if (isStaged) await this.#replaceLast(pair, item, there);
    else await this.#replaceInPlace(pair, item, there);
  }

  /**
   * Removes an entry, and then transfers the one of another kind: for servers
   * that cannot rename.
   */
  async #replaceInPlace(
    pair: SnapshotPair,
    item: MirrorItem,
    there: MirrorItem,
  ): Promise<void> {
    const { directory } = pair;
    const { provider, source, target } = this.#task;
    const [report, options] = [this.#report, this.#options];
    const removal = { provider, source, target, report, options, ...KIND };
    const entry = entryOf(directory, item);
    const next = await report.attempt(provider, entry, async () => {
      if (await removeItems(removal, directory, [there])) {
        return await this.#put(pair, item);
      }
      throw this.#mustStay(there, item, entry);
    });
    if (next !== undefined) await this.#transferTree(next);
  }

  /**
   * Transfers an entry under a temporary name, and only then renames it and
   * removes the one of another kind.
   */
  async #replaceLast(
    pair: SnapshotPair,
    item: MirrorItem,
    there: MirrorItem,
  ): Promise<void> {
    const task = this.#task;
    const { provider, target } = task;
    const report = this.#report;
    const entry = entryOf(pair.directory, item);
    const { failed } = report.result;
    const temporary = task.temporaryPath(entry.path);
    let isPlaced = false;
    try {
      using _ = task.stage(entry.path, temporary);
      const next = await report.attempt(provider, entry, async () => {
        return await this.#put(pair, item);
      });
      if (next !== undefined) await this.#transferTree(next);
      isPlaced = report.result.failed === failed;
    } finally {
      if (!isPlaced) await this.#discard(target, { ...entry, path: temporary });
    }
    if (!isPlaced) return;
    const old = entryOf(pair.directory, there);
    const aside = { ...old, path: task.temporaryPath(entry.path) };
    await report.attempt(provider, entry, async () => {
      try {
        await replaceEntry(target, {
          temporary,
          path: entry.path,
          aside: aside.path,
        });
      } catch (error) {
        await this.#discard(target, { ...entry, path: temporary });
        if (isRefusal(error)) {
          error.message = withAdvice(
            error.message,
            "if the server renames no directories, use { atomic: false }",
          );
        }
        throw error;
      }
      const [error] = await target.remove([aside], true);
      if (error !== undefined) throw error;
      report.record({ action: "remove", entry: old, reason: "kind" });
    });
  }

  /** Checks that an entry and all that is in it may be removed. */
  async #checkRemoval(
    directory: DirectoryPath,
    item: MirrorItem,
    there: MirrorItem,
  ): Promise<void> {
    if (this.#options.filter === undefined) return;
    const { provider, source, target } = this.#task;
    const [report, options] = [this.#report, this.#options];
    const { failed } = report.result;
    const removal = { provider, source, target, report, options };
    const counts = await countRemovals(removal, directory, [there]);
    const isWhole = counts.removed === 1 + counts.below &&
      report.result.failed === failed;
    if (!isWhole) throw this.#mustStay(there, item, entryOf(directory, item));
  }

  #mustStay(
    there: MirrorItem,
    item: MirrorItem,
    { path }: MirrorEntry,
  ): Error {
    return new Deno.errors.AlreadyExists(
      `Cannot replace the ${there.kind} ${
        quote(this.#task.target.at(path))
      } by a ${item.kind}: not all of its entries could or may be removed`,
    );
  }

  /** Removes a temporary entry, if that is possible. */
  async #discard(target: Side, entry: MirrorEntry): Promise<void> {
    try {
      await target.remove([entry], true);
    } catch {
      // it is extraneous in the next run
    }
  }
}

/** Paths of an entry that is replaced. */
interface ReplacementPaths {
  /** Where the new entry is. */
  readonly temporary: string;
  /** Where the old one is, and the new one belongs. */
  readonly path: string;
  /** Where the old one is kept meanwhile. */
  readonly aside: string;
}

/** Puts a new entry in the place of an old one, which is kept. */
async function replaceEntry(
  target: Side,
  { temporary, path, aside }: ReplacementPaths,
): Promise<void> {
  await target.rename(path, aside);
  try {
    await target.rename(temporary, path);
  } catch (error) {
    try {
      await target.rename(aside, path);
    } catch {
      const failure = asError(error);
      failure.message = withAdvice(
        failure.message,
        `what was in the way of ${quote(target.at(path))} is ${
          quote(target.at(aside))
        } now`,
      );
    }
    throw error;
  }
}
