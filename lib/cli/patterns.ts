/**
 * Patterns in URLs and in `--exclude`.
 *
 * @module
 */

import { withoutTrailingSlashes } from "../commands/path.ts";
import { Glob } from "../directories/glob.ts";

/** Whether a pattern can match more than one name. */
export function isGlob(pattern: string): boolean {
  return /[*?[{]/.test(pattern.replace(/\\./gsu, ""));
}

/** Escapes a text, so that a pattern matches it literally. */
export function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]{},!]/g, "\\$&");
}

/** Removes the backslashes of {@linkcode escapeGlob}. */
export function unescapeGlob(pattern: string): string {
  return pattern.replace(/\\(.)/gsu, "$1");
}

/**
 * Makes a filter of patterns. A pattern without a slash matches a name at any
 * depth; one with a slash matches the path from the top.
 *
 * @throws {TypeError} If a pattern is malformed
 */
export function matcher(
  patterns: readonly string[],
): (path: string) => boolean {
  const globs = patterns.map((pattern) => {
    const bare = withoutTrailingSlashes(pattern);
    const isPath = bare.includes("/");
    return { isPath, glob: new Glob(bare.replace(/^\//, ""), "exclude") };
  });
  return (path) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    return globs.some(({ isPath, glob }) => glob.matches(isPath ? path : name));
  };
}
