/** A table of entries behaves as a map of them, small or packed. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { ItemTable } from "../../lib/mirror/item_table.ts";
import { NameTable } from "../../lib/mirror/name_table.ts";
import { type MirrorItem, Snapshot } from "../../lib/mirror/snapshot.ts";

/** Entries of each table: more than are kept as objects. */
const ITEMS = 12_000;

function item(name: string, more: Partial<MirrorItem> = {}): MirrorItem {
  return {
    name,
    kind: "file",
    size: undefined,
    mtime: undefined,
    ctime: undefined,
    shown: undefined,
    timeCommand: undefined,
    precision: 1000,
    identity: {},
    problem: undefined,
    ...more,
  };
}

/** Entries with all kinds of properties, each name another. */
function itemAt(at: number): MirrorItem {
  const name = `name ${at}${"\u{1F600}".repeat(at % 3)}`;
  switch (at % 7) {
    case 0:
      return item(name, { size: at * 2 ** 20, mtime: at - 0.5 });
    case 1:
      return item(name, { kind: "directory", identity: { unique: `${at}` } });
    case 2:
      return item(name, { problem: new TypeError(name) });
    case 3:
      return item(name, { shown: -at, timeCommand: "MLSD", mtime: 0 });
    case 4:
      return item(name, { kind: "symlink", precision: 86_400_000 });
    case 5:
      return item(name, { ctime: at, size: 0 });
    default:
      return item(name, { kind: "directory", identity: { canonical: name } });
  }
}

Deno.test("ItemTable holds what a map would, before and after it is packed", () => {
  const table = new ItemTable();
  const map = new Map<string, MirrorItem>();
  for (let at = 0; at < ITEMS; at++) {
    const added = itemAt(at);
    table.set(added);
    map.set(added.name, added);
    // an earlier entry is replaced by one with other properties
    const changed = { ...itemAt(at * 5 + 3), name: itemAt(at >> 1).name };
    if (at % 4 === 0) {
      table.set(changed);
      map.set(changed.name, changed);
    }
    if (at % 1000 === 0) assertEquals([...table.values()], [...map.values()]);
  }
  assertEquals(table.size, map.size);
  assertEquals([...table.keys()], [...map.keys()]);
  assertEquals([...table.values()], [...map.values()]);
  for (const [name, expected] of map) {
    assert(table.has(name));
    assertEquals(table.get(name), expected);
  }
  for (const name of ["", "name", "name 1x", "Name 1"]) {
    assertEquals(table.has(name), false);
    assertStrictEquals(table.get(name), undefined);
  }
});

Deno.test("ItemTable.values returns entries that are added meanwhile, also if that packs it", () => {
  const table = new ItemTable();
  const names: string[] = [];
  const expected = Array.from({ length: ITEMS }, (_, at) => itemAt(at));
  table.set(expected[0]!);
  let added = 1;
  for (const { name } of table.values()) {
    names.push(name);
    for (let i = 0; i < 3 && added < ITEMS; i++) table.set(expected[added++]!);
  }
  assertEquals(names, expected.map(({ name }) => name));
});

Deno.test("NameTable tells all names apart, of any length and with any characters", () => {
  const names = [
    "",
    "\0",
    "a",
    "A",
    "\u00e9",
    "e\u0301",
    "\uD800",
    "\uDC00",
    "\uFFFD",
    "\u{1F600}",
    "x".repeat(65_535),
    "x".repeat(65_536),
    "x".repeat(65_537),
    "x".repeat(200_000),
    "\uFFFF".repeat(70_000),
  ];
  const table = new NameTable();
  assertEquals(names.map((name) => table.indexOf(name)), names.map(() => -1));
  assertEquals(names.map((name) => table.add(name)), [...names.keys()]);
  assertEquals(names.map((name) => table.add(name)), [...names.keys()]);
  assertEquals(names.map((name) => table.indexOf(name)), [...names.keys()]);
  assert(names.every((name, index) => table.at(index) === name));
  assertEquals(table.size, names.length);
});

Deno.test("Snapshot.caseVariantOf finds the last name of a kind, in small and in large directories", async () => {
  for (const count of [10, ITEMS]) {
    for (const isPrepared of [true, false]) {
      const snapshot = new Snapshot();
      for (let at = 0; at < count; at++) snapshot.set(item(`Name ${at}`));
      if (isPrepared) await snapshot.foldNames();
      assertEquals(snapshot.caseVariantOf("NAME 3"), "Name 3");
      snapshot.set(item("name 3"));
      assertEquals(snapshot.caseVariantOf("NAME 3"), "name 3");
      snapshot.set(item("NAME 3"));
      assertEquals(snapshot.caseVariantOf("name 3"), "NAME 3");
      assertEquals(
        snapshot.caseVariantOf(`name ${count - 1}`),
        `Name ${count - 1}`,
      );
      assertEquals(snapshot.caseVariantOf(`name ${count}`), undefined);
    }
  }
});

Deno.test("Snapshot.foldNames lets timers run, and finds what is added meanwhile", async () => {
  const snapshot = new Snapshot();
  for (let at = 0; at < 200_000; at++) snapshot.set(item(`Name ${at}`));
  let turns = 0;
  const timer = setInterval(() => {
    if (turns++ === 0) snapshot.set(item("Late"));
  }, 0);
  await snapshot.foldNames();
  clearInterval(timer);
  assert(turns > 0);
  assertEquals(snapshot.caseVariantOf("late"), "Late");
  assertEquals(snapshot.caseVariantOf("name 199999"), "Name 199999");
});

Deno.test("Snapshot.foldNames needs no memory for names that are their own folded form", async () => {
  const snapshot = new Snapshot();
  for (let at = 0; at < 100_000; at++) snapshot.set(item(`file ${at}.data`));
  const before = Deno.memoryUsage().external;
  await snapshot.foldNames();
  const growth = Deno.memoryUsage().external - before;
  assertEquals(snapshot.caseVariantOf("FILE 99999.data"), "file 99999.data");
  assert(growth < 1_000_000, `${growth} bytes`);
});
