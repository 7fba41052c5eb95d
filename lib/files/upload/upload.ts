/**
 * Uploads a file atomically: writes a temporary file, verifies it, and renames
 * it.
 *
 * @module
 */

import { quote } from "../../protocol/printable.ts";
import { writeAll } from "../../connection/byte_stream.ts";
import { settle } from "../../connection/waiting.ts";
import { announceRename, cancelRename } from "../../commands/files.ts";
import { requestBinarySize } from "../../commands/queries.ts";
import { isRefusal } from "../../protocol/errors.ts";
import type { Reply } from "../../protocol/reply.ts";
import type { Turn } from "../../transfer/turn.ts";
import type { Written } from "../../transfer/server_clock.ts";
import {
  isCompressionUnproven,
  isSizeAmbiguous,
  mayBeLeftCompressed,
  noteDecompressed,
} from "../../transfer/compression.ts";
import type { Session } from "../../transfer/session.ts";
import type { Source } from "../../transfer/source.ts";
import { whileOpen } from "../../transfer/send.ts";
import type { Transfer } from "../../transfer/transfer.ts";
import { AskedAhead } from "../asked_ahead.ts";
import { awaitConfirmation } from "../confirm.ts";
import {
  chooseHash,
  Digester,
  type Hash,
  hashBoth,
  hashChunks,
} from "../hash.ts";
import {
  knownDating,
  setModificationTime,
} from "../../commands/modification_time.ts";
import {
  afterAttempts,
  FTPUnconfirmedError,
  FTPVerificationError,
  LocalError,
} from "../errors.ts";
import { runOperation } from "../operation.ts";
import { keepAlive } from "../keep_alive.ts";
import type { SessionProvider } from "../session_provider.ts";
import {
  checkTransferOptions,
  type FileTransferResult,
  type UploadOptions,
} from "../options.ts";
import { ProgressTracker, type RateLimiter } from "../progress.ts";
import { countingRetries, withRecovery } from "../recovery.ts";
import { openAt } from "../open_at.ts";
import type { PlainPath } from "../plain_file.ts";
import { keepsBeginning } from "../download/part_proof.ts";
import { isRestRefused, OVERLAP } from "../resume.ts";
import { explainRefusal } from "../store_refusal.ts";
import type { CompleteUpload, SizesAfter } from "../replacement.ts";
import { HIDDEN, UploadProof } from "./proof.ts";
import { openSource, type UploadSource } from "./source.ts";
import { UploadTarget } from "./remote_target.ts";

/**
 * Bytes that are read and written at once: what fits into the processor's
 * cache.
 */
const BLOCK_SIZE = 128 * 1024;

/** State that the uploads of a mirror or list share. */
export interface UploadLimits {
  /** The common rate limit. */
  readonly limiter?: RateLimiter | undefined;
  /** How to reach a file that must be a plain file. */
  readonly plain?: PlainPath | undefined;
  /** Called when the next upload may be queued. */
  readonly onEnding?: (() => void) | undefined;
}

/** Uploads a file: a path or `file:` URL, a response, or bytes of any kind. */
export function upload(
  provider: SessionProvider,
  local: string | URL | Source | Response,
  remote: string,
  options: UploadOptions,
  limits: UploadLimits = {},
): Promise<FileTransferResult> {
  const ahead = new AskedAhead((turn) => requestBinarySize(turn, remote));
  const run = async (options: UploadOptions) => {
    using source = await openSource(local, remote, options, limits.plain);
    const context = { ...limits, ahead };
    return await new Upload(provider, source, remote, options, context).run();
  };
  return runOperation(provider, options, run, ahead.ask);
}

/** Parameters of an upload besides its options. */
interface Context extends UploadLimits {
  /** The old file's size, if the operation before has asked for it. */
  readonly ahead: AskedAhead<number | null>;
}

/** Bytes of an upload that may be sent with its command. */
const SHORT = 64 * 1024;

// noted in the server's profile if proof and rename do not go together
const COMBINED = "proof, time and RNFR together";

