/**
 * FTP URLs as curl has them: a server, and a path that may be a pattern.
 *
 * @module
 */

import { withoutTrailingSlashes } from "../commands/path.ts";
import { decodeEscapes } from "../client/connect.ts";
import { escapeGlob, isGlob } from "./patterns.ts";
import { UsageError } from "./exit_code.ts";

/** A URL, taken apart. */
export interface Target {
  /** The URL without a path: what to connect to. */
  readonly server: string;
  /** The path: relative to the directory after login, or absolute; "" for it. */
  readonly path: string;
  /** The path as a pattern, if it is one. */
  readonly pattern: string | undefined;
  /** Whether the URL says that it is a directory: it ends in a slash. */
  readonly isDirectory: boolean;
}

/** The scheme, the authority, and the path without a fragment. */
const URL_REGEXP = /^((ftp|ftps|ftpes):\/\/[^/\\#]+)(?:\/([^#]*))?(?:#.*)?$/is;

/** An escape, or several in a row that may be one character. */
const ESCAPES_REGEXP = /(?:%[0-9a-f]{2})+/gi;

/**
 * Whether an argument is a URL and no local path.
 *
 * @param text The argument
 * @returns Whether it begins with a scheme
 */
export function isURL(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/**
 * Takes a URL apart.
 *
 * @param text The URL
 * @param options Whether `*`, `?`, `[` and `{` in the path are a pattern
 * @returns Its parts
 * @throws {UsageError} If it is no URL of FTP; a password is not shown
 */
export function parseTarget(
  text: string,
  { glob = false }: { glob?: boolean } = {},
): Target {
  const match = URL_REGEXP.exec(text.trim());
  if (match === null) {
    throw new UsageError(
      isURL(text)
        ? "Cannot read the URL: it must be as ftp://user@host/path, of the scheme ftp:, ftpes: or ftps:"
        : `Cannot use ${
          // what has an "@" may have a password
          text.includes("@") ? "this" : JSON.stringify(
            text,
          )} as a URL: it must begin with ftp://, ftpes:// or ftps://`,
    );
  }
  const [, server, , raw = ""] = match;
  const typed = raw.replace(/;type=[aid]$/i, "");
  // one slash at the end marks a directory; "/" alone is the root
  const isDirectory = typed === "" || typed.endsWith("/") ||
    /%2f$/i.test(typed);
  const bare = withoutTrailingSlashes(typed);
  const pattern = bare.replace(/\\/g, "\\\\").replace(
    ESCAPES_REGEXP,
    (escapes) => escapeGlob(decodeEscapes(escapes)),
  );
  return {
    server: server!,
    path: decodeEscapes(bare),
    pattern: glob && isGlob(pattern) ? pattern : undefined,
    isDirectory,
  };
}

/** The targets of one server. */
export interface ServerGroup {
  /** The URL without a path. */
  readonly server: string;
  /** What to do there. */
  readonly targets: readonly Target[];
}

/**
 * Brings together what one connection can do.
 *
 * @param targets In the order of the command line
 * @returns Groups, in the order in which their servers appear
 */
export function groupByServer(targets: readonly Target[]): ServerGroup[] {
  const groups = Map.groupBy(targets, ({ server }) => server);
  return [...groups].map(([server, targets]) => ({ server, targets }));
}

/**
 * The last name of a path.
 *
 * @param path A path on the server
 * @returns What stands behind its last slash
 */
export function lastName(path: string): string {
  const bare = withoutTrailingSlashes(path);
  return bare.slice(bare.lastIndexOf("/") + 1);
}
