/**
 * Processor time of 1 GB from and to vsftpd, of a whole program beside curl:
 * plain and under TLS, both ways.
 *
 *     deno run -A --no-lock tests/bench/processor_time.ts [rounds] [plain|tls]
 */

import { certificates } from "../testing/servers/certificates.ts";
import { startServer } from "../testing/servers/mod.ts";
import { compare, processorTime } from "./compare.ts";

const ROUNDS = Number(Deno.args[0] ?? 5);
const KIND = Deno.args[1];
const SIZE = 1e9;
const FOLDER = Deno.makeTempDirSync({ dir: "/dev/shm", prefix: "ftp_bench_" });
const MODULE = new URL("../../mod.ts", import.meta.url);

const program = `${FOLDER}/program.ts`;
await Deno.writeTextFile(
  program,
  `import { FTP } from ${JSON.stringify(MODULE.href)};
const [way, host, port, user, password, authority, local, remote] = Deno.args;
const tls = authority === ""
  ? undefined
  : { caCerts: [Deno.readTextFileSync(authority)] };
await using ftp = new FTP({ tls });
await ftp.connect(host, Number(port));
await ftp.login(user, password);
if (way === "down") await ftp.download(remote, local);
else await ftp.upload(local, remote);
`,
);
const source = `${FOLDER}/source`;
{
  using file = await Deno.open(source, { write: true, create: true });
  const block = crypto.getRandomValues(new Uint8Array(65_536));
  for (let at = 0; at < SIZE; at += block.length) {
    file.writeSync(block.subarray(0, Math.min(block.length, SIZE - at)));
  }
}

const { authority: { certificate: authority }, good } = await certificates();
try {
  for (const tls of [undefined, { mode: "explicit" as const, ...good }]) {
    if (KIND === (tls === undefined ? "tls" : "plain")) continue;
    const root = `${FOLDER}/${tls === undefined ? "plain" : "tls"}`;
    Deno.mkdirSync(root);
    await using server = await startServer("vsftpd", {
      root,
      ...tls === undefined ? {} : { tls },
    });
    Deno.chmodSync(FOLDER, 0o755);
    Deno.chmodSync(root, 0o777);
    await Deno.link(source, `${root}/big`);
    const { host, port, user, password } = server;
    const target = `${FOLDER}/target`;
    const own = (way: "down" | "up") => () => {
      const login = [host, String(port), user, password];
      const files = way === "down" ? [target, "big"] : [source, "new"];
      const authorities = tls === undefined ? "" : authority;
      return processorTime(Deno.execPath(), [
        "run",
        "-A",
        "--no-lock",
        "--no-check",
        program,
        way,
        ...login,
        authorities,
        ...files,
      ]);
    };
    const curl = (way: "down" | "up") => () =>
      processorTime("curl", [
        "-sS",
        ...tls === undefined ? [] : ["--ssl-reqd", "--cacert", authority],
        "-u",
        `${user}:${password}`,
        ...way === "down" ? ["-o", target] : ["-T", source],
        `ftp://${host}:${port}/${way === "down" ? "big" : "new"}`,
      ]);
    for (const way of ["down", "up"] as const) {
      const title = `processor time of 1 GB ${way}, ${tls ? "TLS" : "plain"}`;
      await compare(title, ROUNDS, { ours: own(way), curl: curl(way) });
    }
  }
} finally {
  await Deno.remove(FOLDER, { recursive: true });
}
