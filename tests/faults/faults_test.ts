/**
 * Transfers with faults of the network or the server. After each, the target is
 * the right file or unchanged, nothing is left behind, every wait has ended, and
 * every command got its own reply. The gate has 30 faults for each server with
 * and without TLS, and among them each kind of fault of downloads and uploads.
 *
 *     FTP_FAULT_COUNT=20000 deno task test tests/faults     number of faults, and tables of the results
 *     FTP_FAULT_START=100000 deno task test tests/faults    first seed, instead of 0
 *     FTP_FAULT_SEED=4711 deno task test tests/faults       one case, by the seed in a failure
 *
 * @module
 */

import { isIgnored, reportServers } from "../testing/servers/mod.ts";
import { chooseCount, readInteger } from "../testing/random.ts";
import { repetitions } from "../testing/repetitions.ts";
import { CasePlan, kindsOf } from "./case_plan.ts";
import {
  type Configuration,
  CONFIGURATIONS,
  makeCase,
  slowedDown,
} from "./fault_case.ts";
import { ProxiedServer } from "./proxied_server.ts";
import { measureTimeScale, serverCount, type TimeScale } from "./time_scale.ts";
import { LeakTracker } from "./leak_tracker.ts";
import { type CaseReport, mayBeSlowness } from "./case_report.ts";
import { runCase } from "./run_case.ts";
import { FaultReport } from "./fault_report.ts";

/** Number of faults, unless the environment has another. */
const COUNT = repetitions(30) * CONFIGURATIONS.length;

/** Largest number of transfers for one fault, because plans may miss. */
const MAX_MISSES = 5;

/** Smallest factor of the time-outs of a repeated case. */
const LONGER = 4;

const seedAsked = readInteger("FTP_FAULT_SEED", 0);
const countAsked = Deno.env.get("FTP_FAULT_COUNT");
const start = readInteger("FTP_FAULT_START", 0) ?? 0;
/** Number of faults of a configuration. */
const count = chooseCount(COUNT, "FTP_FAULT_COUNT") / CONFIGURATIONS.length;

reportServers();
CONFIGURATIONS.forEach((configuration, index) => {
  const { server, tls } = configuration;
  const isAsked = seedAsked === undefined ||
    seedAsked % CONFIGURATIONS.length === index;
  Deno.test({
    name:
      `FTP.download and FTP.upload lose nothing, whatever happens (${server}, ${
        tls ? "TLS" : "plain"
      })`,
    ignore: isIgnored(server) || !isAsked,
    fn: async () => {
      const faultReport = seedAsked === undefined
        ? await runMany(configuration, index)
        : await runOne(configuration, seedAsked);
      const run = seedAsked === undefined ? `FTP_FAULT_START=${start}: ` : "";
      console.log(run + faultReport.summary());
      if (countAsked !== undefined) console.log(faultReport.table());
      const found = faultReport.failures.map(describe);
      const shortfall = seedAsked === undefined
        ? faultReport.shortfall(count, kindsAsked(configuration))
        : undefined;
      if (shortfall !== undefined) found.unshift(shortfall);
      if (found.length > 0) throw new Error(found.join("\n\n"));
    },
  });
});

/** Returns the kinds of faults that a run must have: a shorter run has some. */
function kindsAsked(configuration: Configuration): string[] {
  const kinds = kindsOf(configuration);
  return kinds.length <= count ? kinds : [];
}

async function runMany(
  configuration: Configuration,
  index: number,
): Promise<FaultReport> {
  using tracker = new LeakTracker();
  const faultReport = new FaultReport();
  const plan = new CasePlan(index, start, kindsAsked(configuration));
  let cases = 0;
  await using servers = await startServers(configuration);
  const timeScale = await measureTimeScale(servers.all, tracker);
  const runCases = async (proxied: ProxiedServer) => {
    while (
      (faultReport.faults < count || plan.missing.length > 0) &&
      cases < count * MAX_MISSES && proxied.isServing
    ) {
      cases++;
      const report = await runScaled(plan.next(), proxied, timeScale, tracker);
      plan.note(report);
      if (report.isRepeated) faultReport.repeated++;
      if (report.happened.length === 0) timeScale.note(report);
      faultReport.add(report);
      // at once: the run may be long, or never end
      if (report.problems.length > 0) console.log(describe(report));
    }
  };
  await Promise.all(servers.all.map(runCases));
  console.log(`${servers.all.length} servers, ${timeScale}`);
  return faultReport;
}

/** Runs a case; once more with the longest time-outs if the machine may have been slow for a moment. */
async function runScaled(
  seed: number,
  proxied: ProxiedServer,
  timeScale: TimeScale,
  tracker: LeakTracker,
): Promise<CaseReport & { isRepeated: boolean }> {
  const run = (factor: number) =>
    runCase(proxied, slowedDown(makeCase(seed), factor), tracker);
  const { usualFactor, factor } = timeScale;
  const report = await run(usualFactor);
  if (!mayBeSlowness(report)) return { ...report, isRepeated: false };
  const longest = Math.max(factor, LONGER * usualFactor);
  return { ...await run(longest), isRepeated: true };
}

/** Starts as many servers as the machine can run and the faults need, or none. */
async function startServers(
  configuration: Configuration,
): Promise<AsyncDisposable & { all: ProxiedServer[] }> {
  const starting = Array.from(
    { length: serverCount(configuration, count) },
    (_, i) => ProxiedServer.start(`server-${i}.test`, configuration),
  );
  const started = await Promise.allSettled(starting);
  const all = started.flatMap((one) =>
    one.status === "fulfilled" ? [one.value] : []
  );
  const servers = {
    all,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(all.map((proxied) => proxied[Symbol.asyncDispose]()));
    },
  };
  if (all.length === starting.length) return servers;
  await servers[Symbol.asyncDispose]();
  throw new AggregateError(
    started.flatMap((one) => one.status === "rejected" ? [one.reason] : []),
    "Cannot start the servers",
  );
}

async function runOne(
  configuration: Configuration,
  seed: number,
): Promise<FaultReport> {
  using tracker = new LeakTracker();
  await using proxied = await ProxiedServer.start(
    "server-0.test",
    configuration,
  );
  const faultReport = new FaultReport();
  const timeScale = await measureTimeScale([proxied], tracker);
  const faultCase = slowedDown(makeCase(seed), timeScale.factor);
  const report = await runCase(proxied, faultCase, tracker);
  console.log(describe(report));
  faultReport.add(report);
  return faultReport;
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
