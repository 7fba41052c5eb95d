/**
 * `ftp sync`: synchronizes a directory, in either direction.
 *
 * @module
 */

import {
  type DownloadDirOptions,
  type FTP,
  FTPMirrorError,
  type MirrorEvent,
  type MirrorOptions,
  type MirrorResult,
} from "../../../mod.ts";
import { printableLine, quote } from "../../protocol/printable.ts";
import {
  checkOperands,
  type CommandContext,
  openClient,
  transferOptions,
} from "../context.ts";
import { EXIT, Incomplete, UsageError } from "../exit_code.ts";
import { matcher } from "../patterns.ts";
import { connectionsOf } from "../pool.ts";
import { isURL, parseTarget } from "../target.ts";

/** Runs the command. */
export async function sync(context: CommandContext): Promise<void> {
  checkOperands(context, 2, 2);
  const { flags, operands } = context;
  const [source, target] = operands as [string, string];
  const isDownload = isURL(source);
  if (isDownload === isURL(target)) {
    throw new UsageError(
      "Cannot sync: one argument must be a URL, and the other a local directory",
    );
  }
  const { server, path } = parseTarget(isDownload ? source : target);
  const folder = isDownload ? target : source;
  const options = mirrorOptions(context);
  const isPreview = flags.has("preview");
  if (isPreview && !(Deno.stdin.isTerminal() && Deno.stderr.isTerminal())) {
    throw new UsageError(
      "Cannot ask: --preview needs a terminal; use --dry-run elsewhere",
    );
  }
  if (!isDownload) await checkFolder(folder);
  if (!isDownload && flags.has("remove-source")) {
    throw new UsageError(
      "Cannot use --remove-source with a local source: it removes files from the server",
    );
  }
  await using ftp = await openClient(server, context);
  const mirror = (options: DownloadDirOptions) =>
    isDownload
      ? ftp.downloadDir(path, folder, options)
      : ftp.uploadDir(folder, path, options);
  if (isPreview) {
    const plan = await run(mirror, { ...options, dryRun: true }, context);
    if (!changes(plan)) return;
    if (!confirm("Continue?")) {
      context.out.note("Nothing was changed");
      return;
    }
    await reconnectIfIdle(ftp, context);
  }
  await run(mirror, options, context);
}

/**
 * Reconnects if the server closed the connection while the user was thinking.
 */
async function reconnectIfIdle(
  ftp: FTP,
  { signal }: CommandContext,
): Promise<void> {
  try {
    await ftp.voidcmd("NOOP", { signal });
  } catch {
    await ftp.reconnect({ signal });
  }
}

async function checkFolder(folder: string): Promise<void> {
  const info = await Deno.stat(folder).catch((error) => {
    throw error instanceof Deno.errors.NotFound
      ? new Deno.errors.NotFound(
        `Cannot sync ${quote(folder)}: there is no such directory`,
      )
      : error;
  });
  if (info.isDirectory) return;
  throw new UsageError(
    `Cannot sync ${quote(folder)}: it is not a directory`,
  );
}

function mirrorOptions(context: CommandContext): DownloadDirOptions {
  const { flags, out } = context;
  const maxDelete = maxDeleteOf(context);
  if (maxDelete !== undefined && !flags.has("delete")) {
    throw new UsageError("Cannot use --max-delete without --delete");
  }
  const excluded = flags.texts("exclude");
  const isExcluded = matcher(excluded);
  const isDryRun = flags.has("dry-run");
  return {
    ...transferOptions(context),
    compare: flags.word("compare", ["size-and-time", "size", "hash", "always"]),
    delete: flags.has("delete"),
    maxDelete,
    dryRun: isDryRun,
    connections: flags.text("connections") === "auto"
      ? "auto"
      : connectionsOf(context),
    maxRate: flags.rate(),
    ...flags.has("remove-source") && { removeSource: true },
    filter: excluded.length === 0 ? undefined : ({ path }) => !isExcluded(path),
    onProgress: ({ path, file }) => out.progress(path, file),
  };
}

