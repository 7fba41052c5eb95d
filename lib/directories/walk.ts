/**
 * Walks a directory tree.
 *
 * @module
 */

import { PauseTimer } from "../connection/pauses.ts";
import type { Entry } from "../listing/entry.ts";
import { EntryList } from "../listing/entry_list.ts";
import { joinEntry, joinRawEntry } from "../listing/entry_path.ts";
import type { Path } from "../protocol/command.ts";
import { quote } from "../protocol/printable.ts";
import { FTPProtocolError, isRefusal } from "../protocol/errors.ts";
import { parseDirectory } from "../protocol/reply_values.ts";
import { Listener } from "../transfer/listener.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { textOfPath } from "../commands/queries.ts";
import { enterDirectory } from "./change_directory.ts";
import { makeMatcher } from "./glob.ts";
import { MAX_KEPT, readDirectory, tooMany } from "./listing.ts";
import { checkListOptions } from "./listing_options.ts";
import { joinPath } from "../commands/path.ts";
import { rawPathOf } from "../commands/raw_path.ts";
import { requestEntry } from "./stat.ts";
import { WalkEntry } from "./walk_entry.ts";
import type { WalkOptions } from "./walk_options.ts";

/** Default limit of the depth. */
const MAX_LEVELS = 256;

/**
 * Runs one step, and repeats it on another session if the connection is lost.
 */
export type RunStep = <T>(
  step: (session: Session) => Promise<T>,
) => Promise<T>;

/** A directory to enter. */
interface Start {
  readonly path: string;
  /** Its path below the root of the walk; "" for the root. */
  readonly below: string;
  readonly rawPath: Uint8Array;
  /**
   * The fact "unique", which identifies the directory (RFC 3659 section 7.5.2).
   */
  readonly unique: string | undefined;
  /** Its path without links, if links are followed. */
  readonly canonical: string | undefined;
}

/** A directory that is being walked. */
interface Level extends Start {
  /** Entries that were not returned yet. */
  readonly rest: EntryList;
  /** Their approximate size, in bytes. */
  readonly size: number;
  /** Whether entries have the fact `unique`. */
  readonly hasUnique: boolean;
}

/**
 * Walks a tree, depth first. Each directory is read completely, in a turn of
 * its own, before its entries are returned. Between two entries the session is
 * free, and a lost connection is replaced.
 *
 * @param path The root; "" for the current directory
 */
export async function* walkTree(
  run: RunStep,
  path: Path,
  { onError, onUnknown, ...others }: WalkOptions,
): AsyncGenerator<WalkEntry> {
  const listener = new Listener();
  const options: WalkOptions = {
    ...others,
    onError: listener.heard(onError),
    onUnknown: listener.heard(onUnknown),
  };
  const { maxDepth = Infinity, match, skip } = options;
  const isMatch = match === undefined ? undefined : makeMatcher(match, "match");
  const isSkipped = skip === undefined ? undefined : makeMatcher(skip, "skip");
  if (!(maxDepth >= 1)) {
    throw new RangeError(
      `Cannot walk ${maxDepth} levels: "maxDepth" must be 1 or more`,
    );
  }
  checkListOptions(options);
  const levels: Level[] = [
    await run((session) => openRoot(session, path, options)),
  ];
  const pauses = new PauseTimer();
  for (let level; (level = levels.at(-1)) !== undefined;) {
    listener.check();
    if (pauses.isDue) await pauses.pause(options.signal);
    const entry = level.rest.shift();
    if (entry === undefined) {
      levels.pop();
      continue;
    }
    const path = joinEntry(level.path, entry);
    if (isSkipped?.(path, belowRoot(level, entry))) continue;
    const mayEnter = !entry.isFile && levels.length < maxDepth;
    const start = mayEnter
      ? await startOf(run, entry, { path, level, options })
      : undefined;
    const isLoop = start !== undefined && isOneOf(levels, start);
    const visited = new WalkEntry(entry, {
      path,
      directory: level.rawPath,
      depth: levels.length,
      isLoop,
    });
    const isWanted = isIncluded(visited, options) &&
      isMatch?.(path, belowRoot(level, entry)) !== false;
    if (isWanted) yield visited;
    if (start === undefined || isLoop) continue;
    if (levels.length >= MAX_LEVELS && options.maxDepth === undefined) {
      throw new RangeError(
        `Cannot walk ${
          quote(path)
        }: it is more than ${MAX_LEVELS} levels deep; increase "maxDepth"`,
      );
    }
    const next = await run((session) =>
      openLevel(session, start, levels, options)
    );
    if (next !== undefined) levels.push(next);
  }
  await listener.settle();
}

function isIncluded(entry: WalkEntry, options: WalkOptions): boolean {
  const { includeFiles, includeDirs, includeSymlinks } = options;
  const isKindIncluded = entry.isDirectory
    ? includeDirs
    : entry.isSymlink
    ? includeSymlinks
    : includeFiles;
  return isKindIncluded !== false;
}

