/**
 * The file on the server that an upload is written to before it takes the
 * place of its target.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { FTPError, FTPPermanentError } from "../protocol/errors.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { deleteFile, rename } from "../paths/commands.ts";
import { requestBinarySize } from "../paths/facts.ts";
import type { Link } from "./link.ts";
import { partName, randomMark, splitPath } from "../paths/names.ts";
import type { UploadOptions } from "./options.ts";

/** Longest time, in milliseconds, to connect again only to clean up. */
const CLEANUP_TIMEOUT = 5000;

/** A file on the server that grows, and is put in place or removed. */
export class UploadTarget {
  /** Whether what is under {@linkcode path} is this upload's own. */
  isOwn = false;
  /** Whether the server was told to write. */
  isTouched = false;
  /** The file that is to be replaced. */
  readonly remote: string;
  readonly #options: UploadOptions;
  readonly #first: string;
  #path: string;
  readonly #abandoned: string[] = [];
  #isInDoubt = false;
  #isRenaming = false;
  #isOldDeleted = false;

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
    const [directory, name] = splitPath(remote);
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
      ? directory + partName(name, mark, isResumable)
      : remote;
    this.#path = this.#first;
    this.remote = remote;
    this.#options = options;
  }

  /** Where the bytes go. */
  get path(): string {
    return this.#path;
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
      throw error;
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
    const [directory, name] = splitPath(this.remote);
    const path = directory + partName(name, randomMark(), false);
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
      await this.#rename(session, this.remote);
    } catch (error) {
      if (!(error instanceof FTPPermanentError)) throw error;
      // a refused RNFR says nothing of the file that is in the way
      const isInTheWay = error.command?.startsWith("RNTO") === true;
      if (this.#options.replace !== "delete" || !isInTheWay) {
        throw this.#refused(error);
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
      if (link.session.control.failure !== undefined) {
        const signal = AbortSignal.timeout(CLEANUP_TIMEOUT);
        await link.reconnect({ signal });
      }
      const { session } = link;
      // the next call looks for it there
      if (isKept) await this.#rename(session, this.#first, {});
      else await this.#deleteAll(session, [this.path, ...this.#abandoned]);
    } catch {
      // the server is gone: the first error matters
    }
    return error;
  }

  /** Deletes what is left, as far as the server lets us. */
  async #deleteAll(session: Session, paths: readonly string[]): Promise<void> {
    const deleting = paths.map((path) =>
      session.turns.share(() => deleteFile(session, path, {}))
    );
    // one may never have been made, and the connection be lost
    await Promise.allSettled(deleting);
  }

  async #rename(
    session: Session,
    path: string,
    { signal }: SignalOptions = this.#options,
  ): Promise<void> {
    await session.turns.alone(() =>
      rename(session, this.path, path, { signal })
    );
  }

  async #deleteOld(session: Session, refusal: FTPError): Promise<void> {
    const { signal } = this.#options;
    try {
      await session.turns.share(() =>
        deleteFile(session, this.remote, { signal })
      );
    } catch (error) {
      if (!(error instanceof FTPPermanentError)) throw error;
      throw refusal; // there was nothing to delete, or it may not be
    }
    this.#isOldDeleted = true;
  }

  #refused(error: FTPError): FTPError {
    return new FTPPermanentError(
      `Cannot put the upload in place as "${this.remote}": ${error.message}; if the server refuses to rename over a file, use { replace: "delete" }`,
      { reply: error.reply, command: error.command, cause: error },
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
