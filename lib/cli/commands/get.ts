/**
 * `ftp get`: downloads files.
 *
 * @module
 */

import { join } from "node:path";
import type { FTP } from "../../../mod.ts";
import { connectionOf } from "../../client/ftp_protocol.ts";
import { download } from "../../files/download/download.ts";
import type { RateLimiter } from "../../files/progress.ts";
import { checkLocalName } from "../../mirror/local_side.ts";
import { printableLine, quote } from "../../protocol/printable.ts";
import {
  checkOperands,
  type CommandContext,
  transferOptions,
} from "../context.ts";
import { UsageError } from "../exit_code.ts";
import { expandFiles, type Match, targetsOf } from "../expand.ts";
import { checkTransfers, processTargets } from "../pool.ts";
import { lastName, type Target } from "../target.ts";

/** A file to download. */
interface Item extends Match {
  /** The local path. */
  readonly local: string;
}

/** Runs the command. */
export async function get(context: CommandContext): Promise<void> {
  checkOperands(context, 1);
  const { flags } = context;
  const targets = targetsOf(context);
  targets.forEach(checkFile);
  const output = flags.text("output");
  const isMany = targets.length > 1 ||
    targets.some(({ pattern }) => pattern !== undefined);
  const isDirectory = await checkOutput(output, isMany);
  const limiter = checkTransfers(context);
  segmentsOf(context);
  const localPath = (path: string): string => {
    if (output === undefined) return localName(path);
    return isDirectory ? join(output, localName(path)) : output;
  };
  const names = new LocalNames();
  for (const { pattern, server, path } of targets) {
    if (pattern === undefined) names.add(localPath(path), { server, path });
  }
  await processTargets(targets, context, {
    find: async (ftp, targets, outcome) => {
      const [{ server }] = targets as [Target, ...Target[]];
      const matches = await expandFiles(ftp, targets, context, outcome);
      const items = matches.map((match) => ({
        ...match,
        local: localPath(match.path),
      }));
      for (const { local, path } of items) names.add(local, { server, path });
      return items;
    },
    run: (ftp, item) => fetchFile(ftp, item, context, limiter),
  });
}

/** Largest number of segments, as in the library. */
const MOST_SEGMENTS = 64;

function segmentsOf({ flags }: CommandContext): number | undefined {
  const segments = flags.number("segments", { least: 1, isInteger: true });
  if (segments === undefined || segments <= MOST_SEGMENTS) return segments;
  throw new UsageError(
    `Cannot use ${segments} for --segments: it must be at most ${MOST_SEGMENTS}`,
  );
}

function checkFile({ path, isDirectory }: Target): void {
  if (!isDirectory && path !== "") return;
  throw new UsageError(
    `Cannot get the directory ${quote(path)}: use "ftp sync URL DIRECTORY"`,
  );
}

/** Whether the output is a directory, or ends with a slash. */
async function checkOutput(
  output: string | undefined,
  isMany: boolean,
): Promise<boolean> {
  if (output === undefined) return false;
  if (output === "-") {
    throw new UsageError('Cannot write to "-": use "ftp cat"');
  }
  const info = await Deno.stat(output).catch(() => undefined);
  if (info?.isDirectory || /[/\\]$/.test(output)) {
    await Deno.mkdir(output, { recursive: true });
    return true;
  }
  if (!isMany) return false;
  throw new UsageError(
    `Cannot write several files to ${
      quote(output)
    }: it is not a directory; create it, or end the path with a slash`,
  );
}

/** Returns the local name. Checked, because the server may have chosen it. */
function localName(path: string): string {
  const name = lastName(path);
  if (name === "." || name === ".." || name === "") {
    throw new UsageError(
      `Cannot get ${quote(path)}: it has no name; use --output`,
    );
  }
  checkLocalName(name, Deno.build.os);
  return name;
}

/** A file on a server. */
type Source = Pick<Target, "server" | "path">;

/** The local names of all files of a command, on all servers. */
class LocalNames {
  readonly #sources = new Map<string, Source>();

  /**
   * Adds the name of a file.
   *
   * @throws {UsageError} If it is that of another file
   */
  add(local: string, source: Source): void {
    const key = Deno.build.os === "linux" ? local : local.toLowerCase();
    const other = this.#sources.get(key) ?? source;
    if (other.server !== source.server || other.path !== source.path) {
      throw new UsageError(
        `Cannot get both ${quote(other.path)} and ${quote(source.path)}${
          other.server === source.server ? "" : " of another server"
        }: they would have the same local name`,
      );
    }
    this.#sources.set(key, source);
  }
}

async function fetchFile(
  ftp: FTP,
  { path, local, entry }: Item,
  context: CommandContext,
  limiter: RateLimiter,
): Promise<void> {
  const { out, flags, signal } = context;
  if (flags.has("dry-run")) {
    const size = entry?.size ??
      (await ftp.stat(path, { signal })).size;
    out.tell(
      { event: "would-get", path, local, size },
      `would get ${printableLine(path)} -> ${printableLine(local)}${
        size === undefined ? "" : ` (${size} bytes)`
      }`,
    );
    return;
  }
  try {
    const { size, verified, mtime, retries } = await download(
      connectionOf(ftp),
      path,
      local,
      {
        ...transferOptions(context),
        segments: segmentsOf(context),
        removeSource: flags.has("remove-source"),
        onProgress: (progress) => out.progress(path, progress),
      },
      { limiter },
    );
    out.tell(
      { event: "get", path, local, size, verified, mtime, retries },
      `${printableLine(path)} -> ${printableLine(local)}: ${
        describe(size, verified)
      }`,
    );
  } finally {
    out.endProgress(path);
  }
}

/** Describes a transferred file. */
export function describe(size: number, verified: string | null): string {
  return `${size} bytes, ${
    verified === null
      ? "confirmed by the server only"
      : `verified by ${verified}`
  }`;
}