/** An upload, over as many connections as it needs. */
class Upload {
  readonly #provider: SessionProvider;
  readonly #source: UploadSource;
  readonly #options: UploadOptions;
  readonly #target: UploadTarget;
  readonly #tracker: ProgressTracker;
  readonly #retries = { count: 0 };
  readonly #proof: UploadProof;
  /** Resume commands that may still work. */
  readonly #resumeVerbs = ["STOR", "APPE"];
  #isStored = false;
  /**
   * The error of a source that can be read once only, after all of it was sent.
   */
  #unconfirmed: FTPUnconfirmedError | undefined;
  /**
   * When the server wrote the last byte, from which its clock can be learned.
   */
  #written: Written | undefined;
  #digester: { hash: Hash; digester: Digester } | undefined;
  /** Whether the size may be that of the compressed data. */
  #isAmbiguous = false;
  /** Whether the data must not be compressed. */
  #isPlain = false;
  /** Whether {@linkcode #prove} sends the file again. */
  #isProving = false;
  /** The property that was found equal. */
  #verified: string | null = null;
  /** The time that the file was given. */
  #mtime: Date | null = null;
  readonly #ahead: AskedAhead<number | null>;
  readonly #onEnding: (() => void) | undefined;
  /** The rename that was sent together with its checks. */
  #begun: Promise<SizesAfter> | undefined;

  constructor(
    provider: SessionProvider,
    source: UploadSource,
    remote: string,
    options: UploadOptions,
    { limiter, onEnding, ahead }: Context,
  ) {
    checkTransferOptions(options);
    this.#provider = provider;
    this.#ahead = ahead;
    this.#onEnding = onEnding;
    this.#source = source;
    this.#options = options;
    this.#target = new UploadTarget(remote, source.identity, options);
    this.#proof = new UploadProof(source, this.#target, options);
    this.#tracker = new ProgressTracker(options, BLOCK_SIZE, limiter);
    this.#tracker.total = source.total;
  }

  async run(): Promise<FileTransferResult> {
    try {
      const result = await withRecovery(
        this.#provider,
        countingRetries(this.#options, this.#retries),
        () => this.#tracker.position,
        () => this.#attempt(),
      );
      return result;
    } catch (error) {
      const isKept = this.#options.resume === true &&
        this.#source.identity !== null &&
        !(error instanceof FTPVerificationError);
      const last = this.#isStored ? error : this.#unconfirmed ?? error;
      const failure = await this.#target.rollBack(
        this.#provider,
        this.#options.signal?.aborted ? error : this.#afterAttempts(last),
        isKept,
      );
      if (failure === undefined) return this.#result();
      throw failure;
    }
  }

