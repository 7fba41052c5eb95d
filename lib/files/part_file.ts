/**
 * The files that downloads write to: opened by one download at a time, and never
 * what a link leads to.
 *
 * @module
 */

import { basename, dirname } from "node:path";
import { isResumablePart } from "../paths/names.ts";
import { lstatOrNothing } from "./target.ts";

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
 * Opens a part that an earlier call may have left, and locks it. Its name can
 * be foretold: where others may write to the folder, anything may be there.
 *
 * @param path Where it is, or will be
 * @param mode Permissions of a new one
 * @returns The file; nobody else has it until it is closed
 * @throws {Deno.errors.Busy} If another download has it
 * @throws {Deno.errors.InvalidData} If there is something else
 */
export function openPart(path: string, mode: number | undefined): Deno.FsFile {
  return openLocked(path, mode, isPart).file;
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
  return openLocked(
    path,
    undefined,
    (path) => lstatOrNothing(path) !== undefined,
  );
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
 * what cannot be removed does not matter any more.
 *
 * @param path The file
 * @param names Names in its folder, if they are known
 */
export function removeOtherParts(
  path: string,
  names?: readonly string[],
): void {
  try {
    for (const name of names ?? namesIn(dirname(path))) {
      if (!isResumablePart(name, basename(path))) continue;
      try {
        removeIdlePart(beside(path, name));
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

/** Removes a part, unless a download is under way there. */
function removeIdlePart(path: string): void {
  if (!lstatOrNothing(path)?.isFile) return;
  using file = Deno.openSync(path, { read: true, write: true });
  // without locks nobody can tell: it stays
  if (file.tryLockSync(true) && isUnder(path, file)) Deno.removeSync(path);
}

/** Opens a file or makes it, and locks it. */
function openLocked(
  path: string,
  mode: number | undefined,
  isThere: (path: string) => boolean,
): InPlace {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const isNew = !isThere(path);
    const file = openUnlessLate(path, mode, isNew);
    if (file === undefined) continue;
    let isOurs = false;
    try {
      if (!tryLock(file)) throw busy(path);
      // the download that had it may have put it elsewhere meanwhile
      isOurs = isThere(path) && isUnder(path, file);
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

/** Whether there is a part; it is a file with no other name. */
function isPart(path: string): boolean {
  const info = lstatOrNothing(path);
  if (info === undefined) return false;
  const what = info.isSymlink
    ? "a symbolic link"
    : !info.isFile
    ? "no file"
    : (info.nlink ?? 1) > 1
    ? "a file with more than one name (hard links)"
    : undefined;
  if (what === undefined) return true;
  throw new Deno.errors.InvalidData(
    `Cannot resume with "${path}": it is ${what}, and nothing that a download has left; remove it, or download with { resume: false }`,
  );
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
