/**
 * FTP and FTPS on the command line: `get`, `put`, `ls`, `cat`, `sync`, `rm`,
 * `mkdir`, `mv`, `hash` and `doctor`.
 *
 *     deno run --allow-net --allow-read --allow-write cli.ts get ftp://host/pub/file
 *     deno run --allow-net cli.ts --help
 *
 * @module
 */

import { main } from "./lib/cli/main.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
