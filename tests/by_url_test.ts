/**
 * What a user of the module does: import it by URL, from another folder, with
 * nothing in the cache, no configuration, and only the permission to dial.
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { serverTest } from "./testing/servers/mod.ts";

const ROOT = new URL("..", import.meta.url);

/** Serves the repository's files over HTTP, and notes what is asked for. */
function serveRepository(): {
  server: Deno.HttpServer<Deno.NetAddr>;
  asked: string[];
} {
  const asked: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      try {
        const bytes = await Deno.readFile(new URL(`.${pathname}`, ROOT));
        const type = pathname.endsWith(".ts")
          ? "application/typescript"
          : "application/octet-stream";
        return new Response(bytes, { headers: { "content-type": type } });
      } catch {
        return new Response(null, { status: 404 });
      }
    },
  );
  return { server, asked };
}

serverTest("mod.ts runs by URL with --allow-net alone", async (ftpServer) => {
  const content = new Uint8Array(1_000_000).map((_, i) => i % 251);
  await ftpServer.write("data.bin", content);
  const { server, asked } = serveRepository();
  const folder = await Deno.makeTempDir();
  try {
    const origin = `127.0.0.1:${server.addr.port}`;
    const script = `
      import { FTP } from "http://${origin}/mod.ts";
      const ftp = new FTP();
      await ftp.connect("${ftpServer.host}", ${ftpServer.port});
      await ftp.login("${ftpServer.user}", "${ftpServer.password}");
      const blocks = [];
      await ftp.retrbinary("RETR data.bin", (block) => blocks.push(block));
      await ftp.quit();
      const digest = await crypto.subtle.digest("SHA-256", await new Blob(blocks).arrayBuffer());
      console.log(new Uint8Array(digest).toHex());
    `;
    await Deno.writeTextFile(`${folder}/script.ts`, script);
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
    const digest = await crypto.subtle.digest("SHA-256", content);
    assertStringIncludes(
      new TextDecoder().decode(stdout),
      new Uint8Array(digest).toHex(),
    );
    assertEquals(asked.filter((path) => path.startsWith("/tests")), []);
    assertEquals(asked.includes("/parser/parser.wasm"), true);
    // everything that was fetched came from here
    const hosts = [...errors.matchAll(/Download (\w+:\/\/[^/]+)/g)].map((
      [, host],
    ) => host);
    assertEquals([...new Set(hosts)], [`http://${origin}`]);
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
});
