/**
 * The files that downloads write to: opened by one download at a time, and never
 * what a link leads to.
 *
 * @module
 */

import { CAN_SET_MODE } from "./keep_mode.ts";
import { basename, dirname } from "node:path";
import {
  isPart,
  isPartOf,
  isResumablePart,
  partName,
  randomMark,
} from "../../commands/path.ts";
import { lstatOrNothing } from "./local_target.ts";

/** Most times that a file is opened which vanishes at the same moment. */
const MAX_ATTEMPTS = 10;

/**
 * Opens a file that is not there yet.
 *
 * @param path Where it will be
 * @param mode Its permissions
 * @returns The file
 * @throws {Deno.errors.AlreadyExists} If there is anything
 */
export function openNew(path: string, mode: number | undefined): Deno.FsFile {
  return Deno.openSync(path, {
    read: true,
    write: true,
    createNew: true,
    ...(mode === undefined ? {} : { mode }),
  });
}

/**
 * Opens a new part under a name that no other file has, and locks it: what is
 * not locked was abandoned, and may be removed.
 *
 * @param path The file that it is a part of
 * @param mode Its permissions
 * @returns Its path and the file
 */
export function openRandomPart(
  path: string,
  mode: number | undefined,
): { path: string; file: Deno.FsFile } {
  for (let attempt = 1;; attempt++) {
    const part = beside(path, partName(basename(path), randomMark(), false));
    try {
      const opened = openLocked(part, mode, () => false);
      if (opened !== undefined) return { path: part, file: opened.file };
    } catch (error) {
      // another download has taken it for abandoned before it was locked
      const isTaken = error instanceof Deno.errors.Busy;
      if (!isTaken || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

/** Folders whose parts a client remembers. */
const MAX_FOLDERS = 100;

const partsSeen = new WeakMap<object, Map<string, Promise<string[]>>>();

/**
 * The parts that were in a file's folder when a client downloaded to it first:
 * a folder is not read again for each of its files.
 *
 * @param client The client
 * @param path The file
 * @returns Their names; none where the folder may not be read
 */
export async function partsBeside(
  client: object,
  path: string,
): Promise<readonly string[]> {
  const folder = dirname(path);
  let seen = partsSeen.get(client);
  if (seen === undefined || seen.size >= MAX_FOLDERS) {
    partsSeen.set(client, seen = new Map());
  }
  let parts = seen.get(folder);
  if (parts === undefined) seen.set(folder, parts = partsIn(folder));
  return await parts;
}

async function partsIn(folder: string): Promise<string[]> {
  const parts: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (isPart(name)) parts.push(name);
    }
  } catch {
    // what is left there does not matter to the file
  }
  return parts;
}

/** What lets others than the owner change a file. */
const OTHERS_WRITE = 0o022;

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** What a part may be opened for by its owner alone, until it is complete. */
const PART_MODE = CAN_SET_MODE ? 0o600 : undefined;

/**
 * Whether nobody but its owner can have put anything into a file: it is a plain
 * file with one name. Windows tells neither owner nor permissions.
 *
 * @param info The file
 * @param owner Whose it is to be
 * @returns Whether it is
 */
export function isOnlyOf(
  { isFile, nlink, uid, mode }: Deno.FileInfo,
  owner: number | null,
): boolean {
  if (!isOwn({ isFile, nlink, uid }, owner)) return false;
  return Deno.build.os === "windows" || ((mode ?? 0) & OTHERS_WRITE) === 0;
}

/** Whether it is a file with one name, of one owner. */
function isOwn(
  { isFile, nlink, uid }: Pick<Deno.FileInfo, "isFile" | "nlink" | "uid">,
  owner: number | null,
): boolean {
  if (!isFile || (nlink ?? 1) > 1) return false;
  return Deno.build.os === "windows" || uid === owner;
}

/**
 * What a new file in a folder is like: its owner, its group, its permissions.
 * One is made for it and removed, since the program's own user and umask are told
 * with a permission only, and the folder may have its own (access control lists).
 *
 * @param path A file in the folder
 * @param mode Permissions to make it with; the umask cuts them
 * @returns What it was like
 */
export function newFileBeside(path: string, mode?: number): Deno.FileInfo {
  const probe = beside(path, partName(basename(path), randomMark(), false));
  using file = openNew(probe, mode);
  try {
    return file.statSync();
  } finally {
    removeIfThere(probe); // another download may have taken it for abandoned
  }
}

/**
 * Opens a part that an earlier call may have left, and locks it. Its name can
 * be predicted: where others may write to the folder, anything may be there.
 * Only a part that nobody else could write to is taken.
 *
 * @param path Where it is, or will be
 * @returns The file, which nobody else has until it is closed; or `undefined`
 * if what is there may be somebody else's
 * @throws {Deno.errors.Busy} If another download has it
 */
export function openPart(path: string): Deno.FsFile | undefined {
  let owner: number | null | undefined;
  const isOurs = (info: Deno.FileInfo) => {
    owner ??= newFileBeside(path).uid;
    return isOnlyOf(info, owner);
  };
  return openLocked(path, PART_MODE, isOurs)?.file;
}

/** A file that is written to where it is. */
export interface InPlace {
  /** The file. */
  readonly file: Deno.FsFile;
  /** Whether there was none. */
  readonly isNew: boolean;
}

/**
 * Opens a file to write to it where it is, and locks it. What it has stays.
 *
 * @param path The file
 * @returns The file; nobody else has it until it is closed
 * @throws {Deno.errors.Busy} If another download has it
 */
export function openInPlace(path: string): InPlace {
  return openLocked(path, undefined, () => true)!;
}

/**
 * The path of a name beside a path, ".." and links as they are.
 *
 * @param path The path
 * @param name The name
 * @returns Its path
 */
export function beside(path: string, name: string): string {
  return path.slice(0, path.length - basename(path).length) + name;
}

/**
 * Removes parts of versions of a file that are past. The file is in its place:
 * what cannot be removed does not matter any more. Those of others stay.
 *
 * @param path The file
 * @param owner Whose the parts are to be
 * @param names Names in its folder, if they are known
 */
export function removeOtherParts(
  path: string,
  owner: number | null,
  names?: readonly string[],
): void {
  try {
    for (const name of names ?? namesIn(dirname(path))) {
      if (!isPartOf(name, basename(path))) continue;
      const isResumable = isResumablePart(name, basename(path));
      const isOurs = (info: Deno.FileInfo) =>
        isResumable ? isOnlyOf(info, owner) : isOwn(info, owner);
      try {
        removeIdlePart(beside(path, name), isOurs);
      } catch {
        // somebody else's, perhaps; there may be more
      }
    }
  } catch {
    // the folder may not be read
  }
}

/**
 * Whether a file is still the one under its name, and not removed, put
 * elsewhere or replaced.
 *
 * @param path The name
 * @param file The file
 * @returns Whether it is
 */
export function isUnder(path: string, file: Deno.FsFile): boolean {
  const there = lstatOrNothing(path);
  if (there === undefined || !there.isFile) return false;
  const here = file.statSync();
  // Windows tells no numbers of files
  return here.ino !== null && there.ino !== null
    ? here.ino === there.ino && here.dev === there.dev
    : here.size === there.size &&
      here.birthtime?.getTime() === there.birthtime?.getTime();
}

function namesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name);
}

