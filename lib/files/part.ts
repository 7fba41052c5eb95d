/**
 * The local file that a download is written to before it takes the place of
 * its target.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { basename, dirname, join } from "node:path";
import { restate } from "../connection/restate.ts";
import { LocalFault, locally } from "./faults.ts";
import { isResumablePart, partName, randomMark } from "../paths/names.ts";

/** Where a download goes. */
export interface Target {
  /** The path, symbolic links followed. */
  readonly path: string;
  /** Permissions of the file that is replaced, where there is one. */
  readonly mode: number | undefined;
  /** Whether it is a file or nothing yet, and no device or pipe. */
  readonly isReplaceable: boolean;
}

/**
 * Looks at the target of a download.
 *
 * @param local A path, or a `file:` URL
 * @returns What is there
 * @throws {LocalFault} If it is a directory, or its directory is missing
 */
export function resolveTarget(local: string | URL): Target {
  return locally(() => {
    const path = local instanceof URL ? fileURLToPath(local) : local;
    const info = statOrNothing(path);
    if (info === undefined) {
      return { path, mode: undefined, isReplaceable: true };
    }
    if (info.isDirectory) {
      throw new Deno.errors.IsADirectory(
        `Cannot download to "${path}": it is a directory`,
      );
    }
    return {
      // a link stays one: what it points to is replaced
      path: Deno.lstatSync(path).isSymlink ? Deno.realPathSync(path) : path,
      mode: info.mode === null ? undefined : info.mode & 0o777,
      isReplaceable: info.isFile,
    };
  });
}

function statOrNothing(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

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
    const path = join(dirname(target.path), name);
    return locally(() => {
      const file = open(target, path, {
        read: true,
        write: true,
        create: true,
        createNew: !isResumable,
        ...(target.mode === undefined ? {} : { mode: target.mode }),
      });
      if (isResumable && !file.tryLockSync(true)) {
        file.close();
        throw new Deno.errors.Busy(
          `Cannot write to "${path}": another download is under way there`,
        );
      }
      const { size } = file.statSync();
      return new Part(target, path, isResumable, file, size);
    });
  }

  /**
   * Opens the target itself.
   *
   * @param target The target
   * @param isKept Whether what it has is kept, to be resumed
   * @returns The part
   */
  static inPlace(target: Target, isKept: boolean): Part {
    return locally(() => {
      const file = open(target, target.path, {
        read: target.isReplaceable,
        write: true,
        create: true,
        truncate: target.isReplaceable && !isKept,
      });
      const { size } = file.statSync();
      return new Part(target, target.path, isKept, file, size);
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
   * Puts the file in the target's place.
   *
   * @param modified The time to give it
   */
  commit(modified: Date | null): void {
    locally(() => {
      const { path, isReplaceable } = this.#target;
      if (modified !== null && isReplaceable) {
        this.#file.utimeSync(new Date(), modified);
      }
      if (this.#path !== path) {
        Deno.renameSync(this.#path, path);
        this.#isDone = true;
        if (this.#isResumable) removeOtherParts(path);
      }
      this.#isDone = true;
    });
  }

  /**
   * Closes the file. One that was not committed is removed, unless it is the
   * target itself.
   *
   * @param isKept Whether it stays, for another call to resume
   */
  close(isKept: boolean): void {
    this.#file.close();
    const isLeft = this.#isDone || isKept || this.#path === this.#target.path;
    if (isLeft) return;
    try {
      Deno.removeSync(this.#path);
    } catch {
      // somebody else did; the error that led here matters more
    }
  }
}

/** Opens a file; a folder that is missing is named. */
function open(
  target: Target,
  path: string,
  options: Deno.OpenOptions,
): Deno.FsFile {
  try {
    return Deno.openSync(path, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(
      `Cannot download to "${target.path}": the folder "${
        dirname(path)
      }" does not exist`,
      { cause: error },
    );
  }
}

/** Parts of versions of the file that are past. */
function removeOtherParts(path: string): void {
  const directory = dirname(path);
  for (const { name } of Deno.readDirSync(directory)) {
    if (isResumablePart(name, basename(path))) {
      Deno.removeSync(join(directory, name));
    }
  }
}
