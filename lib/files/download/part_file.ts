/**
 * Opens the files that downloads write to. Only one download opens a file at a
 * time, and links are not followed.
 *
 * @module
 */

import { canSetMode } from "./keep_mode.ts";
import { quote } from "../../protocol/printable.ts";
import { basename, dirname } from "node:path";
import {
  isPartOf,
  isResumablePart,
  partName,
  randomMark,
} from "../../commands/path.ts";
import { lstatOrNothing } from "./local_target.ts";

/** Number of attempts to open a file that disappears while it is opened. */
const MAX_ATTEMPTS = 10;

/**
 * Creates a file.
 *
 * @throws {Deno.errors.AlreadyExists} If anything has the path
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
 * Creates a temporary file with a unique name, and locks it. Unlocked files are
 * abandoned, and may be removed.
 */
export function openRandomPart(
  path: string,
  mode: number | undefined,
): { path: string; file: Deno.FsFile } {
  for (let attempt = 1;; attempt++) {
    const part = siblingPath(
      path,
      partName(basename(path), randomMark(), false),
    );
    try {
      const opened = openLocked(part, mode, () => false, { isNew: true });
      if (opened !== undefined) return { path: part, file: opened.file };
    } catch (error) {
      // another download removed it as abandoned before it was locked
      const isTaken = error instanceof Deno.errors.Busy;
      if (!isTaken || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

/** Permission bits that let others change a file. */
const OTHERS_WRITE = 0o022;

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Permissions of a temporary file until it is complete: its owner only. */
const PART_MODE = 0o600;

/**
 * Whether only its owner can have written to a file: a plain file with a single
 * name. Windows reports neither owner nor permissions.
 */
export function isOnlyOf(
  { isFile, nlink, uid, mode }: Deno.FileInfo,
  owner: number | null,
): boolean {
  if (!isOwn({ isFile, nlink, uid }, owner)) return false;
  return Deno.build.os === "windows" || ((mode ?? 0) & OTHERS_WRITE) === 0;
}

/** Whether it is a file with a single name and the given owner. */
function isOwn(
  { isFile, nlink, uid }: Pick<Deno.FileInfo, "isFile" | "nlink" | "uid">,
  owner: number | null,
): boolean {
  if (!isFile || (nlink ?? 1) > 1) return false;
  return Deno.build.os === "windows" || uid === owner;
}

/**
 * Returns owner, group and permissions of a new file in a directory, by
 * creating and removing one. The program's user and umask need a permission,
 * and the directory may have access control lists.
 */
export function newFileBeside(path: string, mode?: number): Deno.FileInfo {
  const probe = siblingPath(
    path,
    partName(basename(path), randomMark(), false),
  );
  using file = openNew(probe, mode);
  try {
    return file.statSync();
  } finally {
    removeIfThere(probe); // another download may have removed it as abandoned
  }
}

/**
 * Opens and locks an unfinished file of an earlier call. Its name is
 * predictable, so others may have put anything there. Only a file that no other
 * user could write to is opened.
 *
 * @returns The locked file, or `undefined` if it may belong to another user
 * @throws {Deno.errors.Busy} If another download is using it
 */
export function openPart(path: string): Deno.FsFile | undefined {
  let owner: number | null | undefined;
  const isOurs = (info: Deno.FileInfo) => {
    owner ??= newFileBeside(path).uid;
    return isOnlyOf(info, owner);
  };
  return openLocked(path, canSetMode() ? PART_MODE : undefined, isOurs)?.file;
}

/** A file that is written in place. */
export interface InPlace {
  /** The file. */
  readonly file: Deno.FsFile;
  /** Whether it was created. */
  readonly isNew: boolean;
}

/**
 * Opens and locks a file to write in place. Its content stays.
 *
 * @throws {Deno.errors.Busy} If another download is using it
 */
export function openInPlace(path: string): InPlace {
  return openLocked(path, undefined, () => true)!;
}

/**
 * Returns the path of a name in the same directory; ".." and links stay as they
 * are.
 */
export function siblingPath(path: string, name: string): string {
  return path.slice(0, path.length - basename(path).length) + name;
}

/**
 * Removes temporary files of earlier versions after the file is in its place.
 * Failures do not matter. Files of other users stay.
 *
 * @param names Names in the directory, if they are known
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
        removeIdlePart(siblingPath(path, name), isOurs);
      } catch {
        // another user's, perhaps; others may follow
      }
    }
  } catch {
    // the directory may not be read
  }
}

/**
 * Whether an open file is still the one under its path, and was not removed,
 * moved or replaced.
 *
 * @param here Its information, if it was read before
 */
export function isUnder(
  path: string,
  file: Deno.FsFile,
  here: Deno.FileInfo = file.statSync(),
): boolean {
  const there = lstatOrNothing(path);
  if (there === undefined || !there.isFile) return false;
  // Windows reports no file numbers
  return here.ino !== null && there.ino !== null
    ? here.ino === there.ino && here.dev === there.dev
    : here.size === there.size &&
      here.birthtime?.getTime() === there.birthtime?.getTime();
}

function namesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name);
}

/**
 * Removes a temporary file, unless it belongs to another user or a download is
 * using it.
 */
function removeIdlePart(
  path: string,
  isOurs: (info: Deno.FileInfo) => boolean,
): void {
  const info = lstatOrNothing(path);
  if (info === undefined || !isOurs(info)) return;
  using file = Deno.openSync(path, { read: true, write: true });
  // it stays if the file system has no locks
  if (file.tryLockSync(true) && isUnder(path, file)) Deno.removeSync(path);
}

/**
 * Opens or creates a file, and locks it; `undefined` if `isWanted` rejects it.
 *
 * @param options `isNew`: whether nothing is expected under the path, which is
 * looked at only if it cannot be created
 */
function openLocked(
  path: string,
  mode: number | undefined,
  isWanted: (info: Deno.FileInfo) => boolean,
  { isNew: isFresh = false }: { isNew?: boolean } = {},
): InPlace | undefined {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const isFirst = isFresh && attempt === 1;
    const info = isFirst ? undefined : lstatOrNothing(path);
    if (info !== undefined && !isWanted(info)) return undefined;
    const isNew = info === undefined;
    const file = openUnlessLate(path, mode, isNew);
    if (file === undefined) continue;
    let isOurs = false;
    try {
      // the path may lead to another file by now
      if (!isNew && !isWanted(file.statSync())) return undefined;
      if (!tryLock(file)) throw busyError(path);
      // the download that used it may have moved it
      isOurs = isFirst ? isLeft(path, file) : isUnder(path, file);
    } finally {
      if (!isOurs) file.close();
    }
    if (isOurs) return { file, isNew };
  }
  throw busyError(path);
}

/**
 * Whether a file that was just created is still there: another download may
 * have removed it before it was locked.
 */
function isLeft(path: string, file: Deno.FsFile): boolean {
  const info = file.statSync();
  // Windows reports no number of names, and some FUSE file systems report 0
  return (info.nlink ?? 0) > 0 || isUnder(path, file, info);
}

/**
 * Opens or creates a file; `undefined` if another process creates or removes it
 * at the same time.
 */
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

/** Locks a file. Succeeds if the file system has no locks. */
function tryLock(file: Deno.FsFile): boolean {
  try {
    return file.tryLockSync(true);
  } catch {
    return true;
  }
}

function busyError(path: string): Error {
  return new Deno.errors.Busy(
    `Cannot write to ${
      quote(path)
    }: another download is writing to it; wait for it or use another name`,
  );
}
