/**
 * A directory of a mirror, as it is on one side.
 *
 * @module
 */

import { visitAll } from "../connection/pauses.ts";
import { quote } from "../protocol/printable.ts";
import type { EntryKind } from "../listing/entry.ts";
import { isPart, joinPath } from "../commands/path.ts";
import type { TimeCommand } from "../transfer/server_clock.ts";
import { ItemTable, MAX_OBJECTS, UNKNOWN_IDENTITY } from "./item_table.ts";
import { NameTable } from "./name_table.ts";
import type { MirrorEntry } from "./options.ts";

/** A directory of the mirrored tree. */
export interface DirectoryPath {
  /** Its path, with `/` between names; "" for the root. */
  readonly path: string;
  /** Its depth below the root. */
  readonly depth: number;
  /** The directory that contains it. */
  readonly parent: DirectoryPath | undefined;
  /** Identifies the source's directory. */
  identity: Identity;
  /** Whether the target did not have it. */
  readonly isNew: boolean;
}

/** Properties that identify a directory, as far as they are known. */
export interface Identity {
  /** The fact "unique" (RFC 3659 section 7.5.2). */
  readonly unique?: string | undefined;
  /** Its path without links, if links are followed. */
  readonly canonical?: string | undefined;
}

/** An entry of a directory. */
export interface MirrorItem {
  readonly name: string;
  readonly kind: EntryKind;
  /** Size in bytes, if it is known exactly. */
  readonly size: number | undefined;
  /** Milliseconds since 1970; as shown, if the server's zone is not proven. */
  readonly mtime: number | undefined;
  /**
   * The latest time at which a local file may have changed in any way,
   * including its name and time; milliseconds since 1970.
   */
  readonly ctime?: number | undefined;
  /** The time as the server shows it: its digits read as UTC. */
  readonly shown?: number | undefined;
  /** The command that shows it. */
  readonly timeCommand?: TimeCommand | undefined;
  /** Resolution of the time, in milliseconds. */
  readonly precision: number;
  /** Identifies a directory. */
  readonly identity: Identity;
  /** Reason not to touch the entry. */
  readonly problem: Error | undefined;
}

/** The entries of a directory. */
export class Snapshot {
  /** The entries by name. */
  readonly items: ItemTable = new ItemTable();
  /** Identifies the directory. */
  identity: Identity;
  /** Whether names with a leading dot may be missing. */
  hidesDots: boolean;
  /** Error that cut the listing, if there may be more entries. */
  partial: Error | undefined;
  /** Whether the directory does not exist, and a dry run does not create it. */
  isMissing = false;
  #folded: FoldedNames | undefined;
  readonly #parts: string[] = [];

  /** Creates an empty snapshot. */
  constructor(identity: Identity = UNKNOWN_IDENTITY, hidesDots = false) {
    this.identity = identity;
    this.hidesDots = hidesDots;
  }

  /** Adds an entry. A second one of the same name makes both unusable. */
  add(item: MirrorItem): void {
    if (!this.items.has(item.name)) {
      if (isPart(item.name)) this.#parts.push(item.name);
      return this.set(item);
    }
    const problem = new Deno.errors.InvalidData(
      `Cannot tell two entries apart that are both called ${quote(item.name)}`,
    );
    this.set({ ...item, problem });
  }

  /** Adds or replaces an entry. */
  set(item: MirrorItem): void {
    this.items.set(item);
    this.#folded?.add(item.name);
  }

  /** Names of temporary files of earlier transfers. */
  get parts(): readonly string[] {
    return this.#parts;
  }

  /**
   * Finds a name that some file systems treat as equal: it differs only in
   * case, or in how accents are composed.
   *
   * @returns The name, if the directory has one
   */
  caseVariantOf(name: string): string | undefined {
    if (this.#folded === undefined) {
      this.#folded = new FoldedNames(this.items);
      for (const other of this.items.keys()) this.#folded.add(other);
    }
    return this.#folded.find(name);
  }

  /** Prepares {@linkcode caseVariantOf} for a large directory, with pauses. */
  async foldNames(signal?: AbortSignal): Promise<void> {
    if (this.#folded !== undefined) return;
    const folded = new FoldedNames(this.items);
    // names that are added meanwhile are visited as well
    await visitAll(this.items.keys(), (name) => folded.add(name), signal);
    this.#folded ??= folded;
  }
}

/**
 * Names by what some file systems make of them. Names that are their own folded
 * form are found among the entries, and need no memory here.
 */
class FoldedNames {
  readonly #items: ItemTable;
  /** The other names of a directory that is not large, by folded form. */
  readonly #few = new Map<string, string>();
  #table: NameTable | undefined;
  /** The other names of a large directory, by the number of the folded form. */
  readonly #names = new Map<number, string>();

  constructor(items: ItemTable) {
    this.#items = items;
  }

