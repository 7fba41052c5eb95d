/**
 * `deno run -A tests/bench/round_trips.ts [files] [rounds] [server...]`: files of
 * 1 KB down and up, over one connection and over four, as whole programs, beside
 * lftp and curl.
 *
 * It runs in the client's network namespace of a slow network. The server's
 * namespace is named in `WAN_SERVER_NS`, its address there in `WAN_SERVER`, and
 * the round trip in milliseconds in `WAN_RTT`. A proxy that delays does not do:
 * it hides what dialling costs.
 *
 * `... trace down|up [files] [server] [connections]` prints when each command went out and when
 * each reply came, in round trips.
 */

import type { TraceEvent } from "../../mod.ts";
// as the README recommends: `deno task build:dist` first
import { connect } from "../../dist/ftp.js";
import type { ServerName } from "../testing/servers/mod.ts";
import { type RealServer, startServer } from "../testing/servers/mod.ts";
import { compare } from "./compare.ts";

type Way = "down" | "up";

/** One program's work. */
interface Work {
  readonly server: Pick<RealServer, "host" | "port" | "user" | "password">;
  readonly way: Way;
  readonly connections: number;
  /** Folder here: the target of a download, the source of an upload. */
  readonly local: string;
  /** Folder on the server. */
  readonly remote: string;
}

const RTT = Number(Deno.env.get("WAN_RTT") ?? 40);
const [mode] = Deno.args;
/** Number of upload targets so far. */
let count = 0;

if (mode === "ours") {
  await ours(JSON.parse(Deno.args[1]!), Deno.args[2] === "trace");
} else if (mode === "trace") {
  const [, way = "down", files = "5", name = "vsftpd", connections = "1"] =
    Deno.args;
  await withServer(name as ServerName, Number(files), async (server) => {
    const work = makeWork(server, way as Way, Number(connections));
    await run(Deno.execPath(), oursArgs(work, "trace"));
  });
} else {
  const [files = "100", rounds = "5", ...names] = Deno.args;
  const servers = names.length > 0 ? names : ["vsftpd", "proftpd"];
  for (const name of servers) {
    await measure(name as ServerName, Number(files), Number(rounds));
  }
}

async function measure(
  name: ServerName,
  files: number,
  rounds: number,
): Promise<void> {
  await withServer(name, files, async (server) => {
    for (const way of ["down", "up"] as const) {
      for (const connections of [1, 4]) {
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
  const script = new URL(import.meta.url).pathname;
  return ["run", "-A", "-q", script, "ours", JSON.stringify(work), ...more];
}

async function ours(work: Work, isTraced: boolean): Promise<void> {
  const { server: { host, port, user, password }, connections } = work;
  const start = performance.now();
  const trace = ({ direction, text }: TraceEvent) => {
    const at = ((performance.now() - start) / RTT).toFixed(2).padStart(6);
    console.error(
      `${at} ${{ sent: ">", received: "<", event: "-" }[direction]} ${text}`,
    );
  };
  await using ftp = await connect(`ftp://${host}:${port}`, {
    user,
    password,
    ...isTraced && { trace },
  });
  if (work.way === "down") {
    await ftp.downloadDir(work.remote, work.local, { connections });
  } else {
    await ftp.uploadDir(work.local, work.remote, { connections });
  }
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
