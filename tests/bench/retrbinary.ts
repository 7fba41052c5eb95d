/**
 * `retrbinary` and `storbinary` of 1 GB, bytes discarded, beside a bare read
 * loop, curl and Python's ftplib: alternated, medians, ratios.
 *
 *     deno run -A tests/bench/retrbinary.ts [rounds]
 */

import { FTP } from "../../mod.ts";
import { startServer } from "../testing/servers/mod.ts";
import { compare, runPython } from "./compare.ts";

const ROUNDS = Number(Deno.args[0] ?? 7);
const SIZE = 1024 ** 3;

await using server = await startServer("vsftpd");
await server.write("big", "");
// real pages: a sparse file would be read from one page in the cache
const random = crypto.getRandomValues(new Uint8Array(65536));
{
  using file = await Deno.open(`${server.root}/big`, { write: true });
  for (let at = 0; at < SIZE; at += random.length) await file.write(random);
}
const url = `ftp://${server.host}:${server.port}`;
const login = `${server.user}:${server.password}`;

async function session(): Promise<FTP> {
  const ftp = new FTP();
  await ftp.connect(server.host, server.port);
  await ftp.login(server.user, server.password);
  await ftp.voidcmd("TYPE I");
  return ftp;
}

await using ftp = await session();

async function retrbinary(blocksize: number, reuse: boolean): Promise<void> {
  let received = 0;
  await ftp.retrbinary("RETR big", (block) => {
    received += block.length;
  }, { blocksize, reuse });
  if (received !== SIZE) throw new Error(`received ${received}`);
}

async function bareLoop(blocksize: number): Promise<void> {
  const [hostname, port] = await ftp.makepasv();
  const conn = await Deno.connect({ hostname, port });
  await ftp.sendcmd("RETR big");
  const buffer = new Uint8Array(blocksize);
  let received = 0;
  for (let n; (n = await conn.read(buffer)) !== null;) received += n;
  conn.close();
  await ftp.voidresp();
  if (received !== SIZE) throw new Error(`received ${received}`);
}

async function* zeros(blocksize: number): AsyncGenerator<Uint8Array> {
  const block = new Uint8Array(blocksize);
  for (let at = 0; at < SIZE; at += blocksize) yield block;
}

async function curl(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("curl", {
    args: ["-sS", "-u", login, ...args],
    stdout: "null",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

function ftplib(work: string): () => Promise<void> {
  return () =>
    runPython(
      `
import ftplib, sys
class Zeros:
    left = ${SIZE}
    def read(self, n):
        n = min(n, self.left); self.left -= n
        return bytes(n)
f = ftplib.FTP(); f.connect("${server.host}", ${server.port}); f.login(sys.argv[1], sys.argv[2])
${work}
f.quit()
`,
      [server.user, server.password],
    );
}

for (const blocksize of [8192, 1024 ** 2]) {
  await compare(`download 1 GB, discarded, blocks of ${blocksize}`, ROUNDS, {
    "retrbinary": () => retrbinary(blocksize, false),
    "retrbinary { reuse: true }": () => retrbinary(blocksize, true),
    "bare Deno.connect loop": () => bareLoop(blocksize),
    "ftplib": ftplib(
      `f.retrbinary("RETR big", lambda block: None, ${blocksize})`,
    ),
    "curl": () => curl("-o", "/dev/null", `${url}/big`),
  });
}
for (const blocksize of [8192, 1024 ** 2]) {
  await compare(`upload 1 GB of zeros, blocks of ${blocksize}`, ROUNDS, {
    "storbinary": async () => {
      await ftp.storbinary("STOR up", zeros(blocksize), { blocksize });
    },
    "ftplib": ftplib(`f.storbinary("STOR up", Zeros(), ${blocksize})`),
  });
}
