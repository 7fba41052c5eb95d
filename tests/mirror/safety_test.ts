import { assertEquals, assertThrows } from "@std/assert";
import {
  differenceOf,
  isChangedEarlier,
  isSameTime,
  isWrittenLater,
} from "../../lib/mirror/compare.ts";
import type { MirrorItem } from "../../lib/mirror/snapshot.ts";
import { checkLocalName } from "../../lib/mirror/local_side.ts";
import type { MirrorOptions } from "../../mod.ts";

const SECOND = 1000;
const MINUTE = 60_000;

function file(size?: number): MirrorItem {
  return {
    name: "a",
    kind: "file",
    size,
    mtime: undefined,
    precision: SECOND,
    identity: {},
    problem: undefined,
  };
}

const CASES: [
  title: string,
  source: MirrorItem,
  target: MirrorItem,
  compare: NonNullable<MirrorOptions["compare"]>,
  isCurrent: boolean,
  reason: string | undefined,
][] = [
  ["the same", file(1), file(1), "size-and-time", true, undefined],
  ["another size", file(1), file(2), "size-and-time", true, "size"],
  ["another time", file(1), file(1), "size-and-time", false, "time"],
  ["no size, the time", file(), file(1), "size-and-time", true, undefined],
  ["no size, no time", file(), file(1), "size-and-time", false, "time"],
  ["another time", file(1), file(1), "size", false, undefined],
  ["no size", file(), file(1), "size", true, "size"],
  ["another size", file(1), file(3), "size", true, "size"],
  ["the same", file(1), file(1), "always", true, "always"],
];

for (const [title, source, target, compare, isCurrent, reason] of CASES) {
  Deno.test(`differenceOf by ${compare}, ${title}: ${reason}`, () => {
    assertEquals(
      differenceOf(source, target, compare, () => isCurrent),
      reason,
    );
  });
}

/** Noon, as a server shows it. */
const NOON = Date.UTC(2024, 6, 1, 12);

const HOUR = 60 * MINUTE;

Deno.test("isSameTime compares in the server's zone, as exactly as that shows times", () => {
  const cases: [local: number, number | undefined, number, boolean][] = [
    [NOON, undefined, SECOND, true],
    [NOON + 999, undefined, SECOND, true],
    [NOON + SECOND, undefined, SECOND, false],
    [NOON - 1, undefined, SECOND, false],
    [NOON - 9 * HOUR, 540, SECOND, true],
    [NOON, 540, SECOND, false],
    [NOON + 5 * HOUR, -300, SECOND, true],
    [NOON - 345 * MINUTE, 345, SECOND, true],
    [NOON + 59_999, 0, MINUTE, true],
    [NOON + MINUTE, 0, MINUTE, false],
    // the server's midnight is not that of UTC
    [NOON + 4 * HOUR, 540, 24 * HOUR, false],
    [NOON + 4 * HOUR, 0, 24 * HOUR, true],
  ];
  for (const [local, zone, precision, expected] of cases) {
    const shown = Math.floor(NOON / precision) * precision;
    const remote = { shown, precision, zone, difference: [0, 0] } as const;
    assertEquals(isSameTime(local, remote), expected, `${local} ${zone}`);
  }
});

Deno.test("isWrittenLater and isChangedEarlier are true only where no clock within the bounds contradicts", () => {
  const difference = [9 * HOUR - 500, 9 * HOUR + 1500] as const;
  const remote = { shown: NOON, precision: SECOND, zone: 540, difference };
  const earliest = NOON - 9 * HOUR - 1500;
  assertEquals(isWrittenLater(earliest - 1, remote), true);
  assertEquals(isWrittenLater(earliest, remote), false);
  const latest = NOON + SECOND - 9 * HOUR + 500;
  assertEquals(isChangedEarlier(latest + 1, remote), true);
  assertEquals(isChangedEarlier(latest, remote), false);
});

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

Deno.test("checkLocalName refuses names that are not valid text, everywhere", () => {
  assertThrows(
    () => checkLocalName("a\uDCE9", "linux"),
    Deno.errors.InvalidData,
    "not valid text",
  );
});
