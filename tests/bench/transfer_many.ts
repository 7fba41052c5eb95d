/**
 * `deno run -A tests/bench/transfer_many.ts [files] [rounds]`: many files of 1
 * KB on one connection, into memory (`/dev/shm`), beside ftplib, basic-ftp and a
 * loop of `Deno.connect` that proves nothing.
 */

import { connect } from "../../mod.ts";
import { startServer } from "../testing/servers/mod.ts";
import { compare } from "./compare.ts";
import { bareLoop, basicFtp, ftplib } from "./transfer_peers.ts";

const COUNT = Number(Deno.args[0] ?? 2000);
const ROUNDS = Number(Deno.args[1] ?? 7);
/**
 * Most connections to ProFTPD: it lets the system choose its ports, and each is
 * taken for a minute after its use. vsftpd chooses for itself, and comes last.
 */
const MOST_PORTS = 20_000;
const CONTENDERS = 6;
const FEWER = Math.floor(MOST_PORTS / CONTENDERS / (ROUNDS + 1));
const FOLDER = Deno.makeTempDirSync({ dir: "/dev/shm", prefix: "ftp_bench_" });

try {
  for (const name of ["proftpd", "vsftpd"] as const) {
    const count = name === "proftpd" ? Math.min(COUNT, FEWER) : COUNT;
    await using server = await startServer(name);
    for (let i = 0; i < count; i++) {
      await server.write(`many/${i}`, new Uint8Array(1000).fill(i));
    }
    const { host, port, user, password } = server;
    await using ftp = await connect(`ftp://${host}:${port}`, {
      user,
      password,
    });
    const basic = await basicFtp(server);
    const bare = await bareLoop(server);
    const each = async (
      fetch: (path: string, to: string) => Promise<unknown>,
    ) => {
      for (let i = 0; i < count; i++) {
        await fetch(`many/${i}`, `${FOLDER}/${i}`);
      }
    };
    await compare(`${count} files of 1 KB from ${name}`, ROUNDS, {
      "download()": () => each((path, to) => ftp.download(path, to)),
      "download(), bare": () =>
        each((path, to) =>
          ftp.download(path, to, {
            atomic: false,
            verify: "none",
            mtime: false,
          })
        ),
      "retrbinary()": () =>
        each(async (path, to) => {
          using file = await Deno.create(to);
          await ftp.retrbinary(`RETR ${path}`, (block) => file.write(block));
        }),
      ftplib: () =>
        ftplib({ server, remote: "many", local: FOLDER }, "many", count),
      "bare Deno.connect loop": () => each(bare.download),
      "basic-ftp": () => each((path, to) => basic.downloadTo(to, path)),
    });
    basic.close();
    bare.close();
  }
} finally {
  Deno.removeSync(FOLDER, { recursive: true });
}
