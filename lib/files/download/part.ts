/**
 * The temporary file of a download.
 *
 * @module
 */

import { quote } from "../../protocol/printable.ts";
import { basename, dirname } from "node:path";
import { withMessage } from "../../protocol/with_message.ts";
import { type Hash, hashOpenFile, sha256Of } from "../hash.ts";
import { LocalError, locally, locallyAsync } from "../errors.ts";
import { type FileMode, keepMode, modeMeanwhile } from "./keep_mode.ts";
import { openPipe } from "./open_pipe.ts";
import type { RemoteFacts } from "../../commands/queries.ts";
import { partName } from "../../commands/path.ts";
import {
  isOnlyOf,
  isUnder,
  newFileBeside,
  openInPlace,
  openPart,
  openRandomPart,
  removeOtherParts,
  siblingPath,
} from "./part_file.ts";
import { replacedError } from "../plain_file.ts";
import { placementError, type Target } from "./local_target.ts";

/** Length of a hash in hexadecimal digits. */
const HASH_LENGTH = 64;

/** Longest state of the segments, in bytes. */
const MOST_STATE = 16 * 1024;

/** A local file that grows. All its failures are {@linkcode LocalError}s. */
export class Part {
  readonly #target: Target;
  readonly #path: string;
  readonly #isResumable: boolean;
  readonly #file: Deno.FsFile;
  #position: number;
  /**
   * An unfinished file that was left alone because it may belong to another
   * user.
   */
  #foreign: string | undefined;
  /** Whether no file had the target's name before. */
  #isNew = false;
  /** Whether old content has to be truncated before the first write. */
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
   * Opens a temporary file next to its target. A file that may belong to
   * another user is left alone; a new one is made, which cannot be resumed.
   *
   * @param mark Identifies the remote file, if the download may be resumed
   * @throws {LocalError} If another download is writing to it
   */
  static besideTarget(target: Target, mark: string | undefined): Part {
    const name = basename(target.path);
    const part = locally(() =>
      inFolder(target, () => {
        let foreign: string | undefined;
        if (mark !== undefined) {
          const path = siblingPath(target.path, partName(name, mark, true));
          const file = openPart(path);
          if (file !== undefined) {
            const info = file.statSync();
            // some file systems give all users access to all files
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
    part.#checkPath();
    return part;
  }

  /**
   * Opens the target itself. Its content stays until the first new byte.
   *
   * @param facts Size and time of the remote file, to resume; `undefined` to
   * start over
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
      const written = mtime?.getTime() ?? 0;
      // written after the last change of the remote file; a time in the future
      // shows nothing
      const isKept = facts !== undefined && !isNew &&
        size <= (facts.size ?? 0) && written >= (facts.latest ?? 0) &&
        written <= Date.now() && isOurs(path, file);
      const part = new Part(target, path, false, file, isKept ? size : 0);
      part.#isNew = isNew;
      part.#isStale = size > part.#position;
      part.#checkPath();
      return part;
    });
  }

  /** Path that the bytes are written to. */
  get path(): string {
    return this.#path;
  }

  /**
   * Path of an unfinished file that was left alone because it may belong to
   * another user.
   */
  get foreign(): string | undefined {
    return this.#foreign;
  }

  /** Whether the bytes can be read again: not from a device or pipe. */
  get isReadable(): boolean {
    return this.#target.isReplaceable;
  }

  /** Bytes of the remote file in this one. */
  get position(): number {
    return this.#position;
  }

  /**
   * Starts over. An old file stays unchanged until {@linkcode begin}, because
   * the server may have nothing better.
   */
  reset(): void {
    if (this.#position === 0) return;
    if (!this.#target.isReplaceable) {
      throw new LocalError(
        new Deno.errors.InvalidData(
          `Cannot write to ${quote(this.#path)} again: it is not a file`,
        ),
      );
    }
    this.#position = 0;
    this.#isStale = true;
    if (this.#isBegun) this.#empty();
  }

  /** Truncates old content before the first new byte. */
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

  /** Reads the last bytes of the file. Writing continues after them. */
  tail(length: number): Uint8Array {
    return this.read(this.#position - length, length);
  }

  /** Reads bytes from an offset. Writing continues after them. */
  read(offset: number, length: number): Uint8Array {
    return locally(() => {
      this.#file.seekSync(offset, Deno.SeekMode.Start);
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length;) {
        const n = this.#file.readSync(bytes.subarray(at));
        if (n === null) return bytes.subarray(0, at);
        at += n;
      }
      return bytes;
    });
  }

  /** Writes bytes at the end. They must not change until they are written. */
  async write(bytes: Uint8Array): Promise<void> {
    this.begin();
    for (let at = 0; at < bytes.length;) {
      const n = await this.#file.write(bytes.subarray(at))
        .catch((error) => this.#fail(error));
      this.#position += n;
      at += n;
    }
  }

  /** Like {@linkcode write}, synchronously: for a few bytes. */
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

  /** Writes bytes of a segment, synchronously. {@linkcode position} stays. */
  writeAt(offset: number, bytes: Uint8Array): void {
    this.begin();
    try {
      this.#file.seekSync(offset, Deno.SeekMode.Start);
      for (let at = 0; at < bytes.length;) {
        at += this.#file.writeSync(bytes.subarray(at));
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Declares that all bytes before an offset were written by {@linkcode writeAt}. */
  complete(size: number): void {
    locally(() => {
      this.#file.truncateSync(size);
      this.#file.seekSync(size, Deno.SeekMode.Start);
    });
    this.#position = size;
  }

  /** Adds the state of the segments behind the bytes of the file. */
  keepState(size: number, state: unknown): void {
    const text = JSON.stringify(state);
    this.writeAt(size, new TextEncoder().encode(sha256Of(text) + text));
  }

  /**
   * Removes the state that {@linkcode keepState} added, and returns it. Without
   * one the file is emptied: it may have holes.
   */
  takeState(size: number): unknown {
    const length = locally(() => this.#file.statSync().size) - size;
    const bytes = length > HASH_LENGTH && length < MOST_STATE
      ? this.read(size, length)
      : new Uint8Array();
    const text = new TextDecoder().decode(bytes);
    const state = text.slice(HASH_LENGTH);
    if (state === "" || sha256Of(state) !== text.slice(0, HASH_LENGTH)) {
      this.reset();
      return undefined;
    }
    this.#position = 0;
    locally(() => this.#file.truncateSync(size));
    return JSON.parse(state);
  }

  #fail(error: unknown): never {
    const { path } = this.#target;
    throw new LocalError(
      withMessage(
        error,
        (message) =>
          `Cannot write to ${
            quote(path)
          } after ${this.#position} bytes: ${message}`,
      ),
    );
  }

  /** Hashes the file through the locked handle. */
  hash(hash: Hash, signal: AbortSignal): Promise<string> {
    this.begin();
    return locallyAsync(() => hashOpenFile(this.#file, hash, signal));
  }

  /**
   * Sets the file's time. Fails silently if the file system does not support it
   * or another user owns the file.
   *
   * @returns The time, or `null` if the file does not have it
   */
  date(modified: Date | null): Date | null {
    if (modified === null || !this.isReadable) return null;
    try {
      this.#file.utimeSync(new Date(), modified);
      return modified;
    } catch {
      return null; // the content matters more
    }
  }

  /** Writes the file to disk. */
  async sync(): Promise<void> {
    if (this.isReadable) await locallyAsync(() => this.#file.sync());
  }

  /**
   * Renames the file to the target.
   *
   * @param parts Unfinished files in the directory, which is read if they are
   * not known
   * @throws {LocalError} If that fails
   */
  commit(parts?: readonly string[]): void {
    const { path, mode, isReplaceable } = this.#target;
    const info = locally(() => this.#file.statSync());
    if (isReplaceable && info.size !== this.#position) {
      throw new LocalError(
        new Deno.errors.InvalidData(
          `Cannot download to ${
            quote(path)
          }: the local file has ${info.size} bytes instead of ${this.#position}, as if another program had written to it; download again`,
        ),
      );
    }
    if (this.#path !== path) {
      locally(() => {
        try {
          this.#takePlace(path, mode, info);
        } catch (error) {
          throw placementError(path, error);
        }
      });
      this.#isDone = true;
      removeOtherParts(path, info.uid, parts);
    } else if (
      isReplaceable && !locally(() => isUnder(path, this.#file, info))
    ) {
      throw new LocalError(
        new Deno.errors.NotFound(
          `Cannot download to ${
            quote(path)
          }: the file was removed or replaced during the download; download again`,
        ),
      );
    }
    this.#isDone = true;
  }

  /** Checks the path of the file before anything is written. */
  #checkPath(): void {
    const { check } = this.#target;
    if (check === undefined) return;
    try {
      locally(() => {
        check();
        if (!isUnder(this.#path, this.#file)) throw replacedError(this.#path);
      });
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  /** Renames the file, after its permissions are final. */
  #takePlace(
    path: string,
    mode: FileMode | undefined,
    info: Deno.FileInfo,
  ): void {
    if (mode !== undefined || this.#isResumable) {
      const fresh = this.#isResumable && Deno.build.os !== "windows"
        ? newFileBeside(path, modeMeanwhile(mode))
        : undefined;
      keepMode(this.#path, info, mode, fresh);
    }
    this.#target.check?.();
    if (!isUnder(this.#path, this.#file, info)) {
      throw new Deno.errors.NotFound(
        `${
          quote(this.#path)
        } was removed or replaced during the download; download again`,
      );
    }
    Deno.renameSync(this.#path, path);
  }

  /**
   * Closes the file. Removes it unless it was committed, is kept, or is a
   * target with content.
   */
  close(isKept: boolean): void {
    try {
      const isPart = this.#path !== this.#target.path ||
        this.#isNew && this.#position === 0;
      // locked, so no other download uses it
      const stays = isKept && this.#isResumable;
      const mayRemove = isPart && !this.#isDone && !stays;
      // last: an error for a missing file costs more than the rest
      if (mayRemove && isUnder(this.#path, this.#file)) {
        Deno.removeSync(this.#path);
      }
    } catch {
      // already removed; the error that led here matters more
    }
    this.#file.close();
  }
}

/** Whether only this user can have written the file's content. */
function isOurs(path: string, file: Deno.FsFile): boolean {
  try {
    return isOnlyOf(file.statSync(), newFileBeside(path).uid);
  } catch {
    return false; // no new file can be made in the directory, so the owner is unknown
  }
}

/** Opens a file. The error names a missing directory. */
function inFolder<T>(target: Target, open: () => T): T {
  try {
    target.check?.();
    return open();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(
      `Cannot download to ${quote(target.path)}: the folder "${
        dirname(target.path)
      }" does not exist`,
      { cause: error },
    );
  }
}
