/**
 * The file on the server that an upload is written to before it takes the
 * place of its target.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { requestAhead } from "../../transfer/passive.ts";
import {
  FTPError,
  FTPPermanentError,
  FTPTemporaryError,
} from "../../protocol/errors.ts";
import type { Session, SignalOptions } from "../../transfer/session.ts";
import { rename } from "../../commands/files.ts";
import { requestBinarySize } from "../../commands/queries.ts";
import type { SessionProvider } from "../session_provider.ts";
import { randomMark, splitPath } from "../../commands/path.ts";
import { retold } from "../errors.ts";
import { deleteAll, isThere } from "../leftovers.ts";
import { type CompleteUpload, Replacement } from "../replacement.ts";
import { isListedDirectory, refuseDirectory } from "../store_refusal.ts";
import { nameless } from "./errors.ts";
import type { UploadOptions } from "../options.ts";
import { canChangeMode, requestMode } from "./file_mode.ts";
import { refuseDataSet, temporaryPath } from "./temporary_name.ts";

/** Longest time, in milliseconds, to connect again only to clean up. */
const CLEANUP_TIMEOUT = 5000;

/** Bytes that take longer to send than a question. */
const LARGE = 1024 * 1024;

/** A command to write that alone got no reply. */
const UNANSWERED_REGEXP = /^Cannot complete "(STOR|APPE) /;

