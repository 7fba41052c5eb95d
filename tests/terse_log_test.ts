import { assertEquals } from "@std/assert";
import { TerseLog } from "./terse_log.ts";

const PASSING = `running 2 tests from ./tests/a/one_test.ts
a works ... ok (2ms)
b works ...
------- output -------
c works ... FAILED (1ms)
----- output end -----
b works ... ok (3ms)
running 1 test from ./tests/a/two_test.ts
d\u2028 works ... ignored (0ms)
running 1 test from ./tests/b_test.ts
e works ...'e works' has been running for over (1m0s)
e works ...
  a step ... ok (1ms)
e works ... ok (1m1s)

ok | 3 passed (1 step) | 0 failed | 1 ignored (1m2s)
`;

const FAILING = `running 1 test from ./tests/a/one_test.ts
a works ... ok (2ms)
running 2 tests from ./tests/a/two_test.ts
b works ...
------- output -------
what b said
----- output end -----
b works ... FAILED (2ms)
c works ... ok (2ms)

 ERRORS 

b works => ./tests/a/two_test.ts:1:1
error: Error: bad

FAILED | 2 passed | 1 failed (70ms)
`;

function run(log: string): { lines: string[]; total: TerseLog["total"] } {
  const lines: string[] = [];
  const terse = new TerseLog((line) => lines.push(line));
  for (const line of log.split("\n")) terse.push(line);
  terse.end();
  return {
    lines: lines.map((line) => line.replace(/\(\d+ s\)$/, "(N s)")),
    total: terse.total,
  };
}

Deno.test("TerseLog gives a line for each folder, and the summary", () => {
  const { lines, total } = run(PASSING);
  assertEquals(lines, [
    "tests/a: 2 passed, 1 ignored (N s)",
    "'e works' has been running for over (1m0s)",
    "tests: 1 passed (N s)",
    "ok | 3 passed (1 step) | 0 failed | 1 ignored (1m2s)",
    "",
  ]);
  assertEquals(total, {
    passed: 3,
    steps: 1,
    failed: 0,
    ignored: 1,
    ignoredSteps: 0,
    filteredOut: 0,
  });
});

Deno.test("TerseLog gives all lines of a file in which a test failed, and all errors", () => {
  const { lines, total } = run(FAILING);
  const [kept, rest] = [FAILING.split("\n").slice(2, 10), " ERRORS "];
  assertEquals(lines.slice(0, 8), kept);
  assertEquals(lines[8], "tests/a: 2 passed, 1 failed (N s)");
  assertEquals(
    lines.slice(9),
    FAILING.slice(FAILING.indexOf(rest)).split("\n"),
  );
  assertEquals(total?.passed, 2);
  assertEquals(total?.failed, 1);
});

Deno.test("TerseLog ignores colours", () => {
  const coloured = PASSING.replaceAll(
    /\b(ok|FAILED|ignored)\b/g,
    "\x1b[32m$1\x1b[0m",
  );
  assertEquals(run(coloured).total, run(PASSING).total);
  assertEquals(run(coloured).lines.slice(0, 3), run(PASSING).lines.slice(0, 3));
});

Deno.test("TerseLog gives the last lines of a log that breaks off", () => {
  const log = PASSING.split("\n").slice(0, 4).join("\n");
  const { lines, total } = run(log);
  assertEquals(lines, [...log.split("\n"), "tests/a: 1 passed (N s)"]);
  assertEquals(total, undefined);
});

Deno.test("TerseLog gives what Deno says instead of running tests", () => {
  assertEquals(run("No test modules found").lines, ["No test modules found"]);
});
