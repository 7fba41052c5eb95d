/**
 * Local files of a directory that others may write to: never what a link leads
 * to, and never a pipe, which would keep its opener waiting.
 *
 * @module
 */

import * as fs from "node:fs";
import { lstatOrNothing } from "./download/local_target.ts";

/** How a file of a mirrored directory is reached. */
export interface PlainPath {
  /** Whether links are followed, as the user wishes. */
  readonly follows: boolean;
  /**
   * Insists on directories that lead to the file, and on a file or nothing in
   * its place.
   *
   * @throws {Deno.errors.InvalidData} If something else is there by now
   */
  check(): void;
}

/** A plain file that is open for reading. */
export class PlainFile implements Disposable {
  readonly #fd: number;

  /**
   * Opens a file at once, whatever is under its name.
   *
   * @param path The file
   * @param plain How it is reached
   * @throws {Deno.errors.InvalidData} If it is no file, or not the one there
   */
  constructor(path: string, plain: PlainPath) {
    plain.check();
    const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = fs.constants;
    const noFollow = plain.follows ? 0 : O_NOFOLLOW;
    this.#fd = fs.openSync(path, O_RDONLY | O_NONBLOCK | noFollow);
    try {
      const here = fs.fstatSync(this.#fd);
      if (!here.isFile()) throw swapped(path);
      plain.check(); // a directory above may have been a link at that moment
      const there = plain.follows ? undefined : lstatOrNothing(path);
      const isOther = there?.ino !== undefined && there.ino !== null &&
        (there.ino !== here.ino || there.dev !== here.dev);
      if (isOther || (!plain.follows && there === undefined)) {
        throw swapped(path);
      }
    } catch (error) {
      fs.closeSync(this.#fd);
      throw error;
    }
  }

  /**
   * What the file is like now.
   *
   * @returns Size and time
   */
  stat(): { size: number; mtime: Date } {
    const { size, mtimeMs } = fs.fstatSync(this.#fd);
    return { size, mtime: new Date(Math.floor(mtimeMs)) };
  }

  /**
   * Reads from an offset to the end.
   *
   * @param offset Where to start, in bytes
   * @param blocksize Most bytes at once
   * @returns The bytes, each piece valid until the next
   */
  async *read(
    offset: number,
    blocksize: number,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const buffer = new Uint8Array(blocksize);
    for (let at = offset;;) {
      const n = fs.readSync(this.#fd, buffer, 0, blocksize, at);
      if (n === 0) return;
      at += n;
      yield buffer.subarray(0, n);
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    fs.closeSync(this.#fd);
  }
}

/**
 * The error for what has changed since its directory was read.
 *
 * @param path What
 * @returns The error
 */
export function swapped(path: string): Error {
  return new Deno.errors.InvalidData(
    `Cannot use "${path}": it was replaced by something else meanwhile, and links and pipes are not followed; mirror again`,
  );
}
