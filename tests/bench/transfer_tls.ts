/**
 * 1 GB over TLS, both ways, beside curl and, where it is found, lftp: vsftpd and
 * ProFTPD with their default demand that sessions are resumed. All agree on
 * AES-256-GCM.
 *
 *     deno run -A tests/bench/transfer_tls.ts [rounds] [server...]
 */

import { FTP } from "../../mod.ts";
import { certificates } from "../testing/servers/certificates.ts";
import { startServer } from "../testing/servers/mod.ts";
import { findProgram } from "../testing/servers/programs.ts";
import { compare } from "./compare.ts";

const ROUNDS = Number(Deno.args[0] ?? 5);
const SERVERS = ["vsftpd", "proftpd"] as const;
const NAMES = SERVERS.filter((name) =>
  Deno.args.length < 2 || Deno.args.includes(name, 1)
);
const SIZE = 1e9;
const HAS_LFTP = findProgram("lftp") !== undefined;
const FOLDER = Deno.makeTempDirSync({ dir: "/dev/shm", prefix: "ftp_bench_" });
const block = crypto.getRandomValues(new Uint8Array(65_536));

const { authority: { certificate: authority }, good } = await certificates();
const caCerts = [await Deno.readTextFile(authority)];

async function run(program: string, ...args: string[]): Promise<void> {
  const path = findProgram(program);
  if (path === undefined) throw new Error(`${program} is not found`);
  const { success, stderr } = await new Deno.Command(path, {
    args,
    stdout: "null",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

const source = `${FOLDER}/source`;
{
  using file = await Deno.open(source, { write: true, create: true });
  for (let at = 0; at < SIZE; at += block.length) {
    file.writeSync(block.subarray(0, Math.min(block.length, SIZE - at)));
  }
}

try {
  for (const name of NAMES) {
    const root = `${FOLDER}/${name}`;
    Deno.mkdirSync(root);
    await using server = await startServer(name, {
      root,
      tls: { mode: "explicit", ...good },
    });
    Deno.chmodSync(FOLDER, 0o755);
    Deno.chmodSync(root, 0o777);
    await Deno.link(source, `${root}/big`);
    await using ftp = new FTP({ tls: { caCerts } });
    await ftp.connect(server.host, server.port);
    await ftp.login(server.user, server.password);
    const url = `ftp://${server.host}:${server.port}`;
    const login = `${server.user}:${server.password}`;
    const curl = (...args: string[]) =>
      run(
        "curl",
        "-sS",
        "--ssl-reqd",
        "--cacert",
        authority,
        "-u",
        login,
        ...args,
      );
    const lftp = (command: string) =>
      run(
        "lftp",
        "-c",
        `set ssl:ca-file ${authority}; set ftp:ssl-force true; set ftp:ssl-protect-data true; open -u "${server.user}","${server.password}" ${url}; ${command}`,
      );
    const retrieve = async (reuse: boolean) => {
      let received = 0;
      await ftp.retrbinary("RETR big", (bytes) => {
        received += bytes.length;
      }, { blocksize: 65_536, reuse });
      if (received !== SIZE) throw new Error(`${received} bytes`);
    };
    await compare(`${name}: download of 1 GB over TLS, discarded`, ROUNDS, {
      "retrbinary, reuse: true": () => retrieve(true),
      "retrbinary": () => retrieve(false),
      "curl": () => curl("-o", "/dev/null", `${url}/big`),
      ...(HAS_LFTP ? { "lftp": () => lftp("cat big") } : {}),
    });
    await compare(`${name}: upload of 1 GB over TLS`, ROUNDS, {
      "storbinary": async () => {
        using file = await Deno.open(source);
        await ftp.storbinary("STOR up", file, { blocksize: 262_144 });
      },
      "curl": () => curl("-T", source, `${url}/up`),
      ...(HAS_LFTP ? { "lftp": () => lftp(`put ${source} -o up`) } : {}),
    });
    await Deno.remove(root, { recursive: true });
    Deno.mkdirSync(root);
  }
} finally {
  await Deno.remove(FOLDER, { recursive: true });
}
