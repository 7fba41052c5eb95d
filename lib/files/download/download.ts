/**
 * Downloads a file atomically: writes a temporary file, verifies it, and
 * renames it.
 *
 * @module
 */

import { abortable, settle } from "../../connection/waiting.ts";
import { SHARED_SIZE } from "../../connection/shared_buffer.ts";
import { checkNumber } from "../../protocol/check_number.ts";
import { printable, quote } from "../../protocol/printable.ts";
import { withMessage } from "../../protocol/with_message.ts";
import {
  isCompressionUnproven,
  isSizeAmbiguous,
  noteDecompressed,
} from "../../transfer/compression.ts";
import { requestAhead } from "../../transfer/passive.ts";
import type { Session } from "../../transfer/session.ts";
import type { Transfer } from "../../transfer/transfer.ts";
import { awaitConfirmation } from "../confirm.ts";
import {
  type RemoteFacts,
  requestDirectory,
  requestFacts,
  requestFactsIn,
} from "../../commands/queries.ts";
import { AskedAhead } from "../asked_ahead.ts";
import { afterAttempts, FTPVerificationError, LocalError } from "../errors.ts";
import { runOperation } from "../operation.ts";
import { keepAlive } from "../keep_alive.ts";
import type { SessionProvider } from "../session_provider.ts";
import {
  checkTransferOptions,
  type DownloadOptions,
  type FileTransferResult,
} from "../options.ts";
import { sha256Of } from "../hash.ts";
import { openAt } from "../open_at.ts";
import { Part } from "./part.ts";
import { ProgressTracker, type RateLimiter } from "../progress.ts";
import { countingRetries, withRecovery } from "../recovery.ts";
import { isRestRefused, isSameStart, OVERLAP } from "../resume.ts";
import { removeSource } from "./remove_source.ts";
import { MOST_SEGMENTS, segmentCount, Segments } from "./segments.ts";
import { plainTarget, resolveTarget, type Target } from "./local_target.ts";
import { verifyDownload } from "./verify.ts";
import { WriteBehind } from "./write_behind.ts";

/** Bytes that are read and written at once: few large calls. */
const BLOCK_SIZE = 1024 * 1024;

/**
 * Connections that may end at `REST` before it is not sent again. One may end by
 * chance, and a new start discards what was received.
 */
const MOST_HANG_UPS = 2;

/** Smallest buffer in bytes: a file may be larger than announced. */
const LEAST_BLOCK = SHARED_SIZE;

/** A download with fewer missing bytes is about to end. */
const SHORT = 64 * 1024;

/** Longest wait, in milliseconds, for a write after the transfer has failed. */
const DISK_GRACE = 5000;

/** Milliseconds of data after which size and time are requested again. */
const RECHECK_AFTER = 1000;

/** State that the downloads of a mirror share. */
export interface SharedLimits {
  /** The common rate limit. */
  readonly limiter?: RateLimiter | undefined;
  /**
   * Unfinished files in the target's directory; it is read for each file if
   * left out.
   */
  readonly parts?: readonly string[] | undefined;
  /** Checks the path to the target, which others may change. */
  readonly check?: (() => void) | undefined;
  /**
   * Returns the file's time, given the one that `MDTM` shows, if the
   * directory's listing knows it better.
   */
  readonly meant?: ((shown: Date | null) => Date | null) | undefined;
  /** Called when the next download may be queued. */
  readonly onEnding?: (() => void) | undefined;
}

/** Parameters of a download besides its options. */
interface Context extends SharedLimits {
  /** Facts that the operation before has asked for. */
  readonly ahead: AskedAhead<RemoteFacts>;
}

/** Downloads a file to a path or a `file:` URL. */
export function download(
  provider: SessionProvider,
  remote: string,
  local: string | URL,
  options: DownloadOptions,
  limits: SharedLimits = {},
): Promise<FileTransferResult> {
  const ahead = new AskedAhead((turn) => requestFactsIn(turn, remote));
  return runOperation(
    provider,
    options,
    (options) =>
      new Download(provider, remote, options, { ...limits, ahead }).run(local),
    ahead.ask,
  );
}

