/**
 * A folder in memory for the temporary files of the tests: to create a file there takes a fifth of the processor
 * time that it takes on a disk.
 *
 * @module
 */

import { statfsSync } from "node:fs";

/** Where Linux keeps files in memory. */
const MEMORY = "/dev/shm";

/**
 * Options of a temporary folder for programs with few permissions: Deno lets
 * none of them use files in `/dev`.
 */
export const ON_DISK: Deno.MakeTempOptions = Deno.build.os === "linux"
  ? { dir: "/tmp" }
  : {};

/** Free bytes that it must have: all tests at once use less. */
const NEEDED = 4 * 1024 ** 3;

/** Most attempts to remove it. */
const ATTEMPTS = 10;

/** The folder, removed at the end with all that is in it. */
export class MemoryFolder implements Disposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Creates the folder; returns `undefined` where there is no memory for it, or
   * where the environment has another place for temporary files.
   *
   * @param parent A folder in memory
   */
  static make(parent: string = MEMORY): MemoryFolder | undefined {
    if (Deno.env.has("TMPDIR") || Deno.build.os !== "linux") return undefined;
    try {
      const { bavail, bsize } = statfsSync(parent);
      if (bavail * bsize < NEEDED) return undefined;
      const path = Deno.makeTempDirSync({ dir: parent, prefix: "ftp_tests_" });
      // servers that gave up their rights pass through it, as through /tmp
      Deno.chmodSync(path, 0o1777);
      return new MemoryFolder(path);
    } catch {
      return undefined; // a container may have none
    }
  }

  /** Removes all, also where a server that was killed is removing its own files. */
  [Symbol.dispose](): void {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        return Deno.removeSync(this.path, { recursive: true });
      } catch (error) {
        if (attempt === ATTEMPTS - 1) throw error;
      }
    }
  }
}
