/**
 * Directories on the server: made with their parents, removed with what is in
 * them.
 *
 * @module
 */

import { Breather, filterAll, visitAll } from "../connection/breather.ts";
import type { Entry, EntryKind } from "../listing/entry.ts";
import type { Command } from "../protocol/command.ts";
import { printable } from "../protocol/printable.ts";
import { FTPError, FTPPermanentError } from "../protocol/errors.ts";
import { pipeline } from "../transfer/pipeline.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { kindOf, kindsOf, noteLinks } from "./entry_kinds.ts";
import { isDirectory } from "./change_directory.ts";
import { readDirectory } from "./listing.ts";
import type { PartialListingError } from "./partial_listing_error.ts";
import { checkName, joinPath } from "../commands/path.ts";

/** Options of {@linkcode FTP.remove}. */
export interface RemoveOptions {
  /**
   * Whether a directory is removed with all that is in it. Nothing is gone into
   * but directories: a symbolic link that the server does not delete is an
   * error, as is what may be one. Where `MLSD` may show links as what they lead
   * to, as that of pyftpdlib does, `LIST` is asked, too. A directory whose
   * listing the server cuts is listed again until nothing is left.
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

/** What a server says of what its system denies. */
const DENIED_REGEXP = /\b(permission|access)( is)? denied\W*$/i;

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

/** What {@linkcode remove} knows of its caller. */
interface RemoveContext {
  /** What the path is, if it was listed and {@linkcode kindsOf} asked. */
  readonly kind?: EntryKind;
  /** Gives a signal of the caller's end, when the turn has come. */
  readonly begin?: () => AbortSignal;
}

/**
 * Removes a file, or a directory. Symbolic links are removed, never followed:
 * what the server does not delete is gone into only if it is known to be a
 * directory.
 *
 * @param session The session
 * @param path What to remove
 * @param options Whether with what is in it; a signal
 * @param context What is known of the path and the caller
 * @throws {FTPPermanentError} If something cannot be removed
 */
export async function remove(
  session: Session,
  path: string,
  { signal, ...others }: RemoveOptions,
  { kind, begin }: RemoveContext = {},
): Promise<void> {
  if (path === "") {
    throw new TypeError("Cannot remove a path that is empty");
  }
  let options: RemoveOptions = { ...others, signal };
  try {
    // what DELE takes is no directory: a link to one is gone, not entered
    await session.turns.share(() => {
      if (begin !== undefined) options = { ...others, signal: begin() };
      return session.perform(deletion(path), options);
    }, { signal });
  } catch (error) {
    if (!(error instanceof FTPPermanentError)) throw error;
    if (options.recursive !== true) {
      return await removeDirectory(session, path, error, options);
    }
    const isDirectory = await orRefusal(
      error,
      async () =>
        (kind ?? await kindOf(session, path, options)) === "directory",
    );
    if (!isDirectory) throw error;
    await removeTree(session, path, error, options);
  }
}

function deletion(path: string): Command {
  return { verb: "DELE", argument: path, name: "path" };
}

interface Refusal {
  readonly index: number;
  readonly error: FTPError;
}

/** Removes a directory, which is listed as one, with all that is in it. */
async function removeTree(
  session: Session,
  path: string,
  refusal: FTPPermanentError,
  options: RemoveOptions,
): Promise<void> {
  if (isDenied(refusal)) {
    // it will not go, whatever is in it; and a server may be told to show links
    // as what they lead to (Pure-FTPd's "-b", ProFTPD's "ShowSymlinks off")
    try {
      await removeDirectory(session, path, refusal, options);
      return;
    } catch (error) {
      if (!(error instanceof FTPPermanentError) || isDenied(error)) throw error;
    }
  }
  const unread = await empty(session, path, refusal, options);
  try {
    await removeDirectory(session, path, refusal, options);
  } catch (error) {
    // why it was not emptied is more to the point
    throw error instanceof FTPPermanentError ? unread ?? error : error;
  }
}

/**
 * Removes what is in a directory. Where the server cuts the listing, the next
 * one has what comes then.
 *
 * @returns What went wrong if it does not show what is there; nothing may be
 */
async function empty(
  session: Session,
  path: string,
  refusal: FTPPermanentError,
  options: RemoveOptions,
): Promise<FTPError | undefined> {
  const { maxEntries, signal } = options;
  const listed = { maxEntries, signal, all: true };
  const gone = new Set<string>();
  while (true) {
    let partial: PartialListingError | undefined;
    const onPartial = (error: PartialListingError) => void (partial = error);
    let entries: Entry[];
    try {
      entries = await readDirectory(session, path, listed, { onPartial });
    } catch (error) {
      if (!(error instanceof FTPPermanentError)) throw error;
      return refusal;
    }
    const again = partial === undefined
      ? []
      : await filterAll(entries, ({ name }) => gone.has(name), signal);
    const isStuck = entries.length === 0 || again.length > 0;
    if (partial !== undefined && isStuck) return partial;
    await removeEntries(session, path, entries, options);
    if (partial === undefined) return undefined;
    gone.clear();
    await visitAll(entries, ({ name }) => gone.add(name), signal);
  }
}

/** Removes what was listed in a directory. */
async function removeEntries(
  session: Session,
  path: string,
  entries: readonly Entry[],
  options: RemoveOptions,
): Promise<void> {
  noteLinks(session, entries);
  const paths: string[] = [];
  await visitAll(
    entries,
    ({ name }) => paths.push(joinPath(path, checkName(name))),
    options.signal,
  );
  const refusals = await deleteAll(session, paths, options);
  const [first] = refusals;
  if (first === undefined) return;
  const rest = refusals.map(({ index }) => entries[index]!);
  const kinds = await orRefusal(
    first.error,
    () => kindsOf(session, path, rest, options),
  );
  for (const [at, { index, error }] of refusals.entries()) {
    const kind = kinds[at];
    const isRemovable = kind === "directory" ||
      // on Windows a link to a directory is removed as one
      (kind === "symlink" && rest[at]!.format === "dos");
    if (!isRemovable || !(error instanceof FTPPermanentError)) throw error;
    const removeInner = kind === "directory" ? removeTree : removeDirectory;
    await removeInner(session, paths[index]!, error, options);
  }
}

function isDenied({ reply }: FTPError): boolean {
  return DENIED_REGEXP.test(reply?.text ?? "");
}

/** Removes a directory in which nothing is left. */
async function removeDirectory(
  session: Session,
  path: string,
  refusal: FTPPermanentError,
  options: SignalOptions,
): Promise<void> {
  const command = { verb: "RMD", argument: path, name: "path" };
  const { signal } = options;
  try {
    await session.turns.share(
      () => session.perform(command, { signal }),
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

/** Where nothing can be listed, the refusal to delete stands. */
async function orRefusal<T>(
  refusal: FTPError,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
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
  const commands = paths.values().map(deletion);
  const breather = new Breather();
  let index = 0;
  for await (
    const result of pipeline(session, commands, { window: WINDOW, signal })
  ) {
    if (breather.isDue) await breather.pause(signal);
    if (result instanceof FTPError) refusals.push({ index, error: result });
    index++;
  }
  return refusals;
}
