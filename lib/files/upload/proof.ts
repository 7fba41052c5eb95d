/**
 * What of a file is on the server already, beyond doubt.
 *
 * @module
 */

import { requestBinarySize } from "../../commands/queries.ts";
import { FTPPermanentError, FTPTemporaryError } from "../../protocol/errors.ts";
import { requestAhead } from "../../transfer/passive.ts";
import type { Session, SignalOptions } from "../../transfer/session.ts";
import type { UploadOptions } from "../options.ts";
import { backOff } from "../back_off.ts";
import { openAt } from "../open_at.ts";
import { isSameEnd } from "../download/part_proof.ts";
import { isSameFile } from "../resume.ts";
import type { UploadSource } from "./source.ts";
import type { UploadTarget } from "./remote_target.ts";

/** Bytes that are compared at once. */
const BLOCK_SIZE = 128 * 1024;

// what a session remembers of a server that does not show what was stored
const HIDDEN = "SIZE of what was stored";

/** Tells the bytes of one upload from those of an older file. */
export class UploadProof {
  /**
   * Whether what is sent there is of the source as it is now: not before the
   * server took the first byte of it, and not after it turned out to be wrong.
   */
  isCurrent = false;
  readonly #source: UploadSource;
  readonly #target: UploadTarget;
  readonly #options: UploadOptions;
  /** Size of what was there before, `undefined` while nobody knows. */
  #old: number | null | undefined;
  #wasLate = false;

  /**
   * Knows nothing yet.
   *
   * @param source What is uploaded
   * @param target Where to
   * @param options Whether an earlier call's part is looked for, and a signal
   */
  constructor(
    source: UploadSource,
    target: UploadTarget,
    options: UploadOptions,
  ) {
    this.#source = source;
    this.#target = target;
    this.#options = options;
  }

  /** Whether the server did not show the file at once. */
  get wasLate(): boolean {
    return this.#wasLate;
  }

  /**
   * Whether a size is that of the file that is written over in place: the server
   * may have stored the new one under another name.
   *
   * @param size What the server tells
   * @returns Whether it is
   */
  isOldSize(size: number | null): boolean {
    const { path, remote } = this.#target;
    return path === remote && size !== null && size === this.#old;
  }

  /**
   * Size that the server tells of what it confirmed. Some tell the old one, 0 or
   * 550 for a second or two: they are asked again before anything is sent again.
   *
   * @param session The session
   * @param sent Bytes that were sent
   * @returns Bytes; `null` if the server does not tell
   */
  async storedSize(session: Session, sent: number): Promise<number | null> {
    const { profile } = session;
    let size: number | null | undefined;
    await backOff(this.#options, async () => {
      const before = size;
      size = await requestBinarySize(
        session,
        this.#target.path,
        this.#options,
      );
      if (size === null) {
        const isFinal = profile.lacks("SIZE") || profile.lacks(HIDDEN);
        this.#wasLate ||= !isFinal;
        return isFinal;
      }
      const isRight = size === sent || size > sent;
      const isLate = size === 0 || this.isOldSize(size) || size !== before;
      this.#wasLate ||= !isRight && isLate;
      return isRight || !isLate;
    });
    if (size !== null) profile.forgetLacking(HIDDEN);
    else if (!profile.lacks("SIZE")) profile.noteLacking(HIDDEN);
    return size ?? null;
  }

  /**
   * Bytes on the server that are known to be the file's.
   *
   * @param session The session
   * @param sent Bytes of a source that is read once, when all of it was sent
   * @returns How many, or `null` if there are none
   */
  async stored(
    session: Session,
    sent: number | undefined,
  ): Promise<number | null> {
    const hasChanged = this.#source.hasChanged();
    if (hasChanged) this.isCurrent = false;
    const whole = sent ?? this.#source.size;
    if (this.#old === undefined && !this.#target.isTouched) {
      const isWanted = this.#options.resume === true && !hasChanged;
      return await this.#inspect(session, isWanted ? whole : null);
    }
    if (!this.isCurrent || this.#old === undefined) return null;
    const stored = await requestBinarySize(
      session,
      this.#target.path,
      this.#options,
    );
    // a server that stores under a name of its own and failed has the old file
    const isOurs = stored !== null && stored !== this.#old &&
      stored <= (whole ?? 0);
    return isOurs ? stored : null;
  }

  /** Looks at what is there before the server was told to write. */
  async #inspect(
    session: Session,
    whole: number | null,
  ): Promise<number | null> {
    const { path, remote, isNew } = this.#target;
    if (isNew) {
      this.#old = null;
      return null;
    }
    const asking = requestBinarySize(session, path, this.#options);
    // in the same round trip, where STOR is what follows
    if (path === remote && whole === null) requestAhead(session, this.#options);
    try {
      this.#old = await asking;
    } catch (error) {
      if (whole !== null || !(error instanceof FTPTemporaryError)) throw error;
    }
    const size = this.#old ?? 0;
    this.#target.isThere = this.#old !== null;
    if (whole === null || size === 0 || size > whole) return null;
    // an earlier call's, or anybody's: its end has to be the same
    const isSame = await isSameEnd(
      this.#source,
      size,
      (verb, start) => openAt(session, verb, path, start, this.#options),
      this.#options,
    );
    if (!isSame) return null;
    this.#target.isOwn = true;
    this.isCurrent = true;
    this.#old = null;
    return size;
  }

  /**
   * Compares what is under the target's name with this file, every byte of it:
   * the old one may be as long.
   *
   * @param session The session
   * @param options A signal
   * @returns Whether it is the same; `undefined` if either cannot be read
   */
  async isInPlace(
    session: Session,
    { signal }: SignalOptions,
  ): Promise<boolean | undefined> {
    const { remote } = this.#target;
    if (!this.#source.isRewindable) return undefined;
    try {
      const transfer = await openAt(session, "RETR", remote, 0, { signal });
      const chunks = this.#source.read(0, BLOCK_SIZE);
      return await isSameFile(transfer, chunks, { signal });
    } catch (error) {
      if (error instanceof FTPPermanentError) return undefined;
      throw error;
    }
  }
}
