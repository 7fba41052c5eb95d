/**
 * The server's directory of a mirror.
 *
 * @module
 */

import { quote } from "../protocol/printable.ts";
import { PauseTimer, visitAll } from "../connection/pauses.ts";
import { dataSetKind } from "../directories/change_directory.ts";
import { ensureDir, remove } from "../directories/directories.ts";
import { kindsOf, noteLinks } from "../directories/entry_kinds.ts";
import { readDirectory, tooMany } from "../directories/listing.ts";
import { saysEmpty } from "../directories/listing_transfer.ts";
import { PartialListingError } from "../directories/partial_listing_error.ts";
import { isPresent } from "../directories/presence.ts";
import { existsPath, requestEntry } from "../directories/stat.ts";
import { canonicalPath } from "../directories/walk.ts";
import { runOperation } from "../files/operation.ts";
import type { SessionProvider } from "../files/session_provider.ts";
import { withRecovery } from "../files/recovery.ts";
import { type Entry, TIME_PRECISIONS } from "../listing/entry.ts";
import { requestFacts, SECOND } from "../commands/queries.ts";
import { rename } from "../commands/files.ts";
import { checkName, joinPath } from "../commands/path.ts";
import { FTPPermanentError, isRefusal, replyOf } from "../protocol/errors.ts";
import type { TimeCommand } from "../transfer/server_clock.ts";
import type { Session } from "../transfer/session.ts";
import {
  type DirectoryPath,
  type Identity,
  type MirrorItem,
  type NameRule,
  type Side,
  Snapshot,
} from "./snapshot.ts";
import type { MirrorEntry, MirrorOptions } from "./options.ts";
import { UNKNOWN_IDENTITY } from "./item_table.ts";
import { RemotePaths, type SharedPaths } from "./remote_paths.ts";
import { RemoteTimes } from "./remote_times.ts";

/**
 * Largest number of entries in a directory: all are kept while it is processed.
 */
const MAX_ENTRIES = 1_000_000;

/** Command that shows an entry's time, by the format of its listing. */
const TIME_COMMANDS: Readonly<Record<string, TimeCommand>> = {
  mlsd: "MLSD",
  commands: "MDTM",
};

/** Files that are requested at once. */
const WINDOW = 64;

/** What the sides of all connections of a mirror share. */
export interface RemoteSideContext extends SharedPaths {
  /** Whether the server is the target. */
  readonly isTarget: boolean;
}

/** The server's directory of a mirror, and its entries. */
export class RemoteSide implements Side {
  readonly #provider: SessionProvider;
  readonly #options: MirrorOptions;
  readonly #follows: boolean;
  readonly #checksLinks: boolean;
  readonly #isTarget: boolean;
  readonly #paths: RemotePaths;
  /** The server's times. */
  readonly times: RemoteTimes;

  /** Creates a side with a root directory; "" for the current one. */
  constructor(
    provider: SessionProvider,
    root: string,
    options: MirrorOptions,
    { isTarget, ...shared }: RemoteSideContext,
  ) {
    this.#provider = provider;
    this.#paths = new RemotePaths(root, shared);
    this.#options = options;
    this.#follows = options.symlinks === "follow" && !isTarget;
    this.#checksLinks = options.delete === true && isTarget;
    this.#isTarget = isTarget;
    this.times = new RemoteTimes(
      provider,
      root,
      options,
      (run) => this.#run(run),
    );
  }

  at(path: string): string {
    return this.#paths.at(path);
  }

