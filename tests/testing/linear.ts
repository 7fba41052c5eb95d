/** Measures whether work is linear in the length of a text. */

import { assert } from "@std/assert";
import { worked } from "./cpu_time.ts";

/** Length of a text, less than the longest line that is read. */
export const LONG = 60_000;

/**
 * Largest ratio: linear work takes four times as long, quadratic work sixteen
 * times.
 */
export const MAX_RATIO = 7;

/**
 * Milliseconds below which work counts as linear: quadratic work takes longer.
 */
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

/**
 * Returns the shortest processor time of several runs, because other processes
 * only add to it.
 */
export function workOf(run: () => unknown, runs: number): number {
  let least = Infinity;
  for (let i = 0; i < runs; i++) least = Math.min(least, timeOf(run, worked));
  return least;
}

/** Returns the time of a run by a clock. A run may throw an error. */
function timeOf(run: () => unknown, clock: () => number): number {
  const start = clock();
  try {
    run();
  } catch (error) {
    assert(error instanceof Error, "something was thrown that is no error");
  }
  return clock() - start;
}

/**
 * The clock on the wall. It shows at least the work, and costs less than the
 * processor time.
 */
const wall = (): number => performance.now();

/** Options of a measurement. */
export interface LinearOptions {
  /** The length of the text. @default {20000} */
  readonly length?: number;
}

/**
 * Returns how many times as long a text takes that is four times as long; 0 if
 * both are fast. If a text seems to take too long, twice the text is measured,
 * too: quadratic work then stands out, and a pause of the garbage collector
 * does not.
 */
export function ratioOf(
  run: (length: number) => unknown,
  { length = LONG / 3 }: LinearOptions = {},
): number {
  if (timeOf(() => run(length / 4), wall) < FLOOR / 16) return 0;
  const ratio = measureRatio(run, length);
  return ratio <= MAX_RATIO
    ? ratio
    : Math.min(ratio, measureRatio(run, 2 * length));
}

/**
 * Returns the ratio of a text and its quarter: the smallest of up to four
 * rounds.
 */
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

/** Returns a text: one unit, repeated, and an end that makes a search fail. */
function makeText(unit: string, length: number, [head, tail] = ["", ""]) {
  return head + unit.repeat(Math.ceil(length / unit.length)) + tail;
}

/** Asserts linear time for each unit between each head and tail. */
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
