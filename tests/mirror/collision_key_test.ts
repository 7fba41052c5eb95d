import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { collisionKey, Snapshot } from "../../lib/mirror/snapshot.ts";
import { worked } from "../testing/cpu_time.ts";

/** Milliseconds of the fastest of some runs. */
function fastest(run: () => void): number {
  let best = Infinity;
  for (let i = 0; i < 5; i++) {
    const start = worked();
    run();
    best = Math.min(best, worked() - start);
  }
  return best;
}

const WORST = [
  ". ",
  "a. ",
  ".",
  "\u0301\u0323",
  "\u00e9\u0323\u0301 .",
  "\u200b",
];

Deno.test("collisionKey and Snapshot.caseVariantOf take no more than a few times longer for four times the text", () => {
  for (const piece of WORST) {
    const times = [16_384, 65_536].map((length) => {
      const name = `a${piece.repeat(length / piece.length)}x`;
      return fastest(() => {
        collisionKey(name);
        new Snapshot().caseVariantOf(name);
      });
    });
    // four times is linear, sixteen times the square; clocks have a grain
    assert(
      times[1]! < 12 * times[0]! + 20,
      `${JSON.stringify(piece)}: ${times}`,
    );
  }
});

Deno.test("collisionKey ignores case, accents, and dots and blanks at the end", () => {
  for (const name of ["A", "a.", "a . .", "\u00e1", "a\u0301", "\u200ba"]) {
    assertEquals(collisionKey(name), "a", name);
  }
  assertNotEquals(collisionKey("a.b"), "ab");
  assertEquals(collisionKey("b".repeat(5000)), collisionKey("a".repeat(5000)));
});
