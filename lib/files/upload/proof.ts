/**
 * Proves which bytes of an upload are on the server.
 *
 * @module
 */

import { requestBinarySize } from "../../commands/queries.ts";
import { FTPPermanentError, FTPTemporaryError } from "../../protocol/errors.ts";
import { requestAhead } from "../../transfer/passive.ts";
import {
  isCompressionUnproven,
  mayBeLeftCompressed,
} from "../../transfer/compression.ts";
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

/** Noted in the profile of a server that hides the size of a stored file. */
export const HIDDEN = "SIZE of what was stored";

/** Distinguishes the bytes of an upload from those of an older file. */
export class UploadProof {
  /**
   * Whether the bytes on the server come from the current source. `false` until
   * the server accepts the first byte, and after a comparison failed.
   */
  isCurrent = false;
  readonly #source: UploadSource;
  readonly #target: UploadTarget;
  readonly #options: UploadOptions;
  /** Size of the old file; `undefined` while it is unknown. */
  #old: number | null | undefined;
  #wasLate = false;

  /** Starts without knowledge. */
  constructor(
    source: UploadSource,
    target: UploadTarget,
    options: UploadOptions,
  ) {
    this.#source = source;
    this.#target = target;
    this.#options = options;
  }

  /** Whether the server did not report the file at once. */
  get wasLate(): boolean {
    return this.#wasLate;
  }

  /**
   * Whether a size is that of the file that is overwritten in place. The server
   * may have stored the new file under another name.
   */
  isOldSize(size: number | null): boolean {
    const { path, remote } = this.#target;
    return path === remote && size !== null && size === this.#old;
  }

  /**
   * Requests the size of a stored file. Some servers report the old size, a
   * part, 0 or 550 for one or two seconds: they are asked again before anything is sent
   * again.
   *
   * @param sent Bytes that were sent
   * @returns Bytes; `null` if the server does not tell
   */
  async storedSize(session: Session, sent: number): Promise<number | null> {
    const { profile } = session;
    let size: number | null | undefined;
    await backOff(this.#options, async () => {
      size = await this.#sizeOf(session, this.#target.path);
      if (size === null) {
        const isFinal = profile.lacks("SIZE") || profile.lacks(HIDDEN);
        this.#wasLate ||= !isFinal;
        return isFinal;
      }
      // what the server stored compressed does not grow
      const isRight = size >= sent || isCompressionUnproven(session);
      this.#wasLate ||= !isRight;
      return isRight;
    });
    if (size !== null) profile.forgetLacking(HIDDEN);
    else if (!profile.lacks("SIZE")) profile.noteLacking(HIDDEN);
    return size ?? null;
  }

  /**
   * Returns the number of bytes on the server that are known to be the file's;
   * `null` if there are none.
   *
   * @param sent Bytes of a source that can be read once only, when all of it
   * was sent
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
    const stored = await this.#sizeOf(session, this.#target.path);
    // a server that stores under another name and failed still has the old file
    const isOurs = stored !== null && stored !== this.#old &&
      stored <= (whole ?? 0);
    return isOurs ? stored : null;
  }

  #sizeOf(session: Session, path: string): Promise<number | null> {
    const options = this.#options;
    return session.shared(
      (turn) => requestBinarySize(turn, path, options),
      options,
    );
  }

  /** Options for reading what is stored, compressed or not. */
  #reading(
    session: Session,
  ): { signal: AbortSignal | undefined; isPlain: boolean } {
    const { signal } = this.#options;
    return { signal, isPlain: mayBeLeftCompressed(session) };
  }

  /** Inspects the target before the first command to write. */
  async #inspect(
    session: Session,
    whole: number | null,
  ): Promise<number | null> {
    const { path, remote, isNew } = this.#target;
    if (isNew) {
      this.#old = null;
      return null;
    }
    const asking = this.#sizeOf(session, path);
    // in the same round trip, because STOR follows
    if (path === remote && whole === null) requestAhead(session, this.#options);
    try {
      this.#old = await asking;
    } catch (error) {
      if (whole !== null || !(error instanceof FTPTemporaryError)) throw error;
    }
    const size = this.#old ?? 0;
    this.#target.isThere = this.#old !== null;
    if (whole === null || size === 0 || size > whole) return null;
    // written by an earlier call or by anyone: its end must match
    const isSame = await isSameEnd(
      this.#source,
      size,
      (verb, start) =>
        openAt(session, verb, path, start, this.#reading(session)),
      this.#options,
    );
    if (!isSame) return null;
    this.#target.isOwn = true;
    this.isCurrent = true;
    this.#old = null;
    return size;
  }

  /**
   * Compares the target with the source, every byte: the old file may have the
   * same size.
   *
   * @returns Whether they are equal; `undefined` if one cannot be read
   */
  async isInPlace(
    session: Session,
    { signal }: SignalOptions,
  ): Promise<boolean | undefined> {
    const { remote } = this.#target;
    if (!this.#source.isRewindable) return undefined;
    try {
      const transfer = await openAt(session, "RETR", remote, 0, {
        ...this.#reading(session),
        signal,
      });
      const chunks = this.#source.read(0, BLOCK_SIZE);
      return await isSameFile(transfer, chunks, { signal });
    } catch (error) {
      if (error instanceof FTPPermanentError) return undefined;
      throw error;
    }
  }
}
