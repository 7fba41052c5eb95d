/**
 * `ftp cat`: prints files.
 *
 * @module
 */

import type { FTP } from "../../../mod.ts";
import { printableText } from "../../protocol/printable.ts";
import { checkOperands, type CommandContext } from "../context.ts";
import { UsageError } from "../exit_code.ts";
import { expandFiles, targetsOf } from "../expand.ts";
import { processTargets } from "../pool.ts";

/** Runs the command. */
export async function cat(context: CommandContext): Promise<void> {
  checkOperands(context, 1);
  const { flags } = context;
  if (flags.has("json")) {
    throw new UsageError("Cannot use --json with cat: it prints the files");
  }
  await processTargets(targetsOf(context), context, {
    find: (ftp, targets, outcome) =>
      expandFiles(ftp, targets, context, outcome),
    run: (ftp, { path }) => printFile(ftp, path, context),
  });
}

async function printFile(
  ftp: FTP,
  path: string,
  { out, signal }: CommandContext,
): Promise<void> {
  const stream = await ftp.retrieve(path, { signal });
  const isTerminal = Deno.stdout.isTerminal();
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  const clean = (bytes: Uint8Array, isMore: boolean) =>
    encoder.encode(
      decoder.decode(bytes, { stream: isMore }).split("\n").map(
        printableText,
      ).join("\n"),
    );
  for await (const chunk of stream) {
    // control characters of a file would control the terminal
    await write(isTerminal ? clean(chunk, true) : chunk);
  }
  if (isTerminal) await write(clean(new Uint8Array(), false));

  async function write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) {
        at += await Deno.stdout.write(bytes.subarray(at));
      }
    } catch (error) {
      throw out.closedBy(error);
    }
  }
}
