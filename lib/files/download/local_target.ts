/**
 * The local file that a download is to make, or to replace.
 *
 * @module
 */

import { basename, dirname, isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import { withMessage } from "../../connection/with_message.ts";
import { locally } from "../errors.ts";
import type { FileMode } from "./keep_mode.ts";

/** Where a download goes. */
export interface Target {
  /** The path, symbolic links followed. */
  readonly path: string;
  /** Permissions of the file that is replaced, where there is one. */
  readonly mode: FileMode | undefined;
  /** Whether it is a file or nothing yet, and no device or pipe. */
  readonly isReplaceable: boolean;
  /** Insists on the way there, where others may change it meanwhile. */
  readonly check?: (() => void) | undefined;
}

/** Most links that are followed, as Linux has it. */
const MAX_LINKS = 40;

/**
 * Looks at the target of a download.
 *
 * @param local A path, or a `file:` URL
 * @returns What is there
 * @throws {LocalError} If it is a directory, or names no file
 */
export function resolveTarget(local: string | URL): Target {
  return locally(() => {
    const path = local instanceof URL ? fileURLToPath(local) : local;
    const info = look(path);
    if (info?.isDirectory) {
      throw new Deno.errors.IsADirectory(
        `Cannot download to "${path}": it is a directory`,
      );
    }
    // what a name with a slash behind it would make is no file
    if (basename(path) === "" || !path.endsWith(basename(path))) {
      throw new TypeError(`Cannot download to "${path}": it names no file`);
    }
    const isReplaceable = info === undefined || info.isFile;
    // a link stays one: what it points to is replaced, or made. A pipe, as
    // /dev/stdout may lead to, has no path of its own
    const end = !isReplaceable
      ? path
      : info === undefined
      ? followed(path)
      : real(path);
    return { path: end, mode: modeOf(info), isReplaceable };
  });
}

/**
 * Looks at the target of a download in a directory that others may write to: a
 * link is not followed.
 *
 * @param path The file
 * @param check Insists on the way there
 * @returns What is there
 * @throws {LocalError} If it is no file
 */
export function plainTarget(path: string, check: () => void): Target {
  return locally(() => {
    check();
    const mode = modeOf(lstatOrNothing(path));
    return { path, mode, isReplaceable: true, check };
  });
}

/**
 * What an error of the platform means while a finished download is put in its
 * place.
 *
 * @param path The target
 * @param error What was thrown
 * @returns An error that says what to do
 */
export function misplaced(path: string, error: unknown): Error {
  const folder = dirname(path);
  if (statOrNothing(folder) === undefined) {
    return new Deno.errors.NotFound(
      `Cannot download to "${path}": the folder "${folder}" was removed meanwhile; make it again, then download again`,
      { cause: error },
    );
  }
  if (statOrNothing(path)?.isDirectory) {
    return new Deno.errors.IsADirectory(
      `Cannot download to "${path}": it has become a directory meanwhile; remove that, or download to another name`,
      { cause: error },
    );
  }
  return withMessage(
    error,
    (message) =>
      `Cannot download to "${path}": the complete file could not be put there: ${message}`,
  );
}

function modeOf(info: Deno.FileInfo | undefined): FileMode | undefined {
  const { mode = null, gid: group = null } = info ?? {};
  const hasModes = mode !== null && Deno.build.os !== "windows";
  return hasModes ? { bits: mode & 0o777, group } : undefined;
}

function look(path: string): Deno.FileInfo | undefined {
  try {
    return statOrNothing(path);
  } catch (error) {
    throw withMessage(
      error,
      (message) => `Cannot download to "${path}": ${message}`,
    );
  }
}

function statOrNothing(path: string): Deno.FileInfo | undefined {
  return unlessMissing(() => Deno.statSync(path));
}

/**
 * What is under a path itself, no link followed.
 *
 * @param path The path
 * @returns What is there, or `undefined` for nothing
 */
export function lstatOrNothing(path: string): Deno.FileInfo | undefined {
  return unlessMissing(() => Deno.lstatSync(path));
}

function unlessMissing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function real(path: string): string {
  return Deno.lstatSync(path).isSymlink ? Deno.realPathSync(path) : path;
}

/** Where links lead that lead to nothing yet. */
function followed(path: string): string {
  let end = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    if (!lstatOrNothing(end)?.isSymlink) return end;
    const next = Deno.readLinkSync(end);
    // joined as text: ".." behind another link is not what it looks like
    end = isAbsolute(next)
      ? next
      : `${Deno.realPathSync(dirname(end))}/${next}`;
  }
  throw new Deno.errors.FilesystemLoop(
    `Cannot download to "${path}": it is a symbolic link that leads nowhere`,
  );
}
