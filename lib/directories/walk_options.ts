/**
 * Options of walks.
 *
 * @module
 */

import type { FTPError } from "../protocol/errors.ts";
import type { ListOptions } from "./listing_options.ts";

/** Options of {@linkcode FTP.prototype.walk FTP.walk}. */
export interface WalkOptions extends ListOptions {
  /**
   * Largest depth: 1 for the directory's own entries. Without it, a tree of
   * more than 256 levels is a `RangeError`.
   *
   * @default Infinity
   */
  maxDepth?: number | undefined;
  /**
   * Whether to return files, and entries that are neither directories nor
   * links.
   *
   * @default true
   */
  includeFiles?: boolean | undefined;
  /**
   * Whether to return directories.
   *
   * @default true
   */
  includeDirs?: boolean | undefined;
  /**
   * Whether to return symbolic links.
   *
   * @default true
   */
  includeSymlinks?: boolean | undefined;
  /**
   * Whether to enter the directories that symbolic links lead to. If `MLSD`
   * shows links as directories (pyftpdlib), they are always entered, but never
   * in a loop; `command: "LIST"` shows them as links.
   *
   * @default false
   */
  followSymlinks?: boolean | undefined;
  /**
   * Returns only matching entries. Directories are entered in any case.
   *
   * A glob must match the whole path below the root of the walk:
   *
   * | pattern  | matches                                                 |
   * | -------- | ------------------------------------------------------- |
   * | `*`      | any characters of one name, including a leading dot     |
   * | `**`     | any number of names: `logs/**`, `**` before `/*.csv`    |
   * | `?`      | one character of a name                                 |
   * | `[a-z]`  | one of these characters; `[!a-z]`: any other            |
   * | `{a,b}`  | one of these globs                                      |
   * | `\`      | the next character, literally                           |
   *
   * A glob takes linear time in the length of the path. A regular expression is
   * searched for in the whole `path` of the entry.
   */
  match?: string | RegExp | readonly (string | RegExp)[] | undefined;
  /**
   * Excludes entries that match, and everything in them. Globs and regular
   * expressions work as in `match`.
   */
  skip?: string | RegExp | readonly (string | RegExp)[] | undefined;
  /**
   * Largest number of entries in one directory, which are all kept while it is
   * walked. More entries are a `RangeError`.
   *
   * @default 1_000_000
   */
  maxEntries?: number | undefined;
  /**
   * Called if a directory cannot be listed. Not awaited; the walk continues
   * unless it throws. Without it, the walk fails.
   */
  onError?: ((error: FTPError, path: string) => unknown) | undefined;
}