/** Returns the path of an entry below the root of the walk. */
function belowRoot({ below }: Level, { name }: Entry): string {
  return joinPath(below, name);
}

interface VisitedEntry {
  readonly path: string;
  readonly level: Level;
  readonly options: WalkOptions;
}

/** Returns the directory to enter, if the entry is one or leads to one. */
async function startOf(
  run: RunStep,
  entry: Entry,
  { path, level, options }: VisitedEntry,
): Promise<Start | undefined> {
  if (entry.hostile) return undefined;
  const below = belowRoot(level, entry);
  const rawPath = joinRawEntry(level.rawPath, entry);
  const unique = entry.facts?.unique;
  if (entry.isDirectory) {
    const canonical = level.canonical === undefined
      ? undefined
      : joinPath(level.canonical, entry.name);
    return { path, below, rawPath, unique, canonical };
  }
  if (!entry.isSymlink || options.followSymlinks !== true) return undefined;
  const canonical = await run((session) =>
    canonicalPath(session, rawPath, options)
  );
  return canonical === undefined
    ? undefined
    : { path, below, rawPath, unique, canonical };
}

/** Whether the walk is already inside a directory. */
function isOneOf(levels: readonly Level[], start: Start): boolean {
  return levels.some(({ unique, canonical }) =>
    (unique !== undefined && unique === start.unique) ||
    (canonical !== undefined && canonical === start.canonical)
  );
}

/**
 * Returns the path that the server shows inside a directory; most servers
 * resolve links. `undefined` if it is not a directory.
 */
export async function canonicalPath(
  session: Session,
  path: Path,
  { signal }: SignalOptions,
): Promise<string | undefined> {
  return await session.exclusive(async (turn) => {
    try {
      const directory = path.length === 0 ? "." : path;
      const leave = await enterDirectory(turn, directory, { signal });
      if (leave === undefined) return undefined;
      try {
        const reply = await turn.perform({ verb: "PWD" }, { signal });
        return reply.code === 257 ? parseDirectory(reply) : undefined;
      } finally {
        await leave();
      }
    } catch (error) {
      if (isRefusal(error)) return undefined;
      throw error;
    }
  }, { signal });
}

async function openRoot(
  session: Session,
  path: Path,
  options: WalkOptions,
): Promise<Level> {
  const rawPath = rawPathOf(session, path);
  const canonical = options.followSymlinks === true
    ? await canonicalPath(session, rawPath, options)
    : undefined;
  const start = {
    path: textOfPath(session, path),
    below: "",
    rawPath,
    unique: undefined,
    canonical,
  };
  const level = await readLevel(session, start, [], options);
  // pyftpdlib shows links as directories, and no "." to detect a loop
  const needsUnique = level.unique === undefined &&
    !session.profile.lacks("MLST") && level.hasUnique;
  if (!needsUnique) return level;
  const { facts } = await requestEntry(session, path, options);
  return { ...level, unique: facts?.unique };
}

async function openLevel(
  session: Session,
  start: Start,
  levels: readonly Level[],
  options: WalkOptions,
): Promise<Level | undefined> {
  try {
    const level = await readLevel(session, start, levels, options);
    return isOneOf(levels, level) ? undefined : level;
  } catch (error) {
    // an unreadable listing counts too, such as one with a line over the limit
    const isRefused = error instanceof FTPProtocolError || isRefusal(error);
    // 421 does not concern the directory: it is listed on another connection
    const isLost = session.isLost;
    if (!isRefused || isLost || options.onError === undefined) throw error;
    options.onError(error, start.path);
    return undefined;
  }
}

async function readLevel(
  session: Session,
  start: Start,
  levels: readonly Level[],
  options: WalkOptions,
): Promise<Level> {
  let { unique } = start;
  let size = 0;
  let hasUnique = false;
  const rest = new EntryList();
  const { maxEntries = MAX_KEPT } = options;
  const nested = await readDirectory(
    session,
    start.rawPath,
    options,
    {
      held: levels.reduce((sum, { size }) => sum + size, 0),
      onSize: (taken) => void (size = taken),
      isWanted: (entry) => {
        hasUnique ||= !entry.isFile && entry.facts?.unique !== undefined;
        if (entry.format === "os400") return true;
        rest.push(entry);
        if (rest.length > maxEntries) {
          throw tooMany(session, start.rawPath, maxEntries);
        }
        return false;
      },
      // a link may have a "unique" of its own, so that of the directory counts
      onSelf: ({ facts }) => {
        if (facts?.type?.toLowerCase() === "cdir") {
          unique = facts.unique ?? unique;
        }
      },
    },
  );
  for (const entry of nested) rest.push(entry);
  return { ...start, unique, rest, size, hasUnique };
}
