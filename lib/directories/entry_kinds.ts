/**
 * Determines the kinds of entries, and tells links from directories: a
 * recursive removal must not follow a link.
 *
 * @module
 */

import { filterAll, PauseTimer, visitAll } from "../connection/pauses.ts";
import type { Entry, EntryKind } from "../listing/entry.ts";
import { joinRawPath, rawPathOf, splitRawPath } from "../commands/raw_path.ts";
import type { Path } from "../protocol/command.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { readDirectory } from "./listing.ts";
import { canonicalPath } from "./walk.ts";

/**
 * Returns the kinds of a directory's entries. `MLSD` may show a link as a
 * directory (pyftpdlib does), but `LIST` does not. If `MLSD` shows directories
 * and never showed a link, `LIST` decides.
 */
export async function kindsOf(
  session: Session,
  directory: Path,
  entries: readonly Entry[],
  options: SignalOptions,
): Promise<EntryKind[]> {
  const { signal } = options;
  const doubtful = new Set<Entry>(
    session.profile.tellsLinks
      ? []
      : await filterAll(entries, isDoubtful, signal),
  );
  const kinds: EntryKind[] = [];
  if (doubtful.size === 0) {
    await visitAll(entries, ({ kind }) => kinds.push(kind), signal);
    return kinds;
  }
  const names = new Set<string>();
  await visitAll(doubtful, ({ name }) => names.add(name), signal);
  const { kinds: listed } = await readAgain(
    session,
    directory,
    options,
    ({ name }) => names.has(name),
  );
  const pauses = new PauseTimer();
  for (const entry of entries) {
    if (pauses.isDue) await pauses.pause(signal);
    const { name } = entry;
    if (!doubtful.has(entry)) kinds.push(entry.kind);
    else if (listed.has(name)) kinds.push(listed.get(name)!);
    else {
      const path = joinRawPath(rawPathOf(session, directory), entry.rawName);
      kinds.push(await kindByPath(session, directory, path, options));
    }
  }
  return kinds;
}

/** Notes whether `MLSD` shows links as links. */
export function noteLinks(session: Session, entries: readonly Entry[]): void {
  session.profile.tellsLinks ||= entries.some((entry) =>
    entry.isSymlink && entry.facts !== undefined
  );
}

/**
 * Determines the kind of a path that the server does not delete as a file, from
 * the listing of its directory. ProFTPD's `MLST` shows a link as a directory,
 * whatever its `MLSD` does.
 */
export async function kindOf(
  session: Session,
  path: Path,
  options: SignalOptions,
): Promise<EntryKind> {
  const [directory, rawName] = splitRawPath(rawPathOf(session, path));
  const name = session.control.encoding.decode(rawName);
  if (/^\.{0,2}$/.test(name)) return "directory"; // not the name of a link
  const { kinds: listed, isWhole } = await readAgain(
    session,
    directory,
    options,
    (entry) => entry.name.toLowerCase() === name.toLowerCase(),
  );
  // the server may treat "a" and "A" as equal
  const kinds = listed.has(name) ? [listed.get(name)!] : [...listed.values()];
  if (kinds.length === 0 || (!isWhole && !listed.has(name))) {
    return await kindByPath(session, directory, path, options);
  }
  return kinds.every((kind) => kind === kinds[0]) ? kinds[0]! : "unknown";
}

/**
 * Whether an entry may be a link that is shown as a directory. A hostile name
 * cannot be checked, and is not used anyway.
 */
function isDoubtful(entry: Entry): boolean {
  const isAmbiguous = entry.kind === "directory" || entry.kind === "unknown";
  return isAmbiguous && !entry.hostile && entry.facts !== undefined;
}

/** Lists kinds by name, with the command that shows links. */
async function readAgain(
  session: Session,
  directory: Path,
  { signal }: SignalOptions,
  isWanted: (entry: Entry) => boolean,
): Promise<{ kinds: Map<string, EntryKind>; isWhole: boolean }> {
  const command = session.profile.tellsLinks ? undefined : "LIST";
  const options = { all: true, command, signal } as const;
  let isWhole = true;
  const onPartial = () => void (isWhole = false);
  const entries = await readDirectory(session, directory, options, {
    isWanted,
    onPartial,
  });
  const kinds = new Map<string, EntryKind>();
  await visitAll(entries, ({ name, kind }) => {
    const isSame = (kinds.get(name) ?? kind) === kind;
    kinds.set(name, isSame ? kind : "unknown");
  }, signal);
  return { kinds, isWhole };
}

/**
 * Determines the kind of an entry that no listing shows, such as a hidden one,
 * or one after a cut. `PWD` resolves links on most servers.
 */
async function kindByPath(
  session: Session,
  directory: Path,
  path: Path,
  options: SignalOptions,
): Promise<EntryKind> {
  const outer = await canonicalPath(session, directory, options);
  const inner = await canonicalPath(session, path, options);
  if (outer === undefined || inner === undefined) return "unknown";
  return isBelow(inner, outer) ? "directory" : "unknown";
}

function isBelow(inner: string, outer: string): boolean {
  const start = outer.endsWith("/") ? outer : `${outer}/`;
  return inner.length > start.length && inner.startsWith(start);
}
