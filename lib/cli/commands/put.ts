/**
 * `ftp put`: uploads files.
 *
 * @module
 */

import { basename } from "node:path";
import type { FTP } from "../../../mod.ts";
import { connectionOf } from "../../client/ftp_protocol.ts";
import type { RateLimiter } from "../../files/progress.ts";
import { upload } from "../../files/upload/upload.ts";
import {
  joinPath,
  splitPath,
  withoutTrailingSlashes,
} from "../../commands/path.ts";
import { printableLine, quote } from "../../protocol/printable.ts";
import {
  checkOperands,
  type CommandContext,
  openClient,
  transferOptions,
} from "../context.ts";
import { UsageError } from "../exit_code.ts";
import { checkTransfers, Outcome, processItems } from "../pool.ts";
import { isURL, parseTarget, type Target } from "../target.ts";
import { describe } from "./get.ts";

/** A file to upload. */
interface Item {
  /** The local path; "-" is standard input. */
  readonly local: string;
  /** The path on the server. */
  readonly path: string;
}

/** Runs the command. */
export async function put(context: CommandContext): Promise<void> {
  checkOperands(context, 2);
  const { flags, operands, signal } = context;
  const target = parseTarget(operands.at(-1)!);
  const items = itemsOf(operands.slice(0, -1), target);
  const limiter = checkTransfers(context);
  await checkSources(items, context);
  const outcome = new Outcome();
  await using ftp = await openClient(target.server, context);
  if (flags.has("create-dirs") && !flags.has("dry-run")) {
    const [directory] = splitPath(items[0]!.path);
    const bare = withoutTrailingSlashes(directory);
    if (bare !== "" && bare !== "/") await ftp.ensureDir(bare, { signal });
  }
  await processItems(ftp, items, context, {
    outcome,
    run: (ftp, item) => sendFile(ftp, item, context, limiter),
    nameOf: ({ local }) => local,
  });
  outcome.finish();
}

function itemsOf(locals: readonly string[], target: Target): Item[] {
  const { path, isDirectory } = target;
  if (locals.length > 1 && !isDirectory) {
    throw new UsageError(
      "Cannot put several files into one: end the URL with a slash",
    );
  }
  const seen = new Set<string>();
  return locals.map((local) => {
    if (isURL(local)) {
      throw new UsageError("Cannot put a URL: only the last argument is a URL");
    }
    if (!isDirectory) return { local, path };
    if (local === "-") {
      throw new UsageError(
        "Cannot put standard input into a directory: add a file name to the URL",
      );
    }
    const name = basename(local);
    if (seen.has(name)) {
      throw new UsageError(
        `Cannot put two files of the name ${quote(name)}`,
      );
    }
    seen.add(name);
    return { local, path: joinPath(path, name) };
  });
}

/** Checks the local files before anything is sent. */
async function checkSources(
  items: readonly Item[],
  { flags }: CommandContext,
): Promise<void> {
  for (const { local } of items) {
    if (local === "-") {
      if (flags.has("password-stdin")) {
        throw new UsageError(
          "Cannot read both the password and the file from standard input",
        );
      }
      continue;
    }
    const { isDirectory } = await Deno.stat(local).catch((error) => {
      throw error instanceof Deno.errors.NotFound
        ? new Deno.errors.NotFound(
          `Cannot put ${quote(local)}: there is no such file`,
        )
        : error;
    });
    if (isDirectory) {
      throw new UsageError(
        `Cannot put the directory ${
          quote(local)
        }: use "ftp sync DIRECTORY URL"`,
      );
    }
  }
}

async function sendFile(
  ftp: FTP,
  { local, path }: Item,
  context: CommandContext,
  limiter: RateLimiter,
): Promise<void> {
  const { out, flags } = context;
  const shown = `${printableLine(local)} -> ${printableLine(path)}`;
  if (flags.has("dry-run")) {
    out.tell({ event: "would-put", path, local }, `would put ${shown}`);
    return;
  }
  try {
    const source = local === "-" ? Deno.stdin.readable : local;
    const { size, verified, mtime, retries } = await upload(
      connectionOf(ftp),
      source,
      path,
      {
        ...transferOptions(context),
        onProgress: (progress) => out.progress(local, progress),
      },
      { limiter },
    );
    out.tell(
      { event: "put", path, local, size, verified, mtime, retries },
      `${shown}: ${describe(size, verified)}`,
    );
  } finally {
    out.endProgress(local);
  }
}
