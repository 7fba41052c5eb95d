/**
 * Opening the files that downloads write to: by one download at a time, and
 * never what a link leads to.
 *
 * @module
 */

import { lstatOrNothing } from "./target.ts";

/** Most times that a part is opened which vanishes at the same moment. */
const MAX_ATTEMPTS = 10;

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
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const file = openOnce(path, mode);
    if (file !== undefined) return file;
  }
  throw busy(path);
}

/**
 * Opens a file to write to it where it is, and locks it.
 *
 * @param path The file
 * @param isKept Whether what it has is kept
 * @returns The file
 * @throws {Deno.errors.Busy} If another download has it
 */
export function openInPlace(path: string, isKept: boolean): Deno.FsFile {
  const file = Deno.openSync(path, { read: true, write: true, create: true });
  try {
    if (!tryLock(file)) throw busy(path);
    if (!isKept) file.truncateSync(0); // and not before it is locked
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Removes a part, unless a download is under way there.
 *
 * @param path The part
 */
export function removeIdlePart(path: string): void {
  if (!lstatOrNothing(path)?.isFile) return;
  using file = Deno.openSync(path, { read: true, write: true });
  if (file.tryLockSync(true) && isUnder(path, file)) Deno.removeSync(path);
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

/** Opens a part, unless its name changes hands at the same moment. */
function openOnce(
  path: string,
  mode: number | undefined,
): Deno.FsFile | undefined {
  const isThere = checkPart(path);
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, {
      read: true,
      write: true,
      ...(isThere ? {} : { createNew: true }),
      ...(isThere || mode === undefined ? {} : { mode }),
    });
  } catch (error) {
    const isLate = isThere
      ? error instanceof Deno.errors.NotFound
      : error instanceof Deno.errors.AlreadyExists;
    if (isLate) return undefined;
    throw error;
  }
  let isOurs = false;
  try {
    if (!file.tryLockSync(true)) throw busy(path);
    // the download that had it may have put it in its place meanwhile
    isOurs = checkPart(path) && isUnder(path, file);
  } finally {
    if (!isOurs) file.close();
  }
  return isOurs ? file : undefined;
}

/** Whether there is a part; it is a file with no other name. */
function checkPart(path: string): boolean {
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
