/** Several runs at once, with their findings and counts. */

import { assert, assertEquals } from "@std/assert";
import { LeakTracker } from "../faults/leak_tracker.ts";
import { type ModelPlan, type ModelReport, runModel } from "./model_run.ts";

/**
 * Runs a plan on several servers at once, each with the next seed. Fails if
 * there are problems, or if nothing happened.
 */
export async function runInParallel(
  plan: Omit<ModelPlan, "name">,
  servers: number,
): Promise<void> {
  using tracker = new LeakTracker();
  const calls = Math.ceil(plan.calls / servers);
  const start = performance.now();
  const running = Array.from({ length: servers }, (_, proxied) =>
    runModel(
      {
        ...plan,
        calls,
        seed: plan.seed + proxied,
        name: `server-${proxied}.test`,
      },
      tracker,
      ({ text }) => console.log(text), // at once: the run may be long
    ));
  const settled = await Promise.allSettled(running);
  const reports = settled.flatMap((one) =>
    one.status === "fulfilled" ? [one.value] : []
  );
  console.log(summaryOf(reports, performance.now() - start));
  const failed = settled.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
  const findings = reports.flatMap(({ findings }) => findings);
  if (findings.length > 0) {
    throw new Error(findings.map(({ text }) => text).join("\n\n"));
  }
  assertEquals(sum(reports, "calls"), calls * servers);
  if (plan.stops > 0) assert(sum(reports, "interrupted") > 0);
}

function summaryOf(reports: readonly ModelReport[], elapsed: number): string {
  const findings = reports.flatMap(({ findings }) => findings);
  const kinds = ["wrong", "error", "hang", "leak", "left"].map((kind) =>
    `${findings.filter((finding) => finding.kind === kind).length} ${kind}`
  );
  const { calls, stops, interrupted, reconnections } = {
    calls: sum(reports, "calls"),
    stops: sum(reports, "stops"),
    interrupted: sum(reports, "interrupted"),
    reconnections: sum(reports, "reconnections"),
  };
  return `${calls} calls, ${stops} of them disturbed, ${interrupted} in their midst, ${reconnections} reconnections: ${
    kinds.join(", ")
  }; ${Math.round(elapsed / 1000)} s`;
}

function sum(
  reports: readonly ModelReport[],
  key: "calls" | "stops" | "interrupted" | "reconnections",
): number {
  return reports.reduce((total, report) => total + report[key], 0);
}
