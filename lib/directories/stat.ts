/**
 * Determines the properties of one path, and whether it exists.
 *
 * @module
 */

import { quote } from "../protocol/printable.ts";
import { isEqual } from "../protocol/bytes.ts";
import { changed, Entry } from "../listing/entry.ts";
import { factsEnd } from "../listing/facts.ts";
import { ListingReader } from "../listing/listing_reader.ts";
import type { ParsedLine } from "../listing/listing_format.ts";
import { ParsedSource, toByteText } from "../listing/parsed_source.ts";
import { checkPath, type Path, withPath } from "../protocol/command.ts";
import {
  FTPError,
  FTPPermanentError,
  isRefusal,
  isUnknownCommand,
  replyOf,
} from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import type { ExclusiveTurn } from "../transfer/turn.ts";
import { requestSize } from "../commands/files.ts";
import { requestShownTime, textOfPath } from "../commands/queries.ts";
import {
  hasNames,
  isDataSet,
  isDirectory,
  isNoDirectory,
} from "./change_directory.ts";
import { type EntryHooks, readDirectory } from "./listing.ts";
import { DENIED_REGEXP } from "./presence.ts";
import { checkListOptions, type ListOptions } from "./listing_options.ts";
import type { PartialListingError } from "./partial_listing_error.ts";
import { rawPathOf, splitRawPath } from "../commands/raw_path.ts";

/**
 * Returns the entry of a path: by `MLST` (RFC 3659 section 7), or else by
 * `CWD`, `SIZE` and `MDTM`, and by the listing of its directory.
 *
 * @throws {FTPPermanentError} If the path does not exist
 */
export async function requestEntry(
  session: Session,
  path: Path,
  options: ListOptions,
  { isRaw = false }: Pick<EntryHooks, "isRaw"> = {},
): Promise<Entry> {
  checkPath(path, "path");
  checkListOptions(options);
  if (!session.profile.lacks("MLST")) {
    const command = withPath("MLST", path);
    try {
      const reply = await session.shared(
        (turn) => turn.perform(command, options),
        options,
      );
      const entry = readFacts(session, path, reply, isRaw);
      if (entry !== undefined) return entry;
    } catch (error) {
      if (!isUnknownCommand(replyOf(error))) throw error;
    }
    session.profile.noteLacking("MLST");
  }
  return await probeEntry(session, path, options, isRaw);
}

/**
 * Errors of names that are missing in their directory, if nothing else shows
 * it.
 */
const absences = new WeakSet<FTPError>();

/**
 * Whether a path exists.
 *
 * @throws {FTPError} If the server does not tell, for example for lack of
 * permission
 */
export async function existsPath(
  session: Session,
  path: Path,
  options: ListOptions,
): Promise<boolean> {
  try {
    await requestEntry(session, path, options);
    return true;
  } catch (error) {
    if (error instanceof FTPError && absences.has(error)) return false;
    const reply = replyOf(error);
    const isMissing = [450, 501, 550, 553].includes(reply?.code ?? 0) &&
      !DENIED_REGEXP.test(reply!.text);
    if (!isMissing) throw error;
    return false;
  }
}

/**
 * Reads the facts in a reply to `MLST`: lines that start with a blank, each
 * with a name.
 */
function readFacts(
  session: Session,
  path: Path,
  reply: Reply,
  isRaw: boolean,
): Entry | undefined {
  const { encoding } = session.control;
  const lines = reply.lines
    .map((line) => line.replace(/^250[- ]/, "").trimStart())
    .filter((line) => /^[\w.-]+=/.test(line));
  const last = lines.at(-1);
  if (last === undefined) return undefined;
  // some servers spread the facts over several lines, each with the name
  const facts = lines.slice(0, -1)
    .map((line) => line.slice(0, factsEnd(line)).replace(/;?$/, ";"));
  let self: Entry | undefined;
  const reader = new ListingReader({
    decode: (bytes) => encoding.decode(bytes),
    format: "mlsd",
    onSelf: (itself) => self = itself,
  });
  const [other] = reader.push(
    encoding.encode(`${facts.join("")}${last}\r\n`),
  );
  const entry = self ?? other;
  const zone = isRaw ? 0 : session.profile.clock.zoneOf("MLSD");
  const name = nameOf(session, path);
  return entry && new Entry(...changed(entry, { name, zone }));
}

