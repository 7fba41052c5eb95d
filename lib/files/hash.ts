/**
 * Hashes of local and remote files: `HASH` (draft-bryan-ftpext-hash) and the
 * older `XSHA256`, `XSHA1`, `XMD5`, `XCRC`, `MD5`, `MMD5` (draft-twine-ftpmd5).
 *
 * @module
 */

import type { Hash as NodeHash } from "node:crypto";
import { nodeModule } from "../connection/node_module.ts";
import { quote } from "../protocol/printable.ts";
import { abortable, anySignal, delay, within } from "../connection/waiting.ts";
import type { Command } from "../protocol/command.ts";
import { FTPPermanentError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import {
  expectSuccess,
  type Session,
  type SignalOptions,
} from "../transfer/session.ts";
import type { ExclusiveTurn } from "../transfer/turn.ts";
import { requestFeatures } from "../commands/queries.ts";
import { splitPath } from "../commands/path.ts";

/** A hash that a server can compute. */
export interface Hash {
  /** Its name in `HASH`: "SHA-256", "CRC32". */
  readonly name: string;
  /** Number of hexadecimal digits. */
  readonly digits: number;
  /** The command: "HASH", "XSHA256". */
  readonly verb: string;
}

interface KnownHash {
  readonly name: string;
  readonly digits: number;
  /** Its name in `node:crypto`, which has no CRC32. */
  readonly algorithm: string | undefined;
  readonly verbs: readonly string[];
}

/** Known hashes, strongest first. */
const KNOWN: readonly KnownHash[] = [
  { name: "SHA-256", digits: 64, algorithm: "sha256", verbs: ["XSHA256"] },
  { name: "SHA-512", digits: 128, algorithm: "sha512", verbs: ["XSHA512"] },
  { name: "SHA-1", digits: 40, algorithm: "sha1", verbs: ["XSHA1", "XSHA"] },
  { name: "MD5", digits: 32, algorithm: "md5", verbs: ["XMD5", "MD5", "MMD5"] },
  { name: "CRC32", digits: 8, algorithm: undefined, verbs: ["XCRC"] },
];

/**
 * Chooses the strongest hash that a server offers; `undefined` if it offers
 * none.
 */
export async function chooseHash(
  session: Session,
  options: SignalOptions,
): Promise<Hash | undefined> {
  const features = await requestFeatures(session, options);
  const offered = (features.get("HASH") ?? "").toUpperCase().split(";").map(
    (name) => name.replace("*", "").trim(),
  );
  // some servers close the connection at a hash that FEAT lists
  const isUsable = (verb: string) => !session.profile.lacks(verb);
  for (const { name, digits, verbs } of KNOWN) {
    if (offered.includes(name) && isUsable("HASH")) {
      return { name, digits, verb: "HASH" };
    }
    const verb = verbs.find((verb) => features.has(verb) && isUsable(verb));
    if (verb !== undefined) return { name, digits, verb };
  }
  return undefined;
}

/** Options of a request for a hash. */
export interface HashOptions extends SignalOptions {
  /**
   * Size of the file, in bytes. It extends the time limit.
   *
   * @default 0
   */
  size?: number | undefined;
}

/** The hash of a local and of a remote file. */
export interface HashPair {
  /** Name of the hash. */
  readonly name: string;
  /** Hexadecimal digits of the local file, in lower case. */
  readonly local: string;
  /** Hexadecimal digits of the remote file, in lower case. */
  readonly remote: string;
}

/**
 * Hashes a local file while the server hashes the remote one.
 *
 * @returns Both, or `undefined` if the server has no hash, refuses, or sends an
 * unreadable reply
 */
export async function hashBoth(
  session: Session,
  path: string,
  { size, signal }: HashOptions,
  make: (hash: Hash, signal: AbortSignal) => Promise<string>,
): Promise<HashPair | undefined> {
  const hash = await chooseHash(session, { signal });
  if (hash === undefined) return undefined;
  const stop = new AbortController();
  const either = anySignal(stop.signal, signal);
  const making = make(hash, either);
  making.catch((fault) => stop.abort(fault));
  try {
    const options = { size, signal: either };
    const remote = await requestHash(session, hash, path, options);
    if (remote === undefined) return undefined;
    return { name: hash.name, local: await making, remote };
  } finally {
    stop.abort();
    await making.catch(() => {}); // it has a file open
  }
}

/** The hash of a file. */
export interface FileHash {
  /** Its name: "SHA-256", "SHA-512", "SHA-1", "MD5" or "CRC32". */
  readonly name: string;
  /** Hexadecimal digits in lower case. */
  readonly digits: string;
}

/**
 * Requests the strongest hash of a file that the server offers.
 *
 * @returns The hash, or `undefined` if the server has none or refuses
 */
export async function requestFileHash(
  session: Session,
  path: string,
  options: HashOptions,
): Promise<FileHash | undefined> {
  const best = await chooseHash(session, options);
  if (best === undefined) return undefined;
  const digits = await requestHash(session, best, path, options);
  return digits === undefined ? undefined : { name: best.name, digits };
}

/**
 * Requests a hash from the server, with a time limit for the file's size.
 *
 * @returns Hexadecimal digits in lower case, or `undefined` if the server
 * refuses or its reply is unreadable
 */
async function requestHash(
  session: Session,
  hash: Hash,
  path: string,
  options: HashOptions,
): Promise<string | undefined> {
  const { name, verb } = hash;
  // the X commands take a range after the path, so a path with blanks is quoted
  const argument = verb.startsWith("X") && path.includes(" ")
    ? `${quote(path)}`
    : path;
  try {
    return await session.exclusive(async (turn) => {
      await turn.ensureType("I", options);
      if (verb === "HASH") {
        await turn.perform(
          { verb: "OPTS", argument: `HASH ${name}` },
          options,
        );
      }
      const command = { verb, argument, name: "path" };
      const reply = await performSlowly(turn, command, options);
      return readHash(reply, hash, path);
    }, options);
  } catch (error) {
    if (error instanceof FTPPermanentError) return undefined;
    throw error;
  }
}

/** Bytes that the slowest server reads in a millisecond. */
const LEAST_RATE = 10_000;

/**
 * Performs a command, with a time limit that allows a slow server to read the
 * whole file.
 */
async function performSlowly(
  turn: ExclusiveTurn,
  command: Command,
  { size = 0, signal }: HashOptions,
): Promise<Reply> {
  const { control, options: { timeout } } = turn.session;
  if (timeout === 0) return await turn.perform(command, { signal });
  const limit = timeout + Math.ceil(size / LEAST_RATE);
  signal?.throwIfAborted();
  const pending = control.send(command);
  const late = () => {
    const error = new Deno.errors.TimedOut(
      `Cannot complete "${pending.command}": no reply within ${limit} ms; the connection is closed`,
    );
    control.fail(error);
    return error;
  };
  const reply = await within(
    limit,
    signal,
    late,
    (signal) => abortable(pending.first, signal),
  );
  return expectSuccess(reply, pending.command);
}

/** A reply to `HASH`: 213 SHA-256 0-49 169cd22282da7f14 name. */
const HASH_REPLY_REGEXP = /^([A-Z0-9-]+) (\d+)-\d+ ([0-9a-f]+)\b/i;

/**
 * Finds the hash in a reply: the last word of the right length. A CRC may lack
 * its leading zeros. The reply may also contain the file's name, which may look
 * like a hash. A hash of another algorithm, or of a part of the file, does not
 * count.
 *
 * @returns Hexadecimal digits in lower case, or `undefined` if there are none
 */
export function readHash(
  reply: Reply,
  { name: algorithm, digits }: Pick<Hash, "name" | "digits">,
  path: string,
): string | undefined {
  const text = reply.text.slice(4);
  const least = digits === 8 ? 1 : digits;
  const isHash = ({ length }: string) => length >= least && length <= digits;
  const named = HASH_REPLY_REGEXP.exec(text);
  if (named !== null) {
    const [, used, start, hash] = named;
    const isWhole = bareName(used!) === bareName(algorithm) &&
      Number(start) === 0 && isHash(hash!);
    return isWhole ? hash!.toLowerCase().padStart(digits, "0") : undefined;
  }
  const words = text.match(/(?<![\w.])[0-9a-f]+(?![\w.])/gi)?.filter(isHash);
  const [, name] = splitPath(path);
  const word = words?.findLast((word) => word !== name) ?? words?.at(-1);
  return word?.toLowerCase().padStart(digits, "0");
}

/** Normalizes the name of an algorithm: "sha256" and "SHA-256" are one. */
function bareName(name: string): string {
  return name.replaceAll("-", "").toUpperCase();
}

/** Returns the SHA-256 of a text, in hexadecimal digits. */
export function sha256Of(text: string): string {
  return nodeModule("node:crypto").createHash("sha256").update(text).digest(
    "hex",
  );
}

/** Computes a hash of bytes, piece by piece. */
export class Digester {
  readonly #hash: NodeHash | undefined;
  #crc = 0;
  #digest: string | undefined;

  /** Starts a hash. */
  constructor(hash: Hash) {
    const known = KNOWN.find(({ name }) => name === hash.name);
    const algorithm = known?.algorithm;
    this.#hash = algorithm === undefined
      ? undefined
      : nodeModule("node:crypto").createHash(algorithm);
  }

  /** Adds bytes. */
  update(bytes: Uint8Array): void {
    if (this.#hash !== undefined) this.#hash.update(bytes);
    else this.#crc = nodeModule("node:zlib").crc32(bytes, this.#crc);
  }

  /** Returns the hash in hexadecimal digits. May be called again. */
  digest(): string {
    return this.#digest ??= this.#hash?.digest("hex") ??
      (this.#crc >>> 0).toString(16).padStart(8, "0");
  }
}

/** Bytes of a file that are read at once. */
const BLOCK_SIZE = 1024 * 1024;

/** Hashes a local file. Does not block the event loop. */
export async function hashFile(
  path: string,
  hash: Hash,
  signal?: AbortSignal,
): Promise<string> {
  using file = await Deno.open(path);
  return await hashOpenFile(file, hash, signal);
}

/**
 * Like {@linkcode hashFile}, for an open file. On Windows, a lock on the file
 * prevents reading it through a second handle.
 */
export async function hashOpenFile(
  file: Deno.FsFile,
  hash: Hash,
  signal?: AbortSignal,
): Promise<string> {
  file.seekSync(0, Deno.SeekMode.Start);
  const digester = new Digester(hash);
  const buffer = new Uint8Array(BLOCK_SIZE);
  while (true) {
    signal?.throwIfAborted();
    const n = await file.read(buffer);
    if (n === null) return digester.digest();
    digester.update(buffer.subarray(0, n));
  }
}

/** Bytes that are hashed without a pause: 10 to 30 ms. */
const MAX_UNPAUSED = 16 * 1024 * 1024;

/**
 * Hashes chunks that are available at once. Pauses regularly for the event
 * loop.
 */
export async function hashChunks(
  chunks: AsyncIterable<Uint8Array>,
  hash: Hash,
  signal: AbortSignal,
): Promise<string> {
  const digester = new Digester(hash);
  let rest = MAX_UNPAUSED;
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    digester.update(chunk);
    rest -= chunk.length;
    if (rest > 0) continue;
    rest = MAX_UNPAUSED;
    // a timer, because sockets get only every 61st turn next to setImmediate
    await delay(0, signal);
  }
  return digester.digest();
}
