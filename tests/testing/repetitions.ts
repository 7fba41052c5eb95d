import { readInteger } from "./random.ts";

/**
 * How often a test repeats a thing that one failure in many shows, such as
 * files in a row. `FTP_TEST_SCALE=10 deno task test` has ten times as many.
 *
 * @param usual As many as the gate has time for
 */
export function repetitions(usual: number): number {
  return usual * (readInteger("FTP_TEST_SCALE", 1) ?? 1);
}
