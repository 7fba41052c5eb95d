/**
 * Creates directories with their parents, and removes directories with their
 * contents.
 *
 * @module
 */

import { filterAll, PauseTimer, visitAll } from "../connection/pauses.ts";
import type { Entry, EntryKind } from "../listing/entry.ts";
import { joinEntry } from "../listing/entry_path.ts";
import type { Command } from "../protocol/command.ts";
import { printable, quote } from "../protocol/printable.ts";
import { FTPError, FTPPermanentError } from "../protocol/errors.ts";
import { pipeline } from "../transfer/pipeline.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import type { Turn } from "../transfer/turn.ts";
import { kindOf, kindsOf, noteLinks } from "./entry_kinds.ts";
import { isDirectory } from "./change_directory.ts";
import { readDirectory } from "./listing.ts";
import type { PartialListingError } from "./partial_listing_error.ts";
import { checkName, endsWithName } from "../commands/path.ts";

/** Options of {@linkcode FTP.prototype.remove FTP.remove}. */
export interface RemoveOptions {
  /**
   * Whether to remove a directory with everything in it. Only directories are
   * entered. A symbolic link that the server does not delete is an error, and
   * so is an entry that may be one. If `MLSD` may show links as the files or
   * directories they lead to, as pyftpdlib's does, `LIST` is sent as well. If
   * the server cuts a listing, the directory is listed again until it is empty.
   *
   * @default false
   */
  recursive?: boolean | undefined;
  /**
   * Largest number of entries in one directory, whose names are all kept while
   * they are removed. More entries are a `RangeError`.
   *
   * @default 1_000_000
   */
  maxEntries?: number | undefined;
  /** Aborts the call. Removed entries stay removed. */
  signal?: AbortSignal | undefined;
}

/** Deletions that are sent at once. */
const WINDOW = 64;

/** The server's text if the system denies access. */
const DENIED_REGEXP = /\b(permission|access)( is)? denied\W*$/i;

/** Options of {@linkcode ensureDir}. */
interface EnsureDirOptions extends SignalOptions {
  /** Called before a directory is created that was not there. */
  readonly onMissing?: (() => void) | undefined;
}

/**
 * Creates a directory and its missing parents.
 *
 * @returns Whether the directory was proven to be missing before
 * @throws {FTPPermanentError} If the directory does not exist afterwards
 */
export async function ensureDir(
  session: Session,
  path: string,
  options: EnsureDirOptions,
): Promise<boolean> {
  const made = await session.exclusive(async (turn) => {
    if (await isDirectory(turn, path, options)) return false;
    options.onMissing?.();
    const refusal = await makeAll(turn, prefixes(path), options);
    // without a way back, CWD was not tried
    if (refusal === undefined) {
      return session.state.directory?.startsWith("/") === true;
    }
    // another client may have created it
    return await isDirectory(turn, path, options) ? false : refusal;
  }, options);
  if (typeof made === "boolean") return made;
  const isTold = session.state.directory !== "";
  const kind = isTold ? undefined : await orRefusal(
    made,
    () => kindOf(session, path, options),
  );
  if (kind !== "directory") throw made;
  return false;
}

/**
 * Creates directories in order, in one round trip if the server allows it.
 *
 * @returns The refusal of the last one, if it was refused
 */
async function makeAll(
  turn: Turn,
  paths: readonly string[],
  options: SignalOptions,
): Promise<FTPPermanentError | undefined> {
  const { profile, control } = turn.session;
  if (profile.allowsJoining && control.isPipelining) {
    const all = paths.map((path) => makeDirectory(turn, path, options));
    return (await Promise.all(all)).at(-1);
  }
  let refusal: FTPPermanentError | undefined;
  for (const path of paths) refusal = await makeDirectory(turn, path, options);
  return refusal;
}

/** "/a/b/c": "/a", "/a/b", "/a/b/c". */
function prefixes(path: string): string[] {
  const ends = [...path.matchAll(/[^/](?=\/|$)/g)].map(({ index }) =>
    index + 1
  );
  return ends.map((end) => path.slice(0, end));
}

async function makeDirectory(
  turn: Turn,
  path: string,
  options: SignalOptions,
): Promise<FTPPermanentError | undefined> {
  try {
    await turn.perform(
      { verb: "MKD", argument: path, name: "path" },
      options,
    );
    return undefined;
  } catch (error) {
    if (error instanceof FTPPermanentError) return error;
    throw error;
  }
}

/** Knowledge of the caller of {@linkcode remove}. */
interface RemoveContext {
  /** Kind of the path, if it was listed and {@linkcode kindsOf} checked it. */
  readonly kind?: EntryKind;
  /** Returns the caller's signal when the turn has come. */
  readonly begin?: () => AbortSignal;
}

