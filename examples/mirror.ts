/**
 * Brings a folder of a server up to date here: what is missing, or has another
 * size, or is newer there, is downloaded. Nothing is deleted. Names that would
 * lead out of the folder are reported and passed over.
 *
 *     deno run --allow-net --allow-read --allow-write \
 *       examples/mirror.ts ftp://host/pub/data ./data
 *
 * @module
 */

import { dirname, join } from "node:path";
import { connect, type Entry, progressBar, type WalkEntry } from "../mod.ts";

const [url, folder] = Deno.args;
if (url === undefined || folder === undefined) {
  console.error("Usage: mirror.ts ftp://user:password@host/folder FOLDER");
  Deno.exit(2);
}

await using ftp = await connect(url);

// the connection carries one transfer at a time: look first, then fetch
const files: WalkEntry[] = [];
for await (const entry of ftp.walk("", { includeDirs: false })) {
  if (entry.hostile) console.error(`Passed over: "${entry.line}"`);
  else if (entry.isFile) files.push(entry);
}

let fetched = 0;
for (const entry of files) {
  const local = join(folder, entry.path);
  if (await isUpToDate(local, entry)) continue;
  await Deno.mkdir(dirname(local), { recursive: true });
  const onProgress = progressBar({ label: entry.path });
  await ftp.download(entry.rawPath, local, { onProgress, resume: true });
  fetched++;
}
console.log(`${fetched} of ${files.length} files fetched`);

async function isUpToDate(local: string, entry: Entry): Promise<boolean> {
  try {
    const { isFile, size, mtime } = await Deno.stat(local);
    const isOlder = mtime !== null && entry.mtime !== undefined &&
      mtime < entry.mtime;
    return isFile && size === entry.size && !isOlder;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
