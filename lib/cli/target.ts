/**
 * Reads FTP URLs like curl: a server, and a path that may be a pattern.
 *
 * @module
 */

import { quote } from "../protocol/printable.ts";
import { withoutTrailingSlashes } from "../commands/path.ts";
import { decodeEscapes } from "../client/connect.ts";
import { escapeGlob, isGlob } from "./patterns.ts";
import { UsageError } from "./exit_code.ts";

/** The parts of a URL. */
export interface Target {
  /** The URL without its path. */
  readonly server: string;
  /**
   * The path, absolute or relative to the directory after login; "" for that
   * directory.
   */
  readonly path: string;
  /** The path as a pattern, if it is one. */
  readonly pattern: string | undefined;
  /** Whether the URL ends with a slash, which marks a directory. */
  readonly isDirectory: boolean;
}

/** The scheme, the authority, and the path. */
const URL_REGEXP = /^((ftp|ftps|ftpes):\/\/[^/\\#]+)(?:\/([^#]*))?$/is;

/** One or more escapes in a row: several may be one character. */
const ESCAPES_REGEXP = /(?:%[0-9a-f]{2})+/gi;

/** Whether an argument is a URL instead of a local path. */
export function isURL(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/**
 * Splits a URL into its parts.
 *
 * @throws {UsageError} If it is not an FTP URL; the message contains no
 * password
 */
export function parseTarget(
  text: string,
  { glob = false }: { glob?: boolean } = {},
): Target {
  if (isURL(text) && text.includes("#")) {
    // without its rest, the path would be that of another file
    throw new UsageError(
      'Cannot read the URL: it contains "#"; write %23 for this character of a name',
    );
  }
  const match = URL_REGEXP.exec(text.trim());
  if (match === null) {
    throw new UsageError(
      isURL(text)
        ? "Cannot read the URL: it must look like ftp://user@host/path, with the scheme ftp:, ftpes: or ftps:"
        : `Cannot use ${
          // text with "@" may contain a password
          text.includes("@") ? "this" : quote(
            text,
          )} as a URL: it must begin with ftp://, ftpes:// or ftps://`,
    );
  }
  const [, server, , raw = ""] = match;
  const typed = raw.replace(/;type=[aid]$/i, "");
  // a slash at the end marks a directory; "/" is the root
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
  /** The paths on that server. */
  readonly targets: readonly Target[];
}

/** Groups targets by server, so that each server needs one connection. */
export function groupByServer(targets: readonly Target[]): ServerGroup[] {
  const groups = Map.groupBy(targets, ({ server }) => server);
  return [...groups].map(([server, targets]) => ({ server, targets }));
}

/** The last name of a path. */
export function lastName(path: string): string {
  const bare = withoutTrailingSlashes(path);
  return bare.slice(bare.lastIndexOf("/") + 1);
}
