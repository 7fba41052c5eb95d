/**
 * Patterns in URLs and in `--exclude`.
 *
 * @module
 */

import { withoutTrailingSlashes } from "../commands/path.ts";
import { Glob } from "../directories/glob.ts";

/**
 * Whether a pattern can match more than one name.
 *
 * @param pattern The pattern; a backslash takes the next character as it is
 * @returns Whether it has `*`, `?`, `[` or `{`
 */
export function isGlob(pattern: string): boolean {
  return /[*?[{]/.test(pattern.replace(/\\./gsu, ""));
}

/**
 * Takes every character of a text as it is.
 *
 * @param text Any text
 * @returns A pattern that only this text matches
 */
export function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]{},!]/g, "\\$&");
}

/**
 * Reverts {@linkcode escapeGlob}.
 *
 * @param pattern A pattern
 * @returns The text, without backslashes that only escape
 */
export function unescapeGlob(pattern: string): string {
  return pattern.replace(/\\(.)/gsu, "$1");
}

/**
 * Makes a filter of patterns. One without a slash matches a name at any depth,
 * one with a slash the path from the top.
 *
 * @param patterns The patterns
 * @returns Tells whether a path matches any of them
 * @throws {TypeError} If one is malformed
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
