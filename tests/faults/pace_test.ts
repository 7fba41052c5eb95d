import { assert, assertEquals, assertRejects } from "@std/assert";
import { isIgnored } from "../testing/servers/mod.ts";
import { makeCase, shortestTimeout, slowedDown } from "./fault_case.ts";
import { Lane } from "./lane.ts";
import { LeakTracker } from "./leak_tracker.ts";
import { laneCount, measurePace, Pace } from "./pace.ts";
import { patienceWith } from "./patience.ts";

Deno.test("Pace.factor is 1 on a fast machine and follows the slowest step on others", () => {
  const pace = new Pace();
  const faultCase = makeCase(0);
  const shortest = shortestTimeout(faultCase);
  assertEquals(pace.factor, 1);
  pace.note({ slowestStep: 5, faultCase });
  assertEquals(pace.factor, 1);
  pace.note({ slowestStep: 5 * shortest, faultCase });
  const slow = pace.factor;
  assert(slow * shortest > 2 * 5 * shortest, `${slow}`);
  pace.note({ slowestStep: 5, faultCase });
  assertEquals(pace.factor, slow);
});

Deno.test("Pace.usualFactor does not follow a single slow step", () => {
  const pace = new Pace();
  const faultCase = makeCase(0);
  const shortest = shortestTimeout(faultCase);
  assertEquals(pace.usualFactor, 1);
  for (let i = 0; i < 20; i++) pace.note({ slowestStep: shortest, faultCase });
  const usual = pace.usualFactor;
  assert(usual > 1);
  pace.note({ slowestStep: 20 * shortest, faultCase });
  assertEquals(pace.usualFactor, usual);
  assert(pace.factor > 10 * usual);
});

Deno.test("slowedDown makes all that is measured in time longer, and nothing else", () => {
  const seed = Array.from({ length: 1000 }, (_, seed) => seed).find((seed) => {
    const { faults, abort } = makeCase(seed);
    return faults.length > 1 && abort !== undefined;
  })!;
  const fast = makeCase(seed);
  const slow = slowedDown(fast, 3);
  assertEquals(slow, {
    ...fast,
    pace: 3,
    timeout: fast.timeout * 3,
    faults: fast.faults.map((fault) => ({
      ...fault,
      duration: fault.duration * 3,
    })),
    abort: fast.abort! * 3,
  });
  assert(patienceWith(slow) > patienceWith(fast));
  assertEquals(slowedDown(fast, 1), fast);
});

Deno.test("laneCount grows with the cores and is never 0", () => {
  const plain = { server: "vsftpd", tls: false } as const;
  const tls = { server: "vsftpd", tls: true } as const;
  assert(laneCount(plain, 1) >= 1 && laneCount(tls, 1) >= 1);
  assertEquals(laneCount(plain, 8), 8 * laneCount(plain, 1));
  assert(laneCount(tls, 2) < laneCount(plain, 2));
});

Deno.test({
  name: "measurePace fails where a call fails to which nothing is done",
  ignore: isIgnored("vsftpd"),
  fn: async () => {
    using tracker = new LeakTracker();
    await using lane = await Lane.start("lane-0.test", {
      server: "vsftpd",
      tls: false,
    });
    const { factor } = await measurePace([lane], tracker);
    assert(factor >= 1);
    lane.kill();
    await assertRejects(
      () => measurePace([lane], tracker),
      Error,
      'Cannot measure the pace of "vsftpd"',
    );
  },
});
