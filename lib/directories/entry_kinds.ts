/**
 * What entries are, links told from what they lead to: who removes a directory
 * with all in it must not go through a link.
 *
 * @module
 */

import { Breather, filterAll, visitAll } from "../connection/breather.ts";
import type { Entry, EntryKind } from "../listing/entry.ts";
import { joinRawPath, rawPathOf, splitRawPath } from "../commands/raw_path.ts";
import type { Path } from "../protocol/command.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { readDirectory } from "./listing.ts";
import { canonicalPath } from "./walk.ts";

/**
 * What the entries of a directory are. pyftpdlib's `MLSD` shows a link as what
 * it leads to, and so may that of others; its `LIST` does not. So where `MLSD`
 * speaks of directories, and never spoke of a link, `LIST` has the last word.
 *
 * @param session The session
 * @param directory The directory
 * @param entries Entries of it
 * @param options A signal
 * @returns Their kinds; "unknown" for a directory that may be a link
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
  const breather = new Breather();
  for (const entry of entries) {
    if (breather.isDue) await breather.pause(signal);
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

/**
 * Takes note of whether `MLSD` shows links as such.
 *
 * @param session The session
 * @param entries What was listed
 */
export function noteLinks(session: Session, entries: readonly Entry[]): void {
  session.profile.tellsLinks ||= entries.some((entry) =>
    entry.isSymlink && entry.facts !== undefined
  );
}

/**
 * What a path is that the server does not delete as a file: its last name is
 * looked up in the listing of the directory that it is in. ProFTPD's `MLST`
 * shows a link as what it leads to, whatever its `MLSD` does.
 *
 * @param session The session
 * @param path The path
 * @param options A signal
 * @returns The kind; "unknown" for a directory that may be a link
 */
export async function kindOf(
  session: Session,
  path: Path,
  options: SignalOptions,
): Promise<EntryKind> {
  const [directory, rawName] = splitRawPath(rawPathOf(session, path));
  const name = session.control.encoding.decode(rawName);
  if (/^\.{0,2}$/.test(name)) return "directory"; // no name of a link
  const { kinds: listed, isWhole } = await readAgain(
    session,
    directory,
    options,
    (entry) => entry.name.toLowerCase() === name.toLowerCase(),
  );
  // the server may take "a" for what it calls "A"
  const kinds = listed.has(name) ? [listed.get(name)!] : [...listed.values()];
  if (kinds.length === 0 || (!isWhole && !listed.has(name))) {
    return await kindByPath(session, directory, path, options);
  }
  return kinds.every((kind) => kind === kinds[0]) ? kinds[0]! : "unknown";
}

/**
 * Whether an entry may be a link that is shown as what it leads to. A hostile
 * name cannot be asked for; whoever gets it goes nowhere with it.
 */
function isDoubtful(entry: Entry): boolean {
  const isAmbiguous = entry.kind === "directory" || entry.kind === "unknown";
  return isAmbiguous && !entry.hostile && entry.facts !== undefined;
}

/** Kinds by names, as the command tells them that tells links. */
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
 * What no listing shows, such as a hidden name, or one behind the place where it
 * was cut: most servers tell in a directory where it is, and not how it was come
 * to.
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
