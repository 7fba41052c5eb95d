import { assertEquals } from "@std/assert";
import {
  isFileTime,
  readDecimal,
  readOctal,
} from "../../lib/protocol/numbers.ts";

/** A text, and its decimal number, if it is one. */
const DECIMALS: [text: string, expected: number | undefined][] = [
  ["0", 0],
  ["007", 7],
  ["9007199254740991", 9007199254740991],
  ["9007199254740992", undefined],
  ["18446744073709551615", undefined],
  ["", undefined],
  [" ", undefined],
  [" 5", undefined],
  ["5 ", undefined],
  ["5\n", undefined],
  ["+5", undefined],
  ["-5", undefined],
  ["0x10", undefined],
  ["0b1", undefined],
  ["0o7", undefined],
  ["1e3", undefined],
  ["1_000", undefined],
  ["1.0", undefined],
  ["Infinity", undefined],
  ["\u0665", undefined],
  ["\uff15", undefined],
  ["9".repeat(100_000), undefined],
];

for (const [text, expected] of DECIMALS) {
  Deno.test(`readDecimal reads ${JSON.stringify(text.slice(0, 40))}`, () => {
    assertEquals(readDecimal(text), expected);
  });
}

Deno.test("readOctal reads octal digits, seven at most, and nothing else", () => {
  assertEquals(readOctal("0755"), 0o755);
  assertEquals(readOctal("0100644"), 0o100644);
  for (const text of ["", "8", "0o7", "-7", "7".repeat(8), " 7", undefined]) {
    assertEquals(readOctal(text), undefined);
  }
});

Deno.test("isFileTime takes the years 1902 to 2499", () => {
  for (const year of ["1902", "1969", "1970", "2026", "2499"]) {
    assertEquals(isFileTime(Date.parse(`${year}-01-01`)), true, year);
  }
  for (const year of ["0001", "1601", "1858", "1899", "1901", "2500", "9999"]) {
    assertEquals(isFileTime(Date.parse(`${year}-12-31`)), false, year);
  }
  assertEquals(isFileTime(NaN), false);
});