/** A download, over as many connections as it needs. */
class Download {
  readonly #provider: SessionProvider;
  readonly #remote: string;
  readonly #options: DownloadOptions;
  readonly #tracker: ProgressTracker;
  readonly #parts: readonly string[] | undefined;
  readonly #check: (() => void) | undefined;
  readonly #meant: SharedLimits["meant"];
  readonly #onEnding: SharedLimits["onEnding"];
  readonly #ahead: AskedAhead<RemoteFacts>;
  #facts: RemoteFacts | undefined;
  #part: Part | undefined;
  /** Why {@linkcode #openMeanwhile} opened no temporary file. */
  #obstacle: unknown;
  #segments: Segments | undefined;
  readonly #retries = { count: 0 };
  #canRestart = true;
  /** Connections in a row that ended at `REST`. */
  #hangUps = 0;
  #isTooLarge = false;
  /** Size in the reply that opened the transfer, if there is no SIZE. */
  #announced: number | null = null;
  /** Whether the data took so long that the file may have changed. */
  #isSlow = false;
  /** Whether the size may be that of data that is not compressed. */
  #isAmbiguous = false;
  /** Whether the data must not be compressed. */
  #isPlain = false;

  constructor(
    provider: SessionProvider,
    remote: string,
    options: DownloadOptions,
    { limiter, parts, check, meant, onEnding, ahead }: Context,
  ) {
    checkTransferOptions(options);
    this.#provider = provider;
    this.#remote = remote;
    this.#options = options;
    this.#parts = parts;
    this.#check = check;
    this.#meant = meant;
    this.#onEnding = onEnding;
    this.#ahead = ahead;
    const { maxSize = Infinity } = options;
    if (!(maxSize >= 0)) {
      throw new RangeError(
        `Cannot download ${
          quote(remote)
        }: "maxSize" must be a non-negative number, not ${maxSize}`,
      );
    }
    const { segments } = options;
    if (segments === 0 || segments === Infinity) {
      throw new RangeError(
        `Cannot download ${
          quote(remote)
        }: "segments" must be 1 to ${MOST_SEGMENTS}, not ${segments}`,
      );
    }
    checkNumber("segments", segments, { isInteger: true, most: MOST_SEGMENTS });
    this.#tracker = new ProgressTracker(options, BLOCK_SIZE, limiter);
  }

