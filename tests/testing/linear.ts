/** Measures whether work is linear in the length of a text. */

import { assert } from "@std/assert";
import { worked } from "./cpu_time.ts";

/** Shorter than the longest line that is read. */
export const LONG = 60_000;

/** A linear work takes four times as long, a quadratic one sixteen times. */
export const MAX_RATIO = 7;

/** Milliseconds that are not looked at closer: a quadratic work takes more. */
const FLOOR = 25;

/** The repeated text. */
export const UNITS = [
  ..." .,;:=\"'`()[]<>{}|/\\-+*%@#?!_~&^$0129aeznNoRxX\t\r\0\u00A0",
  ..."\u0300\u0316\u0345\u00E9\u1E69\uAC01\u200B\uFEFF\u{1F600}\uD800",
  "a ",
  '("',
  '""',
  '"a',
  '" ',
  "no ",
  "no file ",
  "->",
  " -> ",
  " . ",
  ", ",
  "1,",
  "1 ",
  "1.",
  "1:",
  "(|||",
  "(1 bytes) ",
  " ( ",
  " (a",
  " [",
  " []",
  "a=",
  "a=b;",
  ";=",
  "; ",
  "a=b c;",
  "://",
  "a://b:c@",
  "../",
  "-----",
  "\u0300\u0316",
  "<DIR> ",
  "\n",
  "\r\n",
  "\n250-",
  "\r\0",
  "\\\n",
  "-----BEGIN CERTIFICATE-----",
];

/** The least work of several runs: what others do meanwhile only adds to it. */
export function workOf(run: () => unknown, runs: number): number {
  let least = Infinity;
  for (let i = 0; i < runs; i++) {
    const start = worked();
    try {
      run();
    } catch (error) {
      assert(error instanceof Error, "something was thrown that is no error");
    }
    least = Math.min(least, worked() - start);
  }
  return least;
}

/** How a text is looked at. */
export interface LinearOptions {
  /** The length of the text. @default {20000} */
  readonly length?: number;
}

/**
 * How many times as long four times as much takes, unless that is nothing. A quarter is looked at first:
 * what takes less there than a quadratic work would is not looked at closer. What seems to take too long is
 * measured with twice the text as well: there quadratic work stands out, and a pause of the collector does not.
 */
export function ratioOf(
  run: (length: number) => unknown,
  { length = LONG / 3 }: LinearOptions = {},
): number {
  if (workOf(() => run(length / 4), 1) < FLOOR / 16) return 0;
  const ratio = measureRatio(run, length);
  return ratio <= MAX_RATIO
    ? ratio
    : Math.min(ratio, measureRatio(run, 2 * length));
}

/** The ratio of a text and its quarter: the least of up to four rounds. */
function measureRatio(
  run: (length: number) => unknown,
  length: number,
): number {
  let ratio = Infinity;
  for (let round = 0; round < 4 && ratio > MAX_RATIO; round++) {
    const long = workOf(() => run(length), 1);
    if (long < FLOOR) return 0;
    ratio = Math.min(ratio, long / workOf(() => run(length / 4), 5));
  }
  return ratio;
}

/** Texts of a length: one unit, many times, and what makes a search fail. */
function makeText(unit: string, length: number, [head, tail] = ["", ""]) {
  return head + unit.repeat(Math.ceil(length / unit.length)) + tail;
}

/** Insists on linear time for each unit between each head and tail. */
export function assertLinear(
  what: string,
  run: (text: string) => unknown,
  ends: Iterable<[head: string, tail: string]>,
  units: Iterable<string> = UNITS,
  options: LinearOptions = {},
): number {
  let count = 0;
  const all = [...units];
  for (const pair of ends) {
    for (const unit of all) {
      count++;
      const ratio = ratioOf(
        (length) => run(makeText(unit, length, pair)),
        options,
      );
      assert(
        ratio <= MAX_RATIO,
        `${what} takes ${Math.round(ratio)} times as long for 4 times ${
          JSON.stringify(unit)
        } between ${JSON.stringify(pair)}`,
      );
    }
  }
  return count;
}
