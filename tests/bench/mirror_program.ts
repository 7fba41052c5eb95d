/**
 * `deno run -A tests/bench/mirror_program.ts WORK [trace]`: the program that
 * `round_trips.ts` measures. It imports nothing but the module, as a user's
 * program does. With "trace" it prints the commands and replies, with their time
 * in round trips.
 */

import type { TraceEvent } from "../../mod.ts";
// as the README recommends: `deno task build:dist` first
import { connect } from "../../dist/ftp.js";

/** One program's work. */
export interface Work {
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
  };
  readonly way: "down" | "up";
  readonly connections: number;
  /** Folder here: the target of a download, the source of an upload. */
  readonly local: string;
  /** Folder on the server. */
  readonly remote: string;
}

const RTT = Number(Deno.env.get("WAN_RTT") ?? 40);
const work: Work = JSON.parse(Deno.args[0]!);
const isTraced = Deno.args[1] === "trace";
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
