/**
 * Programs that are killed (SIGKILL) at a random moment of a download, an upload, or a mirror with `delete`: under every
 * name is the old file or the new one, whole, and the next run completes and leaves no temporary file behind.
 *
 *     FTP_KILL_COUNT=1000 deno task test tests/kills    that many kills, over all servers, plain and TLS
 *     FTP_KILL_START=5000 deno task test tests/kills    other cases: from this seed on
 *     FTP_KILL_SEED=4711 deno task test tests/kills     one case, on every server
 *
 * @module
 */

import { assert } from "@std/assert";
import { chooseCount, readInteger } from "../testing/random.ts";
import { isIgnored, reportServers, SERVERS } from "../testing/servers/mod.ts";
import { makeKillCase } from "./kill_case.ts";
import { type KillReport, KillTarget } from "./run_kill.ts";

/** Kills in all, unless the environment says otherwise. */
const COUNT = 8;

/** Servers at once, if there are many kills. */
const TARGETS = 2;

/** Largest number of runs for one kill in time. */
const MAX_MISSES = 3;

const seedAsked = readInteger("FTP_KILL_SEED", 0);
const count = chooseCount(COUNT, "FTP_KILL_COUNT");
const start = readInteger("FTP_KILL_START", 0) ?? 0;

reportServers();
const configurations = SERVERS.flatMap(({ name }) =>
  [false, true].map((tls) => ({ name, tls }))
);
for (const [index, { name, tls }] of configurations.entries()) {
  const own = Math.ceil(count / configurations.length);
  Deno.test({
    name:
      `FTP leaves the old file or the new one when its program is killed (${name}, ${
        tls ? "TLS" : "plain"
      })`,
    ignore: isIgnored(name),
    fn: async () => {
      const reports: KillReport[] = [];
      const began = performance.now();
      let next = start + index * own;
      const isDone = () => {
        const killed = reports.filter(({ wasKilled }) => wasKilled).length;
        return seedAsked !== undefined && reports.length > 0 ||
          killed >= own || reports.length >= own * MAX_MISSES;
      };
      const runKills = async () => {
        await using target = await KillTarget.start(name, tls);
        while (!isDone()) {
          const seed = seedAsked ?? next++;
          const report = await target.run(seed);
          reports.push(report);
          if (report.problems.length > 0) console.log(describe(report));
        }
      };
      const targets = own > 2 && seedAsked === undefined ? TARGETS : 1;
      await Promise.all(Array.from({ length: targets }, runKills));
      const killed = reports.filter(({ wasKilled }) => wasKilled).length;
      const bad = reports.filter(({ problems }) => problems.length > 0);
      const seconds = Math.round((performance.now() - began) / 1000);
      console.log(
        `${killed} of ${reports.length} programs killed in time, ${bad.length} with problems; ${seconds} s`,
      );
      assert(killed >= own || seedAsked !== undefined, "too few were killed");
      if (bad.length > 0) throw new Error(bad.map(describe).join("\n\n"));
    },
  });
}

function describe({ seed, problems }: KillReport): string {
  const { call, options, moment } = makeKillCase(seed);
  return `FTP_KILL_SEED=${seed}: ${call} ${
    JSON.stringify(options)
  }, killed after ${Math.round(moment.share * 100)} % of its ${moment.of}: ${
    problems.join("; ")
  }`;
}
