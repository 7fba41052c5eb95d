/**
 * One directory of a tree, as one of the two sides has it.
 *
 * @module
 */

import type { EntryKind } from "../listing/entry.ts";
import { isPart, joinPath } from "../commands/path.ts";
import type { TimeTeller } from "../transfer/server_clock.ts";
import type { MirrorEntry } from "./options.ts";

/** Where a directory is, below the one that is mirrored. */
export interface DirectoryPath {
  /** Its path, with `/` between names; "" for the first. */
  readonly path: string;
  /** How many directories it is below the first. */
  readonly depth: number;
  /** The directory that it is in. */
  readonly parent: DirectoryPath | undefined;
  /** What tells the source's directory from others. */
  identity: Identity;
  /** Whether the target did not have it. */
  readonly isNew: boolean;
}

/** What tells a directory from others, as far as it is known. */
export interface Identity {
  /** The fact of that name (RFC 3659 section 7.5.2). */
  readonly unique?: string | undefined;
  /** Its path without links, where links are followed. */
  readonly canonical?: string | undefined;
}

/** One entry of a directory. */
export interface MirrorItem {
  readonly name: string;
  readonly kind: EntryKind;
  /** Bytes, where they are known exactly. */
  readonly size: number | undefined;
  /** Milliseconds since 1970; of a server whose zone is not proven as shown. */
  readonly mtime: number | undefined;
  /**
   * The latest moment at which a file here may have been changed in any way, its
   * name and its time included; milliseconds since 1970.
   */
  readonly ctime?: number | undefined;
  /** The time as the server shows it: its digits read as UTC. */
  readonly shown?: number | undefined;
  /** What shows that. */
  readonly teller?: TimeTeller | undefined;
  /** How exact the time is, in milliseconds. */
  readonly precision: number;
  /** What tells a directory from others. */
  readonly identity: Identity;
  /** Why it must not be touched. */
  readonly problem: Error | undefined;
}

/** The entries of a directory. */
export class Snapshot {
  /** The entries by their names. */
  readonly items: Map<string, MirrorItem> = new Map();
  /** What tells the directory from others. */
  readonly identity: Identity;
  /** Whether names with a leading dot may be missing. */
  readonly hidesDots: boolean;
  /** Why there may be more than was listed. */
  partial: Error | undefined;
  #folded: Map<string, string> | undefined;
  #parts: readonly string[] | undefined;

  /**
   * Makes a directory without entries.
   *
   * @param identity What tells it from others
   * @param hidesDots Whether names with a leading dot may be missing
   */
  constructor(identity: Identity = {}, hidesDots = false) {
    this.identity = identity;
    this.hidesDots = hidesDots;
  }

  /**
   * Adds an entry. A second one of the same name makes both unusable.
   *
   * @param item The entry
   */
  add(item: MirrorItem): void {
    if (!this.items.has(item.name)) return this.set(item);
    const problem = new Deno.errors.InvalidData(
      `Cannot tell two entries apart that are both called ${
        JSON.stringify(item.name)
      }`,
    );
    this.set({ ...item, problem });
  }

  /**
   * Sets what is known of an entry.
   *
   * @param item The entry
   */
  set(item: MirrorItem): void {
    this.items.set(item.name, item);
    this.#folded?.set(fold(item.name), item.name);
  }

  /** The names of what transfers have left there before. */
  get parts(): readonly string[] {
    return this.#parts ??= [...this.items.keys().filter(isPart)];
  }

  /**
   * A name that some file systems take for the same as another: it differs only
   * in case, or in how accents are composed.
   *
   * @param name The other name, which the directory lacks
   * @returns The name, if the directory has one
   */
  twinOf(name: string): string | undefined {
    if (this.#folded === undefined) {
      this.#folded = new Map();
      for (const other of this.items.keys()) {
        this.#folded.set(fold(other), other);
      }
    }
    return this.#folded.get(fold(name));
  }
}

/** No file system has longer names: what they fold to does not matter. */
const MAX_NAME = 4096;

