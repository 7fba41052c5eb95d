/**
 * From a file there to a file here, so that what is here afterwards is either
 * the whole new file or the old one.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { abortable, settle } from "../../connection/waiting.ts";
import { printable } from "../../protocol/printable.ts";
import { requestAhead } from "../../transfer/passive.ts";
import type { Session } from "../../transfer/session.ts";
import type { Transfer } from "../../transfer/transfer.ts";
import { confirm } from "../confirm.ts";
import {
  type RemoteFacts,
  requestDirectory,
  requestFacts,
} from "../../commands/queries.ts";
import { afterAttempts, FTPVerificationError, LocalError } from "../errors.ts";
import { runOperation } from "../operation.ts";
import { keepAlive } from "../keep_alive.ts";
import type { SessionProvider } from "../session_provider.ts";
import {
  checkTransferOptions,
  type DownloadOptions,
  type FileTransferResult,
} from "../options.ts";
import { openAt } from "../open_at.ts";
import { Part } from "./part.ts";
import { partsBeside } from "./part_file.ts";
import { ProgressTracker, type RateLimiter } from "../progress.ts";
import { countingRetries, withRecovery } from "../recovery.ts";
import { isRestRefused, isSameStart, OVERLAP } from "../resume.ts";
import { plainTarget, resolveTarget, type Target } from "./local_target.ts";
import { verifyDownload } from "./verify.ts";
import { WriteBehind } from "./write_behind.ts";

/** Bytes that are read and written at once: fewer, larger calls. */
const BLOCK_SIZE = 1024 * 1024;

/** Least size of the buffer, in bytes: a file may be larger than was said. */
const LEAST_BLOCK = 16 * 1024;

/** Longest wait, in milliseconds, for a write when the transfer has failed. */
const DISK_GRACE = 5000;

/** Milliseconds of data after which a file is asked for once more. */
const PATIENCE = 1000;

/** What a download that is one of many shares with the others. */
export interface SharedLimits {
  /** How fast it may be together with them. */
  readonly limiter?: RateLimiter | undefined;
  /** The parts in its folder, which else is looked through for each file. */
  readonly parts?: readonly string[] | undefined;
  /** Insists on the way to the target, which others may change meanwhile. */
  readonly check?: (() => void) | undefined;
  /**
   * Tells when the file was changed from what `MDTM` shows, where the directory's
   * listing tells more.
   */
  readonly meant?: ((shown: Date | null) => Date | null) | undefined;
}

/**
 * Downloads a file.
 *
 * @param provider The client
 * @param remote The file on the server
 * @param local Where to, a path or a `file:` URL
 * @param options See {@linkcode DownloadOptions}
 * @param limits What it shares with others
 * @returns What was transferred and verified
 */
export function download(
  provider: SessionProvider,
  remote: string,
  local: string | URL,
  options: DownloadOptions,
  limits: SharedLimits = {},
): Promise<FileTransferResult> {
  return runOperation(
    provider,
    options,
    (options) => new Download(provider, remote, options, limits).run(local),
  );
}

/** One download, over as many connections as it takes. */
class Download {
  readonly #provider: SessionProvider;
  readonly #remote: string;
  readonly #options: DownloadOptions;
  readonly #tracker: ProgressTracker;
  readonly #parts: readonly string[] | undefined;
  readonly #check: (() => void) | undefined;
  readonly #meant: SharedLimits["meant"];
  #facts: RemoteFacts | undefined;
  #part: Part | undefined;
  readonly #retries = { count: 0 };
  #canRestart = true;
  #isTooLarge = false;
  /** What the server said when it began to send, where there is no SIZE. */
  #announced: number | null = null;
  /** Whether the data took so long that the file may have become another. */
  #isSlow = false;

  constructor(
    provider: SessionProvider,
    remote: string,
    options: DownloadOptions,
    { limiter, parts, check, meant }: SharedLimits,
  ) {
    checkTransferOptions(options);
    this.#provider = provider;
    this.#remote = remote;
    this.#options = options;
    this.#parts = parts;
    this.#check = check;
    this.#meant = meant;
    const { maxSize = Infinity } = options;
    if (!(maxSize >= 0)) {
      throw new RangeError(
        `Cannot download "${remote}": "maxSize" must be a number and not negative, not ${maxSize}`,
      );
    }
    this.#tracker = new ProgressTracker(options, BLOCK_SIZE, limiter);
  }

