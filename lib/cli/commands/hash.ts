/**
 * `ftp hash`: prints the hash of a file.
 *
 * @module
 */

import { type FTP, FTPPermanentError } from "../../../mod.ts";
import { nodeModule } from "../../connection/node_module.ts";
import { quote } from "../../protocol/printable.ts";
import { checkOperands, type CommandContext } from "../context.ts";
import { expandFiles, targetsOf } from "../expand.ts";
import { processTargets } from "../pool.ts";

/** Runs the command. */
export async function hash(context: CommandContext): Promise<void> {
  checkOperands(context, 1);
  await processTargets(targetsOf(context), context, {
    find: (ftp, targets, outcome) =>
      expandFiles(ftp, targets, context, outcome),
    run: (ftp, { path }) => showHash(ftp, path, context),
  });
}

async function showHash(
  ftp: FTP,
  path: string,
  context: CommandContext,
): Promise<void> {
  const { flags, out, signal } = context;
  const found = await ftp.hash(path, { signal });
  if (found === null && !flags.has("read")) {
    throw new FTPPermanentError(
      `Cannot get a hash of ${
        quote(path)
      }: the server has no hash command; --read downloads the file and computes SHA-256`,
    );
  }
  const { name, digits } = found ?? await readHash(ftp, path, signal);
  const by = found === null ? "client" : "server";
  out.result(
    { event: "hash", path, name, hash: digits, by },
    `${digits}  ${path}`,
  );
  if (!out.isJSON) out.note(`${name}, computed by the ${by}`);
}

async function readHash(
  ftp: FTP,
  path: string,
  signal: AbortSignal,
): Promise<{ name: string; digits: string }> {
  const digest = nodeModule("node:crypto").createHash("sha256");
  for await (const chunk of await ftp.retrieve(path, { signal })) {
    digest.update(chunk);
  }
  return { name: "SHA-256", digits: digest.digest("hex") };
}