/** Names for which letters are folded, and nothing else. */
// deno-lint-ignore no-control-regex
const ASCII_REGEXP = /^[\x00-\x7F]*$/;

/** No word has so many accents on one letter (UAX 15, section 13). */
const LONG_RUN_REGEXP = /\p{M}{31}/u;

function fold(name: string): string {
  // ordering a long run of accents takes the square of its length
  const isPlain = name.length > MAX_NAME || ASCII_REGEXP.test(name) ||
    LONG_RUN_REGEXP.test(name);
  if (isPlain) return name.toLowerCase();
  // to upper case first: "ß" and "ſ" have none of their own
  return name.toUpperCase().toLowerCase().normalize("NFC");
}

/** First those that stand alone: a long run of them would be put in order. */
function withoutMarks(name: string): string {
  return name.replace(/[\p{M}\p{Cf}]+/gu, "");
}

/**
 * What all names have in common that any file system takes for the same, and
 * more: accents and signs that are not seen do not count, nor do dots and blanks
 * at the end. Names that are too long for any file system have one thing in
 * common.
 *
 * @param name A name
 * @returns What it has in common with others
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

/**
 * Whether a directory is one that it is in itself.
 *
 * @param item The directory
 * @param place Where it was met
 * @returns Whether it is
 */
export function isLoop(
  { identity }: MirrorItem,
  place: DirectoryPath,
): boolean {
  const { unique, canonical } = identity;
  for (
    let at: DirectoryPath | undefined = place;
    at !== undefined;
    at = at.parent
  ) {
    const isSame = (unique !== undefined && unique === at.identity.unique) ||
      (canonical !== undefined && canonical === at.identity.canonical);
    if (isSame) return true;
  }
  return false;
}

/**
 * An entry as the caller sees it.
 *
 * @param place Where it is
 * @param item What it is
 * @returns The entry
 */
export function entryOf(place: DirectoryPath, item: MirrorItem): MirrorEntry {
  const { name, kind, size, mtime } = item;
  return {
    path: joinPath(place.path, name),
    name,
    depth: place.depth + 1,
    kind,
    size,
    mtime: mtime === undefined ? undefined : new Date(mtime),
  };
}

/**
 * A directory as the caller sees it.
 *
 * @param place The directory
 * @returns The entry
 */
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

/** The source or the target of a mirror. Paths are those of {@linkcode DirectoryPath}. */
export interface Side {
  /**
   * Reads a directory.
   *
   * @param place The directory
   * @returns Its entries
   */
  read(place: DirectoryPath): Promise<Snapshot>;
  /**
   * Looks for what a listing does not show: under another name, or hidden.
   *
   * @param path The path
   * @returns What is there
   */
  probe(path: string): Promise<MirrorItem | undefined>;
  /**
   * Whether {@linkcode probe} may find what a directory's listing lacks.
   *
   * @param folder The directory
   * @param name The name
   * @returns Whether it is worth the try
   */
  mayHide(folder: Snapshot, name: string): boolean;
  /**
   * Looks for entries by their names, whatever a listing shows.
   *
   * @param place The directory
   * @param items What the other side has
   * @returns For each whether it is there; why, where that cannot be told: a
   * `TypeError` where there can be no such name
   */
  ask(
    place: DirectoryPath,
    items: readonly MirrorItem[],
  ): Promise<(boolean | Error)[]>;
  /**
   * Insists on a name that can be one here.
   *
   * @param name What the other side calls an entry
   */
  check(name: string): void;
  /**
   * Makes a directory that may be there already.
   *
   * @param path The directory; the first is made with its parents
   */
  make(path: string): Promise<void>;
  /**
   * Removes entries.
   *
   * @param entries What to remove, as it was read here
   * @param recursive Whether directories with all that is in them
   * @returns For each what went wrong, or `undefined`
   */
  remove(
    entries: readonly MirrorEntry[],
    recursive: boolean,
  ): Promise<unknown[]>;
  /**
   * The whole path of an entry.
   *
   * @param path The path below the directory that is mirrored
   * @returns The path
   */
  at(path: string): string;
}
