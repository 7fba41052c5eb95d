/**
 * `deno run -A tests/bench/round_trips.ts [files] [rounds] [server...] [row...]`:
 * files of 1 KB down and up, over one connection and over four, as whole programs,
 * beside lftp and curl. A row is "down1", "down4", "up1" or "up4"; default: all.
 *
 * It runs in the client's network namespace of a slow network. The server's
 * namespace is named in `WAN_SERVER_NS`, its address there in `WAN_SERVER`, and
 * the round trip in milliseconds in `WAN_RTT`. A proxy that delays does not do:
 * it hides what dialling costs.
 *
 * `... trace down|up [files] [server] [connections]` prints when each command went out and when
 * each reply came, in round trips.
 */

import type { ServerName } from "../testing/servers/mod.ts";
import { type RealServer, startServer } from "../testing/servers/mod.ts";
import { compare } from "./compare.ts";
import type { Work } from "./mirror_program.ts";

type Way = Work["way"];

const RTT = Number(Deno.env.get("WAN_RTT") ?? 40);
const [mode] = Deno.args;
/** Number of upload targets so far. */
let count = 0;

if (mode === "trace") {
  const [, way = "down", files = "5", name = "vsftpd", connections = "1"] =
    Deno.args;
  await withServer(name as ServerName, Number(files), async (server) => {
    const work = makeWork(server, way as Way, Number(connections));
    await run(Deno.execPath(), oursArgs(work, "trace"));
  });
} else {
  const [files = "100", rounds = "5", ...rest] = Deno.args;
  const isRow = (word: string) => /^(down|up)\d$/.test(word);
  const names = rest.filter((word) => !isRow(word));
  const rows = rest.filter(isRow);
  for (const name of names.length > 0 ? names : ["vsftpd", "proftpd"]) {
    await measure(name as ServerName, Number(files), Number(rounds), rows);
  }
}

async function measure(
  name: ServerName,
  files: number,
  rounds: number,
  rows: readonly string[],
): Promise<void> {
  await withServer(name, files, async (server) => {
    for (const way of ["down", "up"] as const) {
      for (const connections of [1, 4]) {
        const isAsked = rows.length === 0 ||
          rows.includes(`${way}${connections}`);
        if (!isAsked) continue;
        const title =
          `${name}, ${way}, ${connections} connection(s), ${files} files`;
        const timed = (run: (work: Work) => Promise<void>) => async () => {
          const work = makeWork(server, way, connections);
          const start = performance.now();
          await run(work);
          const elapsed = performance.now() - start;
          check(server, work, files);
          return elapsed;
        };
        const contenders: Record<string, () => Promise<number>> = {
          ours: timed((work) => run(Deno.execPath(), oursArgs(work))),
          lftp: timed(lftp),
          ...(way === "down" && { curl: timed((work) => curl(work, files)) }),
        };
        const medians = await compare(title, rounds, contenders);
        for (const [name, time] of Object.entries(medians)) {
          console.log(
            `  ${name.padEnd(26)} ${
              (time / RTT / files).toFixed(2)
            } round trips a file, ours takes ${
              (medians.ours! / time).toFixed(2)
            } of its time`,
          );
        }
      }
    }
  });
}

/** Starts a server with files beyond the slow network. */
async function withServer(
  name: ServerName,
  files: number,
  run: (server: RealServer) => Promise<void>,
): Promise<void> {
  const namespace = Deno.env.get("WAN_SERVER_NS");
  const host = Deno.env.get("WAN_SERVER");
  if (namespace === undefined || host === undefined) {
    throw new Error("WAN_SERVER_NS and WAN_SERVER must name a network");
  }
  await using server = await startServer(name, {
    network: { namespace, host },
  });
  for (let i = 0; i < files; i++) {
    await server.write(`many/${i}.dat`, new Uint8Array(1000).fill(i));
  }
  await server.mkdir("up");
  await run(server);
}

/** Makes empty targets, so that each program does all of the work. */
function makeWork(server: RealServer, way: Way, connections: number): Work {
  const { host, port, user, password, root } = server;
  const local = way === "up"
    ? `${root}/many`
    : Deno.makeTempDirSync({ dir: "/dev/shm", prefix: "ftp_bench_" });
  const remote = way === "up" ? `up/${++count}` : "many";
  return {
    server: { host, port, user, password },
    way,
    connections,
    local,
    remote,
  };
}

function check(server: RealServer, work: Work, files: number): void {
  const target = work.way === "up"
    ? `${server.root}/${work.remote}`
    : work.local;
  const sizes = [...Deno.readDirSync(target)].map(({ name }) =>
    Deno.statSync(`${target}/${name}`).size
  );
  if (sizes.length !== files || sizes.some((size) => size !== 1000)) {
    throw new Error(`${sizes.length} files in ${target}`);
  }
  Deno.removeSync(target, { recursive: true });
}

function oursArgs(work: Work, ...more: string[]): string[] {
  const program = new URL("./mirror_program.ts", import.meta.url).pathname;
  return ["run", "-A", "-q", program, JSON.stringify(work), ...more];
}

async function lftp(work: Work): Promise<void> {
  const { server: { host, port, user, password }, connections } = work;
  const { local, remote } = work;
  const [from, to] = work.way === "down" ? [remote, local] : [local, remote];
  await run("lftp", [
    "--norc",
    "-c",
    [
      "set ftp:sync-mode off",
      "set ftp:ssl-allow off",
      `open -u '${user},${password}' -p ${port} ${host}`,
      `mirror ${
        work.way === "up" ? "-R " : ""
      }--parallel=${connections} ${from} ${to}`,
    ].join("; "),
  ]);
}

async function curl(work: Work, files: number): Promise<void> {
  const { server: { host, port, user, password }, connections } = work;
  await run("curl", [
    "-sZ",
    "--parallel-max",
    `${connections}`,
    "-u",
    `${user}:${password}`,
    `ftp://${host}:${port}/${work.remote}/[0-${files - 1}].dat`,
    "-o",
    `${work.local}/#1.dat`,
  ], "null");
}

async function run(
  program: string,
  args: string[],
  output: "null" | "inherit" = "inherit",
): Promise<void> {
  const { success } = await new Deno.Command(program, {
    args,
    stdout: "null",
    stderr: output,
  }).output();
  if (!success) throw new Error(`${program} failed`);
}
