/**
 * Finds the paths on a server that a pattern matches.
 *
 * @module
 */

import { type Entry, type FTP, FTPPermanentError } from "../../mod.ts";
import { joinPath } from "../commands/path.ts";
import { printableLine, quote } from "../protocol/printable.ts";
import type { CommandContext } from "./context.ts";
import { Glob } from "../directories/glob.ts";
import { isGlob, unescapeGlob } from "./patterns.ts";
import type { Outcome } from "./pool.ts";
import { parseTarget, type Target } from "./target.ts";

/** A path on the server that an operand stands for. */
export interface Match {
  /** Its path. */
  readonly path: string;
  /** Its entry in a listing; `undefined` for a path without a pattern. */
  readonly entry: Entry | undefined;
}

/** Largest number of matches of one pattern. */
const MAX_MATCHES = 1_000_000;

/**
 * Finds the paths of a target, sorted.
 *
 * @throws {FTPPermanentError} If nothing matches
 */
export async function expandTarget(
  ftp: FTP,
  target: Target,
  { signal }: CommandContext,
): Promise<Match[]> {
  const { pattern } = target;
  if (pattern === undefined) return [{ path: target.path, entry: undefined }];
  const isAbsolute = pattern.startsWith("/");
  let matches: Match[] = [{ path: isAbsolute ? "/" : "", entry: undefined }];
  const segments = splitSegments(pattern);
  let isProven = true; // the start of the path is in the command line
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (!isGlob(segment)) {
      const name = unescapeGlob(segment);
      const paths = matches.map(({ path }) => joinPath(path, name));
      matches = [];
      for (const path of paths) {
        const isThere = isProven || await ftp.exists(path, { signal });
        if (isThere) matches.push({ path, entry: undefined });
      }
      continue;
    }
    isProven = false;
    const found: Match[] = [];
    for (const { path } of matches) {
      await findIn(ftp, path, segment, { signal, isLast }, found);
    }
    matches = found;
  }
  if (matches.length === 0) {
    throw new FTPPermanentError(
      `Cannot find ${
        quote(unescapeGlob(pattern))
      }: nothing matches the pattern; with --no-glob it is a plain name`,
    );
  }
  return matches.sort((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
}

/** Reads the operands as URLs; their paths are patterns without `--no-glob`. */
export function targetsOf({ flags, operands }: CommandContext): Target[] {
  const glob = !flags.has("no-glob");
  return operands.map((text) => parseTarget(text, { glob }));
}

/** Finds the paths of several targets. */
export async function expandTargets(
  ftp: FTP,
  targets: readonly Target[],
  context: CommandContext,
): Promise<Match[]> {
  const matches: Match[][] = [];
  for (const target of targets) {
    matches.push(await expandTarget(ftp, target, context));
  }
  return matches.flat();
}

/**
 * Finds the files of targets, without directories. A pattern that matches
 * nothing counts as a failure and does not stop the others.
 */
export async function expandFiles(
  ftp: FTP,
  targets: readonly Target[],
  context: CommandContext,
  outcome: Outcome,
): Promise<Match[]> {
  const files: Match[][] = [];
  for (const target of targets) {
    files.push(await filesOf(ftp, target, context, outcome));
  }
  return files.flat();
}

async function filesOf(
  ftp: FTP,
  target: Target,
  context: CommandContext,
  outcome: Outcome,
): Promise<Match[]> {
  try {
    const matches = await expandTarget(ftp, target, context);
    return matches.filter(({ path, entry }) => {
      if (entry?.isDirectory !== true) return true;
      context.out.note(`Skipped the directory ${printableLine(path)}`);
      return false;
    });
  } catch (error) {
    const isNothing = error instanceof FTPPermanentError &&
      target.pattern !== undefined;
    if (context.signal.aborted || !isNothing) throw error;
    outcome.fail(error);
    context.out.error(error);
    return [];
  }
}

async function findIn(
  ftp: FTP,
  directory: string,
  segment: string,
  { signal, isLast }: { signal: AbortSignal; isLast: boolean },
  found: Match[],
): Promise<void> {
  const glob = new Glob(segment, "URL");
  const showsHidden = segment.startsWith(".");
  for await (const entry of ftp.list(directory, { signal })) {
    const { name, kind } = entry;
    // a hostile name would lead out of the directory
    if (entry.hostile || !glob.matches(name)) continue;
    if (name.startsWith(".") && !showsHidden) continue;
    if (!isLast && kind === "file") continue;
    if (found.length >= MAX_MATCHES) {
      throw new RangeError(
        `Cannot use the pattern: it matches more than ${MAX_MATCHES} names`,
      );
    }
    found.push({ path: joinPath(directory, name), entry });
  }
}

/** Splits a pattern at its slashes. */
function splitSegments(pattern: string): string[] {
  return pattern.split("/").filter((segment) => segment !== "");
}
