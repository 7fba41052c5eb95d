/**
 * The local file that a download is written to before it takes the place of
 * its target.
 *
 * @module
 */

import { basename, dirname } from "node:path";
import { withMessage } from "../../connection/with_message.ts";
import { type Hash, hashOpenFile } from "../hash.ts";
import { LocalError, locally, locallyAsync } from "../errors.ts";
import { type FileMode, keepMode, modeMeanwhile } from "./keep_mode.ts";
import { openPipe } from "./open_pipe.ts";
import type { RemoteFacts } from "../../commands/queries.ts";
import { partName } from "../../commands/path.ts";
import {
  beside,
  isOnlyOf,
  isUnder,
  newFileBeside,
  openInPlace,
  openPart,
  openRandomPart,
  removeOtherParts,
} from "./part_file.ts";
import { swapped } from "../plain_file.ts";
import { misplaced, type Target } from "./local_target.ts";

/** A local file that grows. Every failure of it is a {@linkcode LocalError}. */
export class Part {
  readonly #target: Target;
  readonly #path: string;
  readonly #isResumable: boolean;
  readonly #file: Deno.FsFile;
  #position: number;
  /** What was left alone since it may be somebody else's, if anything was. */
  #foreign: string | undefined;
  /** Whether there was no file under the target's own name before. */
  #isNew = false;
  /** Whether the file still has what was there before, to be gone then. */
  #isStale = false;
  #isBegun = false;
  #isDone = false;

  private constructor(
    target: Target,
    path: string,
    isResumable: boolean,
    file: Deno.FsFile,
    position: number,
  ) {
    this.#target = target;
    this.#path = path;
    this.#isResumable = isResumable;
    this.#file = file;
    this.#position = position;
  }

  /**
   * Opens a part beside its target. What may be somebody else's is left alone:
   * another part is made then, which cannot be resumed.
   *
   * @param target The target
   * @param mark What the part is taken from, if it may be resumed
   * @returns The part, with what an earlier call left in it
   * @throws {LocalError} If another download is writing to it
   */
  static beside(target: Target, mark: string | undefined): Part {
    const name = basename(target.path);
    const part = locally(() =>
      inFolder(target, () => {
        let foreign: string | undefined;
        if (mark !== undefined) {
          const path = beside(target.path, partName(name, mark, true));
          const file = openPart(path);
          if (file !== undefined) {
            const info = file.statSync();
            // some file systems give all files to everybody
            const isResumable = isOnlyOf(info, info.uid);
            return new Part(target, path, isResumable, file, info.size);
          }
          foreign = path;
        }
        const { path, file } = openRandomPart(
          target.path,
          modeMeanwhile(target.mode),
        );
        const part = new Part(target, path, false, file, 0);
        part.#foreign = foreign;
        return part;
      })
    );
    part.#checkWay();
    return part;
  }

