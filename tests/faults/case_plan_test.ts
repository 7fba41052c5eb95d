import { assert, assertEquals } from "@std/assert";
import { CasePlan, kindsIn, kindsOf } from "./case_plan.ts";
import type { CaseReport } from "./case_report.ts";
import { CONFIGURATIONS, type FaultCase, makeCase } from "./fault_case.ts";

/** The report of a case whose first fault happens. */
function makeReport(faultCase: FaultCase): CaseReport {
  const { faults: [first], kill, abort } = faultCase;
  const happened = first === undefined
    ? [`server killed${kill!.restart ? ", restarted" : ""}`]
    : [`${first.channel} ${first.fault}`];
  const error = abort === undefined ? undefined : new DOMException("Enough");
  return {
    ...{ faultCase, happened, error, outcome: "", problems: [], elapsed: 1 },
    ...{ slowestStep: 1, timeLimit: 2, hasLeftover: false },
  };
}

Deno.test("CasePlan.next gives every kind of fault first, in each configuration", () => {
  for (const [index, configuration] of CONFIGURATIONS.entries()) {
    for (const start of [0, 100_000]) {
      const kinds = kindsOf(configuration);
      assert(kinds.length < 30);
      const plan = new CasePlan(index, start, kinds);
      const met = new Set<string>();
      for (let i = 0; i < kinds.length; i++) {
        const report = makeReport(makeCase(plan.next()));
        for (const kind of kindsIn(report)) met.add(kind);
        plan.note(report);
      }
      assertEquals([...met].toSorted(), kinds.toSorted());
      assertEquals(plan.missing, []);
    }
  }
});

Deno.test("CasePlan.next gives no seed twice, and in the end all in order", () => {
  const kinds = kindsOf(CONFIGURATIONS[3]!);
  const plan = new CasePlan(3, 0, kinds);
  const first = kinds.map(() => {
    const seed = plan.next();
    plan.note(makeReport(makeCase(seed)));
    return seed;
  });
  const rest = Array.from({ length: 5000 }, () => plan.next());
  const seeds = [...first, ...rest];
  assertEquals(new Set(seeds).size, seeds.length);
  assertEquals(rest, rest.toSorted((a, b) => a - b));
  assertEquals(Math.min(...seeds), 3);
});

Deno.test("CasePlan.next tries another case of a kind that did not happen", () => {
  const plan = new CasePlan(1, 0, ["upload: control stall"]);
  for (let i = 0; i < 3; i++) {
    const { direction, faults: [first] } = makeCase(plan.next());
    assertEquals([direction, first!.channel, first!.fault], [
      "upload",
      "control",
      "stall",
    ]);
  }
  assertEquals(plan.missing, ["upload: control stall"]);
});
