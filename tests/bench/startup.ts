/**
 * From the start of a process to the first reply, by URL and cached, beside
 * `deno eval 0`.
 *
 *     deno run -A tests/bench/startup.ts [rounds]
 */

import { startServer } from "../testing/servers/mod.ts";
import { compare } from "./compare.ts";

const ROUNDS = Number(Deno.args[0] ?? 15);
const ROOT = new URL("../..", import.meta.url);

await using ftpServer = await startServer("vsftpd");
const web = Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen: () => {} },
  async (request) => {
    const { pathname } = new URL(request.url);
    return new Response(await Deno.readFile(new URL(`.${pathname}`, ROOT)), {
      headers: {
        "content-type": pathname.endsWith(".ts")
          ? "application/typescript"
          : "application/octet-stream",
      },
    });
  },
);
const folder = await Deno.makeTempDir();
const origin = `127.0.0.1:${web.addr.port}`;
await Deno.writeTextFile(
  `${folder}/script.ts`,
  `import { FTP } from "http://${origin}/mod.ts";
const ftp = new FTP();
await ftp.connect("${ftpServer.host}", ${ftpServer.port});
ftp.close();`,
);

async function deno(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: folder,
    env: { DENO_DIR: `${folder}/cache` },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

try {
  await compare("process start to the first reply", ROUNDS, {
    "by URL, cached": () =>
      deno("run", "--allow-net", `--allow-import=${origin}`, "script.ts"),
    "deno eval 0": () => deno("eval", "0"),
  });
} finally {
  await web.shutdown();
  await Deno.remove(folder, { recursive: true });
}
