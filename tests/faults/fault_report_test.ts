import { assertEquals, assertMatch } from "@std/assert";
import { makeCase } from "./fault_case.ts";
import { type CaseReport, mayBeSlowness } from "./case_report.ts";
import { FaultReport } from "./fault_report.ts";

function makeReport(part: Partial<CaseReport> = {}): CaseReport {
  return {
    faultCase: makeCase(0),
    happened: ["data close"],
    outcome: "right file after retries",
    error: undefined,
    problems: [],
    elapsed: 1,
    slowestStep: 1,
    timeLimit: 2,
    hasLeftover: false,
    ...part,
  };
}

Deno.test("FaultReport.shortfall is undefined once all faults have happened", () => {
  const faultReport = new FaultReport();
  faultReport.add(makeReport());
  faultReport.add(makeReport({ happened: ["data close", "control reset"] }));
  assertEquals(faultReport.shortfall(3), undefined);
});

Deno.test("FaultReport.shortfall tells of a run in which fewer faults happened", () => {
  const faultReport = new FaultReport();
  assertMatch(
    faultReport.shortfall(1)!,
    /0 of 1 faults happened in 0 transfers/,
  );
  faultReport.add(makeReport());
  faultReport.add(makeReport({ happened: [] }));
  assertMatch(
    faultReport.shortfall(2)!,
    /1 of 2 faults happened in 2 transfers/,
  );
});

Deno.test("FaultReport.shortfall names the kinds of faults that did not happen", () => {
  const faultReport = new FaultReport();
  const { direction } = makeReport().faultCase;
  const kinds = ["data close", "data reset"].map((what) =>
    `${direction}: ${what}`
  );
  faultReport.add(makeReport());
  assertEquals(faultReport.shortfall(1, kinds.slice(0, 1)), undefined);
  assertMatch(
    faultReport.shortfall(1, kinds)!,
    new RegExp(`too little: ${kinds[1]} did not happen in 1 transfers`),
  );
});

Deno.test("FaultReport.shortfall tells of a run in which no transfer succeeded", () => {
  const faultReport = new FaultReport();
  faultReport.add(makeReport({ outcome: "TimedOut" }));
  assertMatch(
    faultReport.shortfall(1)!,
    /0 of which ended with the right file/,
  );
});

Deno.test("FaultReport.shortfall tells of a run that was to show nothing", () => {
  assertMatch(new FaultReport().shortfall(0)!, /shows too little/);
  assertMatch(new FaultReport().shortfall(NaN)!, /shows too little/);
});

Deno.test("FaultReport.shortfall tells of a run in which many cases were repeated", () => {
  const faultReport = new FaultReport();
  for (let i = 0; i < 20; i++) faultReport.add(makeReport());
  faultReport.repeated = 2;
  assertEquals(faultReport.shortfall(20), undefined);
  faultReport.repeated = 3;
  assertMatch(faultReport.shortfall(20)!, /3 of 20 transfers were repeated/);
});

Deno.test("mayBeSlowness is true of time-outs only", () => {
  const undisturbed = { kind: "undisturbed", text: "TimedOut" } as const;
  const late = { kind: "late", text: "TimedOut" } as const;
  const loss = { kind: "loss", text: "half a file" } as const;
  assertEquals(mayBeSlowness(makeReport()), false);
  assertEquals(
    mayBeSlowness(makeReport({ problems: [undisturbed, late] })),
    true,
  );
  assertEquals(
    mayBeSlowness(makeReport({ problems: [undisturbed, loss] })),
    false,
  );
});
