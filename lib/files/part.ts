/**
 * The local file that a download is written to before it takes the place of
 * its target.
 *
 * @module
 */

import { basename, dirname } from "node:path";
import { restate } from "../connection/restate.ts";
import { LocalFault, locally, locallyAsync } from "./faults.ts";
import { isResumablePart, partName, randomMark } from "../paths/names.ts";
import { isUnder, openInPlace, openPart, removeIdlePart } from "./part_file.ts";
import { misplaced, type Target } from "./target.ts";

/** A local file that grows. Every failure of it is a {@linkcode LocalFault}. */
export class Part {
  readonly #target: Target;
  readonly #path: string;
  readonly #isResumable: boolean;
  readonly #file: Deno.FsFile;
  #position: number;
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
   * Opens a part beside its target.
   *
   * @param target The target
   * @param mark What the part is taken from, if it may be resumed
   * @returns The part, with what an earlier call left in it
   * @throws {LocalFault} If another download is writing to it
   */
  static beside(target: Target, mark: string | undefined): Part {
    const isResumable = mark !== undefined;
    const name = partName(
      basename(target.path),
      mark ?? randomMark(),
      isResumable,
    );
    const path = beside(target.path, name);
    return locally(() => {
      const file = inFolder(
        target,
        () =>
          isResumable
            ? openPart(path, target.mode)
            : openNew(path, target.mode),
      );
      return new Part(target, path, isResumable, file, file.statSync().size);
    });
  }

  /**
   * Opens the target itself.
   *
   * @param target The target
   * @param isKept Whether what it has is kept, to be resumed
   * @returns The part
   * @throws {LocalFault} If another download is writing to it
   */
  static inPlace(target: Target, isKept: boolean): Part {
    const { path, isReplaceable } = target;
    return locally(() => {
      const file = inFolder(
        target,
        () =>
          isReplaceable
            ? openInPlace(path, isKept)
            : Deno.openSync(path, { write: true, create: true }),
      );
      return new Part(target, path, isKept, file, file.statSync().size);
    });
  }

  /** Where the bytes are. */
  get path(): string {
    return this.#path;
  }

  /** Whether what was written can be read again: not from a device or pipe. */
  get isReadable(): boolean {
    return this.#target.isReplaceable;
  }

  /** Bytes of the remote file that are in this one. */
  get position(): number {
    return this.#position;
  }

  /** When this file was last written to. */
  get modified(): Date | null {
    return locally(() => this.#file.statSync().mtime);
  }

  /** Empties the file. */
  reset(): void {
    if (this.#position === 0) return;
    locally(() => {
      if (!this.#target.isReplaceable) {
        throw new Deno.errors.InvalidData(
          `Cannot write to "${this.#path}" again: it is no file`,
        );
      }
      this.#file.truncateSync(0);
      this.#file.seekSync(0, Deno.SeekMode.Start);
      this.#position = 0;
    });
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
    throw new LocalFault(
      restate(
        error,
        (message) =>
          `Cannot write to "${path}" after ${this.#position} bytes: ${message}`,
      ),
    );
  }

  /**
   * Gives the file its time.
   *
   * @param modified The time
   */
  date(modified: Date): void {
    if (!this.isReadable) return;
    locally(() => this.#file.utimeSync(new Date(), modified));
  }

  /** Waits until the file is on the disk. */
  async sync(): Promise<void> {
    if (this.isReadable) await locallyAsync(() => this.#file.sync());
  }

  /**
   * Puts the file in the target's place.
   *
   * @throws {LocalFault} If it cannot be put there
   */
  commit(): void {
    const { path, isReplaceable } = this.#target;
    if (this.#path !== path) {
      locally(() => {
        try {
          Deno.renameSync(this.#path, path);
        } catch (error) {
          throw misplaced(path, error);
        }
      });
      this.#isDone = true;
      if (this.#isResumable) removeOtherParts(path);
    } else if (isReplaceable && !locally(() => isUnder(path, this.#file))) {
      throw new LocalFault(
        new Deno.errors.NotFound(
          `Cannot download to "${path}": the file was removed or replaced meanwhile; download again`,
        ),
      );
    }
    this.#isDone = true;
  }

  /**
   * Closes the file. One that was not committed is removed, unless it is the
   * target itself.
   *
   * @param isKept Whether it stays, for another call to resume
   */
  close(isKept: boolean): void {
    const isLeft = this.#isDone || isKept || this.#path === this.#target.path;
    try {
      // while it is locked: then it is nobody else's
      if (!isLeft) Deno.removeSync(this.#path);
    } catch {
      // somebody else did; the error that led here matters more
    }
    this.#file.close();
  }
}

/** The path of a name beside a path, ".." and links as they are. */
function beside(path: string, name: string): string {
  return path.slice(0, path.length - basename(path).length) + name;
}

function openNew(path: string, mode: number | undefined): Deno.FsFile {
  return Deno.openSync(path, {
    read: true,
    write: true,
    createNew: true,
    ...(mode === undefined ? {} : { mode }),
  });
}

/** Opens a file; a folder that is missing is named. */
function inFolder(target: Target, open: () => Deno.FsFile): Deno.FsFile {
  try {
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

/**
 * Parts of versions of the file that are past. The file is in its place: what
 * cannot be removed does not matter any more.
 */
function removeOtherParts(path: string): void {
  try {
    for (const { name } of Deno.readDirSync(dirname(path))) {
      if (!isResumablePart(name, basename(path))) continue;
      try {
        removeIdlePart(beside(path, name));
      } catch {
        // somebody else's, perhaps; there may be more
      }
    }
  } catch {
    // the folder may not be read
  }
}
