/**
 * Random calls on real servers, a quarter of them aborted at a random moment; every answer is compared with a model of
 * the tree. A wrong answer, a call without an end, a connection that stays open: each is a failure, with its seed.
 *
 *     FTP_MODEL_CALLS=50000 deno task test tests/model    that many calls on each server, half of them over TLS
 *     FTP_MODEL_SEED=4711 deno task test tests/model      other calls; the same ones as a failure that names the seed
 *     FTP_MODEL_LANES=1 deno task test tests/model        clients at once, each with a server and a seed of its own
 *     FTP_MODEL_STOPS=0 deno task test tests/model        the share of calls that are aborted
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { LeakTracker } from "../faults/leak_tracker.ts";
import { isIgnored, reportServers, SERVERS } from "../servers/mod.ts";
import { type ModelReport, runModel } from "./model_run.ts";

const { env } = Deno;
const calls = Number(env.get("FTP_MODEL_CALLS") ?? 300);
const firstSeed = Number(env.get("FTP_MODEL_SEED") ?? 1);
const stops = Number(env.get("FTP_MODEL_STOPS") ?? 0.25);
const lanes = Number(env.get("FTP_MODEL_LANES") ?? 2);

reportServers();
for (const { name: server } of SERVERS) {
  for (const tls of [false, true]) {
    Deno.test({
      name:
        `FTP gives no wrong answer to random calls, many of them aborted (${server}, ${
          tls ? "TLS" : "plain"
        })`,
      ignore: isIgnored(server),
      fn: async () => {
        using tracker = new LeakTracker();
        const each = Math.ceil(calls / 2 / lanes);
        const start = performance.now();
        const reports = await Promise.all(
          Array.from({ length: lanes }, (_, lane) =>
            runModel(
              {
                server,
                tls,
                seed: firstSeed + lane,
                calls: each,
                stops,
                name: `lane-${lane}.test`,
              },
              tracker,
              ({ text }) => console.log(text), // at once: the run may be long
            )),
        );
        console.log(summaryOf(reports, performance.now() - start));
        assertEquals(sum(reports, "calls"), each * lanes);
        if (stops > 0) assert(sum(reports, "interrupted") > 0);
        const findings = reports.flatMap(({ findings }) => findings);
        if (findings.length > 0) {
          throw new Error(findings.map(({ text }) => text).join("\n\n"));
        }
      },
    });
  }
}

function summaryOf(reports: readonly ModelReport[], elapsed: number): string {
  const findings = reports.flatMap(({ findings }) => findings);
  const kinds = ["wrong", "error", "hang", "leak", "left"].map((kind) =>
    `${findings.filter((finding) => finding.kind === kind).length} ${kind}`
  );
  return `${sum(reports, "calls")} calls, ${
    sum(reports, "stops")
  } of them stopped, ${sum(reports, "interrupted")} in their midst, ${
    sum(reports, "reconnections")
  } reconnections: ${kinds.join(", ")}; ${Math.round(elapsed / 1000)} s`;
}

function sum(
  reports: readonly ModelReport[],
  key: "calls" | "stops" | "interrupted" | "reconnections",
): number {
  return reports.reduce((total, report) => total + report[key], 0);
}