  add(name: string): void {
    const folded = fold(name);
    if (folded === name) return this.#remove(folded);
    if (this.#table !== undefined) return this.#put(this.#table, folded, name);
    this.#few.set(folded, name);
    if (this.#few.size <= MAX_OBJECTS) return;
    this.#table = new NameTable();
    for (const [key, value] of this.#few) this.#put(this.#table, key, value);
    this.#few.clear();
  }

  /** Returns the name of a folded form that was added last. */
  find(name: string): string | undefined {
    const folded = fold(name);
    const other = this.#table === undefined
      ? this.#few.get(folded)
      : this.#names.get(this.#table.indexOf(folded));
    return other ?? (this.#items.has(folded) ? folded : undefined);
  }

  #remove(folded: string): void {
    if (this.#table === undefined) this.#few.delete(folded);
    else this.#names.delete(this.#table.indexOf(folded));
  }

  #put(table: NameTable, folded: string, name: string): void {
    this.#names.set(table.add(folded), name);
  }
}

/** Longest name that is normalized: no file system has longer ones. */
const MAX_NAME = 4096;

/** Names that need case folding only. */
// deno-lint-ignore no-control-regex
const ASCII_REGEXP = /^[\x00-\x7F]*$/;

/** More accents on one letter than any word has (UAX 15, section 13). */
const LONG_RUN_REGEXP = /\p{M}{31}/u;

function fold(name: string): string {
  // sorting a long run of accents takes quadratic time
  const isPlain = name.length > MAX_NAME || ASCII_REGEXP.test(name) ||
    LONG_RUN_REGEXP.test(name);
  if (isPlain) return name.toLowerCase();
  // to upper case first: "ß" and "ſ" have no upper case of their own
  return name.toUpperCase().toLowerCase().normalize("NFC");
}

/**
 * Removes marks that are characters of their own. A long run of them would
 * otherwise be sorted.
 */
function withoutMarks(name: string): string {
  return name.replace(/[\p{M}\p{Cf}]+/gu, "");
}

/**
 * Returns a key that is equal for all names that any file system treats as the
 * same, and for some others. Accents, invisible characters, and final dots and
 * blanks do not count. All names that are too long for a file system share one
 * key.
 */
export function collisionKey(name: string): string {
  if (name.length > MAX_NAME) return "";
  const bare = ASCII_REGEXP.test(name)
    ? name
    : withoutMarks(withoutMarks(name).normalize("NFKD"));
  let end = bare.length;
  while (end > 0 && (bare[end - 1] === "." || bare[end - 1] === " ")) end--;
  return fold(bare.slice(0, end));
}

/** Whether a directory is one that contains it. */
export function isLoop(
  { identity }: MirrorItem,
  directory: DirectoryPath,
): boolean {
  const { unique, canonical } = identity;
  for (
    let at: DirectoryPath | undefined = directory;
    at !== undefined;
    at = at.parent
  ) {
    const isSame = (unique !== undefined && unique === at.identity.unique) ||
      (canonical !== undefined && canonical === at.identity.canonical);
    if (isSame) return true;
  }
  return false;
}

/** Quotes the path of a side's root for a message. */
export function quoteRoot(side: Side): string {
  const path = side.at("");
  return path === "" ? "the current directory" : quote(path);
}

/** Converts an item for the caller. */
export function entryOf(
  directory: DirectoryPath,
  item: MirrorItem,
): MirrorEntry {
  const { name, kind, size, mtime } = item;
  return {
    path: joinPath(directory.path, name),
    name,
    depth: directory.depth + 1,
    kind,
    size,
    mtime: mtime === undefined ? undefined : new Date(mtime),
  };
}

/** Converts a directory for the caller. */
export function directoryOf({ path, depth }: DirectoryPath): MirrorEntry {
  return {
    path,
    name: path.slice(path.lastIndexOf("/") + 1),
    depth,
    kind: "directory",
    size: undefined,
    mtime: undefined,
  };
}

/** Returns why an entry is not possible, or `undefined`. */
export type NameRule = (item: MirrorItem) => string | undefined;

/**
 * The source or the target of a mirror. Paths are those of
 * {@linkcode DirectoryPath}.
 */
export interface Side {
  /**
   * Reads a directory.
   *
   * @param onEntries Called with the number of its entries, if they are known
   * some time before the end
   */
  read(
    directory: DirectoryPath,
    onEntries?: (count: number) => void,
  ): Promise<Snapshot>;
  /** Whether the root is known to be missing or empty, without a request. */
  isVacant(): boolean;
  /**
   * Looks for an entry that a listing may not show: under another name, or
   * hidden.
   */
  probe(path: string): Promise<MirrorItem | undefined>;
  /** Whether {@linkcode probe} may find an entry that the listing lacks. */
  mayHide(folder: Snapshot, name: string): boolean;
  /** Whether a path that was found has exactly this name. */
  hasName(path: string): Promise<boolean>;
  /** Looks up entries by their names, whatever a listing shows. */
  ask(
    directory: DirectoryPath,
    items: readonly MirrorItem[],
  ): Promise<(boolean | Error)[]>;
  /** Rejects a name that this side cannot have. */
  check(name: string): void;
  /**
   * Returns a function that explains why a directory cannot have an entry;
   * `undefined` if any name is possible.
   */
  ruleOf(directory: DirectoryPath): NameRule | undefined;
  /**
   * Creates a directory, which may exist.
   *
   * @param onMissing Called when it is known to be missing, before it is created
   * @returns Whether it was proven to be missing before
   */
  make(path: string, onMissing?: () => void): Promise<boolean>;
  /** Removes entries. Returns an error or `undefined` for each. */
  remove(
    entries: readonly MirrorEntry[],
    recursive: boolean,
  ): Promise<unknown[]>;
  /**
   * Renames an entry. No signal aborts that: the mirror renames several in a
   * row, and must not stop between two of them.
   */
  rename(from: string, to: string): Promise<void>;
  /** Returns the full path of an entry. */
  at(path: string): string;
}
