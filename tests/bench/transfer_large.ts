/**
 * `deno run -A tests/bench/transfer_large.ts [MB]`: one large file from vsftpd
 * to memory (`/dev/shm`), and back, beside curl, ftplib and basic-ftp.
 */

import { connect } from "../../mod.ts";
import { RawSession } from "../testing/raw_session.ts";
import { startServer } from "../testing/servers/mod.ts";
import { compare } from "./compare.ts";
import { basicFtp, curl, ftplib, type Job } from "./transfer_peers.ts";

const SIZE = Number(Deno.args[0] ?? 1000) * 1e6;
const ROUNDS = Number(Deno.args[1] ?? 7);
const FOLDER = Deno.makeTempDirSync({ dir: "/dev/shm", prefix: "ftp_bench_" });

try {
  await using server = await startServer("vsftpd", { root: `${FOLDER}` });
  Deno.chmodSync(FOLDER, 0o777);
  const { host, port, user, password } = server;
  await using ftp = await connect(`ftp://${host}:${port}`, { user, password });
  await using bare = await RawSession.login(server);
  await bare.command("TYPE I");
  const basic = await basicFtp(server);
  const source = `${FOLDER}/source`;
  const file = Deno.openSync(source, { write: true, create: true });
  const block = crypto.getRandomValues(new Uint8Array(65_536));
  for (let at = 0; at < SIZE; at += block.length) {
    file.writeSync(block.subarray(0, SIZE - at));
  }
  file.close();
  const target = `${FOLDER}/target`;
  const job: Job = { server, remote: "source", local: target };
  const back: Job = { server, remote: "target", local: source };
  const afresh = (work: () => Promise<number>) => async () => {
    Deno.removeSync(target);
    const elapsed = await work();
    if (Deno.statSync(target).size !== SIZE) throw new Error("It is not whole");
    return elapsed;
  };
  const timed = (work: () => Promise<unknown>) => async () => {
    const start = performance.now();
    await work();
    return performance.now() - start;
  };
  Deno.writeFileSync(target, new Uint8Array());

  await compare(`download of ${SIZE / 1e6} MB to a file in memory`, ROUNDS, {
    "download()": afresh(timed(() => ftp.download("source", target))),
    curl: afresh(() => curl(job, false)),
    "ftplib, 8 KiB": afresh(() => ftplib(job, "down", 8192)),
    "ftplib, 64 KiB": afresh(() => ftplib(job, "down", 65_536)),
    "ftplib, 256 KiB": afresh(() => ftplib(job, "down", 262_144)),
    "basic-ftp": afresh(timed(() => basic.downloadTo(target, "source"))),
    "bare loop": afresh(timed(() => bareDownload(bare, target))),
  });
  await compare(`upload of ${SIZE / 1e6} MB`, ROUNDS, {
    "upload()": afresh(timed(() => ftp.upload(source, "target"))),
    curl: afresh(() => curl(back, true)),
    "ftplib, 8 KiB": afresh(() => ftplib(back, "up", 8192)),
    "ftplib, 64 KiB": afresh(() => ftplib(back, "up", 65_536)),
    "ftplib, 256 KiB": afresh(() => ftplib(back, "up", 262_144)),
    "basic-ftp": afresh(timed(() => basic.uploadFrom(source, "target"))),
    "bare loop": afresh(timed(() => bareUpload(bare, source))),
  });
  basic.close();
} finally {
  Deno.removeSync(FOLDER, { recursive: true });
}

/** A download with Deno alone, without time-outs and checks: the limit. */
async function bareDownload(bare: RawSession, local: string): Promise<void> {
  using data = await Deno.connect(await bare.passive());
  await bare.command("RETR source");
  using file = Deno.openSync(local, { write: true, create: true });
  const buffer = new Uint8Array(1024 * 1024);
  for (let n; (n = await data.read(buffer)) !== null;) {
    file.writeSync(buffer.subarray(0, n));
  }
  await bare.reply();
}

async function bareUpload(bare: RawSession, local: string): Promise<void> {
  {
    using data = await Deno.connect(await bare.passive());
    await bare.command("STOR target");
    using file = Deno.openSync(local);
    const buffer = new Uint8Array(1024 * 1024);
    for (let n; (n = file.readSync(buffer)) !== null;) {
      for (let at = 0; at < n;) at += await data.write(buffer.subarray(at, n));
    }
  }
  await bare.reply();
}
