import { assertEquals, assertMatch } from "@std/assert";
import { makeCase } from "./fault_case.ts";
import { type CaseReport, mayBeSlowness } from "./report.ts";
import { FaultReport } from "./tally.ts";

function makeReport(part: Partial<CaseReport> = {}): CaseReport {
  return {
    faultCase: makeCase(0),
    happened: ["data close"],
    outcome: "right file after retries",
    error: undefined,
    problems: [],
    elapsed: 1,
    slowestStep: 1,
    patience: 2,
    hasLeftover: false,
    ...part,
  };
}

Deno.test("FaultReport.shortfall is undefined once all faults have happened", () => {
  const tally = new FaultReport();
  tally.add(makeReport());
  tally.add(makeReport({ happened: ["data close", "control reset"] }));
  assertEquals(tally.shortfall(3), undefined);
});

Deno.test("FaultReport.shortfall tells of a run in which fewer faults happened", () => {
  const tally = new FaultReport();
  assertMatch(tally.shortfall(1)!, /0 of 1 faults happened in 0 transfers/);
  tally.add(makeReport());
  tally.add(makeReport({ happened: [] }));
  assertMatch(tally.shortfall(2)!, /1 of 2 faults happened in 2 transfers/);
});

Deno.test("FaultReport.shortfall tells of a run in which no transfer succeeded", () => {
  const tally = new FaultReport();
  tally.add(makeReport({ outcome: "TimedOut" }));
  assertMatch(tally.shortfall(1)!, /0 of which ended with the right file/);
});

Deno.test("FaultReport.shortfall tells of a run that was to show nothing", () => {
  assertMatch(new FaultReport().shortfall(0)!, /shows too little/);
  assertMatch(new FaultReport().shortfall(NaN)!, /shows too little/);
});

Deno.test("FaultReport.shortfall tells of a run in which many cases were repeated", () => {
  const tally = new FaultReport();
  for (let i = 0; i < 20; i++) tally.add(makeReport());
  tally.repeated = 2;
  assertEquals(tally.shortfall(20), undefined);
  tally.repeated = 3;
  assertMatch(tally.shortfall(20)!, /3 of 20 transfers were repeated/);
});

Deno.test("mayBeSlowness is true of time-outs only", () => {
  const calm = { kind: "calm", text: "TimedOut" } as const;
  const late = { kind: "late", text: "TimedOut" } as const;
  const loss = { kind: "loss", text: "half a file" } as const;
  assertEquals(mayBeSlowness(makeReport()), false);
  assertEquals(mayBeSlowness(makeReport({ problems: [calm, late] })), true);
  assertEquals(mayBeSlowness(makeReport({ problems: [calm, loss] })), false);
});
