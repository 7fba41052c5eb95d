/**
 * FTP and FTPS on the command line: `get`, `put`, `ls`, `cat`, `sync`, `rm`,
 * `mkdir`, `mv`, `hash` and `doctor`.
 *
 * This installs it as `ftp`, from one file that contains the whole program:
 *
 *     deno install -g -n ftp --allow-net --allow-read --allow-write \
 *       --allow-env=FTP_PASSWORD --allow-sys=homedir \
 *       https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/cli.js
 *
 * | task                   | command |
 * | ---------------------- | ------- |
 * | transfer files         | `ftp get ftp://host/pub/file`, `ftp put file ftp://host/in/` |
 * | transfer a directory   | `ftp sync ftp://host/pub data`, `ftp sync --preview build ftp://host/htdocs` |
 * | look                   | `ftp ls -l ftp://host/pub/`, `ftp cat ftp://host/pub/file`, `ftp hash ftp://host/pub/file` |
 * | change                 | `ftp mkdir`, `ftp mv`, `ftp rm` |
 * | find out what is wrong | `ftp doctor ftp://host/` |
 *
 * `ftp COMMAND --help` shows options and examples.
 *
 * @module
 */

import { main } from "./lib/cli/main.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
