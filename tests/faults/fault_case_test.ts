import { assertEquals, assertThrows } from "@std/assert";
import { CONFIGURATIONS, makeCase, seedsOf } from "./fault_case.ts";

Deno.test("seedsOf begins at the given seed, and skips none", () => {
  for (const start of [0, 1, 7, 8, 100_003]) {
    const seeds = CONFIGURATIONS.flatMap((configuration, index) => {
      const seeds = seedsOf(index, start).take(3).toArray();
      for (const seed of seeds) {
        const { server, tls } = makeCase(seed);
        assertEquals({ server, tls }, configuration);
      }
      return seeds;
    });
    const all = Array.from({ length: seeds.length }, (_, i) => start + i);
    assertEquals(seeds.toSorted((a, b) => a - b), all);
  }
});

Deno.test("seedsOf rejects an invalid seed", () => {
  for (const start of [-1, 0.5, NaN, 2 ** 53]) {
    assertThrows(() => seedsOf(0, start).next(), RangeError, `${start}`);
  }
});
