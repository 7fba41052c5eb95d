/**
 * Processor time from the start of a process to the first reply, and to a
 * downloaded file: everything in the cache, imported by URL as one file and as
 * sources, beside `npm:basic-ftp` and `deno eval 0`.
 *
 *     deno run -A --no-lock tests/bench/startup.ts [rounds]
 */

import { serveRepository } from "../testing/repository_server.ts";
import { startServer } from "../testing/servers/mod.ts";
import { compare, processorTime } from "./compare.ts";

const ROUNDS = Number(Deno.args[0] ?? 15);

await using ftpServer = await startServer("vsftpd");
await ftpServer.write("file", new Uint8Array(1000));
await using web = serveRepository();
const folder = await Deno.makeTempDir();
const { origin } = web;
const { host, port, user, password } = ftpServer;
const login = JSON.stringify({ host, port, user, password });

function connecting(module: string): string {
  return `import { FTP } from "http://${origin}/${module}";
const { host, port } = ${login};
const ftp = new FTP();
await ftp.connect(host, port);
ftp.close();`;
}

const scripts = {
  dist: connecting("dist/ftp.js"),
  sources: connecting("mod.ts"),
  basic: `import { Client } from "npm:basic-ftp@6.2.3";
const client = new Client();
await client.connect("${host}", ${port});
client.close();`,
  dist_file: `import { connect } from "http://${origin}/dist/ftp.js";
const { host, ...options } = ${login};
await using ftp = await connect(host, options);
await ftp.download("file", "${folder}/copy");`,
  basic_file: `import { Client } from "npm:basic-ftp@6.2.3";
const client = new Client();
await client.access(${login});
await client.downloadTo("${folder}/copy", "file");
client.close();`,
};
for (const [name, text] of Object.entries(scripts)) {
  await Deno.writeTextFile(`${folder}/${name}.ts`, text);
}

function deno(...args: string[]): Promise<number> {
  const env = { DENO_DIR: `${folder}/cache` };
  return processorTime(Deno.execPath(), args, { cwd: folder, env });
}

const run = (name: keyof typeof scripts) => () =>
  deno(
    "run",
    "-A",
    "--no-lock",
    `${name}.ts`,
  );

try {
  await compare("processor time to the first reply", ROUNDS, {
    "one file, by URL": run("dist"),
    "npm:basic-ftp": run("basic"),
    "sources, by URL": run("sources"),
    "deno eval 0": () => deno("eval", "0"),
  });
  await compare("processor time to a file of 1 KB", ROUNDS, {
    "one file, by URL": run("dist_file"),
    "npm:basic-ftp": run("basic_file"),
  });
} finally {
  await Deno.remove(folder, { recursive: true });
}