  /**
   * Treats a refusal to list qualifiers of z/OS without data sets as an empty
   * listing.
   */
  #emptyPrefix({ path }: DirectoryPath, error: unknown): Entry[] {
    const isPrefix = this.#isTarget && path === "" && this.#paths.isPrefix;
    const reply = isPrefix && isRefusal(error) ? replyOf(error) : undefined;
    if (reply !== undefined && saysEmpty(reply)) return [];
    throw error;
  }

  ruleOf(directory: DirectoryPath): NameRule | undefined {
    return this.#paths.ruleOf(directory);
  }

  isVacant(): boolean {
    return false;
  }

  read(
    directory: DirectoryPath,
    onEntries?: (count: number) => void,
  ): Promise<Snapshot> {
    return this.#run(async (session) => {
      const { list, signal } = this.#options;
      let { unique, canonical } = directory.identity;
      const path = this.at(directory.path);
      const options = { maxEntries: MAX_ENTRIES, ...list, all: true, signal };
      const onSelf = ({ facts: { type, unique: own } = {} }: Entry) => {
        if (type?.toLowerCase() === "cdir") unique = own ?? unique;
      };
      let partial: Error | undefined;
      let hasUnique = false;
      const isKept = this.#follows || this.#checksLinks;
      const folder = new Snapshot();
      let known: Entry | undefined;
      // few things are kept of each line of a long listing
      const take = (entry: Entry): boolean => {
        const identity = identityOf(entry);
        hasUnique ||= identity.unique !== undefined;
        if (isKept || entry.format === "os400") return true;
        if (entry.format !== "unknown") known ??= entry;
        folder.add(this.#itemOf(entry, identity, problemOf(entry)));
        const { maxEntries = MAX_ENTRIES } = options;
        if (folder.items.size <= maxEntries) return false;
        throw tooMany(session, path, maxEntries);
      };
      const entries = await readDirectory(session, path, options, {
        isWanted: take,
        onSelf,
        onEnd: () => onEntries?.(folder.items.size),
        onPartial: (error) => void (partial = error),
        // entries that this side lacks are removed from the other one
        isStrict: this.#options.delete === true && !this.#isTarget,
        isRaw: true,
      }).catch((error) => this.#emptyPrefix(directory, error));
      this.#paths.learn(directory.path, known ? [known] : entries);
      if (this.#isTarget && directory.path === "") {
        await this.#paths.learnTarget(session, this.#options);
      }
      const isEmpty = entries.length + folder.items.size === 0;
      // in the target, no entry may be taken for missing
      if (partial !== undefined && (this.#isTarget || isEmpty)) {
        throw partial;
      }
      if (unique === undefined && hasUnique && !session.profile.lacks("MLST")) {
        const { facts } = await requestEntry(session, path, options);
        unique = facts?.unique;
      }
      if (this.#follows) {
        canonical ??= await canonicalPath(session, path, { signal });
      }
      folder.identity = { unique, canonical };
      folder.hidesDots = session.profile.hasMLSD !== true &&
        session.profile.hasListAll !== true;
      folder.partial = partial;
      const pauses = new PauseTimer();
      for (const entry of entries) {
        folder.add(
          this.#follows
            ? await this.#look(session, directory, canonical, entry)
            : this.#itemOf(entry, identityOf(entry), problemOf(entry)),
        );
        if (pauses.isDue) await pauses.pause(signal);
      }
      if (this.#checksLinks) {
        await this.#exposeLinks(session, path, entries, folder);
      }
      return folder;
    });
  }

  probe(path: string): Promise<MirrorItem | undefined> {
    return this.#run(async (session) => {
      const { list, signal } = this.#options;
      const options = { ...list, signal };
      try {
        const entry = await requestEntry(session, this.at(path), options, {
          isRaw: true,
        });
        return this.#itemOf(entry, {});
      } catch (error) {
        if (error instanceof FTPPermanentError) return undefined;
        throw error;
      }
    });
  }

  /** The server may fold names, and may not list names with a leading dot. */
  mayHide(folder: Snapshot, name: string): boolean {
    return (folder.hidesDots && name.startsWith(".")) ||
      folder.caseVariantOf(name) !== undefined;
  }

  /** Unknown: the server may find other spellings, too. */
  hasName(): Promise<boolean> {
    return Promise.resolve(false);
  }

  ask(
    directory: DirectoryPath,
    items: readonly MirrorItem[],
  ): Promise<(boolean | Error)[]> {
    return this.#run(async (session) => {
      const { signal } = this.#options;
      const asked = items.map(async ({ name, kind }) => {
        const path = this.at(joinPath(directory.path, name));
        try {
          return await isPresent(session, { path, kind }, { signal });
        } catch (error) {
          const isAnswer = error instanceof TypeError || isRefusal(error);
          if (!isAnswer || session.control.failure !== undefined) throw error;
          return error;
        }
      });
      const answers = await Promise.allSettled(asked);
      const failed = answers.find(({ status }) => status === "rejected");
      if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
      return answers.map((answer) =>
        (answer as PromiseFulfilledResult<boolean | Error>).value
      );
    });
  }

  /** The server refuses invalid names itself. */
  check(): void {}

  make(path: string, onMissing?: () => void): Promise<boolean> {
    return this.#run(async (session) => {
      const { signal } = this.#options;
      const argument = this.at(path);
      const command = { verb: "MKD", argument, name: "path" };
      try {
        if (path !== "") {
          await session.shared(
            (turn) => turn.perform(command, { signal }),
            { signal },
          );
          return true;
        }
      } catch (error) {
        if (!(error instanceof FTPPermanentError)) throw error;
      }
      // the first qualifiers of data sets need not exist
      const isPrefix = /^'.*\.'$/.test(argument) && await session.exclusive(
            (turn) => dataSetKind(turn, argument, { signal }),
            { signal },
          ) === "prefix";
      if (!isPrefix) {
        return await ensureDir(session, argument, { signal, onMissing });
      }
      this.#paths.notePrefix();
      return false;
    });
  }

  async remove(
    entries: readonly MirrorEntry[],
    recursive: boolean,
  ): Promise<unknown[]> {
    const { signal } = this.#options;
    const errors: unknown[] = [];
    const rest = new Set(entries.keys());
    let isAgain = false;
    await this.#run(async (session) => {
      const removeOne = async (index: number): Promise<void> => {
        const { path: name, kind } = entries[index]!;
        const path = this.at(name);
        try {
          await remove(session, path, { recursive, signal }, { kind });
        } catch (error) {
          const isFinal = error instanceof FTPPermanentError ||
            error instanceof PartialListingError;
          if (!isFinal) throw error;
          // perhaps only the reply was lost
          if (!isAgain || await existsPath(session, path, { signal })) {
            errors[index] = error;
          }
        }
        rest.delete(index);
      };
      const results = await Promise.allSettled([...rest].map(removeOne));
      isAgain = true;
      const failed = results.find(({ status }) => status === "rejected");
      if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
    });
    return entries.map((_, index) => errors[index]);
  }

  rename(from: string, to: string): Promise<void> {
    const [before, after] = [this.at(from), this.at(to)];
    return this.#run(async (session) => {
      try {
        await session.exclusive((turn) => rename(turn, before, after, {}));
      } catch (error) {
        // some servers refuse a rename that they have executed, and the reply
        // may have been lost
        const isDone = isRefusal(error) &&
          !await existsPath(session, before, {}) &&
          await existsPath(session, after, {});
        if (!isDone) throw error;
      }
    }, { ...this.#options, signal: undefined });
  }

  /** Requests sizes and times that a listing does not show to the second. */
  refine(
    directory: DirectoryPath,
    items: readonly MirrorItem[],
  ): Promise<MirrorItem[]> {
    return this.#run(async (session) => {
      const { signal } = this.#options;
      const refined: MirrorItem[] = [];
      for (let at = 0; at < items.length; at += WINDOW) {
        const some = items.slice(at, at + WINDOW);
        const facts = await Promise.all(
          some.map(({ name }) =>
            requestFacts(session, this.at(joinPath(directory.path, name)), {
              signal,
            })
          ),
        );
        for (const [index, { size, shown }] of facts.entries()) {
          const item = { ...some[index]!, size: size ?? some[index]!.size };
          if (shown !== null) this.times.compareWithList(item, shown);
          refined.push(
            shown === null ? item : this.times.convert({
              ...item,
              shown: shown.getTime(),
              timeCommand: "MDTM",
              precision: SECOND,
            }),
          );
        }
      }
      return refined;
    });
  }

  #itemOf(entry: Entry, identity: Identity, problem?: Error): MirrorItem {
    const { name, kind, size, isSizeApproximate, mtime } = entry;
    return this.times.convert({
      name,
      kind,
      size: isSizeApproximate ? undefined : size,
      mtime: undefined,
      shown: mtime?.getTime(),
      timeCommand: TIME_COMMANDS[entry.format] ?? "LIST",
      precision: TIME_PRECISIONS[entry.mtimePrecision ?? "second"],
      identity,
      problem,
    });
  }

  /**
   * Learns the server's clock from a file that is written for it and deleted.
   */
  async prove(timeCommand: TimeCommand): Promise<void> {
    // z/OS has no name for that file
    if (this.#paths.hasDataSets) {
      this.#provider.session.profile.clock.noteTry(timeCommand);
    } else await this.times.prove(timeCommand);
  }

  async #look(
    session: Session,
    directory: DirectoryPath,
    canonical: string | undefined,
    entry: Entry,
  ): Promise<MirrorItem> {
    const { name } = entry;
    const unique = entry.facts?.unique;
    const problem = problemOf(entry);
    if (problem !== undefined) {
      return this.#itemOf(entry, { unique }, problem);
    }
    if (entry.isDirectory) {
      return this.#itemOf(entry, {
        unique,
        canonical: canonical === undefined
          ? undefined
          : joinPath(canonical, name),
      });
    }
    if (!entry.isSymlink) return this.#itemOf(entry, {});
    const { signal } = this.#options;
    const path = this.at(joinPath(directory.path, name));
    const target = await canonicalPath(session, path, { signal });
    const provider = this.#itemOf(entry, { unique, canonical: target });
    if (target !== undefined) return { ...provider, kind: "directory" };
    const facts = await requestFacts(session, path, { signal });
    const { size, shown, modified } = facts;
    return {
      ...provider,
      kind: "file",
      size: size ?? undefined,
      mtime: modified?.getTime(),
      shown: shown?.getTime(),
      timeCommand: "MDTM",
      precision: SECOND,
    };
  }

  /** Finds links that the server shows as files or directories. */
  async #exposeLinks(
    session: Session,
    path: string,
    entries: readonly Entry[],
    folder: Snapshot,
  ): Promise<void> {
    const { signal } = this.#options;
    noteLinks(session, entries);
    const kinds = await kindsOf(session, path, entries, { signal });
    let index = 0;
    await visitAll(entries, ({ name }) => {
      const kind = kinds[index++]!;
      const item = folder.items.get(name)!;
      if (item.kind !== kind) folder.set({ ...item, kind });
    }, signal);
  }

  /**
   * Runs a function on the current session, and again on a new one if that is
   * lost.
   */
  #run<T>(
    run: (session: Session) => Promise<T>,
    options: MirrorOptions = this.#options,
  ): Promise<T> {
    const provider = this.#provider;
    return runOperation(
      provider,
      options,
      (options) =>
        withRecovery(provider, options, () => 0, () => run(provider.session)),
    );
  }
}

/** Returns the identity of a directory, or of a link that may lead to one. */
function identityOf(entry: Entry): Identity {
  const unique = entry.isFile ? undefined : entry.facts?.unique;
  return unique === undefined ? UNKNOWN_IDENTITY : { unique };
}

/** Returns the reason not to touch an entry, if there is one. */
function problemOf(entry: Entry): Error | undefined {
  if (!entry.hostile) return undefined;
  if (entry.format === "unknown") {
    return new Deno.errors.InvalidData(
      `Cannot read the line ${quote(entry.line)} of a listing`,
    );
  }
  try {
    checkName(entry.name);
  } catch (error) {
    return error as Error;
  }
  return undefined;
}
