/**
 * `ftp rm`, `ftp mkdir` and `ftp mv`: change files on a server.
 *
 * @module
 */

import { type FTP, FTPPermanentError } from "../../../mod.ts";
import {
  endsWithName,
  joinPath,
  withoutTrailingSlashes,
} from "../../commands/path.ts";
import { printableLine, quote } from "../../protocol/printable.ts";
import { checkOperands, type CommandContext, openClient } from "../context.ts";
import { UsageError } from "../exit_code.ts";
import { expandTargets, type Match, targetsOf } from "../expand.ts";
import { processTargets } from "../pool.ts";
import { isURL, lastName, parseTarget, type Target } from "../target.ts";

/** Removes files and directories. */
export async function rm(context: CommandContext): Promise<void> {
  checkOperands(context, 1);
  const targets = targetsOf(context);
  for (const target of targets) checkNamed("remove", target);
  await processTargets(targets, context, {
    find: (ftp, targets) => expandTargets(ftp, targets, context),
    run: (ftp, match) => removeMatch(ftp, match, context),
  });
}

async function removeMatch(
  ftp: FTP,
  { path, entry }: Match,
  { flags, out, signal }: CommandContext,
): Promise<void> {
  const recursive = flags.has("recursive");
  if (!flags.has("dry-run")) {
    await ftp.remove(path, { recursive, signal });
    out.tell({ event: "remove", path }, `removed ${printableLine(path)}`);
    return;
  }
  const { kind } = entry ?? await ftp.stat(path, { signal });
  if (recursive && kind === "directory") {
    for await (const inner of ftp.walk(path, { signal })) {
      tellRemoval(inner.path);
    }
  }
  tellRemoval(path);

  function tellRemoval(path: string): void {
    out.tell(
      { event: "would-remove", path },
      `would remove ${printableLine(path)}`,
    );
  }
}

/** Rejects paths that end with no name, such as the root, ".." or "a/..". */
function checkNamed(action: string, { path }: Target): void {
  if (endsWithName(path)) return;
  throw new UsageError(
    `Cannot ${action} ${quote(path)}: give the path of a file or directory`,
  );
}

/** Creates directories with their parents. */
export async function mkdir(context: CommandContext): Promise<void> {
  checkOperands(context, 1);
  const { operands, out, signal } = context;
  const targets = operands.map((text) => parseTarget(text));
  const nameless = targets.find(({ path }) => path === "");
  if (nameless !== undefined) {
    throw new UsageError("Cannot create a directory: the URL has no path");
  }
  await processTargets(targets, context, {
    find: (_ftp, targets) => targets,
    run: async (ftp, { path }) => {
      const existed = await ftp.exists(path, { signal });
      await ftp.ensureDir(path, { signal });
      out.tell(
        { event: existed ? "unchanged" : "make", path },
        `${existed ? "exists" : "created"} ${printableLine(path)}`,
      );
    },
  });
}

/** Renames a file or a directory, or moves it to another directory. */
export async function mv(context: CommandContext): Promise<void> {
  checkOperands(context, 2, 2);
  const { flags, operands, out, signal } = context;
  const [from, to] = operands as [string, string];
  const source = parseTarget(from);
  const target = targetOf(source, to);
  checkNamed("rename", source);
  await using ftp = await openClient(source.server, context);
  let path = target.path;
  const isThere = !target.isDirectory && await ftp.exists(path, { signal });
  const entry = isThere ? await ftp.stat(path, { signal }) : undefined;
  if (target.isDirectory || entry?.isDirectory) {
    path = joinPath(path, lastName(source.path));
  }
  const isTaken = path === target.path
    ? isThere
    : await ftp.exists(path, { signal });
  if (isTaken && !flags.has("force")) {
    throw new FTPPermanentError(
      `Cannot rename ${quote(source.path)} to ${
        quote(path)
      }: it exists; --force replaces it, if the server allows it`,
    );
  }
  if (flags.has("dry-run")) await ftp.stat(source.path, { signal });
  else await ftp.rename(source.path, path, { signal });
  const would = flags.has("dry-run") ? "would rename" : "renamed";
  out.tell(
    { event: would.replace(" ", "-"), path: source.path, target: path },
    `${would} ${printableLine(source.path)} -> ${printableLine(path)}`,
  );
}

/**
 * Reads the new name: a URL, an absolute path, or a name in the same directory.
 */
function targetOf(source: Target, text: string): Target {
  if (isURL(text)) {
    const target = parseTarget(text);
    if (target.server === source.server) return target;
    throw new UsageError(
      'Cannot move to another server: use "ftp get" and "ftp put"',
    );
  }
  if (text === "") throw new UsageError("Cannot rename: the new name is empty");
  const isDirectory = text.endsWith("/");
  const bare = withoutTrailingSlashes(text);
  const path = bare.startsWith("/")
    ? bare
    : joinPath(source.path.slice(0, source.path.lastIndexOf("/") + 1), bare);
  return { server: source.server, path, pattern: undefined, isDirectory };
}
