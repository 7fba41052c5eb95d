/**
 * The temporary file of an upload on the server.
 *
 * @module
 */

import { quote } from "../../protocol/printable.ts";
import { requestAhead } from "../../transfer/passive.ts";
import {
  FTPError,
  FTPPermanentError,
  FTPTemporaryError,
  isRefusal,
  type Refusal,
} from "../../protocol/errors.ts";
import type { Reply } from "../../protocol/reply.ts";
import type { Session, SignalOptions } from "../../transfer/session.ts";
import type { ExclusiveTurn } from "../../transfer/turn.ts";
import type { AskedAhead } from "../asked_ahead.ts";
import { rename } from "../../commands/files.ts";
import { requestBinarySize } from "../../commands/queries.ts";
import type { SessionProvider } from "../session_provider.ts";
import { randomMark, splitPath } from "../../commands/path.ts";
import { sha256Of } from "../hash.ts";
import { withAdvice } from "../../protocol/with_advice.ts";
import { withMessage } from "../../protocol/with_message.ts";
import { deleteAll, isThere } from "../leftovers.ts";
import {
  type CompleteUpload,
  Replacement,
  type SizesAfter,
} from "../replacement.ts";
import { isListedDirectory, refuseDirectory } from "../store_refusal.ts";
import { temporaryNameError } from "./errors.ts";
import type { UploadOptions } from "../options.ts";
import { canChangeMode, requestMode } from "./file_mode.ts";
import { refuseDataSet, temporaryPath } from "./temporary_name.ts";

/** Longest time, in milliseconds, to connect again only for cleaning up. */
const CLEANUP_TIMEOUT = 5000;

/** Bytes that take longer to send than a request. */
const LARGE = 1024 * 1024;

/** Matches errors of a STOR or APPE that got no reply. */
const UNANSWERED_REGEXP = /^Cannot complete "(STOR|APPE) /;

/** A file on the server that grows, and is then renamed or removed. */
export class UploadTarget {
  /** Whether the file under {@linkcode path} belongs to this upload. */
  isOwn = false;
  /** Whether a command to write was sent. */
  isTouched = false;
  /** Whether something may have the path {@linkcode path} already. */
  isThere = false;
  /** Whether the first name is random, and therefore unique. */
  readonly isNew: boolean;
  /** Path of the file to replace. */
  readonly remote: string;
  readonly #options: UploadOptions;
  readonly #first: string;
  #path: string;
  readonly #abandoned: string[] = [];
  #isPrepared = false;
  #isInDoubt = false;
  #isLocked = false;
  readonly #replacement: Replacement;
  #mode: number | undefined;

  /**
   * Chooses the temporary name.
   *
   * @param identity Identifies the source, if the upload may be resumed
   */
  constructor(
    remote: string,
    identity: string | null,
    options: UploadOptions,
  ) {
    const { atomic = true, resume = false } = options;
    const [, name] = splitPath(remote);
    if (["", ".", ".."].includes(name)) {
      throw new TypeError(
        `Cannot upload to ${quote(remote)}: it is not the name of a file`,
      );
    }
    const isResumable = resume && identity !== null;
    const mark = isResumable ? sha256Of(identity).slice(0, 16) : randomMark();
    this.#first = atomic
      ? temporaryPath(remote, mark, isResumable, options)
      : remote;
    this.#path = this.#first;
    this.isNew = atomic && !isResumable && this.#first.includes(mark);
    this.remote = remote;
    this.#options = options;
    this.#replacement = new Replacement(remote, options);
  }

  /** Whether the rename to the target was sent. */
  get isCommitting(): boolean {
    return this.#replacement.hasBegun;
  }

  /** Path that the bytes are written to. */
  get path(): string {
    return this.#path;
  }

