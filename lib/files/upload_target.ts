/**
 * The file on the server that an upload is written to before it takes the
 * place of its target.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { requestAhead } from "../transfer/data_channel.ts";
import {
  FTPError,
  FTPPermanentError,
  FTPTemporaryError,
} from "../protocol/errors.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { deleteFile, rename } from "../paths/commands.ts";
import { requestBinarySize } from "../paths/facts.ts";
import type { Link } from "./link.ts";
import { randomMark, splitPath } from "../paths/names.ts";
import { retold } from "./faults.ts";
import { nameless, refused, stranded } from "./upload_errors.ts";
import type { UploadOptions } from "./options.ts";
import { canChangeMode, requestMode, tryToChangeMode } from "./upload_mode.ts";
import { refuseDataSet, temporaryPath } from "./upload_name.ts";

/** Longest time, in milliseconds, to connect again only to clean up. */
const CLEANUP_TIMEOUT = 5000;

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
  #isInDoubt = false;
  #isLocked = false;
  #isRenaming = false;
  #isOldDeleted = false;
  #isOldThere: boolean | undefined;
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
    if (name === "") {
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
   * @throws {Deno.errors.NotSupported} If there is none
   */
  async prepare(session: Session): Promise<void> {
    if (this.#path === this.remote || this.#isOldThere !== undefined) return;
    const options = this.#options;
    await refuseDataSet(session, this.remote, options);
    if (!canChangeMode(session)) return;
    const asking = requestBinarySize(session, this.remote, options);
    requestAhead(session, options); // in the same round trip
    try {
      this.#isOldThere = await asking !== null;
    } catch (error) {
      if (!(error instanceof FTPTemporaryError)) throw error;
      this.#isOldThere = false; // it is asked for nothing but its mode
    }
  }

  /**
   * Asks for the mode of the old file where it is not known yet; beside other
   * questions, so that it costs no round trip of its own.
   *
   * @param session The session
   */
  async inspect(session: Session): Promise<void> {
    if (!this.#isOldThere || this.#isRenaming) return;
    if (!canChangeMode(session)) return;
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
    const [refusal] = await this.#deleteAll(session, [path], this.#options);
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
   * @param isInPlace Tells whether it is there, if a reply was lost
   */
  async commit(
    session: Session,
    isInPlace: () => Promise<boolean>,
  ): Promise<void> {
    if (this.path === this.remote) return;
    const isDone = this.#isRenaming &&
      await requestBinarySize(session, this.path, this.#options) === null &&
      await isInPlace();
    if (!isDone) await this.#putInPlace(session);
    await this.#deleteAll(session, this.#abandoned);
  }

  async #putInPlace(session: Session): Promise<void> {
    this.#isRenaming = true;
    try {
      await this.#rename(session, this.remote, this.#options, this.#mode);
    } catch (error) {
      if (!(error instanceof FTPPermanentError)) throw error;
      // a refused RNFR says nothing of the file that is in the way
      if (!error.command?.startsWith("RNTO")) {
        throw refused(
          error,
          this.remote,
          "if the server renames no files, use { atomic: false }",
        );
      }
      if (this.#options.replace !== "delete") {
        throw refused(
          error,
          this.remote,
          'if the server refuses to rename over a file, use { replace: "delete" } or { atomic: false }',
        );
      }
      await this.#deleteOld(session, error);
      await this.#rename(session, this.remote);
    }
  }

  /**
   * Cleans up after a failure.
   *
   * @param link The client
   * @param error What went wrong
   * @param isKept Whether what is there stays, for another call to resume
   * @returns The error to throw
   */
  async rollBack(
    link: Link,
    error: unknown,
    isKept: boolean,
  ): Promise<unknown> {
    if (this.path === this.remote || !this.isTouched) return error;
    if (this.#isOldDeleted) return stranded(error, this.remote, this.path);
    if (isKept && this.path === this.#first) return error;
    try {
      const { timeout } = link.session.options;
      const grace = Math.min(CLEANUP_TIMEOUT, timeout || CLEANUP_TIMEOUT);
      const signal = AbortSignal.timeout(grace);
      if (link.session.control.failure !== undefined) {
        await link.reconnect({ signal });
      }
      const { session } = link;
      if (isKept) await this.#keep(session, { signal });
      else {
        const paths = [this.path, ...this.#abandoned];
        const [refusal] = await this.#deleteAll(session, paths, { signal });
        if (refusal !== undefined) return this.#left(error, refusal);
      }
      return error;
    } catch {
      // the server is gone: the first error matters
      return isKept ? error : this.#left(error, undefined);
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
    await this.#deleteAll(session, [...others], options);
    if (isLonger) await this.#rename(session, this.#first, options);
  }

  /**
   * Deletes what is left, as far as the server lets us.
   *
   * @returns For each what went wrong, if anything did
   */
  async #deleteAll(
    session: Session,
    paths: readonly string[],
    { signal }: SignalOptions = {},
  ): Promise<unknown[]> {
    const deleting = paths.map((path) =>
      session.turns.share(
        () => deleteFile(session, path, { signal }),
        { signal },
      )
    );
    // one may never have been made, and the connection be lost
    const outcomes = await Promise.allSettled(deleting);
    return outcomes.map((outcome) =>
      outcome.status === "fulfilled" ? undefined : outcome.reason
    );
  }

  async #rename(
    session: Session,
    path: string,
    { signal }: SignalOptions = this.#options,
    mode?: number,
  ): Promise<void> {
    await session.turns.alone(async () => {
      const changing = mode === undefined
        ? undefined
        : tryToChangeMode(session, this.path, mode, { signal });
      await rename(session, this.path, path, { signal, isAtOnce: true });
      await changing;
    }, { signal });
  }

  async #deleteOld(session: Session, refusal: FTPError): Promise<void> {
    const { signal } = this.#options;
    try {
      await session.turns.share(() =>
        deleteFile(session, this.remote, { signal })
      );
    } catch (error) {
      if (!(error instanceof FTPPermanentError)) throw error;
      // there was nothing to delete, or it may not be
      throw refused(
        refusal,
        this.remote,
        `the old file could not be deleted either (${error.reply?.text}): if the server renames no files, use { atomic: false }`,
      );
    }
    this.#isOldDeleted = true;
  }

  /** Says what could not be cleaned up; a reason to abort is left alone. */
  #left(
    error: unknown,
    obstacle: unknown,
  ): unknown {
    if (!this.isOwn || this.#options.signal?.aborted) return error;
    const isRefused = obstacle instanceof FTPError;
    // a rename that was not answered may have been done
    const isSure = isRefused &&
      (!this.#isRenaming || error instanceof FTPPermanentError);
    const why = isRefused ? `: ${obstacle.message}` : "";
    return retold(
      error,
      (message) =>
        `${message}; the temporary file "${this.path}" ${
          isSure ? "is" : "may be"
        } left on the server${why}`,
    );
  }
}
