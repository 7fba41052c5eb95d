/** Factor of all repetitions; the gate's is 1. */
const SCALE = Number(Deno.env.get("FTP_TEST_SCALE") ?? 1);

/**
 * How often a test repeats a thing that one failure in many shows, such as
 * files in a row. `FTP_TEST_SCALE=10 deno task test` has ten times as many.
 *
 * @param usual As many as the gate has time for
 */
export function repetitions(usual: number): number {
  return Math.max(1, Math.round(usual * SCALE));
}
