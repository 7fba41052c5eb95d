/**
 * The local directory of a mirror.
 *
 * @module
 */

import { quote, quoteEscaped } from "../protocol/printable.ts";
import { PauseTimer } from "../connection/pauses.ts";
import { withMessage } from "../protocol/with_message.ts";
import type { EntryKind } from "../listing/entry.ts";
import { type PlainPath, replacedError } from "../files/plain_file.ts";
import { lstatOrNothing } from "../files/download/local_target.ts";
import { joinPath } from "../commands/path.ts";
import {
  type DirectoryPath,
  type Identity,
  type MirrorItem,
  type Side,
  Snapshot,
} from "./snapshot.ts";
import type { MirrorEntry } from "./options.ts";
import { Staging } from "./staging.ts";

/** File names that Windows does not allow: characters, endings and devices. */
const WINDOWS_REGEXP =
  // deno-lint-ignore no-control-regex
  /[<>:"|?*\u0000-\u001F]|[. ]$|^(con|prn|aux|nul|com[0-9\u00B9\u00B2\u00B3]|lpt[0-9\u00B9\u00B2\u00B3])\s*(\.|$)/i;

/** The local directory of a mirror, and its entries. */
export class LocalSide implements Side {
  readonly #root: string;
  readonly #follows: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #staging: Staging;

  /** Creates a side with a local root directory. */
  constructor(
    root: string,
    follows: boolean,
    signal?: AbortSignal,
    staging: Staging = new Staging(),
  ) {
    this.#root = root;
    this.#signal = signal;
    this.#follows = follows;
    this.#staging = staging;
  }

  at(path: string): string {
    if (path === "") return this.#root;
    const now = this.#staging.at(path);
    return this.#root.endsWith("/") ? this.#root + now : `${this.#root}/${now}`;
  }

  // each lookup is synchronous, because the system's cache answers at once
  async read(directory: DirectoryPath): Promise<Snapshot> {
    try {
      return await this.#read(directory);
    } catch (error) {
      if (this.#signal?.aborted) throw error;
      const path = this.at(directory.path);
      throw withMessage(
        error,
        (message) =>
          message.startsWith("Cannot ")
            ? message
            : `Cannot read the directory ${quote(path)}: ${message}`,
      );
    }
  }

  async #read(directory: DirectoryPath): Promise<Snapshot> {
    this.#checkFolders(directory.path);
    const path = this.at(directory.path);
    const canonical = this.#follows ? Deno.realPathSync(path) : undefined;
    const folder = new Snapshot({ canonical });
    const pauses = new PauseTimer();
    for await (const { name } of Deno.readDir(path)) {
      const item = this.#look(`${path}/${name}`, name);
      if (item !== undefined) folder.add(item);
      if (!pauses.isDue) continue;
      await pauses.pause(this.#signal);
      this.#checkFolders(directory.path);
    }
    this.#checkFolders(directory.path); // checks that the directory that was read is still the same
    return folder;
  }

  isVacant(): boolean {
    try {
      for (const _ of Deno.readDirSync(this.#root)) return false;
      return true;
    } catch (error) {
      return error instanceof Deno.errors.NotFound;
    }
  }

  probe(path: string): Promise<MirrorItem | undefined> {
    const name = path.slice(path.lastIndexOf("/") + 1);
    return Promise.try(() => this.#look(this.at(path), name));
  }

  /** Only the file system knows which names it folds. */
  mayHide(): boolean {
    return true;
  }

  /** Reads the directory: a file system may find other spellings, too. */
  async hasName(path: string): Promise<boolean> {
    const pauses = new PauseTimer();
    const name = path.slice(path.lastIndexOf("/") + 1);
    for await (const entry of Deno.readDir(this.at(parentOf(path)))) {
      if (entry.name === name) return true;
      if (pauses.isDue) await pauses.pause(this.#signal);
    }
    return false;
  }

  ask(
    directory: DirectoryPath,
    items: readonly MirrorItem[],
  ): Promise<(boolean | Error)[]> {
    return Promise.resolve(
      items.map(({ name }) => this.#has(joinPath(directory.path, name))),
    );
  }

  #has(path: string): boolean | Error {
    // Deno would look up another name
    if (!path.isWellFormed()) {
      return new TypeError(
        `Cannot look for ${quote(path)} here: its name is not valid text`,
      );
    }
    try {
      return statOrNothing(this.at(path), Deno.lstatSync) !== undefined;
    } catch (error) {
      return error as Error;
    }
  }

  check(name: string): void {
    checkLocalName(name, Deno.build.os);
  }

  ruleOf(): undefined {}

  async make(path: string): Promise<boolean> {
    if (path === "") {
      await Deno.mkdir(this.#root, { recursive: true });
      return false; // it is read, which costs little
    }
    this.#checkFolders(parentOf(path));
    Deno.mkdirSync(this.at(path));
    return true;
  }

  /**
   * Returns a check of a file's path. It runs just before the file is opened,
   * written or renamed.
   */
  plain(path: string): PlainPath {
    return {
      follows: this.#follows,
      check: () => {
        this.#checkFolders(parentOf(path));
        if (this.#follows) return;
        const whole = this.at(path);
        if (lstatOrNothing(whole)?.isFile === false) throw replacedError(whole);
      },
    };
  }

  /** Rejects directories that are reached through a link, below the root. */
  #checkFolders(path: string): void {
    if (this.#follows || path === "") return;
    for (let end = 0; end >= 0;) {
      end = path.indexOf("/", end + 1);
      const folder = this.at(end < 0 ? path : path.slice(0, end));
      if (!Deno.lstatSync(folder).isDirectory) throw replacedError(folder);
    }
  }

  async remove(
    entries: readonly MirrorEntry[],
    recursive: boolean,
  ): Promise<unknown[]> {
    const errors: unknown[] = [];
    for (const { path, kind } of entries) {
      try {
        this.#checkFolders(parentOf(path));
        const whole = this.at(path);
        // an entry that was replaced meanwhile stays
        if (kindOf(Deno.lstatSync(whole)) !== kind) throw replacedError(whole);
        if (kind === "directory") await Deno.remove(whole, { recursive });
        else Deno.removeSync(whole);
        errors.push(undefined);
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }

  rename(from: string, to: string): Promise<void> {
    return Promise.try(() => {
      this.#checkFolders(parentOf(from));
      const target = this.at(to);
      // the system would replace a file or an empty directory
      if (lstatOrNothing(target) !== undefined) throw replacedError(target);
      Deno.renameSync(this.at(from), target);
    });
  }

  #look(path: string, name: string): MirrorItem | undefined {
    const info = statOrNothing(path, Deno.lstatSync);
    if (info === undefined) {
      // an undecodable name, or a file that is gone
      return name.includes("\uFFFD") ? unreadableItem(name) : undefined;
    }
    if (!info.isSymlink || !this.#follows) return itemOf(name, info, {});
    const target = statOrNothing(path, Deno.statSync);
    if (target === undefined) {
      return itemOf(name, info, {}, danglingError(path));
    }
    const canonical = target.isDirectory ? Deno.realPathSync(path) : undefined;
    return itemOf(name, target, { canonical });
  }
}

/**
 * Rejects names that a local file cannot have. Path separators are already
 * excluded.
 *
 * @throws {Deno.errors.InvalidData} If no file can have the name
 */
export function checkLocalName(name: string, os: typeof Deno.build.os): void {
  // Deno's paths are text: undecodable bytes would name another file
  const isText = name.isWellFormed();
  if (isText && (os !== "windows" || !WINDOWS_REGEXP.test(name))) return;
  throw new Deno.errors.InvalidData(
    `Cannot use the name ${quoteEscaped(name)} here: ${
      isText ? "Windows does not allow such names" : "it is not valid text"
    }`,
  );
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0));
}

function statOrNothing(
  path: string,
  stat: (path: string) => Deno.FileInfo,
): Deno.FileInfo | undefined {
  try {
    return stat(path);
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (!isMissing) throw error;
    return undefined;
  }
}

function itemOf(
  name: string,
  info: Deno.FileInfo,
  identity: Identity,
  problem?: Error,
): MirrorItem {
  return {
    name,
    kind: kindOf(info),
    size: info.size,
    mtime: info.mtime?.getTime(),
    // Deno cuts it to the second
    ctime: info.ctime ? info.ctime.getTime() + 999 : undefined,
    precision: 1,
    identity,
    problem,
  };
}

function kindOf({ isFile, isDirectory, isSymlink }: Deno.FileInfo): EntryKind {
  if (isFile) return "file";
  if (isDirectory) return "directory";
  return isSymlink ? "symlink" : "other";
}

function unreadableItem(name: string): MirrorItem {
  return {
    name,
    kind: "unknown",
    size: undefined,
    mtime: undefined,
    precision: 1,
    identity: {},
    problem: new Deno.errors.InvalidData(
      `Cannot open ${quoteEscaped(name)}: its name is not valid text`,
    ),
  };
}

function danglingError(path: string): Error {
  return new Deno.errors.NotFound(
    `Cannot follow the symbolic link ${quote(path)}: its target does not exist`,
  );
}