  /** Bytes of the file that were received. */
  get #position(): number {
    return this.#segments?.received ?? this.#part?.position ?? 0;
  }

  async run(local: string | URL): Promise<FileTransferResult> {
    const target = this.#check === undefined
      ? resolveTarget(local)
      : plainTarget(String(local), this.#check);
    const isMove = this.#options.removeSource === true;
    if (isMove && !target.isReplaceable) {
      throw new TypeError(
        `Cannot download to ${
          quote(target.path)
        } with "removeSource": it is not a file, so the data cannot be verified`,
      );
    }
    const result = await this.#fetchTo(target);
    if (isMove) {
      await removeSource(this.#provider, {
        remote: this.#remote,
        local: target.path,
        size: result.size,
        shown: this.#facts?.shown ?? null,
      }, this.#options);
    }
    return result;
  }

  /** Creates the local file, or leaves the existing one. */
  async #fetchTo(target: Target): Promise<FileTransferResult> {
    let isKept = false;
    try {
      const result = await withRecovery(
        this.#provider,
        countingRetries(this.#options, this.#retries),
        () => this.#position,
        () => {
          const { ticker } = this.#provider.session.control;
          return ticker.during(() => this.#attempt(target));
        },
      );
      return result;
    } catch (error) {
      isKept = this.#options.resume === true && this.#isProvable &&
        this.#position > 0 && !this.#isTooLarge &&
        !(error instanceof FTPVerificationError);
      if (isKept) this.#keepSegments();
      if (this.#options.signal?.aborted) throw error;
      throw afterAttempts(error, `Cannot download ${quote(this.#remote)}`, {
        retries: this.#retries.count,
        bytes: this.#position,
        size: this.#tracker.total,
      });
    } finally {
      await this.#segments?.closed;
      this.#part?.close(isKept);
    }
  }

  async #attempt(target: Target): Promise<FileTransferResult> {
    const { session } = this.#provider;
    const { signal, verify = "size", mtime = true } = this.#options;
    const { sync, removeSource } = this.#options;
    const facts = await this.#inspect(session, target);
    const part = this.#part ??= await this.#open(session, target, facts);
    await this.#fetch(session, part, facts);
    if (this.#isAmbiguous && verify !== "none" && part.isReadable) {
      // the server may have sent a file of zlib data as it is
      this.#isPlain = true;
      part.reset();
      await this.#fetch(session, part, facts);
    }
    const verified = verify === "none" ? null : await verifyDownload(session, {
      remote: this.#remote,
      part,
      facts,
      announced: this.#announced,
      isSlow: this.#isSlow,
    }, this.#options).catch((error) => {
      throw explainCompression(session, error);
    });
    if (verified !== null && !this.#isAmbiguous) {
      noteDecompressed(session, true);
    }
    const { total } = this.#tracker; // it may have grown
    if (total !== null) this.#tracker.total = Math.max(total, part.position);
    part.begin(); // an empty file sends no byte
    const meant = this.#meant?.(facts.shown) ?? facts.modified;
    const modified = mtime ? part.date(meant) : null;
    if (sync || removeSource) await abortable(part.sync(), signal);
    await this.#tracker.finish(); // first: if it throws, the old file stays
    const isBeside = part.path !== target.path;
    const parts = isBeside ? await this.#partsBeside(target) : undefined;
    signal?.throwIfAborted();
    part.commit(parts);
    return {
      size: part.position,
      bytes: this.#tracker.moved,
      verified: this.#isAmbiguous && verified === "size" ? null : verified,
      mtime: modified,
      retries: this.#retries.count,
    };
  }

  /**
   * Lists unfinished files next to the target. They may be abandoned, or
   * earlier versions by this client.
   */
  async #partsBeside(
    { path }: Target,
  ): Promise<readonly string[] | undefined> {
    if (this.#options.resume) return this.#parts;
    return this.#parts ?? await this.#provider.partsSeen.beside(path);
  }

  /** Requests size and time, and discards the data of another version. */
  async #inspect(session: Session, target: Target): Promise<RemoteFacts> {
    const facts = await this.#ahead.take(session, this.#options) ??
      await this.#ask(session, target);
    const before = this.#facts;
    this.#facts = facts;
    this.#tracker.total = facts.size ?? this.#announced;
    const isSame = before?.size === facts.size &&
      before?.shown?.getTime() === facts.shown?.getTime();
    if (!isSame || !this.#isProvable) {
      this.#part?.reset();
      this.#segments = undefined;
    }
    const { maxSize = Infinity } = this.#options;
    if ((facts.size ?? 0) > maxSize) {
      throw this.#tooLarge(
        `it has ${facts.size} bytes, "maxSize" is ${maxSize}`,
      );
    }
    return facts;
  }

  /** Asks for size, time and port in one round trip. */
  async #ask(session: Session, target: Target): Promise<RemoteFacts> {
    const asked = requestFacts(session, this.#remote, this.#options);
    requestAhead(session, this.#options);
    await Promise.resolve(); // the commands are written now
    this.#openMeanwhile(target);
    return await asked;
  }

  /** Creates the temporary file while the server answers, if it has no mark. */
  #openMeanwhile(target: Target): void {
    const { resume = false, atomic = true } = this.#options;
    const isPlain = atomic && !resume && target.isReplaceable;
    if (!isPlain || this.#part !== undefined) return;
    this.#obstacle = undefined;
    try {
      this.#part = Part.besideTarget(target, undefined);
    } catch (error) {
      this.#obstacle = error; // the server's error comes first
    }
  }

  /** Whether size or time can identify this version of the file. */
  get #isProvable(): boolean {
    return (this.#facts?.size ?? this.#facts?.modified ?? null) !== null;
  }

  async #open(
    session: Session,
    target: Target,
    facts: RemoteFacts,
  ): Promise<Part> {
    const { resume = false, atomic = true, signal } = this.#options;
    if (this.#obstacle !== undefined) throw this.#obstacle;
    if (!atomic || !target.isReplaceable) {
      return await Part.inPlace(target, resume ? facts : undefined, signal);
    }
    const mark = resume && this.#isProvable
      ? await this.#mark(session, facts)
      : undefined;
    const part = Part.besideTarget(target, mark);
    const { foreign } = part;
    if (foreign !== undefined) {
      session.control.tell(() =>
        printable(`not resumed: ${quote(foreign)} may belong to another user`)
      );
    }
    return part;
  }

  /**
   * Identifies the file and its version, for the name of an unfinished file.
   */
  async #mark(session: Session, facts: RemoteFacts): Promise<string> {
    const isAbsolute = this.#remote.startsWith("/");
    const directory = isAbsolute ? "" : session.state.directory ??
      await session.shared(
        (turn) => requestDirectory(turn, this.#options),
        this.#options,
      );
    const text = JSON.stringify([
      this.#provider.origin,
      directory,
      this.#remote,
      facts.size,
      facts.shown,
      ...this.#isSegmented(facts) ? ["segments"] : [],
    ]);
    return sha256Of(text).slice(0, 16);
  }

  /** Whether the file is downloaded in several segments. */
  #isSegmented({ size }: RemoteFacts): boolean {
    const { segments = 1, atomic = true } = this.#options;
    return this.#canRestart && atomic && segmentCount(size, segments) > 1;
  }

  /**
   * Downloads the missing segments.
   *
   * @returns Whether it did; the server may refuse offsets
   */
  async #fetchSegments(part: Part, size: number): Promise<boolean> {
    const { segments: asked = 1 } = this.#options;
    await this.#segments?.closed;
    const isSpoiled = this.#segments?.isComplete && part.position !== size;
    if (isSpoiled) this.#segments = undefined;
    const isResumed = this.#segments === undefined && part.position > 0;
    const kept = isResumed ? part.takeState(size) : undefined;
    const segments = this.#segments ??= Segments.restore(size, kept) ??
      Segments.cut(size, segmentCount(size, asked));
    this.#tracker.position = segments.received;
    try {
      if (!segments.isComplete) {
        await segments.fetch(this.#provider, {
          remote: this.#remote,
          part,
          tracker: this.#tracker,
          options: this.#options,
        });
      }
    } catch (error) {
      const isRefused = isRestRefused(error) ||
        error instanceof Deno.errors.NotSupported;
      if (isRefused || error instanceof FTPVerificationError) {
        this.#segments = undefined;
        part.complete(0);
      }
      if (!isRefused) throw error;
      this.#canRestart = false;
      return false;
    }
    part.complete(size);
    this.#isSlow = true; // all segments are of one version
    return true;
  }

  #keepSegments(): void {
    const segments = this.#segments;
    if (segments !== undefined) {
      this.#part?.keepState(segments.size, segments.ranges);
    }
  }

  /** Downloads the missing bytes. */
  async #fetch(
    session: Session,
    part: Part,
    facts: RemoteFacts,
  ): Promise<void> {
    const isWhole = facts.size !== null && part.isReadable &&
      this.#isSegmented(facts) &&
      await this.#fetchSegments(part, facts.size);
    if (isWhole) return;
    if (part.position > 0) {
      if (this.#canRestart && await this.#resume(session, part, facts)) return;
      part.reset();
    }
    const transfer = await this.#retrieve(session, 0);
    // after REST some servers announce the whole size, others the rest
    this.#announced = transfer.size;
    this.#tracker.total = facts.size ?? transfer.size;
    await this.#receive(transfer, part, facts);
  }

  /**
   * Resumes at the end of the unfinished file, if its end matches the server's
   * file.
   */
  async #resume(
    session: Session,
    part: Part,
    facts: RemoteFacts,
  ): Promise<boolean> {
    const overlap = Math.min(OVERLAP, part.position);
    const start = part.position - overlap;
    let transfer: Transfer;
    try {
      transfer = await this.#retrieve(session, start);
      this.#hangUps = 0;
    } catch (error) {
      if (session.control.lostOver?.verb === "REST") {
        this.#canRestart = ++this.#hangUps < MOST_HANG_UPS;
      }
      if (!isRestRefused(error)) throw error;
      this.#canRestart = false;
      return false;
    }
    if (!await isSameStart(transfer, part.tail(overlap), this.#options)) {
      await transfer.abort();
      return false;
    }
    await this.#receive(transfer, part, facts);
    return true;
  }

  async #retrieve(session: Session, start: number): Promise<Transfer> {
    const { signal } = this.#options;
    const isPlain = this.#isPlain;
    return await openAt(session, "RETR", this.#remote, start, {
      signal,
      isPlain,
    });
  }

  /** Receives the data and the final reply. */
  async #receive(
    transfer: Transfer,
    part: Part,
    facts: RemoteFacts,
  ): Promise<void> {
    const began = performance.now();
    this.#tracker.position = part.position;
    await using alive = keepAlive(
      this.#provider.session,
      transfer,
      this.#options,
    );
    // a small file needs no large buffer
    const rest = (facts.size ?? Infinity) - part.position;
    const size = Math.min(this.#tracker.blocksize, Math.max(rest, LEAST_BLOCK));
    // a pipe is not written synchronously: its reader may be in this program
    const isWhole = rest <= size && part.isReadable;
    if (rest <= SHORT) this.#onEnding?.();
    const writer = new WriteBehind(part, size, isWhole);
    const reading = this.#read(transfer, writer, part.position);
    try {
      // a full disk ends the wait for data, and a signal the wait for a disk
      const ended = Promise.race([reading, writer.failed]);
      await abortable(ended, this.#options.signal);
    } catch (error) {
      const { signal } = this.#options;
      // received bytes stay in the file: the next attempt continues after them
      const flushing = reading.catch(() => writer.flush()).catch(() => {});
      const isFlushed = settle(flushing.then(() => true), DISK_GRACE);
      const isBroken = error === transfer.data.failure && !signal?.aborted;
      if (isBroken) await isFlushed;
      const isWhole = isBroken &&
        part.position === (facts.size ?? this.#announced);
      const failure = await transfer.endAfter(error, { signal, isWhole })
        .then(() => undefined, (cause) => ({ cause }));
      // the server reset the connection after the last byte
      if (failure === undefined) return this.#noteTime(began);
      const { cause } = failure;
      if (await isFlushed || signal?.aborted) throw cause;
      throw new LocalError(
        new Deno.errors.TimedOut(
          `Cannot write to ${
            quote(part.path)
          }: a write takes more than ${DISK_GRACE} ms`,
          { cause },
        ),
      );
    }
    this.#isAmbiguous = isSizeAmbiguous(
      this.#provider.session,
      transfer.data,
    );
    alive.stop();
    const whole = facts.size ?? this.#announced;
    if (part.position === whole) this.#askForNext(transfer);
    await awaitConfirmation(transfer, part.position, whole, this.#options);
    this.#noteTime(began);
  }

  /**
   * Sends the first queries of the next operation, together with the wait for
   * the reply.
   */
  #askForNext(transfer: Transfer): void {
    const { keepAlive = 0 } = this.#options;
    const { upcoming } = this.#provider.operations;
    if (upcoming !== undefined && !keepAlive) transfer.askBehind(upcoming);
  }

  #noteTime(began: number): void {
    this.#isSlow = performance.now() - began > RECHECK_AFTER;
  }

  /** The fast path: large blocks, read while others are written. */
  async #read(
    { data }: Transfer,
    writer: WriteBehind,
    start: number,
  ): Promise<void> {
    const { maxSize = Infinity } = this.#options;
    let rest = maxSize - start;
    for (let n; (n = await data.read(writer.room)) !== null;) {
      rest -= n;
      if (rest < 0) {
        throw this.#tooLarge(
          `the server sent more than the ${maxSize} bytes of "maxSize"`,
        );
      }
      const written = writer.take(n);
      if (written !== undefined) await written;
      const wait = this.#tracker.add(n);
      if (wait !== undefined) await wait;
    }
    await writer.flush();
    writer.close();
  }

  /** A local error, because a retry would have the same result. */
  #tooLarge(what: string): LocalError {
    this.#isTooLarge = true;
    return new LocalError(
      new Deno.errors.InvalidData(
        `Cannot download ${quote(this.#remote)}: ${what}`,
      ),
    );
  }
}

/**
 * Explains a wrong size after `MODE Z`. The next attempt is not compressed.
 */
function explainCompression(session: Session, error: unknown): unknown {
  const isWrong = error instanceof FTPVerificationError &&
    error.what === "size" && isCompressionUnproven(session);
  if (!isWrong) return error;
  noteDecompressed(session, false);
  return withMessage(
    error,
    (message) =>
      `${message}; the server accepted "MODE Z", but may have sent data that is not compressed: omit "compress"`,
  );
}
