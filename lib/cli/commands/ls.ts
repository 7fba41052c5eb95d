/**
 * `ftp ls`: lists directories.
 *
 * @module
 */

import type { Entry, FTP, WalkEntry } from "../../../mod.ts";
import { joinPath } from "../../commands/path.ts";
import { checkOperands, type CommandContext } from "../context.ts";
import { expandTarget, targetsOf } from "../expand.ts";
import { processTargets } from "../pool.ts";
import type { Target } from "../target.ts";

/** Runs the command. */
export async function ls(context: CommandContext): Promise<void> {
  checkOperands(context, 1);
  await processTargets(targetsOf(context), context, {
    find: (_ftp, targets) => targets,
    run: (ftp, target) => show(ftp, target, context),
  });
}

async function show(
  ftp: FTP,
  target: Target,
  context: CommandContext,
): Promise<void> {
  if (target.pattern !== undefined) {
    for (const { path, entry } of await expandTarget(ftp, target, context)) {
      if (context.flags.has("recursive") && entry?.isDirectory) {
        await showDirectory(ftp, path, context);
      } else {
        const found = entry ?? await ftp.stat(path, context);
        showEntry(found, path, context);
      }
    }
    return;
  }
  const { path, isDirectory } = target;
  const { signal } = context;
  // a slash at the end marks a directory, so no command is needed
  const entry = isDirectory ? undefined : await ftp.stat(path, { signal });
  if (entry === undefined || entry.isDirectory || entry.isSymlink) {
    return await showDirectory(ftp, path, context);
  }
  showEntry(entry, path, context);
}

async function showDirectory(
  ftp: FTP,
  path: string,
  context: CommandContext,
): Promise<void> {
  const { flags, signal } = context;
  if (!flags.has("recursive")) {
    for await (const entry of ftp.list(path, { signal })) {
      const full = joinPath(path, entry.name);
      showEntry(entry, full, context, entry.name);
    }
    return;
  }
  for await (const entry of ftp.walk(path, { signal })) {
    showEntry(entry, entry.path, context);
  }
}

function showEntry(
  entry: Entry | WalkEntry,
  path: string,
  { flags, out }: CommandContext,
  shown = path,
): void {
  const { name, kind, size, mtime, mode, owner, group, linkTarget } = entry;
  out.result(
    {
      event: "entry",
      path,
      name,
      kind,
      size,
      mtime,
      mode,
      owner,
      group,
      linkTarget,
    },
    flags.has("long") ? `${columnsOf(entry)}  ${shown}${linkOf(entry)}` : shown,
  );
}

/** Letters of the kinds, as in `ls -l`. */
const LETTERS = {
  file: "-",
  directory: "d",
  symlink: "l",
  other: "?",
  unknown: "?",
} as const;

function columnsOf(entry: Entry | WalkEntry): string {
  const { kind, size, mtime, mtimePrecision, mode } = entry;
  const bits = mode === undefined ? "---------" : formatMode(mode);
  const length = mtimePrecision === "day"
    ? 10
    : mtimePrecision === "minute"
    ? 16
    : 19;
  const time = mtime?.toISOString().slice(0, length).replace("T", " ") ?? "-";
  return `${LETTERS[kind]}${bits}  ${String(size ?? "-").padStart(13)}  ${
    time.padEnd(19)
  }`;
}

function linkOf({ linkTarget }: Entry | WalkEntry): string {
  return linkTarget === undefined ? "" : ` -> ${linkTarget}`;
}

function formatMode(mode: number): string {
  return [6, 3, 0].map((shift) => {
    const bits = mode >> shift & 7;
    return `${bits & 4 ? "r" : "-"}${bits & 2 ? "w" : "-"}${
      bits & 1 ? "x" : "-"
    }`;
  }).join("");
}
