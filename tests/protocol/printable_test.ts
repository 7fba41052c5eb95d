import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  printable,
  printableError,
  printableLine,
  printableText,
  quote,
} from "../../lib/protocol/printable.ts";
import { worked } from "../testing/cpu_time.ts";

/** Characters that must not reach a terminal, one by one. */
const BAD = [
  ..."\0\x01\x07\x08\t\r\x0B\x1B\x1F\x7F\x80\x85\x9B\x9F\xAD",
  ..."\u061C\u180E\u200B\u200E\u200F\u2028\u2029\u202A\u202B\u202C\u202D\u202E",
  ..."\u2060\u2064\u2066\u2067\u2068\u2069\u206F\uFEFF\uFFF9\uFFFB\u3164\uFFA0",
  "\u{E0001}",
  "\u{E0041}",
  "\uD800",
  "\uDC80",
  "\uDCFF",
  "\uDFFF",
];

for (const char of BAD) {
  const code = char.codePointAt(0)!.toString(16).padStart(4, "0");
  Deno.test(`printable replaces U+${code} at every position`, () => {
    assertEquals(printable(char), "\uFFFD");
    assertEquals(printable(`a${char}b${char}`), "a\uFFFDb\uFFFD");
    assertEquals(printable(`\u00e9${char}\u65e5`), "\u00e9\uFFFD\u65e5");
  });
}

Deno.test("printable leaves texts of all scripts, emoji and line feeds", () => {
  for (
    const text of [
      "",
      "a b~",
      "a\nb",
      "\u00e9\u00df\u65e5\u672c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
      "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", // Persian, with a non-joiner
      "\u0915\u094d\u200d\u0937", // Devanagari, with a joiner
      "\u{1F468}\u200D\u{1F469}\u200D\u{1F467}", // a family
      "e\u0301 \u{1F44D}\u{1F3FD} \u2764\uFE0F",
      "\u00a0\u3000",
    ]
  ) assertEquals(printable(text), text);
});

Deno.test("printable replaces joiners in words of ASCII and at their ends", () => {
  assertEquals(printable("pay\u200Dpal"), "pay\uFFFDpal");
  assertEquals(printable("pay\u200C"), "pay\uFFFD");
  assertEquals(printable("\u200Dpay"), "\uFFFDpay");
  assertEquals(printable("\u65e5\u200D\u200D\u65e5").includes("\uFFFD"), true);
});

Deno.test("printableLine, printableText and quote differ by line feeds and tabs", () => {
  assertEquals(printableLine("a\n\tb"), "a\uFFFD\uFFFDb");
  assertEquals(printableText("a\tb\x1B"), "a\tb\uFFFD");
  assertEquals(quote('a\n\x1B"'), '"a\uFFFD\uFFFD""');
});

Deno.test("printable is quick on a megabyte of what it replaces", () => {
  const start = worked();
  for (const char of ["\x1B", "\u200D", "\uD800", "a\u200D", "\u202E"]) {
    printable(char.repeat(1_000_000));
  }
  const time = worked() - start;
  assert(time < 5000, `took ${time} ms`);
});

Deno.test("printableError makes the platform's errors and their causes printable, in place", () => {
  const cause = new Deno.errors.NotFound("open '/x\x1B[2J\u202E'");
  const error = new Error("Cannot\x9B", { cause });
  assertStrictEquals(printableError(error), error);
  assertEquals(error.message, "Cannot\uFFFD");
  assertEquals(cause.message, "open '/x\uFFFD[2J\uFFFD'");
  const shown = Deno.inspect(error);
  assertEquals(printable(shown), shown);
});

Deno.test("printableError leaves other values, other classes and circles", () => {
  class Own extends Error {}
  const own = new Own("\x1B");
  assertEquals(printableError(own).message, "\x1B");
  assertEquals(printableError("\x1B"), "\x1B");
  assertEquals(printableError(undefined), undefined);
  const circle = new Error("a\x1B");
  circle.cause = circle;
  assertEquals(printableError(circle).message, "a\uFFFD");
  const frozen = Object.freeze(new Error("a\x1B"));
  assertStrictEquals(printableError(frozen), frozen);
});
