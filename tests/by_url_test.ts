/**
 * Imports the module like a user: by URL, from another folder, with an empty
 * cache, without configuration, and with `--allow-net` only.
 */

import { X509Certificate } from "node:crypto";
import { assertEquals } from "@std/assert";
import { withTLS } from "./real/tls_client.ts";
import { serveRepository } from "./testing/repository_server.ts";
import { certificates } from "./testing/servers/certificates.ts";
import { type RealServer, serverTest } from "./testing/servers/mod.ts";

/** Runs a program that imports a module by URL, with nothing cached and `--allow-net` alone. */
async function runByURL(
  module: string,
  program: string,
): Promise<{ printed: string; asked: string[]; hosts: string[] }> {
  await using server = serveRepository();
  const { origin, asked } = server;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${folder}/script.ts`,
      `import { FTP } from "http://${origin}/${module}";\n${program}`,
    );
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--no-config",
        "--no-npm",
        "--allow-net",
        `--allow-import=${origin}`,
        "script.ts",
      ],
      cwd: folder,
      clearEnv: true,
      env: { DENO_DIR: `${folder}/cache`, NO_COLOR: "1" },
    }).output();
    const errors = new TextDecoder().decode(stderr);
    assertEquals(code, 0, errors);
    const hosts = [...errors.matchAll(/Download (\w+:\/\/[^/]+)/g)];
    return {
      printed: new TextDecoder().decode(stdout),
      asked,
      // everything that was fetched came from here
      hosts: [...new Set(hosts.map(([, host]) => host!.replace(origin, "")))],
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const CONTENT = new Uint8Array(1_000_000).map((_, i) => i % 251);

/** Downloads a file on a connection and on its clone, and prints a hash of each. */
function program(server: RealServer, options: string): string {
  return `
    await using ftp = new FTP(${options});
    await ftp.connect("${server.host}", ${server.port});
    await ftp.login("${server.user}", "${server.password}");
    await using clone = await ftp.clone();
    for (const each of [ftp, clone]) {
      const blocks = [];
      await each.retrbinary("RETR data.bin", (block) => blocks.push(block));
      const digest = await crypto.subtle.digest("SHA-256", await new Blob(blocks).arrayBuffer());
      console.log(new Uint8Array(digest).toHex());
    }
  `;
}

async function twoDigests(): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", CONTENT);
  return `${new Uint8Array(digest).toHex()}\n`.repeat(2);
}

serverTest("mod.ts runs by URL with --allow-net alone", async (server) => {
  await server.write("data.bin", CONTENT);
  const run = await runByURL("mod.ts", program(server, ""));
  assertEquals(run.printed, await twoDigests());
  assertEquals(run.asked.filter((path) => path.startsWith("/tests")), []);
  assertEquals(run.asked.includes("/parser/parser.wasm"), true);
  assertEquals(run.hosts, ["http://"]);
}, { servers: ["vsftpd"] });

serverTest("dist/ftp.js is the whole module in one request", async (server) => {
  await server.write("data.bin", CONTENT);
  const run = await runByURL("dist/ftp.js", program(server, ""));
  assertEquals(run.printed, await twoDigests());
  assertEquals(run.asked, ["/dist/ftp.js"]);
  assertEquals(run.hosts, ["http://"]);
}, { servers: ["pyftpdlib"] });

serverTest(
  "dist/ftp.js speaks TLS on a connection and on its clone",
  async (server) => {
    await server.write("data.bin", CONTENT);
    const { certificate } = (await certificates()).good;
    const { fingerprint256 } = new X509Certificate(
      await Deno.readTextFile(certificate),
    );
    const run = await runByURL(
      "dist/ftp.js",
      program(server, `{ tls: { fingerprint: "${fingerprint256}" } }`),
    );
    assertEquals(run.printed, await twoDigests());
    assertEquals(run.asked, ["/dist/ftp.js"]);
  },
  // they want the session resumed
  { prepare: withTLS(), servers: ["vsftpd", "proftpd"] },
);
