/**
 * Directories on the server: made with their parents, removed with what is in
 * them.
 *
 * @module
 */

import { printable } from "../protocol/command.ts";
import { FTPError, FTPPermanentError } from "../protocol/errors.ts";
import { pipeline } from "../transfer/pipeline.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { isDirectory } from "./in_directory.ts";
import { readDirectory } from "./listing.ts";
import type { ListOptions } from "./listing_options.ts";
import { checkName, joinPath } from "../paths/names.ts";

/** Options of {@linkcode FTP.remove}. */
export interface RemoveOptions {
  /**
   * Whether a directory is removed with all that is in it.
   *
   * @default {false}
   */
  recursive?: boolean | undefined;
  /**
   * Most entries of one directory, whose names are all kept while they are
   * removed; one more is a `RangeError`.
   *
   * @default {1_000_000}
   */
  maxEntries?: number | undefined;
  /** Ends the call; what is removed by then stays removed. */
  signal?: AbortSignal | undefined;
}

/** Deletions under way at once. */
const WINDOW = 64;

/**
 * Makes a directory and its parents, where they are missing.
 *
 * @param session The session
 * @param path The directory
 * @param options A signal
 * @throws {FTPPermanentError} If there is no such directory afterwards
 */
export async function ensureDir(
  session: Session,
  path: string,
  options: SignalOptions,
): Promise<void> {
  await session.turns.alone(async () => {
    if (await isDirectory(session, path, options)) return;
    let refusal: FTPPermanentError | undefined;
    for (const parent of prefixes(path)) {
      refusal = await make(session, parent, options);
    }
    if (refusal === undefined) return;
    // somebody else may have made it meanwhile
    if (!await isDirectory(session, path, options)) throw refusal;
  }, options);
}

/** "/a/b/c": "/a", "/a/b", "/a/b/c". */
function prefixes(path: string): string[] {
  const ends = [...path.matchAll(/[^/](?=\/|$)/g)].map(({ index }) =>
    index + 1
  );
  return ends.map((end) => path.slice(0, end));
}

async function make(
  session: Session,
  path: string,
  options: SignalOptions,
): Promise<FTPPermanentError | undefined> {
  try {
    await session.perform(
      { verb: "MKD", argument: path, name: "path" },
      options,
    );
    return undefined;
  } catch (error) {
    if (error instanceof FTPPermanentError) return error;
    throw error;
  }
}

/**
 * Removes a file, or a directory. Symbolic links are removed, never followed.
 *
 * @param session The session
 * @param path What to remove
 * @param options Whether with what is in it; a signal
 * @throws {FTPPermanentError} If something cannot be removed
 */
export async function remove(
  session: Session,
  path: string,
  options: RemoveOptions,
): Promise<void> {
  if (path === "") {
    throw new TypeError("Cannot remove a path that is empty");
  }
  // what DELE takes is no directory: a link to one is gone, not entered
  const [refusal] = await deleteAll(session, [path], options);
  if (refusal !== undefined) {
    await removeDirectory(session, path, refusal.error, options);
  }
}

interface Refusal {
  readonly path: string;
  readonly error: FTPError;
}

async function removeDirectory(
  session: Session,
  path: string,
  refusal: FTPError,
  options: RemoveOptions,
): Promise<void> {
  if (!(refusal instanceof FTPPermanentError)) throw refusal;
  const { recursive = false, maxEntries, signal } = options;
  if (recursive) {
    const names = await listOrThrow(session, path, refusal, {
      maxEntries,
      signal,
    });
    const paths = names.map((name) => joinPath(path, checkName(name)));
    for (const entry of await deleteAll(session, paths, options)) {
      await removeDirectory(session, entry.path, entry.error, options);
    }
  }
  try {
    await session.turns.share(
      () =>
        session.perform({ verb: "RMD", argument: path, name: "path" }, {
          signal,
        }),
      { signal },
    );
  } catch (error) {
    if (!(error instanceof FTPPermanentError)) throw error;
    // for a file DELE's words are to the point, for a directory RMD's
    const isFile = /not a directory|no such/i.test(error.reply?.text ?? "");
    const cause = isFile ? refusal : error;
    const said = ({ reply }: FTPError) => printable(reply?.text ?? "");
    throw new FTPPermanentError(
      `Cannot remove "${printable(path)}": as a file, "${
        said(refusal)
      }"; as a directory, "${said(error)}"`,
      { reply: cause.reply, command: cause.command, cause },
    );
  }
}

/** What cannot be listed is no directory: the refusal to delete it stands. */
async function listOrThrow(
  session: Session,
  path: string,
  refusal: FTPError,
  options: ListOptions,
): Promise<string[]> {
  try {
    const entries = await readDirectory(session, path, {
      ...options,
      all: true,
    });
    return entries.map(({ name }) => name);
  } catch (error) {
    throw error instanceof FTPPermanentError ? refusal : error;
  }
}

/** Deletes files, many at once; gives those that the server would not. */
async function deleteAll(
  session: Session,
  paths: readonly string[],
  { signal }: SignalOptions,
): Promise<Refusal[]> {
  const refusals: Refusal[] = [];
  const commands = paths.map((argument) => ({
    verb: "DELE",
    argument,
    name: "path",
  }));
  let index = 0;
  for await (
    const result of pipeline(session, commands, { window: WINDOW, signal })
  ) {
    const path = paths[index++]!;
    if (result instanceof FTPError) refusals.push({ path, error: result });
  }
  return refusals;
}