/** A file on the server that grows, and is put in place or removed. */
export class UploadTarget {
  /** Whether what is under {@linkcode path} is this upload's own. */
  isOwn = false;
  /** Whether the server was told to write. */
  isTouched = false;
  /** Whether something may be under {@linkcode path} already. */
  isThere = false;
  /** Whether nobody else has ever heard of the first name: it is random. */
  readonly isNew: boolean;
  /** The file that is to be replaced. */
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
   * Chooses the name.
   *
   * @param remote The file that is to be replaced
   * @param identity Tells the source from others, if the upload may be resumed
   * @param options Whether to write in place, to resume, to delete
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
        `Cannot upload to "${remote}": it names no file`,
      );
    }
    const isResumable = resume && identity !== null;
    const mark = isResumable
      ? createHash("sha256").update(identity).digest("hex").slice(0, 16)
      : randomMark();
    this.#first = atomic
      ? temporaryPath(remote, mark, isResumable, options)
      : remote;
    this.#path = this.#first;
    this.isNew = atomic && !isResumable && this.#first.includes(mark);
    this.remote = remote;
    this.#options = options;
    this.#replacement = new Replacement(remote, options);
  }

  /** Whether the server was told to put the file in its place. */
  get isCommitting(): boolean {
    return this.#replacement.hasBegun;
  }

  /** Where the bytes go. */
  get path(): string {
    return this.#path;
  }

  /**
   * Looks, before anything is sent, whether there is a place beside the target,
   * and what is in the target's own.
   *
   * @param session The session
   * @param size Bytes that are going to be sent, `null` if that is not known:
   * before many are, a question more whether the target is a directory is cheap
   * @throws {Deno.errors.NotSupported} If there is no place
   * @throws {FTPPermanentError} If the target is a directory
   */
  async prepare(session: Session, size: number | null): Promise<void> {
    if (this.#path === this.remote || this.#isPrepared) return;
    const options = this.#options;
    await refuseDataSet(session, this.remote, options);
    const isLarge = (size ?? Infinity) > LARGE;
    if (isLarge || canChangeMode(session)) {
      const asking = requestBinarySize(session, this.remote, options);
      const listing = isLarge
        ? isListedDirectory(session, this.remote, options)
        : undefined;
      listing?.catch(() => {}); // whoever fails first is heard
      requestAhead(session, options); // in the same round trip
      try {
        this.#replacement.oldSize = await asking;
      } catch (error) {
        // it is asked for nothing but its mode, and what the rename proves
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
   * Asks for the mode of the old file where it is not known yet; beside other
   * questions, so that it costs no round trip of its own.
   *
   * @param session The session
   */
  async inspect(session: Session): Promise<void> {
    if (typeof this.#replacement.oldSize !== "number") return;
    if (this.isCommitting || !canChangeMode(session)) return;
    const options = this.#options;
    this.#mode ??= await requestMode(session, this.remote, options);
  }

  /**
   * Begins to write. If the server is told to and does not answer, the file is
   * in doubt: what a lost connection holds back may still reach the server,
   * and empty the file.
   *
   * @param begin Sends the command
   * @returns What it gives
   */
  async write<T>(begin: () => Promise<T>): Promise<T> {
    this.isTouched = this.isThere = true;
    try {
      return await begin();
    } catch (error) {
      const isAnswered = error instanceof FTPError && error.reply !== undefined;
      this.#isInDoubt = !isAnswered;
      this.#isLocked = error instanceof Deno.errors.TimedOut &&
        UNANSWERED_REGEXP.test(error.message);
      throw this.isNameRefused(error) ? nameless(error, this.remote) : error;
    }
  }

  /**
   * Whether the temporary name, or what is under it, may be why the server
   * refused to write.
   *
   * @param error What was thrown
   * @returns Whether another name may do
   */
  isNameRefused(error: unknown): error is FTPPermanentError {
    return this.path !== this.remote && error instanceof FTPPermanentError &&
      /^(STOR|APPE)/.test(error.command ?? "") &&
      [501, 550, 553].includes(error.reply?.code ?? 0);
  }

  /**
   * Begins to write a file from its first byte. What is there is deleted before:
   * some servers do not let it be written over (ProFTPD's `AllowOverwrite off`),
   * or choose another name then (Pure-FTPd's `--autorename`).
   *
   * @param session The session
   * @param begin Sends the command
   * @returns What it gives
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
      // neither to be deleted nor to be written to: an old connection may use it
      const isStuck = refusal !== undefined && this.isNameRefused(error);
      const other = this.#otherPath();
      if (!isStuck || other === path) throw error;
      this.#startOver(other);
    }
    return await this.write(begin);
  }

  /**
   * Takes the file out of reach of a command that may come late, by another
   * name. Written in place it has only the one.
   *
   * A file that an old connection has locked would take the lock along: vsftpd
   * lets nobody write to it before that connection, if it broke without a word,
   * has timed out (`lock_upload_files`; 300 seconds). It is left behind.
   *
   * @param session The new session
   */
  async leave(session: Session): Promise<void> {
    if (!this.#isInDoubt || this.path === this.remote) return;
    const path = this.#otherPath();
    if (path === this.path) return; // the caller knows but one name
    if (!this.isOwn || this.#isLocked) return this.#startOver(path);
    try {
      await this.#rename(session, path);
      this.#abandoned.push(this.path);
      this.#path = path;
    } catch (error) {
      if (!(error instanceof FTPPermanentError)) {
        this.#abandoned.push(path); // it may be there now, or soon
        throw error;
      }
      this.#startOver(path); // it was not made yet
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

  /**
   * Puts the file in its place.
   *
   * @param session The session
   * @param upload What is known of it
   */
  async commit(
    session: Session,
    upload: Omit<CompleteUpload, "path" | "mode">,
  ): Promise<void> {
    const { path } = this;
    if (path === this.remote) return;
    const mode = this.#mode;
    await this.#replacement.run(session, { ...upload, path, mode });
    await deleteAll(session, this.#abandoned);
  }

  /**
   * Cleans up after a failure.
   *
   * @param provider The client
   * @param error What went wrong
   * @param isKept Whether what is there stays, for another call to resume
   * @returns The error to throw; `undefined` if it turns out that the file is in
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
      const { timeout } = provider.session.options;
      const grace = Math.min(CLEANUP_TIMEOUT, timeout || CLEANUP_TIMEOUT);
      const signal = AbortSignal.timeout(grace);
      if (provider.session.isLost) {
        await provider.reconnect({ signal });
      }
      const { session } = provider;
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

  /** Finds out what became of the rename, and puts the old file back. */
  async #settle(
    session: Session,
    options: SignalOptions,
  ): Promise<boolean | Error | undefined> {
    try {
      return await this.#replacement.settle(session, options);
    } catch (error) {
      // neither has the name: that is what has to be known, whatever led there
      const isStranded = error instanceof FTPError &&
        session.control.failure === undefined;
      if (isStranded) return error;
      throw error;
    }
  }

  /** Leaves the longest part where the next call looks for it. */
  async #keep(session: Session, options: SignalOptions): Promise<void> {
    const sizes = [this.path, this.#first].map((path) =>
      requestBinarySize(session, path, options)
    );
    const [size, first] = await Promise.all(sizes);
    const others = new Set([this.path, ...this.#abandoned]);
    const isLonger = (size ?? 0) > (first ?? 0);
    others.delete(isLonger ? this.path : this.#first);
    await deleteAll(session, [...others], options);
    if (isLonger) await this.#rename(session, this.#first, options);
  }

  /** Deletes the temporary files, and says which are left. */
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
      if (isLeft === false) continue; // it was never made, or is taken away
      const state = isLeft ? "is" : "may be";
      return this.#withNotes(error, [
        `the temporary file "${path}" ${state} left on the server: ${refusal.message}`,
      ]);
    }
    return error;
  }

  async #rename(
    session: Session,
    path: string,
    { signal }: SignalOptions = this.#options,
  ): Promise<void> {
    await session.turns.alone(
      () => rename(session, this.path, path, { signal, isAtOnce: true }),
      { signal },
    );
  }

  /** Says what could not be looked at. */
  #inDoubt(error: unknown, isKept: boolean): unknown {
    const { aside, hasBegun } = this.#replacement;
    const notes: string[] = [];
    if (hasBegun) notes.push(this.#unknown);
    if (aside !== undefined) notes.push(`the old file may be "${aside}"`);
    if (this.isOwn && !isKept) {
      notes.push(`the temporary file "${this.path}" may be left on the server`);
    }
    return this.#withNotes(error, notes);
  }

  get #unknown(): string {
    return `the server did not say whether the new file is in place as "${this.remote}"`;
  }

  /** An error that says more; a reason to abort is left alone. */
  #withNotes(error: unknown, notes: readonly string[]): unknown {
    if (this.#options.signal?.aborted) return error;
    return retold(error, (message) => [message, ...notes].join("; "));
  }
}