/**
 * Removes a file or directory. Symbolic links are removed, never followed: a
 * path that the server does not delete is entered only if it is known to be a
 * directory.
 *
 * @throws {FTPPermanentError} If something cannot be removed
 */
export async function remove(
  session: Session,
  path: string,
  { signal, ...others }: RemoveOptions,
  { kind, begin }: RemoveContext = {},
): Promise<void> {
  if (path === "") {
    throw new TypeError(
      'Cannot remove "": it is empty; "." is the current directory',
    );
  }
  if (others.recursive === true) checkNamed(path);
  let options: RemoveOptions = { ...others, signal };
  try {
    // DELE accepts no directory: a link to one is deleted, not followed
    await session.shared((turn) => {
      if (begin !== undefined) options = { ...others, signal: begin() };
      return turn.perform(deletion(path), options);
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

/** Rejects a path that ends with no name, as rm does: a part of it may be missing by mistake. */
function checkNamed(path: string): void {
  if (endsWithName(path)) return;
  throw new TypeError(
    `Cannot remove ${
      quote(path)
    } with everything in it: it ends with no name; give the path of a directory, or remove its entries one by one`,
  );
}

function deletion(path: string): Command {
  return { verb: "DELE", argument: path, name: "path" };
}

interface Refusal {
  readonly index: number;
  readonly error: FTPError;
}

/** Removes a directory, which is listed as one, with everything in it. */
async function removeTree(
  session: Session,
  path: string,
  refusal: FTPPermanentError,
  options: RemoveOptions,
): Promise<void> {
  if (isDenied(refusal)) {
    // it cannot be removed, whatever its contents; and a server may show links
    // as directories (Pure-FTPd's "-b", ProFTPD's "ShowSymlinks off")
    try {
      await removeDirectory(session, path, refusal, options);
      return;
    } catch (error) {
      if (!(error instanceof FTPPermanentError) || isDenied(error)) throw error;
    }
  }
  const unread = await emptyDirectory(session, path, refusal, options);
  try {
    await removeDirectory(session, path, refusal, options);
  } catch (error) {
    // the reason why it was not emptied is more helpful
    throw error instanceof FTPPermanentError ? unread ?? error : error;
  }
}

/**
 * Removes the contents of a directory. If the server cuts the listing, it is
 * listed again.
 *
 * @returns The error of an incomplete listing that shows nothing new
 */
async function emptyDirectory(
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

/** Removes the listed entries of a directory. */
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
    (entry) => {
      checkName(entry.name);
      paths.push(joinEntry(path, entry));
    },
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
      // Windows removes a link to a directory like a directory
      (kind === "symlink" && rest[at]!.format === "dos");
    if (!isRemovable || !(error instanceof FTPPermanentError)) throw error;
    const removeInner = kind === "directory" ? removeTree : removeDirectory;
    await removeInner(session, paths[index]!, error, options);
  }
}

function isDenied({ reply }: FTPError): boolean {
  return DENIED_REGEXP.test(reply?.text ?? "");
}

/** Removes an empty directory. */
async function removeDirectory(
  session: Session,
  path: string,
  refusal: FTPPermanentError,
  options: RemoveOptions,
): Promise<void> {
  const command = { verb: "RMD", argument: path, name: "path" };
  const { signal } = options;
  try {
    await session.shared(
      (turn) => turn.perform(command, { signal }),
      { signal },
    );
  } catch (error) {
    if (!(error instanceof FTPPermanentError)) throw error;
    // for a file the reply to DELE is helpful, for a directory that to RMD
    const isFile = /not a directory|no such/i.test(error.reply?.text ?? "");
    const cause = isFile ? refusal : error;
    const said = ({ reply }: FTPError) => printable(reply?.text ?? "");
    const isDone = isFile || options.recursive === true || isDenied(error);
    const advice = isDone
      ? ""
      : "; { recursive: true } removes a directory with its contents";
    throw new FTPPermanentError(
      `Cannot remove ${quote(path)}: as a file, "${
        said(refusal)
      }"; as a directory, "${said(error)}"${advice}`,
      { reply: cause.reply, command: cause.command, cause },
    );
  }
}

/** Runs a listing. If it is refused, throws the refused deletion instead. */
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

/** Deletes files, many at once. Returns those that the server refused. */
async function deleteAll(
  session: Session,
  paths: readonly string[],
  { signal }: SignalOptions,
): Promise<Refusal[]> {
  const refusals: Refusal[] = [];
  const commands = paths.values().map(deletion);
  const pauses = new PauseTimer();
  let index = 0;
  for await (
    const result of pipeline(session, commands, { window: WINDOW, signal })
  ) {
    if (pauses.isDue) await pauses.pause(signal);
    if (result instanceof FTPError) refusals.push({ index, error: result });
    index++;
  }
  return refusals;
}
