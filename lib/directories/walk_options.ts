/**
 * Options of walks.
 *
 * @module
 */

import type { FTPError } from "../protocol/errors.ts";
import type { ListOptions } from "./listing_options.ts";

/** Options of {@linkcode FTP.walk}. */
export interface WalkOptions extends ListOptions {
  /**
   * How deep to go: 1 for the directory's own entries. Without it, a tree of
   * more than 256 levels is a `RangeError`.
   *
   * @default {Infinity}
   */
  maxDepth?: number | undefined;
  /**
   * Whether to give files, and what is neither a directory nor a link.
   *
   * @default {true}
   */
  includeFiles?: boolean | undefined;
  /**
   * Whether to give directories.
   *
   * @default {true}
   */
  includeDirs?: boolean | undefined;
  /**
   * Whether to give symbolic links.
   *
   * @default {true}
   */
  includeSymlinks?: boolean | undefined;
  /**
   * Whether to go into the directories that symbolic links lead to. Where
   * `MLSD` shows links as what they lead to (pyftpdlib), they are no links here
   * and gone into anyway, but not in circles; `command: "LIST"` shows them.
   *
   * @default {false}
   */
  followSymlinks?: boolean | undefined;
  /**
   * Gives only entries that one of these matches. Directories are entered
   * whether they match or not.
   *
   * A glob is compared with the path below the directory where the walk begins,
   * and must match all of it:
   *
   * | sign     | matches                                                 |
   * | -------- | ------------------------------------------------------- |
   * | `*`      | any characters of one name, or none; a leading dot too  |
   * | `**`     | any number of names: `logs/**`, `**` before `/*.csv`    |
   * | `?`      | one character of a name                                 |
   * | `[a-z]`  | one of these characters; `[!a-z]`: any other            |
   * | `{a,b}`  | one of these globs                                      |
   * | `\`      | the sign behind it, as a plain character                |
   *
   * A glob takes linear time in the length of the path. A regular expression is
   * searched for in the whole `path` of the entry.
   */
  match?: string | RegExp | readonly (string | RegExp)[] | undefined;
  /**
   * Leaves out entries that one of these matches, and what is in them. Globs and
   * regular expressions are compared as in `match`.
   */
  skip?: string | RegExp | readonly (string | RegExp)[] | undefined;
  /**
   * Most entries of one directory, which are all kept while it is walked; one
   * more is a `RangeError`.
   *
   * @default {1_000_000}
   */
  maxEntries?: number | undefined;
  /**
   * Called for a directory that cannot be listed, and not awaited; the walk goes
   * on, unless it throws. Without it the walk ends with the error.
   */
  onError?: ((error: FTPError, path: string) => unknown) | undefined;
}