function nameOf(
  session: Session,
  path: Path,
): { text: string; raw: Uint8Array } {
  const whole = rawPathOf(session, path);
  const [, name] = splitRawPath(whole);
  const raw = name.length > 0 ? name.slice() : whole.slice();
  return { text: session.control.encoding.decode(raw), raw };
}

/** Probes a path without `MLST` in three ways, the cheapest first. */
async function probeEntry(
  session: Session,
  path: Path,
  options: ListOptions,
  isRaw: boolean,
): Promise<Entry> {
  const found = await session.exclusive(
    (turn) => probe(turn, path, options),
    options,
  );
  if (!(found instanceof FTPError)) {
    const zone = isRaw ? 0 : session.profile.clock.zoneOf("MDTM");
    const entry = makeEntry(session, path, found);
    return new Entry(...changed(entry, { zone }));
  }
  // an entry that is neither a directory nor a readable file still has a line
  const name = nameOf(session, path);
  const [directory] = splitRawPath(rawPathOf(session, path));
  let isAbsent = false;
  let partial: PartialListingError | undefined;
  const onPartial = (error: PartialListingError) => void (partial = error);
  try {
    const listed = { ...options, all: true };
    const hooks = { onPartial, isRaw };
    const entries = await readDirectory(session, directory, listed, hooks);
    const entry = entries.find(({ rawName }) => isEqual(rawName, name.raw));
    if (entry !== undefined) return entry;
    if (partial !== undefined) throw partial;
    isAbsent = !name.text.startsWith("."); // names with a leading dot may be omitted
  } catch (error) {
    if (!isNoDirectory(error)) throw error;
    const { reply } = error as FTPError;
    isAbsent = reply?.code === 550 && !DENIED_REGEXP.test(reply.text);
  }
  const { reply, command } = found;
  isAbsent &&= reply === undefined || isUnknownCommand(reply);
  const why = isAbsent ? "there is no such name in its directory" : reply?.text;
  const error = new FTPPermanentError(
    `Cannot find ${quote(textOfPath(session, path))}: ${why}`,
    { reply, command, cause: found },
  );
  if (isAbsent) absences.add(error);
  throw error;
}

type Probed = Pick<ParsedLine, "kind" | "size" | "mtime">;

/** Returns what `CWD`, `SIZE` and `MDTM` show, or the refusal. */
async function probe(
  turn: ExclusiveTurn,
  path: Path,
  options: SignalOptions,
): Promise<Probed | FTPError> {
  if (await isDirectory(turn, path, options)) return { kind: "directory" };
  const { profile } = turn.session;
  const orDataSet = async (refusal: FTPError): Promise<Probed | FTPError> =>
    isDataSet(turn.session, path)
      ? await probeDataSet(turn, path, options, refusal)
      : refusal;
  if (profile.lacks("SIZE")) {
    return await orDataSet(
      new FTPPermanentError("Cannot tell the size: the server lacks SIZE"),
    );
  }
  try {
    await turn.ensureType("I", options);
    const size = await requestSize(turn, path, options);
    const mtime = await requestShownTime(turn, path, options).catch((error) => {
      if (error instanceof FTPPermanentError) return null;
      throw error;
    });
    return { kind: "file", size: size ?? undefined, mtime: mtime ?? undefined };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const isUnknown = isUnknownCommand(error.reply) &&
      error.command?.startsWith("SIZE");
    if (isUnknown) profile.noteLacking("SIZE");
    return await orDataSet(error);
  }
}

/**
 * Probes a z/OS data set by its name: it has no `SIZE`, and `CWD` accepts any
 * name.
 */
async function probeDataSet(
  turn: ExclusiveTurn,
  path: Path,
  options: SignalOptions,
  refusal: FTPError,
): Promise<Probed | FTPError> {
  try {
    return await hasNames(turn, path, options) ? { kind: "file" } : refusal;
  } catch (error) {
    if (error instanceof FTPPermanentError) return error;
    throw error;
  }
}

function makeEntry(session: Session, path: Path, probed: Probed): Entry {
  const { encoding } = session.control;
  const { raw } = nameOf(session, path);
  const source = new ParsedSource({
    parsed: { ...probed, name: toByteText(raw), mtimePrecision: "second" },
    line: "",
    format: "commands",
    decode: (bytes) => encoding.decode(bytes),
  });
  return new Entry(source, 0);
}
