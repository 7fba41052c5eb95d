/**
 * Replaces a file on the server by its upload. One of the two always keeps the
 * name or can be found.
 *
 * @module
 */

import { withoutPeriod } from "../protocol/with_advice.ts";
import { quote } from "../protocol/printable.ts";
import { completeRename, rename } from "../commands/files.ts";
import { requestBinarySize } from "../commands/queries.ts";
import { randomMark } from "../commands/path.ts";
import {
  FTPError,
  FTPTemporaryError,
  isRefusal,
  type Refusal,
} from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import type { ExclusiveTurn } from "../transfer/turn.ts";
import { backOff } from "./back_off.ts";
import { deleteAll, isThere } from "./leftovers.ts";
import type { UploadOptions } from "./options.ts";
import type { Upcoming } from "./session_provider.ts";
import { refuseDirectory } from "./store_refusal.ts";
import { replacementError, strandedFilesError } from "./upload/errors.ts";
import { tryToChangeMode } from "./upload/file_mode.ts";
import { temporaryPath } from "./upload/temporary_name.ts";

// noted in the server's profile for a drop box
const TAKEN = "SIZE of what was renamed";

/** Sizes of the target and, if they may be equal, of the temporary file. */
export type SizesAfter = readonly (number | null)[];

/** An upload that is complete and verified under its temporary name. */
export interface CompleteUpload {
  /** Path of the temporary file. */
  readonly path: string;
  /** Size in bytes. */
  readonly size: number;
  /** Permissions to set, if any. */
  readonly mode: number | undefined;
  /** Whether the server reports the temporary file's size. */
  readonly isVisible: boolean;
  /** Sends the first queries of the next operation, if there is one. */
  readonly next: () => Upcoming | undefined;
  /**
   * Compares the target with the source, byte by byte.
   *
   * @returns Whether they are equal; `undefined` if one cannot be read
   */
  compare(
    session: Session,
    options: SignalOptions,
  ): Promise<boolean | undefined>;
}

/** Replaces one file on the server. */
export class Replacement {
  /** Size of the old file; `null` if there is none, `undefined` if unknown. */
  oldSize: number | null | undefined;
  readonly #remote: string;
  readonly #options: UploadOptions;
  #upload: CompleteUpload | undefined;
  #aside: string | undefined;
  #isDone = false;

  /** Creates a replacement, without any command. */
  constructor(remote: string, options: UploadOptions) {
    this.#remote = remote;
    this.#options = options;
  }

  /** Whether a rename was sent, and may have been executed. */
  get hasBegun(): boolean {
    return this.#upload !== undefined;
  }

  /** Whether the new file was found in its place. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Path of the old file if it was moved aside. */
  get aside(): string | undefined {
    return this.#aside;
  }

  /**
   * Sends the rename in a turn in which `RNFR` was accepted.
   *
   * @returns What {@linkcode run} needs to check it
   */
  begin(
    turn: ExclusiveTurn,
    upload: CompleteUpload,
    accepted: Reply,
  ): Promise<SizesAfter> {
    this.#upload = upload;
    const sizes = this.#rename(turn, upload, accepted);
    sizes.catch(() => {}); // run() handles it
    return sizes;
  }

