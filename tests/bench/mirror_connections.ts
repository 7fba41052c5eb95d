/**
 * `deno run -A tests/bench/mirror_connections.ts [files] [rounds] [ms]`: files of
 * 1 KB in one directory and in a tree of small ones, down and up, over four
 * connections and over one, with so many milliseconds of round trip. Local files
 * are in memory (`/dev/shm`).
 */

import { connect, type FTP } from "../../mod.ts";
import { Proxy } from "../testing/proxy.ts";
import { startServer } from "../testing/servers/mod.ts";
import { compare } from "./compare.ts";

const COUNT = Number(Deno.args[0] ?? 2000);
const ROUNDS = Number(Deno.args[1] ?? 7);
const DELAY = Number(Deno.args[2] ?? 0);
const CONNECTIONS = [4, 1];
const FILES_IN_EACH = 10;
const FOLDER = Deno.makeTempDirSync({ dir: "/dev/shm", prefix: "ftp_bench_" });

try {
  await using server = await startServer("vsftpd", { passivePorts: 2000 });
  for (let i = 0; i < COUNT; i++) {
    const bytes = new Uint8Array(1000).fill(i);
    await server.write(`many/${i}`, bytes);
    await server.write(`tree/${Math.floor(i / FILES_IN_EACH)}/${i}`, bytes);
  }
  await using proxy = await Proxy.start(server, { delay: DELAY });
  const { user, password } = server;
  const { host, port } = DELAY === 0 ? server : proxy;
  await using ftp = await connect(`ftp://${host}:${port}`, { user, password });
  for (const name of ["many", "tree"]) {
    const title = `${COUNT} files of 1 KB, "${name}", ${DELAY} ms`;
    await compare(`${title}, down`, ROUNDS, contenders(ftp, name, "down"));
    await compare(`${title}, up`, ROUNDS, contenders(ftp, name, "up"));
  }
} finally {
  Deno.removeSync(FOLDER, { recursive: true });
}

function contenders(
  ftp: FTP,
  name: string,
  way: "down" | "up",
): Record<string, () => Promise<void>> {
  const entries = CONNECTIONS.map((connections) => {
    const options = { connections, compare: "always" } as const;
    const run = way === "down"
      ? () => ftp.downloadDir(name, `${FOLDER}/${name}`, options)
      : () => ftp.uploadDir(`${FOLDER}/${name}`, name, options);
    return [`${connections} connections`, async () => {
      const { transferred } = await run();
      if (transferred !== COUNT) throw new Error(`${transferred} files`);
    }] as const;
  });
  return Object.fromEntries(entries);
}