/** Reads `--max-delete`: a number of entries, or a percentage. */
function maxDeleteOf({ flags }: CommandContext): MirrorOptions["maxDelete"] {
  const [, percent] =
    /^(\d+(?:\.\d+)?)%$/.exec(flags.text("max-delete") ?? "") ??
      [];
  if (percent !== undefined) return `${Number(percent)}%`;
  const text = flags.text("max-delete");
  if (text === undefined || /^\d+$/.test(text)) {
    return flags.number("max-delete", { least: 0, isInteger: true });
  }
  throw new UsageError(
    `Cannot use ${
      quote(text)
    } for --max-delete: it must be a whole number or a percentage, such as 20 or 10%`,
  );
}

/** Mirrors, and prints each step and the result. */
async function run(
  mirror: (options: DownloadDirOptions) => Promise<MirrorResult>,
  options: DownloadDirOptions,
  context: CommandContext,
): Promise<MirrorResult> {
  const { out, signal } = context;
  const isDryRun = options.dryRun === true;
  const printed = new WeakSet<object>();
  const onEntry = (event: MirrorEvent) => {
    if (event.error instanceof Error) printed.add(event.error);
    tellEntry(event, isDryRun, context);
  };
  try {
    const result = await mirror({ ...options, onEntry });
    tellResult(result, isDryRun, context);
    return result;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!(error instanceof FTPMirrorError)) throw error;
    tellResult(error.result, isDryRun, context);
    const { failures, result } = error;
    // some failures without an entry were not printed yet
    for (const { path, error: why } of failures) {
      if (path === "" && !printed.has(why as Error)) out.error(why);
    }
    const isNothing = failures.length === 0;
    if (isNothing) out.error(error.cause ?? error);
    throw new Incomplete(
      EXIT.partial,
      isNothing
        ? error.message
        : `${result.failed} ${
          result.failed === 1 ? "entry" : "entries"
        } failed`,
    );
  }
}

/** Verbs, and those of a dry run. */
const VERBS = {
  transfer: ["transferred", "would transfer"],
  make: ["created", "would create"],
  remove: ["removed", "would remove"],
  skip: ["skipped", "would skip"],
} as const;

function tellEntry(
  { action, entry, reason, error }: MirrorEvent,
  isDryRun: boolean,
  { out }: CommandContext,
): void {
  const { path, kind, size, mtime } = entry;
  if (action === "fail") {
    out.endProgress(path);
    if (out.isJSON) {
      const message = error instanceof Error ? error.message : String(error);
      out.tell({ event: "fail", path, kind, message });
    } else out.error(error, path);
    return;
  }
  const event = { event: action, dryRun: isDryRun, path, kind, size, mtime };
  if (action === "unchanged") {
    if (out.isJSON) out.tell({ ...event, reason });
    return;
  }
  const verb = VERBS[action][isDryRun ? 1 : 0];
  const slash = kind === "directory" ? "/" : "";
  const why = reason === undefined ? "" : ` (${reason})`;
  out.tell(
    { ...event, reason },
    `${verb} ${printableLine(path)}${slash}${why}`,
  );
}

function tellResult(
  result: MirrorResult,
  isDryRun: boolean,
  { out }: CommandContext,
): void {
  const { transferred, unchanged, made, removed, skipped, failed, bytes } =
    result;
  const counts = [
    `${transferred} transferred (${bytes} bytes)`,
    `${unchanged} unchanged`,
    `${removed} removed`,
    ...(made > 0
      ? [`${made} ${made === 1 ? "directory" : "directories"} created`]
      : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ].join(", ");
  out.tell(
    { event: "result", dryRun: isDryRun, ...result },
    isDryRun ? `Dry run: ${counts}` : counts,
  );
}

function changes({ transferred, made, removed }: MirrorResult): boolean {
  return transferred + made + removed > 0;
}
