/**
 * Requests, bytes and time of a cold import by URL: an empty `DENO_DIR`, from a
 * local HTTP server that delays each response, for the module and the command
 * line as sources and as one file.
 *
 *     deno run -A --no-lock tests/bench/cold_import.ts [rounds] [delay in ms]
 */

import { serveRepository } from "../testing/repository_server.ts";
import { compare } from "./compare.ts";

const ROUNDS = Number(Deno.args[0] ?? 7);
const DELAY = Number(Deno.args[1] ?? 40);
const PATHS = ["dist/ftp.js", "mod.ts", "dist/cli.js", "cli.ts"];

await using server = serveRepository({ delay: DELAY });
const folder = await Deno.makeTempDir();
const requests: Record<string, number> = {};

/** Imports a module with an empty cache. */
async function importCold(path: string): Promise<void> {
  const before = server.asked.length;
  const cache = await Deno.makeTempDir({ dir: folder });
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["eval", "--no-lock", "--no-config", "--quiet"],
      `import "http://${server.origin}/${path}";`,
    ],
    cwd: folder,
    env: { DENO_DIR: cache },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  requests[path] = server.asked.length - before;
  await Deno.remove(cache, { recursive: true });
}

try {
  await compare(
    `cold import, ${DELAY} ms for each response`,
    ROUNDS,
    Object.fromEntries(PATHS.map((path) => [path, () => importCold(path)])),
  );
  console.log(requests);
} finally {
  await Deno.remove(folder, { recursive: true });
}