  async run(local: string | URL): Promise<FileTransferResult> {
    const target = this.#check === undefined
      ? resolveTarget(local)
      : plainTarget(String(local), this.#check);
    let isKept = false;
    try {
      const result = await withRecovery(
        this.#provider,
        countingRetries(this.#options, this.#retries),
        () => this.#part?.position ?? 0,
        () => this.#attempt(target),
      );
      return result;
    } catch (error) {
      isKept = this.#options.resume === true && this.#isProvable &&
        (this.#part?.position ?? 0) > 0 && !this.#isTooLarge &&
        !(error instanceof FTPVerificationError);
      if (this.#options.signal?.aborted) throw error;
      throw afterAttempts(error, `Cannot download "${this.#remote}"`, {
        retries: this.#retries.count,
        bytes: this.#part?.position ?? 0,
        size: this.#tracker.total,
      });
    } finally {
      this.#part?.close(isKept);
    }
  }

  async #attempt(target: Target): Promise<FileTransferResult> {
    const { session } = this.#provider;
    const { signal, verify = "size", mtime = true, sync } = this.#options;
    const facts = await this.#inspect(session);
    const part = this.#part ??= await this.#open(session, target, facts);
    await this.#fetch(session, part, facts);
    const verified = verify === "none" ? null : await verifyDownload(session, {
      remote: this.#remote,
      part,
      facts,
      announced: this.#announced,
      isSlow: this.#isSlow,
    }, this.#options);
    const { total } = this.#tracker; // it may have grown meanwhile
    if (total !== null) this.#tracker.total = Math.max(total, part.position);
    part.begin(); // of an empty file nothing came
    const meant = this.#meant?.(facts.shown) ?? facts.modified;
    const modified = mtime ? part.date(meant) : null;
    if (sync) await abortable(part.sync(), signal);
    await this.#tracker.finish(); // before: what it throws leaves the old file
    const isBeside = part.path !== target.path;
    const parts = isBeside ? await this.#partsBeside(target) : undefined;
    signal?.throwIfAborted();
    part.commit(parts);
    return {
      size: part.position,
      bytes: this.#tracker.moved,
      verified,
      mtime: modified,
      retries: this.#retries.count,
    };
  }

  /** Parts that may have been abandoned; of an earlier version they are made by this client too. */
  async #partsBeside(
    { path }: Target,
  ): Promise<readonly string[] | undefined> {
    if (this.#options.resume) return this.#parts;
    return this.#parts ?? await partsBeside(this.#provider, path);
  }

  /** Asks what the file is, and forgets what was fetched of another one. */
  async #inspect(session: Session): Promise<RemoteFacts> {
    const asked = requestFacts(session, this.#remote, this.#options);
    requestAhead(session, this.#options); // one round trip for all three
    const facts = await asked;
    const before = this.#facts;
    this.#facts = facts;
    this.#tracker.total = facts.size ?? this.#announced;
    const isSame = before?.size === facts.size &&
      before?.shown?.getTime() === facts.shown?.getTime();
    if (!isSame || !this.#isProvable) this.#part?.reset();
    const { maxSize = Infinity } = this.#options;
    if ((facts.size ?? 0) > maxSize) {
      throw this.#tooLarge(
        `it has ${facts.size} bytes, "maxSize" is ${maxSize}`,
      );
    }
    return facts;
  }

  /** Whether anything tells this version of the file from another. */
  get #isProvable(): boolean {
    return (this.#facts?.size ?? this.#facts?.modified ?? null) !== null;
  }

  async #open(
    session: Session,
    target: Target,
    facts: RemoteFacts,
  ): Promise<Part> {
    const { resume = false, atomic = true, signal } = this.#options;
    if (!atomic || !target.isReplaceable) {
      return await Part.inPlace(target, resume ? facts : undefined, signal);
    }
    const mark = resume && this.#isProvable
      ? await this.#mark(session, facts)
      : undefined;
    const part = Part.beside(target, mark);
    const { foreign } = part;
    if (foreign !== undefined) {
      session.control.tell(() =>
        printable(`not resumed: "${foreign}" may be somebody else's`)
      );
    }
    return part;
  }

  /** What the part is taken from: another file or version has another mark. */
  async #mark(session: Session, facts: RemoteFacts): Promise<string> {
    const isAbsolute = this.#remote.startsWith("/");
    const directory = isAbsolute
      ? ""
      : await requestDirectory(session, this.#options);
    const text = JSON.stringify([
      this.#provider.origin,
      directory,
      this.#remote,
      facts.size,
      facts.shown,
    ]);
    return createHash("sha256").update(text).digest("hex").slice(0, 16);
  }

  /** Fetches what the part lacks. */
  async #fetch(
    session: Session,
    part: Part,
    facts: RemoteFacts,
  ): Promise<void> {
    if (part.position > 0) {
      if (this.#canRestart && await this.#resume(session, part, facts)) return;
      part.reset();
    }
    const transfer = await this.#retrieve(session, 0);
    // behind REST some servers tell the whole size, and some the rest
    this.#announced = transfer.size;
    this.#tracker.total = facts.size ?? transfer.size;
    await this.#receive(transfer, part, facts);
  }

  /** Goes on where the part ends, if its end is what the server has there. */
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
    } catch (error) {
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
    return await openAt(session, "RETR", this.#remote, start, this.#options);
  }

  /** Takes the data, and the server's word that it was all. */
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
    // a small file does not pay for a large buffer
    const rest = (facts.size ?? Infinity) - part.position;
    const size = Math.min(this.#tracker.blocksize, Math.max(rest, LEAST_BLOCK));
    // a pipe is not written to synchronously: who reads it may be in this program
    const isWhole = rest <= size && part.isReadable;
    const writer = new WriteBehind(part, size, isWhole);
    const reading = this.#read(transfer, writer, part.position);
    try {
      // a full disk ends the wait for data, a signal the wait for a disk
      const ended = Promise.race([reading, writer.failed]);
      await abortable(ended, this.#options.signal);
    } catch (error) {
      const { signal } = this.#options;
      // what came is the part's: the next attempt goes on behind it
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
          `Cannot write to "${part.path}": a write takes more than ${DISK_GRACE} ms`,
          { cause },
        ),
      );
    }
    alive.stop();
    const whole = facts.size ?? this.#announced;
    await confirm(transfer, part.position, whole, this.#options);
    this.#noteTime(began);
  }

  #noteTime(began: number): void {
    this.#isSlow = performance.now() - began > PATIENCE;
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
          `more came than the ${maxSize} bytes of "maxSize"`,
        );
      }
      const written = writer.take(n);
      if (written !== undefined) await written;
      const wait = this.#tracker.add(n);
      if (wait !== undefined) await wait;
    }
    await writer.flush();
  }

  /** No fault of the connection: it would be the same again. */
  #tooLarge(what: string): LocalError {
    this.#isTooLarge = true;
    return new LocalError(
      new Deno.errors.InvalidData(
        `Cannot download "${this.#remote}": ${what}`,
      ),
    );
  }
}
