/**
 * The local file that a download creates or replaces.
 *
 * @module
 */

import { quote } from "../../protocol/printable.ts";
import { basename, dirname, isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import { asError, withMessage } from "../../protocol/with_message.ts";
import { locally } from "../errors.ts";
import type { FileMode } from "./keep_mode.ts";

/** Target of a download. */
export interface Target {
  /** Path, with symbolic links resolved. */
  readonly path: string;
  /** Permissions of the file to replace, if there is one. */
  readonly mode: FileMode | undefined;
  /** Whether it is a file or does not exist, and is not a device or pipe. */
  readonly isReplaceable: boolean;
  /** Checks the path, which others may change. */
  readonly check?: (() => void) | undefined;
}

/** Largest number of links to follow, as in Linux. */
const MAX_LINKS = 40;

/**
 * Inspects the target of a download.
 *
 * @throws {LocalError} If it is a directory, or not the name of a file
 */
export function resolveTarget(local: string | URL): Target {
  return locally(() => {
    const path = local instanceof URL ? fileURLToPath(local) : local;
    const { link, info } = statTarget(path);
    if (info?.isDirectory) {
      throw new Deno.errors.IsADirectory(
        `Cannot download to ${quote(path)}: it is a directory`,
      );
    }
    // a name with a final slash is a directory
    if (basename(path) === "" || !path.endsWith(basename(path))) {
      throw new TypeError(
        `Cannot download to ${quote(path)}: it is not the name of a file`,
      );
    }
    const isReplaceable = info === undefined || info.isFile;
    // a link stays: the file it points to is replaced or created. A pipe, to
    // which /dev/stdout may lead, has no path of its own
    const end = !isReplaceable
      ? path
      : link?.isSymlink !== true
      ? path
      : info === undefined
      ? followLinks(path)
      : Deno.realPathSync(path);
    return { path: end, mode: modeOf(info), isReplaceable };
  });
}

/**
 * Inspects the target of a download in a directory that others may write to.
 * Links are not followed.
 *
 * @throws {LocalError} If the path is not safe
 */
export function plainTarget(path: string, check: () => void): Target {
  return locally(() => {
    check();
    const mode = modeOf(lstatOrNothing(path));
    return { path, mode, isReplaceable: true, check };
  });
}

/** Explains an error while a finished download is renamed to its target. */
export function placementError(path: string, error: unknown): Error {
  const folder = dirname(path);
  if (statOrNothing(folder) === undefined) {
    return new Deno.errors.NotFound(
      `Cannot download to ${quote(path)}: the folder ${
        quote(folder)
      } was removed during the download; create it, then download again`,
      { cause: error },
    );
  }
  if (statOrNothing(path)?.isDirectory) {
    return new Deno.errors.IsADirectory(
      `Cannot download to ${
        quote(path)
      }: it became a directory during the download; remove it, or download to another name`,
      { cause: error },
    );
  }
  return withMessage(
    asError(error),
    (message) =>
      `Cannot download to ${
        quote(path)
      }: the complete file could not be renamed to it: ${message}`,
  );
}

function modeOf(info: Deno.FileInfo | undefined): FileMode | undefined {
  const { mode = null, gid: group = null } = info ?? {};
  const hasModes = mode !== null && Deno.build.os !== "windows";
  return hasModes ? { bits: mode & 0o777, group } : undefined;
}

/** Inspects a path, and the file that it leads to if it is a link. */
function statTarget(
  path: string,
): Record<"link" | "info", Deno.FileInfo | undefined> {
  try {
    const link = lstatOrNothing(path);
    return { link, info: link?.isSymlink ? statOrNothing(path) : link };
  } catch (error) {
    throw withMessage(
      error,
      (message) => `Cannot download to ${quote(path)}: ${message}`,
    );
  }
}

function statOrNothing(path: string): Deno.FileInfo | undefined {
  return unlessMissing(() => Deno.statSync(path));
}

/**
 * Returns information about a path without following links; `undefined` if
 * nothing is there.
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

/** Follows links to a path that does not exist yet. */
function followLinks(path: string): string {
  let end = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    if (!lstatOrNothing(end)?.isSymlink) return end;
    const next = Deno.readLinkSync(end);
    // joined as text, because ".." after a link leads elsewhere
    end = isAbsolute(next)
      ? next
      : `${Deno.realPathSync(dirname(end))}/${next}`;
  }
  throw new Deno.errors.FilesystemLoop(
    `Cannot download to ${quote(path)}: it is a symbolic link without a target`,
  );
}