  #afterAttempts(error: unknown): unknown {
    return afterAttempts(
      error,
      `Cannot upload to ${quote(this.#target.remote)}`,
      {
        retries: this.#retries.count,
        bytes: this.#tracker.position,
        size: this.#source.total,
      },
    );
  }

  async #attempt(): Promise<FileTransferResult> {
    const { session } = this.#provider;
    if (!this.#isStored) await this.#store(session);
    // after the rename was sent, the temporary file may be gone
    const begun = this.#begun;
    this.#begun = undefined;
    if (!this.#target.isCommitting) await this.#check(session);
    await this.#target.commit(session, this.#complete, begun);
    await this.#target.tidy(this.#provider);
    return this.#result();
  }

  get #complete(): Omit<CompleteUpload, "path" | "mode"> {
    return {
      size: this.#tracker.position,
      isVisible: this.#verified !== null,
      next: () => this.#provider.operations.upcoming,
      compare: (session, options) => this.#proof.isInPlace(session, options),
    };
  }

  /**
   * Whether proof, time and `RNFR` may be sent together, and `RNTO` after their
   * replies.
   */
  #mayCombine(session: Session): boolean {
    const { verify = "size" } = this.#options;
    const { profile, control } = session;
    return verify === "size" && !this.#isProving && control.isPipelining &&
      this.#target.isSimple(session) && this.#dating(session) !== false &&
      !["SIZE", HIDDEN, COMBINED].some((what) => profile.lacks(what));
  }

  /**
   * Returns a function that sets the file's time at once; `undefined` if no
   * time is to be set, and `false` if that takes more than one known command.
   */
  #dating(session: Session): ReturnType<typeof knownDating> | false {
    const { mtime = true } = this.#options;
    const { modified } = this.#source;
    if (!mtime || modified === null) return undefined;
    return knownDating(session, this.#target.path, modified) ?? false;
  }

  /**
   * Waits for the confirmation, verifies the file, sets its time, and sends the
   * rename if all of that succeeded. Otherwise the file keeps its temporary
   * name, and {@linkcode #check} finds the reason.
   */
  async #combine(
    session: Session,
    transfer: Transfer,
    from: number,
  ): Promise<void> {
    const { signal } = this.#options;
    const { path } = this.#target;
    const sent = this.#tracker.position;
    const dating = this.#dating(session) || undefined;
    const { mayAskBehind } = transfer;
    if (!mayAskBehind) await this.#confirm(transfer, from);
    let reporting: Promise<void> | undefined;
    await session.exclusive(async (turn) => {
      let asked: Promise<[number | null, boolean | undefined, Reply]>;
      const ask = (turn: Turn) => {
        asked = Promise.all([
          requestBinarySize(turn, path, { signal }),
          dating?.(turn, { signal }),
          announceRename(turn, path, { signal }),
        ]);
        asked.catch(() => {});
      };
      let isRenaming = transfer.askBehind(ask);
      try {
        if (mayAskBehind) await this.#confirm(transfer, from);
        if (!isRenaming) ask(turn);
        isRenaming = true;
        const [size, isDated, accepted] = await asked!.catch(noAnswers);
        const isRefused = isDated === false || accepted === undefined;
        if (isRefused) session.profile.noteLacking(COMBINED);
        if (size !== sent || isRefused || this.#isAmbiguous) return;
        this.#checkSource();
        reporting = this.#tracker.finish(); // first: if it throws, the old file stays
        reporting.catch(() => {});
        if (!await this.#isReported(reporting)) return;
        signal?.throwIfAborted();
        this.#verified = "size";
        noteDecompressed(session, true);
        this.#mtime = isDated ? this.#source.modified : null;
        session.profile.forgetLacking(HIDDEN);
        isRenaming = false;
        this.#begun = this.#target.beginCommit(turn, this.#complete, accepted);
        await this.#begun.catch(() => {}); // commit() handles it
      } finally {
        if (isRenaming) await cancelRename(turn, path);
      }
    }, { signal });
    await reporting; // its callback may use this connection
  }

  /** Whether a callback that reports the end has ended already, without error. */
  async #isReported(reporting: Promise<void>): Promise<boolean> {
    if (this.#options.onProgress === undefined) return true;
    return await settle(reporting.then(() => true), 0) ?? false;
  }

  /**
   * Waits for the confirmation of the transfer.
   *
   * @param from When the last bytes were sent
   */
  async #confirm(transfer: Transfer, from: number): Promise<void> {
    const { position } = this.#tracker;
    await awaitConfirmation(transfer, position, position, this.#options);
    this.#written = { from, to: Date.now() };
    this.#isStored = true;
  }

  /** Proves that the file on the server is the source, and sets its time. */
  async #check(session: Session): Promise<void> {
    const { verify = "size" } = this.#options;
    const inspecting = this.#target.inspect(session);
    // in one round trip, except for a hash, which may take long
    const dating = verify === "hash" ? undefined : this.#date(session);
    inspecting.catch(() => {}); // the first failure is reported
    dating?.catch(() => {});
    this.#verified = verify === "none" ? null : await this.#prove(session);
    this.#mtime = await (dating ?? this.#date(session));
    if (this.#proof.wasLate) this.#mtime ??= await this.#date(session);
    await inspecting;
    this.#checkSource();
    await this.#tracker.finish(); // first: if it throws, the old file stays
  }

  #result(): FileTransferResult {
    return {
      size: this.#tracker.position,
      bytes: this.#tracker.moved,
      verified: this.#verified,
      mtime: this.#mtime,
      retries: this.#retries.count,
    };
  }

  /**
   * Compares both files. Sends the file again if an earlier call left a
   * complete but wrong one, or if the server may have stored compressed data of
   * the same length.
   */
  async #prove(session: Session): Promise<string | null> {
    try {
      const verified = await this.#verify(session);
      const isHashed = verified !== null && verified !== "size";
      if (!this.#isAmbiguous || isHashed) return verified;
      const { position } = this.#tracker;
      const error = this.#differs(
        "size",
        position,
        position,
        `Cannot verify the upload of ${
          quote(this.#target.path)
        }: the compressed data has the same length, and the server may have stored that; omit "compress" or set { verify: "hash" }`,
      );
      if (!this.#source.isRewindable) throw error;
      this.#isPlain = true;
    } catch (error) {
      const isLeft = error instanceof FTPVerificationError &&
        this.#tracker.moved === 0;
      if (!isLeft) throw error;
    }
    this.#isProving = true; // it verifies, so nothing else may rename
    try {
      await this.#store(session);
    } finally {
      this.#isProving = false;
    }
    return await this.#verify(session);
  }

  /** Sets the file's time, if that is wanted and possible. */
  async #date(session: Session): Promise<Date | null> {
    const { mtime = true, signal } = this.#options;
    const { modified } = this.#source;
    if (!mtime || modified === null) return null;
    const options = { signal, written: this.#written };
    const { path } = this.#target;
    return await setModificationTime(session, path, modified, options)
      ? modified
      : null;
  }

  /** Sends the bytes that the server lacks. */
  async #store(session: Session): Promise<void> {
    this.#written = undefined;
    await this.#target.leave(session);
    await this.#target.prepare(session, this.#source.total, this.#ahead);
    const sent = this.#unconfirmed?.bytes;
    const stored = await this.#proof.stored(session, sent);
    const { size, total } = this.#source;
    this.#tracker.total = total;
    const isDoubtful = stored !== null && stored === size &&
      mayBeLeftCompressed(session);
    if (isDoubtful) this.#isPlain = true;
    const isThere = stored !== null && stored === (sent ?? size);
    if (isThere && !(isDoubtful && this.#source.isRewindable)) {
      this.#isAmbiguous = isDoubtful;
      this.#tracker.position = stored;
      this.#isStored = true; // only the confirmation was lost
      return;
    }
    if (sent !== undefined) throw new LocalError(this.#unconfirmed);
    const kept = isDoubtful ? 0 : stored ?? 0;
    this.#tracker.position = kept;
    await this.#prepareDigest(session);
    const explain = (error: unknown) =>
      explainRefusal(session, this.#target.remote, error, this.#options);
    const opened = Date.now();
    const { transfer, start } = await this.#open(session, kept)
      .catch(async (error) => {
        throw await explain(error);
      });
    this.#tracker.position = start;
    try {
      await this.#send(session, transfer, start, opened);
    } catch (refusal) {
      if (this.#isStored) throw refusal; // something after the confirmation
      const error = await explain(refusal);
      if (this.#source.isRewindable) throw error;
      // the bytes read are gone; if they were all, SIZE may show it
      if (!(error instanceof FTPUnconfirmedError)) throw new LocalError(error);
      throw this.#unconfirmed = error;
    }
    this.#isStored = true;
  }

  /** Opens the transfer at the last proven offset. */
  async #open(
    session: Session,
    stored: number,
  ): Promise<{ transfer: Transfer; start: number }> {
    while (stored > OVERLAP && this.#resumeVerbs.length > 0) {
      try {
        if (this.#resumeVerbs[0] === "APPE") {
          const transfer = await this.#write(session, "APPE", 0);
          return { transfer, start: stored };
        }
        if (await this.#mayRestart(session, stored)) {
          // the end of an unfinished file may not have reached the disk: it is
          // sent again
          const start = stored - OVERLAP;
          return { transfer: await this.#write(session, "STOR", start), start };
        }
        this.#proof.isCurrent = false; // it may be damaged
        stored = 0;
      } catch (error) {
        const isUseless = isRestRefused(error) ||
          this.#target.isNameRefused(error); // it may not be overwritten
        if (!isUseless) throw error;
      }
      this.#resumeVerbs.shift();
    }
    const early = await this.#readEarly();
    const options = { ...this.#opening, early };
    const transfer = await this.#target.writeAnew(
      session,
      () => openAt(session, "STOR", this.#target.path, 0, options),
    );
    this.#target.isOwn = true;
    this.#proof.isCurrent = true;
    return { transfer, start: 0 };
  }

  /**
   * Reads a small file, to send it with its command. Only to a temporary name:
   * if it is refused, nothing of an old file is lost.
   */
  async #readEarly(): Promise<Uint8Array | undefined> {
    const { size, isRewindable } = this.#source;
    const isSmall = isRewindable && size !== null && size <= SHORT &&
      this.#tracker.isFree && this.#target.path !== this.#target.remote;
    if (!isSmall) return undefined;
    const bytes = new Uint8Array(size);
    let length = 0;
    for await (const chunk of this.#source.read(0, SHORT)) {
      if (length + chunk.length > size) return undefined; // the file grows
      bytes.set(chunk, length);
      length += chunk.length;
    }
    return length === size ? bytes : undefined;
  }

  /** Whether the server keeps the bytes before an offset. */
  async #mayRestart(session: Session, stored: number): Promise<boolean> {
    return await keepsBeginning(
      this.#source,
      stored,
      (verb, start) =>
        verb === "STOR"
          ? this.#write(session, verb, start)
          : openAt(session, verb, this.#target.path, start, this.#opening),
      this.#options,
    );
  }

  async #write(
    session: Session,
    verb: "STOR" | "APPE",
    start: number,
  ): Promise<Transfer> {
    return await this.#target.write(() =>
      openAt(session, verb, this.#target.path, start, this.#opening)
    );
  }

  get #opening(): { signal: AbortSignal | undefined; isPlain: boolean } {
    return { signal: this.#options.signal, isPlain: this.#isPlain };
  }

  async #send(
    session: Session,
    transfer: Transfer,
    start: number,
    opened: number,
  ): Promise<void> {
    const tracker = this.#tracker;
    const { blocksize } = tracker;
    let from = opened;
    await using alive = keepAlive(session, transfer, this.#options);
    let isWhole = false;
    const { early } = transfer;
    const rest = (this.#source.size ?? Infinity) - start;
    if (rest <= SHORT) this.#onEnding?.();
    try {
      if (early !== undefined) {
        tracker.add(early.bytes);
        await transfer.data.written(early.bytes, early.writing);
      } else {
        const all = this.#source.read(start, blocksize);
        // a file or bytes in memory never block
        const chunks = this.#source.isRewindable
          ? all
          : whileOpen(transfer.data, all);
        for await (const chunk of chunks) {
          for (let at = 0; at < chunk.length; at += blocksize) {
            const block = chunk.subarray(at, at + blocksize);
            from = Date.now();
            await writeAll(transfer.data, block);
            this.#digester?.digester.update(block);
            const wait = tracker.add(block.length);
            if (wait !== undefined) await wait;
          }
        }
        isWhole = true;
        await transfer.data.closeWrite();
      }
      this.#isAmbiguous = isSizeAmbiguous(session, transfer.data);
    } catch (error) {
      alive.stop();
      const { signal } = this.#options;
      await transfer.endAfter(error, { signal, isWhole });
      // reset by a server that sends 2yz: only the size proves that it has all
      // bytes
      const stored = await this.#proof.storedSize(session, tracker.position);
      const isProven = stored === tracker.position &&
        !this.#proof.isOldSize(stored) && !isCompressionUnproven(session);
      if (isProven) return;
      throw error;
    }
    alive.stop();
    const isAlive = (this.#options.keepAlive ?? 0) > 0;
    if (!isAlive && this.#mayCombine(session)) {
      await this.#combine(session, transfer, from);
    } else {
      await this.#confirm(transfer, from);
    }
  }

  async #verify(session: Session): Promise<string | null> {
    const { verify, signal } = this.#options;
    const { path } = this.#target;
    const sent = this.#tracker.position;
    const size = await this.#proof.storedSize(session, sent);
    const isOldSize = this.#proof.isOldSize(size);
    if (size !== null && size !== sent) {
      if (!isOldSize && isCompressionUnproven(session)) {
        noteDecompressed(session, false);
        throw this.#differs(
          "size",
          sent,
          size,
          `Cannot verify the upload of ${
            quote(path)
          }: size is ${size}, not ${sent}; the server accepted "MODE Z", but may have stored the compressed data: omit "compress"`,
        );
      }
      if (!isOldSize) throw this.#differs("size", sent, size);
      // each attempt might create another file
      throw new LocalError(
        this.#differs(
          "size",
          sent,
          size,
          `Cannot verify the upload of ${
            quote(path)
          }: the old file is still there, and the server may have stored the new one under another name`,
        ),
      );
    }
    const hashes = verify === "hash"
      ? await hashBoth(
        session,
        path,
        { size: sent, signal },
        (hash, signal) => this.#digest(hash, signal),
      )
      : undefined;
    // an old file of the same size proves nothing
    const isSized = size !== null && !isOldSize;
    if (isSized && !this.#isAmbiguous) noteDecompressed(session, true);
    if (hashes === undefined) return isSized ? "size" : null;
    const { name, local, remote } = hashes;
    if (local !== remote) {
      if (this.#isAmbiguous) noteDecompressed(session, false);
      throw this.#differs(name, local, remote);
    }
    return name;
  }

  /** Prepares a hash of a stream, which can be read once only. */
  async #prepareDigest(session: Session): Promise<void> {
    const { verify, signal } = this.#options;
    if (verify !== "hash" || this.#source.isRewindable) return;
    const hash = await chooseHash(session, { signal });
    if (hash !== undefined) {
      this.#digester = { hash, digester: new Digester(hash) };
    }
  }

  async #digest(hash: Hash, signal: AbortSignal): Promise<string> {
    if (this.#digester !== undefined) return this.#digester.digester.digest();
    return await hashChunks(this.#source.read(0, BLOCK_SIZE), hash, signal);
  }

  /**
   * Rejects a source that changed while it was sent: the upload is neither its
   * old nor its new version.
   */
  #checkSource(): void {
    const { size, modified } = this.#source;
    if (!this.#source.hasChanged()) return;
    const [what, expected, actual] = size !== this.#source.size
      ? ["size", size!, this.#source.size!] as const
      : [
        "mtime",
        modified?.toISOString() ?? "unknown",
        this.#source.modified?.toISOString() ?? "unknown",
      ] as const;
    throw this.#differs(
      what,
      expected,
      actual,
      `Cannot upload to ${
        quote(this.#target.remote)
      }: the local file changed during the upload; pass a file that is written all the time as an open Deno.FsFile`,
    );
  }

  #differs(
    what: string,
    expected: number | string,
    actual: number | string,
    message = `Cannot verify the upload of ${quote(this.#target.path)}`,
  ): Error {
    this.#isStored = false;
    this.#proof.isCurrent = false;
    const error = new FTPVerificationError(message, { what, expected, actual });
    return this.#source.isRewindable ? error : new LocalError(error);
  }
}

/** Returns no answers if the server refuses a command. */
function noAnswers(error: unknown): [null, undefined, undefined] {
  if (!isRefusal(error) || error.reply.code === 421) throw error;
  return [null, undefined, undefined];
}