  /**
   * Puts the new file in its place. May be called again after a failure.
   *
   * @param begun The result of {@linkcode begin}, if it was called
   * @throws {FTPError} If the server refuses: the old file is in its place
   * @throws {Error} `Deno.errors.*` if the connection fails; {@linkcode settle}
   * finds out what was done
   */
  async run(
    session: Session,
    upload: CompleteUpload,
    begun?: Promise<SizesAfter>,
  ): Promise<void> {
    const options = this.#options;
    const remote = this.#remote;
    if (this.hasBegun && begun === undefined) {
      this.#upload = upload;
      if (isTrue(await this.settle(session, options), remote)) return;
    }
    this.#upload = upload;
    try {
      await this.#renameOver(session, upload, begun);
    } catch (error) {
      if (!isUsableRefusal(session, error)) throw error;
      // some servers refuse a rename that they have executed
      if (isTrue(await this.#isInPlace(session, options), remote)) return;
      await this.#replaceRefused(session, upload, error);
    }
  }

  /**
   * Finds out what a command without a reply did. Restores the old file if no
   * file has the name.
   *
   * @returns Whether the new file is in its place; `undefined` if nothing shows
   * it
   * @throws {FTPError} If the old file cannot be restored; the message contains
   * its path
   */
  async settle(
    session: Session,
    options: SignalOptions,
  ): Promise<boolean | undefined> {
    const isInPlace = this.#isDone || await this.#isInPlace(session, options);
    this.#isDone = isInPlace === true;
    if (isInPlace) await this.#dropAside(session, options);
    else await this.#restoreOld(session, options);
    return isInPlace;
  }

  async #renameOver(
    session: Session,
    upload: CompleteUpload,
    begun: Promise<SizesAfter> | undefined,
  ): Promise<void> {
    const { signal } = this.#options;
    const [now, left = null] = await (begun ??
      session.exclusive((turn) => this.#rename(turn, upload), { signal }));
    if (now === undefined) return; // the server does not tell
    if (now === upload.size && left === null) return;
    await this.#checkRename(session, upload);
  }

  /**
   * Renames, and asks for sizes and for what the next operation asks first, in
   * one round trip.
   *
   * @param accepted The reply to `RNFR`, if it was sent before
   */
  async #rename(
    turn: ExclusiveTurn,
    upload: CompleteUpload,
    accepted?: Reply,
  ): Promise<SizesAfter> {
    const { signal } = this.#options;
    const { path, mode, size, isVisible, next } = upload;
    const { oldSize } = this;
    const hasSizes = isVisible && !turn.session.profile.lacks("SIZE");
    // if the sizes are equal, only the temporary name shows which file is there
    const isAlike = oldSize === undefined || oldSize === size;
    const changing = mode === undefined
      ? undefined
      : tryToChangeMode(turn, path, mode, { signal });
    const renaming = accepted === undefined
      ? rename(turn, path, this.#remote, { signal, isAtOnce: true })
      : completeRename(turn, accepted, this.#remote, { signal });
    renaming.catch(() => {}); // the first failure is reported
    const asking = Promise.all(
      [this.#remote, ...(isAlike ? [path] : [])]
        .filter(() => hasSizes)
        .map((path) => requestBinarySize(turn, path, { signal })),
    );
    asking.catch(() => {});
    if (turn.session.control.isPipelining) next()?.(turn);
    await renaming;
    await changing;
    return await asking;
  }

  /** Checks a rename that the server confirmed. */
  async #checkRename(session: Session, upload: CompleteUpload): Promise<void> {
    const options = this.#options;
    const { path, size } = upload;
    let isLeft: boolean | undefined;
    let now: number | null = null;
    await backOff(options, async () => {
      isLeft = await isThere(session, path, options);
      now = await session.shared(
        (turn) => requestBinarySize(turn, this.#remote, options),
        options,
      );
      if (isLeft !== false) return isLeft === undefined;
      // another upload may have replaced the file since then
      if (now === null) return session.profile.lacks(TAKEN);
      return now === size || now !== this.oldSize;
    });
    // a drop box takes new files away at once
    const isDone = isLeft === undefined ||
      (isLeft === false &&
        (now === null || now === size || now !== this.oldSize));
    if (isDone && now === null) session.profile.noteLacking(TAKEN);
    if (isDone) return;
    throw new FTPError(
      `Cannot put the upload in place as ${
        quote(this.#remote)
      }: the server confirmed the rename, but ${
        isLeft
          ? `the file is still ${quote(path)}`
          : `the old file, of ${now} bytes, is still there`
      }; if the server renames no files, use { atomic: false }`,
    );
  }

  /**
   * Handles a refused `RNTO`: finds the reason, and moves the old file aside if
   * that is allowed.
   */
  async #replaceRefused(
    session: Session,
    upload: CompleteUpload,
    refusal: FTPError,
  ): Promise<void> {
    const options = this.#options;
    const remote = this.#remote;
    await refuseDirectory(session, remote, refusal, options);
    if (refusal instanceof FTPTemporaryError) throw refusal;
    // a refused RNFR is not caused by the file with the target's name
    if (!refusal.command?.startsWith("RNTO")) {
      const isLeft = await isThere(session, upload.path, options);
      throw replacementError(
        refusal,
        remote,
        isLeft === false
          ? `the server took the temporary file ${
            quote(upload.path)
          } away (as a drop box does): use { atomic: false }`
          : "if the server renames no files, use { atomic: false }",
      );
    }
    if (options.replace !== "delete") {
      throw replacementError(
        refusal,
        remote,
        'if the server refuses to rename over a file, use { replace: "delete" } or { atomic: false }',
      );
    }
    if (await isThere(session, remote, options) === false) {
      throw replacementError(
        refusal,
        remote,
        "there is no old file in the way: if the server renames no files, use { atomic: false }",
      );
    }
    await this.#swap(session, upload, refusal);
  }

  /**
   * Moves the old file aside and the new one in its place, without a round trip
   * in between. Undone if it fails.
   */
  async #swap(
    session: Session,
    { path }: CompleteUpload,
    refusal: FTPError,
  ): Promise<void> {
    const options = this.#options;
    const { signal } = options;
    const remote = this.#remote;
    const aside = this.#aside = this.#asidePath(path);
    const [moving, renaming] = await session.exclusive(
      (turn) =>
        Promise.allSettled(
          [[remote, aside], [path, remote]].map(([from, to]) =>
            rename(turn, from!, to!, { signal, isAtOnce: true })
          ),
        ),
      { signal },
    );
    for (const outcome of [moving!, renaming!]) {
      const isLost = outcome.status === "rejected" &&
        !isUsableRefusal(session, outcome.reason);
      if (isLost) throw outcome.reason;
    }
    if (isTrue(await this.settle(session, options), remote)) return;
    const isMoved = moving!.status === "fulfilled";
    const cause = (renaming as PromiseRejectedResult).reason ?? refusal;
    if (isMoved && cause instanceof FTPTemporaryError) throw cause;
    throw replacementError(
      isMoved ? cause : refusal,
      remote,
      isMoved
        ? "the old file is in its place again: if the server renames no files, use { atomic: false }"
        : `the old file could not be moved out of the way either (${
          withoutPeriod(
            ((moving as PromiseRejectedResult).reason as FTPError).reply
              ?.text ?? "",
          )
        }): use { atomic: false }`,
    );
  }

  /** Returns a path for the old file that differs from the temporary one. */
  #asidePath(path: string): string {
    const mark = randomMark();
    const chosen = temporaryPath(this.#remote, mark, false, this.#options);
    return chosen === path ? `${this.#remote}.${mark}.old` : chosen;
  }

  /** Whether the new file has the target's name. */
  async #isInPlace(
    session: Session,
    options: SignalOptions,
  ): Promise<boolean | undefined> {
    const { path, size, compare } = this.#upload!;
    const { aside, oldSize } = this;
    const remote = this.#remote;
    const now = await session.shared(
      (turn) => requestBinarySize(turn, remote, options),
      options,
    );
    if (now !== null && now !== size) return false;
    const isLeft = await isThere(session, path, options);
    const isAlike = now === null || oldSize === undefined || oldSize === now;
    // some servers copy instead: then the target's size differs
    if (isLeft === true && isAlike) return false;
    const isMoved = isLeft === false && aside !== undefined &&
      await isThere(session, aside, options);
    // the names prove it, and the file need not be read
    if (isMoved) return now === size || await isThere(session, remote, options);
    const isSame = await compare(session, options);
    if (isSame !== undefined) return isSame;
    if (isLeft !== false) return false;
    if (!isAlike) return true;
    const isNothing = now === null &&
      await isThere(session, remote, options) === false;
    return isNothing ? false : undefined;
  }

  /** Deletes the old file after it was replaced. */
  async #dropAside(session: Session, options: SignalOptions): Promise<void> {
    const { aside } = this;
    if (aside === undefined) return;
    const [failure] = await deleteAll(session, [aside], options);
    const isLost = failure !== undefined && !isUsableRefusal(session, failure);
    if (isLost) throw failure; // deleted on the next connection
    this.#aside = undefined;
  }

  /** Restores the old file's name, if it was moved. */
  async #restoreOld(session: Session, options: SignalOptions): Promise<void> {
    const { aside } = this;
    if (aside === undefined) return;
    let obstacle: unknown;
    if (await isThere(session, this.#remote, options) !== true) {
      try {
        await session.exclusive(
          (turn) =>
            rename(turn, aside, this.#remote, {
              signal: options.signal,
              isAtOnce: true,
            }),
          options,
        );
      } catch (error) {
        if (!isUsableRefusal(session, error)) throw error;
        obstacle = error;
      }
    }
    const isBack = obstacle === undefined ||
      await isThere(session, this.#remote, options) !== false ||
      await isThere(session, aside, options) === false;
    if (!isBack) {
      const { path } = this.#upload!;
      throw strandedFilesError(obstacle, this.#remote, { aside, path });
    }
    this.#aside = undefined;
  }
}

/** Rejects an unknown state of the new file. */
function isTrue(isInPlace: boolean | undefined, remote: string): boolean {
  if (isInPlace !== undefined) return isInPlace;
  throw new FTPError(
    `Cannot confirm that the upload is in place as ${
      quote(remote)
    }: the server did not say so, and nothing else tells the new file from the old one; compare them`,
  );
}

/** Whether the server refused and the session is still usable. */
function isUsableRefusal(session: Session, error: unknown): error is Refusal {
  return isRefusal(error) && error.reply.code !== 421 && !session.isLost;
}
