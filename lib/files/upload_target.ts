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
import type { UploadOptions } from "./options.ts";
import { canChangeMode, requestMode, tryToChangeMode } from "./upload_mode.ts";
import { refuseDataSet, temporaryPath } from "./upload_name.ts";

/** Longest time, in milliseconds, to connect again only to clean up. */
const CLEANUP_TIMEOUT = 5000;

/** A file on the server that grows, and is put in place or removed. */
export class UploadTarget {
  /** Whether what is under {@linkcode path} is this upload's own. */
  isOwn = false;
  /** Whether the server was told to write. */
  isTouched = false;
  /** Whether nobody else has ever heard of the first name: it is random. */
  readonly isNew: boolean;
  /** The file that is to be replaced. */
  readonly remote: string;
  readonly #options: UploadOptions;
  readonly #first: string;
  #path: string;
  readonly #abandoned: string[] = [];
  #isInDoubt = false;
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
    this.isTouched = true;
    try {
      return await begin();
    } catch (error) {
      const isAnswered = error instanceof FTPError && error.reply !== undefined;
      this.#isInDoubt = !isAnswered;
      throw this.#isNameRefused(error) ? this.#nameless(error) : error;
    }
  }

  /**
   * Takes the file out of reach of a command that may come late, by another
   * name. Written in place it has only the one.
   *
   * @param session The new session
   */
  async leave(session: Session): Promise<void> {
    if (!this.#isInDoubt || this.path === this.remote) return;
    const path = temporaryPath(
      this.remote,
      randomMark(),
      false,
      this.#options,
    );
    if (path === this.path) return; // the caller knows but one name
    try {
      await this.#rename(session, path);
    } catch (error) {
      if (!(error instanceof FTPPermanentError)) {
        this.#abandoned.push(path); // it may be there now, or soon
        throw error;
      }
      this.isOwn = false; // it was not made yet
    }
    this.#abandoned.push(this.path);
    this.#path = path;
    this.#isInDoubt = false;
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
        throw this.#refused(
          error,
          "if the server renames no files, use { atomic: false }",
        );
      }
      if (this.#options.replace !== "delete") {
        throw this.#refused(
          error,
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
    if (this.#isOldDeleted) return this.#stranded(error);
    if (isKept && this.path === this.#first) return error;
    try {
      const { timeout } = link.session.options;
      const grace = Math.min(CLEANUP_TIMEOUT, timeout || CLEANUP_TIMEOUT);
      const signal = AbortSignal.timeout(grace);
      if (link.session.control.failure !== undefined) {
        await link.reconnect({ signal });
      }
      const { session } = link;
      // the next call looks for it there
      if (isKept) await this.#rename(session, this.#first, { signal });
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
      throw this.#refused(
        refusal,
        `the old file could not be deleted either (${error.reply?.text}): if the server renames no files, use { atomic: false }`,
      );
    }
    this.#isOldDeleted = true;
  }

  #refused(error: FTPError, advice: string): FTPError {
    return new FTPPermanentError(
      `Cannot put the upload in place as "${this.remote}": ${error.message}; ${advice}`,
      { reply: error.reply, command: error.command, cause: error },
    );
  }

  /** Whether the temporary name itself may be why the server refused. */
  #isNameRefused(error: unknown): error is FTPPermanentError {
    return this.#path !== this.remote && error instanceof FTPPermanentError &&
      /^(STOR|APPE)/.test(error.command ?? "") &&
      [501, 550, 553].includes(error.reply?.code ?? 0);
  }

  #nameless(error: FTPPermanentError): FTPError {
    const { reply, command } = error;
    return new FTPPermanentError(
      `${error.message}; this is the temporary name of "${this.remote}": if the server refuses such names, choose others with { temporaryName }, or write in place with { atomic: false }`,
      { reply, command, cause: error },
    );
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

  #stranded(error: unknown): FTPError {
    const { message, reply, command } = error as FTPError;
    return new FTPError(
      `Cannot put the upload in place as "${this.remote}": the old file is deleted, the whole new one is "${this.path}": ${message}`,
      { reply, command, cause: error },
    );
  }
}
