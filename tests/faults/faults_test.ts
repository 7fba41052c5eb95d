/**
 * Thousands of transfers that something happens to, on the way or at the server. Whatever it is, the target
 * is the right file or what it was before; nothing is left behind, nothing waits for ever, and nobody gets
 * the reply to somebody else's command.
 *
 *     FTP_FAULT_COUNT=20000 deno task test tests/faults     that many faults, and tables of what came of them
 *     FTP_FAULT_START=100000 deno task test tests/faults    other cases: from this seed on, and not from 0
 *     FTP_FAULT_SEED=4711 deno task test tests/faults       one case, as a failure named it, wherever the run began
 *
 * @module
 */

import { isIgnored, reportServers } from "../servers/mod.ts";
import {
  type Configuration,
  CONFIGURATIONS,
  makeCase,
  seedsOf,
} from "./fault_case.ts";
import { Lane } from "./lane.ts";
import { LeakTracker } from "./leak_tracker.ts";
import type { CaseReport } from "./report.ts";
import { runCase } from "./run_case.ts";
import { Tally } from "./tally.ts";

/** Faults in all, unless the environment says otherwise. */
const COUNT = 2000;

/** Transfers at once, each with a server and a proxy of its own. */
const LANES = 16;

/** ProFTPD sleeps for 400 ms whenever a session has ended, and nobody is greeted meanwhile. */
const PROFTPD_LANES = 28;

/** Most transfers for one fault that happens: plans may miss. */
const MAX_MISSES = 5;

const seedAsked = Deno.env.get("FTP_FAULT_SEED");
const countAsked = Deno.env.get("FTP_FAULT_COUNT");
const start = Number(Deno.env.get("FTP_FAULT_START") ?? 0);
const count = Number(countAsked ?? COUNT) / CONFIGURATIONS.length;

reportServers();
CONFIGURATIONS.forEach((configuration, index) => {
  const { server, tls } = configuration;
  const isAsked = seedAsked === undefined ||
    Number(seedAsked) % CONFIGURATIONS.length === index;
  Deno.test({
    name:
      `FTP.download and FTP.upload lose nothing, whatever happens (${server}, ${
        tls ? "TLS" : "plain"
      })`,
    ignore: isIgnored(server) || !isAsked,
    fn: async () => {
      const tally = seedAsked === undefined
        ? await runMany(configuration, index)
        : await runOne(configuration, Number(seedAsked));
      const run = seedAsked === undefined ? `FTP_FAULT_START=${start}: ` : "";
      console.log(run + tally.summary());
      if (countAsked !== undefined) console.log(tally.table());
      const { failures } = tally;
      if (failures.length > 0) {
        throw new Error(failures.map(describe).join("\n\n"));
      }
    },
  });
});

async function runMany(
  configuration: Configuration,
  index: number,
): Promise<Tally> {
  using tracker = new LeakTracker();
  const tally = new Tally();
  const seeds = seedsOf(index, start);
  let cases = 0;
  const runLane = async (number: number) => {
    await using lane = await Lane.start(`lane-${number}.test`, configuration);
    while (
      tally.faults < count && cases < count * MAX_MISSES && lane.isServing
    ) {
      cases++;
      const seed = seeds.next().value;
      const report = await runCase(lane, makeCase(seed), tracker);
      tally.add(report);
      // at once: the run may be long, or never end
      if (report.problems.length > 0) console.log(describe(report));
    }
  };
  const length = configuration.server === "proftpd" ? PROFTPD_LANES : LANES;
  await Promise.all(Array.from({ length }, (_, i) => runLane(i)));
  return tally;
}

async function runOne(
  configuration: Configuration,
  seed: number,
): Promise<Tally> {
  using tracker = new LeakTracker();
  await using lane = await Lane.start("lane-0.test", configuration);
  const tally = new Tally();
  const report = await runCase(lane, makeCase(seed), tracker);
  console.log(describe(report));
  tally.add(report);
  return tally;
}

function describe(report: CaseReport): string {
  const { faultCase, problems, error, happened } = report;
  const found = problems.map(({ kind, text }) => `${kind}: ${text}`);
  return [
    `FTP_FAULT_SEED=${faultCase.seed}: ${found.join("; ") || "no problem"}`,
    `happened: ${happened.join(", ") || "nothing"}`,
    `outcome: ${error === undefined ? report.outcome : Deno.inspect(error)}`,
    Deno.inspect(faultCase, { compact: true, breakLength: 120, depth: 5 }),
  ].join("\n");
}
