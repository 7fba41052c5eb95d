import { assert, assertEquals } from "@std/assert";
import { planShards, TABLED } from "./shards.ts";

const FILES = [
  ...["a", "b", "c", "d", "e", "f"].map((name) => `tests/x/${name}_test.ts`),
  "tests/protocol/linear_test.ts",
  "tests/faults/faults_test.ts",
  "tests/one_test.ts",
];

Deno.test("planShards puts each file into one shard, with others of its folder, the longest first", () => {
  const shards = planShards(FILES, { servers: ["a", "b"], isUnit: true });
  assertEquals(shards.flatMap(({ files }) => files).sort(), FILES.toSorted());
  for (const { folder, files, filter } of shards) {
    assertEquals(filter, undefined);
    for (const file of files) {
      assertEquals(file.slice(0, file.lastIndexOf("/")), folder);
    }
  }
  const times = shards.map(({ seconds }) => seconds);
  assertEquals(times, times.toSorted((a, b) => b - a));
  assertEquals(shards[0]!.files, ["tests/protocol/linear_test.ts"]);
  assert(shards.some(({ files }) => files.length > 1));
});

Deno.test("planShards gives each server a shard of a file whose tests name their server", () => {
  const shards = planShards(FILES, { servers: ["a", "b"], isUnit: false });
  const filters = shards
    .filter(({ files }) => files.includes("tests/faults/faults_test.ts"))
    .map(({ filter }) => new RegExp(filter!.slice(1, -1)));
  const counts = ["(a, plain)", "(a, TLS)", "(b, plain)", "(b, TLS)"]
    .map((end) => filters.filter((filter) => filter.test(`f ${end}`)).length);
  assertEquals(filters.length, 4);
  assertEquals(counts, [1, 1, 1, 1]);
});

Deno.test("planShards has times of files that are there", () => {
  for (const file of TABLED) {
    assert(Deno.statSync(new URL(`../${file}`, import.meta.url)).isFile);
  }
});
