import { assertEquals, assertThrows } from "@std/assert";
import { differenceOf } from "../../lib/mirror/compare.ts";
import type { Item } from "../../lib/mirror/folder.ts";
import { checkLocalName } from "../../lib/mirror/local_side.ts";
import type { MirrorComparison } from "../../mod.ts";

const SECOND = 1000;
const MINUTE = 60_000;

function file(
  size: number | undefined,
  mtime: number | undefined,
  precision = SECOND,
): Item {
  return {
    name: "a",
    kind: "file",
    size,
    mtime,
    precision,
    identity: {},
    problem: undefined,
  };
}

const CASES: [
  title: string,
  source: Item,
  target: Item,
  compare: MirrorComparison,
  reason: string | undefined,
][] = [
  ["the same", file(1, 5000), file(1, 5000), "size-and-time", undefined],
  ["another size", file(1, 5000), file(2, 5000), "size-and-time", "size"],
  ["newer", file(1, 6000), file(1, 5999), "size-and-time", "time"],
  [
    "newer by less than a second",
    file(1, 5999),
    file(1, 5000),
    "size-and-time",
    undefined,
  ],
  ["older", file(1, 1000), file(1, 9000), "size-and-time", undefined],
  [
    "newer by less than the minute",
    file(1, 119_999),
    file(1, 60_000, MINUTE),
    "size-and-time",
    undefined,
  ],
  [
    "newer by the minute",
    file(1, 120_000),
    file(1, 60_000, MINUTE),
    "size-and-time",
    "time",
  ],
  ["no time", file(1, undefined), file(1, 5000), "size-and-time", undefined],
  [
    "no size, as old",
    file(undefined, 5000),
    file(1, 5000),
    "size-and-time",
    undefined,
  ],
  [
    "no size, newer",
    file(undefined, 6000),
    file(1, 5000),
    "size-and-time",
    "time",
  ],
  [
    "neither",
    file(undefined, undefined),
    file(1, 5000),
    "size-and-time",
    "size",
  ],
  ["newer", file(1, 6000), file(1, 5000), "size", undefined],
  ["no size", file(undefined, 6000), file(1, 5000), "size", "size"],
  ["another size", file(1, 5000), file(3, 5000), "size", "size"],
  ["the same", file(1, 5000), file(1, 5000), "always", "always"],
];

for (const [title, source, target, compare, reason] of CASES) {
  Deno.test(`differenceOf by ${compare}, ${title}: ${reason}`, () => {
    assertEquals(differenceOf(source, target, compare), reason);
  });
}

Deno.test("checkLocalName refuses what Windows has no names of, on Windows", () => {
  const names = [
    "a:b",
    "con",
    "NUL.txt",
    "Com1",
    "com\u00B2.x",
    "a.",
    "a ",
    "a?",
    "<",
    'a"b',
    "a|b",
    "*",
    "\x01",
  ];
  for (const name of names) {
    checkLocalName(name, "linux");
    assertThrows(
      () => checkLocalName(name, "windows"),
      Deno.errors.InvalidData,
      "Windows",
    );
  }
  for (
    const name of [
      "a",
      "console",
      ".a",
      "a b",
      "com",
      "com10",
      "nul-l",
      "\u00FC",
    ]
  ) {
    checkLocalName(name, "windows");
  }
});

Deno.test("checkLocalName refuses what is no text, everywhere", () => {
  assertThrows(
    () => checkLocalName("a\uDCE9", "linux"),
    Deno.errors.InvalidData,
    "no text",
  );
});
