/**
 * Keeps a folder here and one on a server the same: what is missing, or has
 * another size, or is newer at its origin, is transferred.
 *
 *     deno run --allow-net --allow-read --allow-write \
 *       examples/mirror.ts down ftp://host/pub/data ./data
 *     deno run --allow-net --allow-read \
 *       examples/mirror.ts up ftpes://user:password@host/www ./site --delete
 *
 * `--delete` removes what the origin lacks, `--dry-run` only tells.
 *
 * @module
 */

import {
  connect,
  FTPMirrorError,
  type MirrorOptions,
  printable,
  progressBar,
} from "../mod.ts";

const flags = Deno.args.filter((arg) => arg.startsWith("--"));
const [way, url, folder] = Deno.args.filter((arg) => !arg.startsWith("--"));
if (!/^(down|up)$/.test(way ?? "") || url === undefined || !folder) {
  console.error(
    "Usage: mirror.ts down|up ftp://user:password@host/folder FOLDER [--delete] [--dry-run]",
  );
  Deno.exit(2);
}

const options: MirrorOptions = {
  delete: flags.includes("--delete"),
  dryRun: flags.includes("--dry-run"),
  onEntry({ action, entry, error }) {
    // names are the server's: they must not drive the terminal
    const path = printable(entry.path);
    if (action === "fail") {
      console.error(`fail: ${path}: ${printable(String(error))}`);
    } else if (action !== "unchanged") console.log(`${action}: ${path}`);
  },
  onProgress: ({ path, file }) => progressBar({ label: path })(file),
};

await using ftp = await connect(url);
try {
  const { transferred, unchanged, removed } = way === "down"
    ? await ftp.downloadDir("", folder, options)
    : await ftp.uploadDir(folder, "", options);
  console.log(
    `${transferred} transferred, ${unchanged} unchanged, ${removed} removed`,
  );
} catch (error) {
  if (!(error instanceof FTPMirrorError)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