  /**
   * Opens the target itself. What it has stays until there is something new.
   *
   * @param target The target
   * @param facts Of the remote file, if what there is of it is to be resumed
   * @param signal Ends the wait for the other end of a pipe
   * @returns The part
   * @throws {LocalError} If another download is writing to it
   */
  static async inPlace(
    target: Target,
    facts: RemoteFacts | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Part> {
    const { path } = target;
    if (!target.isReplaceable) {
      const options = { write: true, create: true };
      const opening = () => openPipe(path, options, signal);
      return new Part(target, path, false, await locallyAsync(opening), 0);
    }
    return locally(() => {
      const { file, isNew } = inFolder(target, () => openInPlace(path));
      const { size, mtime } = file.statSync();
      // written after the file there was changed for the last time
      const isKept = facts !== undefined && !isNew &&
        size <= (facts.size ?? 0) &&
        (mtime?.getTime() ?? 0) >= (facts.latest ?? 0) && isOurs(path, file);
      const part = new Part(target, path, false, file, isKept ? size : 0);
      part.#isNew = isNew;
      part.#isStale = size > part.#position;
      part.#checkWay();
      return part;
    });
  }

  /** Where the bytes are. */
  get path(): string {
    return this.#path;
  }

  /** A part that was left alone since it may be somebody else's. */
  get foreign(): string | undefined {
    return this.#foreign;
  }

  /** Whether what was written can be read again: not from a device or pipe. */
  get isReadable(): boolean {
    return this.#target.isReplaceable;
  }

  /** Bytes of the remote file that are in this one. */
  get position(): number {
    return this.#position;
  }

  /**
   * Starts over. A file that has not been written to yet stays as it is until
   * {@linkcode begin}: the server may have nothing better.
   */
  reset(): void {
    if (this.#position === 0) return;
    if (!this.#target.isReplaceable) {
      throw new LocalError(
        new Deno.errors.InvalidData(
          `Cannot write to "${this.#path}" again: it is no file`,
        ),
      );
    }
    this.#position = 0;
    this.#isStale = true;
    if (this.#isBegun) this.#empty();
  }

  /** There is something new: what was there before goes. */
  begin(): void {
    this.#isBegun = true;
    if (this.#isStale) this.#empty();
  }

  #empty(): void {
    locally(() => {
      this.#file.truncateSync(0);
      this.#file.seekSync(0, Deno.SeekMode.Start);
    });
    this.#isStale = false;
  }

  /**
   * The last bytes of the file; writing goes on behind them.
   *
   * @param length How many
   * @returns The bytes
   */
  tail(length: number): Uint8Array {
    return locally(() => {
      this.#file.seekSync(this.#position - length, Deno.SeekMode.Start);
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length;) {
        const n = this.#file.readSync(bytes.subarray(at));
        if (n === null) return bytes.subarray(0, at);
        at += n;
      }
      return bytes;
    });
  }

  /**
   * Writes bytes at the end.
   *
   * @param bytes What; left alone until they are written
   */
  async write(bytes: Uint8Array): Promise<void> {
    this.begin();
    for (let at = 0; at < bytes.length;) {
      const n = await this.#file.write(bytes.subarray(at))
        .catch((error) => this.#fail(error));
      this.#position += n;
      at += n;
    }
  }

  /**
   * As {@linkcode write}, while nothing else goes on: for a few bytes.
   *
   * @param bytes What
   */
  writeSync(bytes: Uint8Array): void {
    this.begin();
    for (let at = 0; at < bytes.length;) {
      let n: number;
      try {
        n = this.#file.writeSync(bytes.subarray(at));
      } catch (error) {
        this.#fail(error);
      }
      this.#position += n;
      at += n;
    }
  }

  #fail(error: unknown): never {
    const { path } = this.#target;
    throw new LocalError(
      withMessage(
        error,
        (message) =>
          `Cannot write to "${path}" after ${this.#position} bytes: ${message}`,
      ),
    );
  }

  /**
   * Makes the hash of the file, by the handle that has it locked.
   *
   * @param hash Which
   * @param signal Ends the work
   * @returns Hexadecimal digits in lower case
   */
  hash(hash: Hash, signal: AbortSignal): Promise<string> {
    this.begin();
    return locallyAsync(() => hashOpenFile(this.#file, hash, signal));
  }

  /**
   * Gives the file its time, if that may be done: some file systems have none
   * to set, and a file that somebody else owns takes only the present.
   *
   * @param modified The time, if it is known
   * @returns The time, or `null` if the file does not have it
   */
  date(modified: Date | null): Date | null {
    if (modified === null || !this.isReadable) return null;
    try {
      this.#file.utimeSync(new Date(), modified);
      return modified;
    } catch {
      return null; // what is in it matters more
    }
  }

  /** Waits until the file is on the disk. */
  async sync(): Promise<void> {
    if (this.isReadable) await locallyAsync(() => this.#file.sync());
  }

  /**
   * Puts the file in the target's place.
   *
   * @param parts The parts in its folder; looked for there if they are not known
   * @throws {LocalError} If it cannot be put there
   */
  commit(parts?: readonly string[]): void {
    const { path, mode, isReplaceable } = this.#target;
    if (this.#path !== path) {
      locally(() => {
        try {
          this.#takePlace(path, mode);
        } catch (error) {
          throw misplaced(path, error);
        }
      });
      this.#isDone = true;
      removeOtherParts(path, this.#file.statSync().uid, parts);
    } else if (isReplaceable && !locally(() => isUnder(path, this.#file))) {
      throw new LocalError(
        new Deno.errors.NotFound(
          `Cannot download to "${path}": the file was removed or replaced meanwhile; download again`,
        ),
      );
    }
    this.#isDone = true;
  }

  /** Insists on a file that is where it should be, before it is written to. */
  #checkWay(): void {
    const { check } = this.#target;
    if (check === undefined) return;
    try {
      locally(() => {
        check();
        if (!isUnder(this.#path, this.#file)) throw swapped(this.#path);
      });
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  /** Renames the file, which has the permissions of a finished one before. */
  #takePlace(path: string, mode: FileMode | undefined): void {
    if (mode !== undefined || this.#isResumable) {
      const fresh = this.#isResumable && Deno.build.os !== "windows"
        ? newFileBeside(path, modeMeanwhile(mode))
        : undefined;
      keepMode(this.#path, this.#file, mode, fresh);
    }
    this.#target.check?.();
    if (!isUnder(this.#path, this.#file)) {
      throw new Deno.errors.NotFound(
        `"${this.#path}" was removed or replaced meanwhile; download again`,
      );
    }
    Deno.renameSync(this.#path, path);
  }

  /**
   * Closes the file. One that was not committed is removed, unless it is the
   * target itself and has something, or was there before.
   *
   * @param isKept Whether it stays, for another call to resume
   */
  close(isKept: boolean): void {
    try {
      const isPart = this.#path !== this.#target.path ||
        this.#isNew && this.#position === 0;
      const isOwn = isPart && isUnder(this.#path, this.#file);
      // while it is locked: then it is nobody else's
      const stays = isKept && this.#isResumable;
      if (isOwn && !this.#isDone && !stays) Deno.removeSync(this.#path);
    } catch {
      // somebody else did; the error that led here matters more
    }
    this.#file.close();
  }
}

/** Whether what a file has can only come from this user. */
function isOurs(path: string, file: Deno.FsFile): boolean {
  try {
    return isOnlyOf(file.statSync(), newFileBeside(path).uid);
  } catch {
    return false; // the folder takes no new file: nobody can tell
  }
}

/** Opens a file; a folder that is missing is named. */
function inFolder<T>(target: Target, open: () => T): T {
  try {
    target.check?.();
    return open();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(
      `Cannot download to "${target.path}": the folder "${
        dirname(target.path)
      }" does not exist`,
      { cause: error },
    );
  }
}
