import { assertEquals, assertRejects } from "@std/assert";
import { BatchIterator } from "../../lib/transfer/batch_iterator.ts";

/** Batches that tell what becomes of them. */
function makeBatches(
  batches: readonly (readonly number[])[],
  last: () => void = () => {},
): { iterator: BatchIterator<number, string>; log: string[] } {
  const log: string[] = [];
  async function* generate(): AsyncGenerator<readonly number[]> {
    log.push("begun");
    try {
      for (const batch of batches) yield await Promise.resolve(batch);
      last();
      log.push("complete");
    } finally {
      log.push("ended");
    }
  }
  const valueOf = (item: number) => {
    if (item < 0) throw new RangeError("negative");
    return `${item}`;
  };
  return { iterator: new BatchIterator(generate(), valueOf), log };
}

Deno.test("BatchIterator hands out the items of all batches, empty ones too", async () => {
  const { iterator, log } = makeBatches([[], [1, 2], [], [], [3], []]);
  assertEquals(log, []);
  assertEquals(await Array.fromAsync(iterator), ["1", "2", "3"]);
  assertEquals(log, ["begun", "complete", "ended"]);
  assertEquals(await iterator.next(), { done: true, value: undefined });
});

Deno.test("BatchIterator answers calls in their order", async () => {
  const { iterator } = makeBatches([[1, 2], [3]]);
  const calls = Array.from({ length: 5 }, () => iterator.next());
  const last = iterator.return("x");
  const results = await Promise.all(calls);
  assertEquals(results.map(({ value }) => value), [
    "1",
    "2",
    "3",
    undefined,
    undefined,
  ]);
  assertEquals(await last, { done: true, value: "x" as unknown as undefined });
});

Deno.test("BatchIterator ends the batches where a loop is left", async () => {
  const { iterator, log } = makeBatches([[1, 2], [3]]);
  for await (const value of iterator) {
    if (value === "1") break;
  }
  assertEquals(log, ["begun", "ended"]);
  assertEquals((await iterator.next()).done, true);
  const other = makeBatches([[1]]);
  {
    await using items = other.iterator;
    await items.next();
  }
  assertEquals(other.log, ["begun", "ended"]);
});

Deno.test("BatchIterator begins nothing where it is ended before its first item", async () => {
  const { iterator, log } = makeBatches([[1]]);
  await iterator.return();
  assertEquals((await iterator.next()).done, true);
  assertEquals(log, []);
});

Deno.test("BatchIterator passes errors on, once, and ends", async () => {
  const broken = makeBatches([[1]], () => {
    throw new TypeError("broken");
  });
  assertEquals((await broken.iterator.next()).value, "1");
  await assertRejects(() => broken.iterator.next(), TypeError, "broken");
  assertEquals((await broken.iterator.next()).done, true);
  for (const batches of [[[1, -1, 2]], [[1], [-1]]]) {
    const { iterator, log } = makeBatches(batches);
    await iterator.next();
    await assertRejects(() => iterator.next(), RangeError, "negative");
    assertEquals((await iterator.next()).done, true);
    assertEquals(log.at(-1), "ended");
  }
  const thrown = makeBatches([[1, 2]]);
  await thrown.iterator.next();
  await assertRejects(
    () => thrown.iterator.throw(new URIError("mine")),
    URIError,
  );
  assertEquals(thrown.log, ["begun", "ended"]);
});
