/**
 * Opens local files in a directory that others may write to. Follows no links,
 * and opens no pipe, which would block.
 *
 * @module
 */

import { nodeModule } from "../connection/node_module.ts";
import { quote } from "../protocol/printable.ts";
import { lstatOrNothing } from "./download/local_target.ts";

/** How to reach a file of a mirrored directory. */
export interface PlainPath {
  /** Whether links are followed, as the user set it. */
  readonly follows: boolean;
  /**
   * Checks that the directories on the path are directories, and that the path
   * is a file or nothing.
   *
   * @throws {Deno.errors.InvalidData} If something else is there
   */
  check(): void;
}

/** A plain file that is open for reading. */
export class PlainFile implements Disposable {
  readonly #fd: number;

  /**
   * Opens a file without blocking, and checks what was opened.
   *
   * @throws {Deno.errors.InvalidData} If it is not a file, or not the one under
   * the path
   */
  constructor(path: string, plain: PlainPath) {
    plain.check();
    const fs = nodeModule("node:fs");
    const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = fs.constants;
    const noFollow = plain.follows ? 0 : O_NOFOLLOW;
    this.#fd = fs.openSync(path, O_RDONLY | O_NONBLOCK | noFollow);
    try {
      const here = fs.fstatSync(this.#fd);
      if (!here.isFile()) throw replacedError(path);
      plain.check(); // a directory on the path may have been a link at that moment
      const there = plain.follows ? undefined : lstatOrNothing(path);
      const isOther = there?.ino !== undefined && there.ino !== null &&
        (there.ino !== here.ino || there.dev !== here.dev);
      if (isOther || (!plain.follows && there === undefined)) {
        throw replacedError(path);
      }
    } catch (error) {
      fs.closeSync(this.#fd);
      throw error;
    }
  }

  /** Returns the current size and time of the file. */
  stat(): { size: number; mtime: Date } {
    const { size, mtimeMs } = nodeModule("node:fs").fstatSync(this.#fd);
    return { size, mtime: new Date(Math.floor(mtimeMs)) };
  }

  /** Reads from an offset to the end, `blocksize` bytes at most at once. */
  async *read(
    offset: number,
    blocksize: number,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const { readSync } = nodeModule("node:fs");
    const buffer = new Uint8Array(blocksize);
    for (let at = offset;;) {
      const n = readSync(this.#fd, buffer, 0, blocksize, at);
      if (n === 0) return;
      at += n;
      yield buffer.subarray(0, n);
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    nodeModule("node:fs").closeSync(this.#fd);
  }
}

/**
 * Creates the error for a file that was replaced after its directory was read.
 */
export function replacedError(path: string): Error {
  return new Deno.errors.InvalidData(
    `Cannot use ${
      quote(path)
    }: it was replaced during the mirror, and links and pipes are not followed; mirror again`,
  );
}