/** Removes a part, unless it is somebody else's or a download is under way there. */
function removeIdlePart(
  path: string,
  isOurs: (info: Deno.FileInfo) => boolean,
): void {
  const info = lstatOrNothing(path);
  if (info === undefined || !isOurs(info)) return;
  using file = Deno.openSync(path, { read: true, write: true });
  // without locks nobody can tell: it stays
  if (file.tryLockSync(true) && isUnder(path, file)) Deno.removeSync(path);
}

/** Opens a file or makes it, and locks it; nothing if it is not wanted. */
function openLocked(
  path: string,
  mode: number | undefined,
  isWanted: (info: Deno.FileInfo) => boolean,
): InPlace | undefined {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const info = lstatOrNothing(path);
    if (info !== undefined && !isWanted(info)) return undefined;
    const isNew = info === undefined;
    const file = openUnlessLate(path, mode, isNew);
    if (file === undefined) continue;
    let isOurs = false;
    try {
      // the name may have become another file's meanwhile
      if (!isNew && !isWanted(file.statSync())) return undefined;
      if (!tryLock(file)) throw busy(path);
      // the download that had it may have put it elsewhere meanwhile
      isOurs = isUnder(path, file);
    } finally {
      if (!isOurs) file.close();
    }
    if (isOurs) return { file, isNew };
  }
  throw busy(path);
}

/** Opens a file, unless its name changes hands at the same moment. */
function openUnlessLate(
  path: string,
  mode: number | undefined,
  isNew: boolean,
): Deno.FsFile | undefined {
  const Late = isNew ? Deno.errors.AlreadyExists : Deno.errors.NotFound;
  try {
    return isNew
      ? openNew(path, mode)
      : Deno.openSync(path, { read: true, write: true });
  } catch (error) {
    if (error instanceof Late) return undefined;
    throw error;
  }
}

/** Locks a file; where the file system has no locks, it does without. */
function tryLock(file: Deno.FsFile): boolean {
  try {
    return file.tryLockSync(true);
  } catch {
    return true;
  }
}

function busy(path: string): Error {
  return new Deno.errors.Busy(
    `Cannot write to "${path}": another download is under way there`,
  );
}
