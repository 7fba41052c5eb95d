/**
 * Unfinished files that a client has seen in local directories.
 *
 * @module
 */

import { dirname } from "node:path";
import { isPart } from "../../commands/path.ts";

/** Number of directories whose unfinished files are remembered. */
const MAX_FOLDERS = 100;

/**
 * Unfinished files that were in a directory at a client's first download to it.
 * A directory is not read again for each file.
 */
export class PartsSeen {
  readonly #folders = new Map<string, Promise<string[]>>();

  /** Lists the unfinished files that were seen in a file's directory. */
  async beside(path: string): Promise<readonly string[]> {
    const folder = dirname(path);
    let parts = this.#folders.get(folder);
    if (parts === undefined) {
      if (this.#folders.size >= MAX_FOLDERS) this.#folders.clear();
      this.#folders.set(folder, parts = partsIn(folder));
    }
    return await parts;
  }
}

async function partsIn(folder: string): Promise<string[]> {
  const parts: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (isPart(name)) parts.push(name);
    }
  } catch {
    // leftovers do not matter to the download
  }
  return parts;
}
