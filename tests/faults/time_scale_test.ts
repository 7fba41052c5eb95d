import { assert, assertEquals, assertRejects } from "@std/assert";
import { isIgnored } from "../testing/servers/mod.ts";
import { makeCase, shortestTimeout, slowedDown } from "./fault_case.ts";
import { ProxiedServer } from "./proxied_server.ts";
import { LeakTracker } from "./leak_tracker.ts";
import { measureTimeScale, serverCount, TimeScale } from "./time_scale.ts";
import { timeLimitOf } from "./time_limit.ts";

Deno.test("TimeScale.factor is 1 on a fast machine and follows the slowest step on others", () => {
  const timeScale = new TimeScale();
  const faultCase = makeCase(0);
  const shortest = shortestTimeout(faultCase);
  assertEquals(timeScale.factor, 1);
  timeScale.note({ slowestStep: 5, faultCase });
  assertEquals(timeScale.factor, 1);
  timeScale.note({ slowestStep: 5 * shortest, faultCase });
  const slow = timeScale.factor;
  assert(slow * shortest > 2 * 5 * shortest, `${slow}`);
  timeScale.note({ slowestStep: 5, faultCase });
  assertEquals(timeScale.factor, slow);
});

Deno.test("TimeScale.usualFactor does not follow a single slow step", () => {
  const timeScale = new TimeScale();
  const faultCase = makeCase(0);
  const shortest = shortestTimeout(faultCase);
  assertEquals(timeScale.usualFactor, 1);
  for (let i = 0; i < 20; i++) {
    timeScale.note({ slowestStep: shortest, faultCase });
  }
  const usual = timeScale.usualFactor;
  assert(usual > 1);
  timeScale.note({ slowestStep: 20 * shortest, faultCase });
  assertEquals(timeScale.usualFactor, usual);
  assert(timeScale.factor > 10 * usual);
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
    timeScale: 3,
    timeout: fast.timeout * 3,
    faults: fast.faults.map((fault) => ({
      ...fault,
      duration: fault.duration * 3,
    })),
    abort: fast.abort! * 3,
  });
  assert(timeLimitOf(slow) > timeLimitOf(fast));
  assertEquals(slowedDown(fast, 1), fast);
});

Deno.test("serverCount grows with the cores and the faults and is never 0", () => {
  const plain = { server: "vsftpd", tls: false } as const;
  const tls = { server: "vsftpd", tls: true } as const;
  const many = 1000;
  assert(serverCount(plain, many, 1) >= 1 && serverCount(tls, many, 1) >= 1);
  assertEquals(serverCount(plain, many, 8), 8 * serverCount(plain, many, 1));
  assert(serverCount(tls, many, 2) < serverCount(plain, many, 2));
  assertEquals(serverCount(plain, 1, 8), 1);
  assertEquals(serverCount(plain, 30, 8), 4);
  assertEquals(serverCount({ ...plain, server: "proftpd" }, 30, 8), 8);
});

Deno.test({
  name: "measureTimeScale fails where a call fails to which nothing is done",
  ignore: isIgnored("vsftpd"),
  fn: async () => {
    using tracker = new LeakTracker();
    await using proxied = await ProxiedServer.start("server-0.test", {
      server: "vsftpd",
      tls: false,
    });
    const { factor } = await measureTimeScale([proxied], tracker);
    assert(factor >= 1);
    proxied.kill();
    await assertRejects(
      () => measureTimeScale([proxied], tracker),
      Error,
      'Cannot measure the time scale of "vsftpd"',
    );
  },
});
