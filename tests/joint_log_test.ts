import { assertEquals } from "@std/assert";
import { joinJUnit } from "./join_junit.ts";
import { JointLog } from "./joint_log.ts";
import type { Shard } from "./shards.ts";

const ONE: Shard = { folder: "tests/a", files: ["tests/a/x.ts"], seconds: 1 };
const TWO: Shard = { folder: "tests/a", files: ["tests/a/y.ts"], seconds: 1 };

const PASSED = `running 2 tests from ../tmp/shard_test.ts
a works ... ok (2ms)
b works ...
  a step ... ok (1ms)
b works ... ok (3ms)

ok | 2 passed (1 step) | 0 failed | 1 ignored (2 steps) (1s)
`;

const FAILED = `running 3 tests from ../tmp/shard_test.ts
z works ... ok (1ms)
c works ... FAILED (2ms)
d works ... ok (1ms)

 ERRORS

c works => ./tests/a/y.ts:1:1
error: Error: bad

FAILED | 2 passed | 1 failed (70ms)

error: Test failed
`;

/** Joins logs, each with the exit status of its process. */
async function join(
  ...logs: [Shard, log: string, status: number][]
): Promise<{ lines: string[]; failed: number }> {
  const lines: string[] = [];
  const log = new JointLog(
    (line) => lines.push(line),
    logs.map(([shard]) => shard),
  );
  await Promise.all(logs.map(([shard, text, status]) =>
    log.add(
      shard,
      ReadableStream.from(text.split("\n")),
      () => Promise.resolve(status),
    )
  ));
  log.end();
  return {
    lines: lines.map((line) => line.replace(/\(\d+ ?s\)$/, "(N s)")),
    failed: log.total.failed,
  };
}

Deno.test("JointLog gives one line for a folder, and one summary", async () => {
  assertEquals(await join([ONE, PASSED, 0], [TWO, PASSED, 0]), {
    lines: [
      "tests/a: 4 passed, 2 ignored (N s)",
      "",
      "ok | 4 passed (2 steps) | 0 failed | 2 ignored (4 steps) (N s)",
      "",
    ],
    failed: 0,
  });
});

Deno.test("JointLog gives all that a failed shard says, and nothing of the others", async () => {
  const { lines, failed } = await join([ONE, PASSED, 0], [TWO, FAILED, 1]);
  assertEquals(failed, 1);
  const said = FAILED.split("\n").filter((line) =>
    !/^FAILED \||^running|\.\.\. ok/.test(line)
  );
  assertEquals(lines, [
    ...said,
    "deno test ended with 1: tests/a/y.ts",
    "tests/a: 4 passed, 1 failed, 1 ignored (N s)",
    "",
    "FAILED | 4 passed (1 step) | 1 failed | 1 ignored (2 steps) (N s)",
    "",
  ]);
});

Deno.test("JointLog counts a process that broke off as a failure", async () => {
  for (const status of [0, 139]) {
    const log = PASSED.split("\n").slice(0, 3).join("\n");
    const { lines, failed } = await join([ONE, log, status]);
    assertEquals(failed, 1);
    assertEquals(lines[0], "b works ...");
  }
  assertEquals((await join([ONE, PASSED, 1])).failed, 1);
});

Deno.test("JointLog notices tests that are in no shard of a file that is split, or in two", async () => {
  const summary = (ran: number, filtered: number) =>
    `\nok | ${ran} passed | 0 failed | ${filtered} filtered out (1s)\n`;
  const part = { ...ONE, filter: "/x/" };
  for (
    const [parts, failures] of [
      [[summary(1, 2), summary(2, 1)], 0],
      [[summary(1, 2), summary(1, 2)], 1],
      [[summary(2, 1), summary(2, 1)], 1],
    ] as const
  ) {
    const logs = parts.map((log): [Shard, string, number] => [part, log, 0]);
    assertEquals((await join(...logs)).failed, failures);
  }
});

Deno.test("joinJUnit joins suites and adds up their counts", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const report = (name: string) =>
      `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="2" failures="1" errors="0" time="1.000">
    <testsuite name="${name}"></testsuite>
</testsuites>
`;
    const paths = ["a", "b"].map((name) => `${folder}/${name}.xml`);
    for (const path of paths) await Deno.writeTextFile(path, report(path));
    assertEquals(
      await joinJUnit([...paths, `${folder}/none.xml`]),
      `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="4" failures="2" errors="0">
    <testsuite name="${paths[0]}"></testsuite>
    <testsuite name="${paths[1]}"></testsuite>
</testsuites>
`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
