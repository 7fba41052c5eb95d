import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  checkName,
  isPart,
  isPartOf,
  isResumablePart,
  joinPath,
  partName,
  randomMark,
  splitPath,
} from "../../lib/commands/path.ts";

Deno.test("checkName takes names that are one segment of a path", () => {
  for (
    const name of ["a", " ", "...", "..a", "a:b", "-", "~", "ä\u0085", "%2e"]
  ) {
    assertEquals(checkName(name), name);
  }
});

Deno.test("checkName rejects names that lead elsewhere, and escapes them in the message", () => {
  for (
    const name of [
      "",
      ".",
      "..",
      "a/b",
      "/a",
      "..\\x",
      "C:\\x",
      "a\0b",
      "a\rb",
      "a\nb",
      "\x9B/",
    ]
  ) {
    const error = assertThrows(
      () => checkName(name),
      Deno.errors.InvalidData,
      "not a single path segment",
    ) as Error;
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x1F\x7F-\x9F]/.test(error.message));
  }
});

Deno.test("splitPath and joinPath rewrite nothing", () => {
  const paths: [path: string, directory: string, name: string][] = [
    ["a", "", "a"],
    ["/a", "/", "a"],
    ["/a/ b;|%20", "/a/", " b;|%20"],
    ["/a//b", "/a//", "b"],
    ["../a/../b", "../a/../", "b"],
    ["/a/", "/a/", ""],
  ];
  for (const [path, directory, name] of paths) {
    assertEquals(splitPath(path), [directory, name]);
    assertEquals(joinPath(directory, name), path);
  }
  assertEquals(joinPath("a", "b"), "a/b");
});

const MARK = "0123456789abcdef";

/** Names, from short to longer than a temporary name can hold. */
const NAMES = [
  "x",
  "a".repeat(255),
  "ä".repeat(127),
  `a${"😀".repeat(63)}`,
  `ab${"日".repeat(84)}`,
  "\uDC80".repeat(255), // bytes that are no text
];

for (const name of NAMES) {
  Deno.test(
    `partName derives a name of whole characters from ${name.length} units of "${
      name.slice(0, 3)
    }"`,
    () => {
      for (const isResumable of [false, true]) {
        const part = partName(name, MARK, isResumable);
        const stem = part.slice(
          1,
          part.indexOf(isResumable ? ".r" : `.${MARK}`),
        );
        assert(name.startsWith(stem));
        assertEquals(part.isWellFormed(), name.isWellFormed());
        assert(new TextEncoder().encode(part).length <= 255);
        assertEquals(isResumablePart(part, name), isResumable);
        assertEquals(isPartOf(part, name), true);
        checkName(part);
      }
    },
  );
}

Deno.test("isResumablePart knows no other file's part, and no other file", () => {
  for (
    const other of [
      "x",
      ".x.part",
      `.x.${MARK}.part`,
      `.x.resume-${MARK}`,
      `.x.resume-${MARK.slice(1)}.part`,
      `.x.resume-${MARK.toUpperCase()}.part`,
      `.y.resume-${MARK}.part`,
      `x.resume-${MARK}.part`,
    ]
  ) {
    assertEquals(isResumablePart(other, "x"), false);
  }
});

Deno.test("isPartOf knows no other file's part, and no other file", () => {
  for (
    const other of [
      "x",
      ".x.part",
      `.x.${MARK}`,
      `.x.${MARK}0.part`,
      `.x.${MARK.toUpperCase()}.part`,
      `.x.y.${MARK}.part`,
      `x.${MARK}.part`,
    ]
  ) {
    assertEquals(isPartOf(other, "x"), false);
  }
});

Deno.test("isPart tells what a transfer left behind, and nothing of the user's", () => {
  const mark = "0123456789abcdef";
  for (const name of [`.x.${mark}.part`, `.x.resume-${mark}.part`]) {
    assertEquals(isPart(name), true);
    for (
      const other of [
        `a${name}`,
        `${name}.gz`,
        name.toUpperCase(),
        name.slice(1),
      ]
    ) {
      assertEquals(isPart(other), false);
    }
  }
  assertEquals(isResumablePart(`.x.resume-${mark}.part.gz`, "x"), false);
  assertEquals(isResumablePart(`.x.resume-0${mark}.part`, "x"), false);
});

Deno.test("randomMark gives sixteen digits, others each time", () => {
  const marks = Array.from({ length: 100 }, randomMark);
  assert(marks.every((mark) => /^[0-9a-f]{16}$/.test(mark)));
  assertEquals(new Set(marks).size, 100);
});