  /**
   * Checks, before anything is sent, whether a temporary file can be written
   * next to the target, and whether the target is a directory.
   *
   * @param size Bytes to send, `null` if unknown. An additional request is
   * cheap before many bytes
   * @param ahead The old file's size, if the operation before has asked
   * @throws {Deno.errors.NotSupported} If a temporary file is not possible
   * @throws {FTPPermanentError} If the target is a directory
   */
  async prepare(
    session: Session,
    size: number | null,
    ahead: AskedAhead<number | null>,
  ): Promise<void> {
    if (this.#path === this.remote || this.#isPrepared) return;
    const options = this.#options;
    await refuseDataSet(session, this.remote, options);
    const isLarge = (size ?? Infinity) > LARGE;
    const known = isLarge ? undefined : await ahead.take(session, options);
    if (known !== undefined) {
      this.#replacement.oldSize = known;
    } else if (isLarge || canChangeMode(session)) {
      const asking = session.shared(
        (turn) => requestBinarySize(turn, this.remote, options),
        options,
      );
      const listing = isLarge
        ? isListedDirectory(session, this.remote, options)
        : undefined;
      listing?.catch(() => {}); // the first failure is reported
      requestAhead(session, options); // in the same round trip
      try {
        this.#replacement.oldSize = await asking;
      } catch (error) {
        // only the mode and the proof of the rename need it
        if (!(error instanceof FTPTemporaryError)) throw error;
      }
      const isDirectory = await listing;
      const { oldSize = null } = this.#replacement;
      const isDoubtful = isDirectory === undefined && (size ?? 0) > LARGE;
      if (oldSize === null && (isDirectory || isDoubtful)) {
        await refuseDirectory(session, this.remote, undefined, options);
      }
    }
    this.#isPrepared = true;
  }

  /**
   * Requests the old file's permissions if they are not known yet, together
   * with other requests.
   */
  async inspect(session: Session): Promise<void> {
    if (typeof this.#replacement.oldSize !== "number") return;
    if (this.isCommitting || !canChangeMode(session)) return;
    const options = this.#options;
    this.#mode ??= await requestMode(session, this.remote, options);
  }

  /**
   * Starts to write. If the server does not answer the command, the state of
   * the file is unknown: data held back by a lost connection may still arrive,
   * and empty the file.
   *
   * @param begin Sends the command
   */
  async write<T>(begin: () => Promise<T>): Promise<T> {
    this.isTouched = this.isThere = true;
    try {
      return await begin();
    } catch (error) {
      this.#isInDoubt = !isRefusal(error);
      this.#isLocked = error instanceof Deno.errors.TimedOut &&
        UNANSWERED_REGEXP.test(error.message);
      throw this.isNameRefused(error)
        ? temporaryNameError(error, this.remote)
        : error;
    }
  }

  /**
   * Whether the server may have refused to write because of the temporary name
   * or the file under it.
   */
  isNameRefused(error: unknown): error is Refusal {
    return this.path !== this.remote && isRefusal(error, [501, 550, 553]) &&
      /^(STOR|APPE)/.test(error.command ?? "");
  }

  /**
   * Starts to write a file from its first byte. Deletes an existing file
   * before. Some servers refuse to overwrite it (ProFTPD's
   * `AllowOverwrite off`), or choose another name (Pure-FTPd's `--autorename`).
   *
   * @param begin Sends the command
   */
  async writeAnew<T>(session: Session, begin: () => Promise<T>): Promise<T> {
    if (!this.isThere || this.path === this.remote) {
      return await this.write(begin);
    }
    const { path } = this;
    const [refusal] = await deleteAll(session, [path], this.#options);
    try {
      return await this.write(begin);
    } catch (error) {
      // neither deletable nor writable: an old connection may be using it
      const isStuck = refusal !== undefined && this.isNameRefused(error);
      const other = this.#otherPath();
      if (!isStuck || other === path) throw error;
      this.#startOver(other);
    }
    return await this.write(begin);
  }

  /**
   * Renames the file, so that a command that arrives late cannot reach it. A
   * file written in place has only one name. A file locked by an old connection
   * is left behind: vsftpd lets no other connection write to it until the old
   * one has timed out (`lock_upload_files`; 300 seconds).
   */
  async leave(session: Session): Promise<void> {
    if (!this.#isInDoubt || this.path === this.remote) return;
    const path = this.#otherPath();
    if (path === this.path) return; // the caller's function returns only one name
    if (!this.isOwn || this.#isLocked) return this.#startOver(path);
    try {
      await this.#rename(session, path);
      this.#abandoned.push(this.path);
      this.#path = path;
    } catch (error) {
      if (!(error instanceof FTPPermanentError)) {
        this.#abandoned.push(path); // it may exist now, or soon
        throw error;
      }
      this.#startOver(path); // it was not created yet
    }
    this.#isInDoubt = false;
  }

  #otherPath(): string {
    return temporaryPath(this.remote, randomMark(), false, this.#options);
  }

  #startOver(path: string): void {
    this.#abandoned.push(this.path);
    this.#path = path;
    this.isOwn = this.isThere = this.#isInDoubt = false;
  }

  /** Renames the file to the target. */
  async commit(
    session: Session,
    upload: Omit<CompleteUpload, "path" | "mode">,
    begun?: Promise<SizesAfter>,
  ): Promise<void> {
    const { path } = this;
    if (path === this.remote) return;
    const mode = this.#mode;
    await this.#replacement.run(session, { ...upload, path, mode }, begun);
  }

  /**
   * Deletes the temporary files of earlier attempts, after the new file is in
   * its place. Uses another connection if this one is lost.
   */
  async tidy(provider: SessionProvider): Promise<void> {
    if (this.#abandoned.length === 0) return;
    const signal = cleanupSignal(provider);
    await deleteAll(provider.session, this.#abandoned, { signal });
    if (!provider.session.isLost) return;
    try {
      await provider.reconnect({ signal });
    } catch {
      return; // the upload is complete
    }
    await deleteAll(provider.session, this.#abandoned, { signal });
  }

  /**
   * Whether nothing has to be asked before the rename: there is no old file
   * whose permissions matter.
   */
  isSimple(session: Session): boolean {
    return this.#path !== this.remote && !this.isCommitting &&
      (this.#replacement.oldSize === null || !canChangeMode(session));
  }

  /** Sends the rename, in a turn in which `RNFR` was accepted. */
  beginCommit(
    turn: ExclusiveTurn,
    upload: Omit<CompleteUpload, "path" | "mode">,
    accepted: Reply,
  ): Promise<SizesAfter> {
    const complete = { ...upload, path: this.path, mode: undefined };
    return this.#replacement.begin(turn, complete, accepted);
  }

  /**
   * Cleans up after a failure.
   *
   * @param isKept Whether the file stays, for a later call to resume
   * @returns The error to throw; `undefined` if the new file turns out to be in
   * its place
   */
  async rollBack(
    provider: SessionProvider,
    error: unknown,
    isKept: boolean,
  ): Promise<unknown> {
    if (this.path === this.remote || !this.isTouched) return error;
    const { hasBegun } = this.#replacement;
    if (isKept && !hasBegun && this.path === this.#first) return error;
    try {
      const signal = cleanupSignal(provider);
      if (provider.session.isLost) {
        await provider.reconnect({ signal });
      }
      const { session } = provider;
      // also where a command that was sent by hand is not repeated
      await session.ready(signal, { isForced: true });
      if (hasBegun) {
        const isDone = await this.#settle(session, { signal });
        if (isDone instanceof Error) return isDone;
        if (isDone) {
          await deleteAll(session, [this.path, ...this.#abandoned], { signal });
          return this.#options.signal?.aborted ? error : undefined;
        }
        if (isDone === undefined) {
          return this.#withNotes(error, [this.#unknown]);
        }
      }
      if (isKept) await this.#keep(session, { signal });
      else return await this.#discard(session, error, { signal });
      return error;
    } catch {
      // the server is gone: the first error matters
      if (this.#replacement.isDone && !this.#options.signal?.aborted) {
        return undefined;
      }
      return this.#inDoubt(error, isKept);
    }
  }

  /** Finds out the result of the rename, and restores the old file. */
  async #settle(
    session: Session,
    options: SignalOptions,
  ): Promise<boolean | Error | undefined> {
    try {
      return await this.#replacement.settle(session, options);
    } catch (error) {
      // neither file has the name: the user must know, whatever the cause
      const isStranded = error instanceof FTPError &&
        session.control.failure === undefined;
      if (isStranded) return error;
      throw error;
    }
  }

  /** Keeps the longest unfinished file where the next call looks for it. */
  async #keep(session: Session, options: SignalOptions): Promise<void> {
    const sizes = [this.path, this.#first].map((path) =>
      session.shared(
        (turn) => requestBinarySize(turn, path, options),
        options,
      )
    );
    const [size, first] = await Promise.all(sizes);
    const others = new Set([this.path, ...this.#abandoned]);
    const isLonger = (size ?? 0) > (first ?? 0);
    others.delete(isLonger ? this.path : this.#first);
    await deleteAll(session, [...others], options);
    if (isLonger) await this.#rename(session, this.#first, options);
  }

  /** Deletes the temporary files, and adds the remaining ones to the error. */
  async #discard(
    session: Session,
    error: unknown,
    options: SignalOptions,
  ): Promise<unknown> {
    const paths = [this.path, ...this.#abandoned];
    const refusals = await deleteAll(session, paths, options);
    if (!this.isOwn || this.#options.signal?.aborted) return error;
    for (const [index, refusal] of refusals.entries()) {
      if (refusal === undefined) continue;
      const path = paths[index]!;
      if (!(refusal instanceof FTPError)) throw refusal;
      const isLeft = await isThere(session, path, options);
      if (isLeft === false) continue; // never created, or taken away
      const state = isLeft ? "is" : "may be";
      return this.#withNotes(error, [
        `the temporary file ${
          quote(path)
        } ${state} left on the server: ${refusal.message}`,
      ]);
    }
    return error;
  }

  async #rename(
    session: Session,
    path: string,
    { signal }: SignalOptions = this.#options,
  ): Promise<void> {
    await session.exclusive(
      (turn) => rename(turn, this.path, path, { signal, isAtOnce: true }),
      { signal },
    );
  }

  /** Adds everything that could not be checked to the error. */
  #inDoubt(error: unknown, isKept: boolean): unknown {
    const { aside, hasBegun } = this.#replacement;
    const notes: string[] = [];
    if (hasBegun) notes.push(this.#unknown);
    if (aside !== undefined) notes.push(`the old file may be ${quote(aside)}`);
    if (this.isOwn && !isKept) {
      notes.push(
        `the temporary file ${quote(this.path)} may be left on the server`,
      );
    }
    return this.#withNotes(error, notes);
  }

  get #unknown(): string {
    return `the server did not confirm that the new file is in place as ${
      quote(this.remote)
    }`;
  }

  /**
   * Adds notes to the message of an error. The reason of an abort stays
   * unchanged.
   */
  #withNotes(error: unknown, notes: readonly string[]): unknown {
    if (this.#options.signal?.aborted) return error;
    return withMessage(
      error,
      (message) => withAdvice(message, notes.join("; ")),
    );
  }
}

/** Returns a signal that limits the time for deleting temporary files. */
function cleanupSignal({ session }: SessionProvider): AbortSignal {
  const { timeout } = session.options;
  return AbortSignal.timeout(
    Math.min(CLEANUP_TIMEOUT, timeout || CLEANUP_TIMEOUT),
  );
}
