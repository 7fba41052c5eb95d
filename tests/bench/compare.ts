/**
 * Runs programs in turn, and computes medians and ratios, for all comparing
 * benchmarks.
 */

/**
 * Runs contenders in turn. Each round begins with another one, because a run
 * slows the next one. After one round that is not counted, prints the median of
 * each, and the ratio of the first one to it.
 *
 * @param rounds Counted runs of each
 * @param contenders The work by name, ours first. It may return its own time in
 * milliseconds
 * @returns The median of each, in milliseconds
 */
export async function compare(
  title: string,
  rounds: number,
  contenders: Record<string, () => Promise<number | void>>,
): Promise<Record<string, number>> {
  const all = Object.entries(contenders);
  const times = new Map(all.map(([name]) => [name, [] as number[]]));
  for (let round = -1; round < rounds; round++) {
    const first = Math.max(round, 0) % all.length;
    for (const [name, run] of [...all.slice(first), ...all.slice(0, first)]) {
      const start = performance.now();
      const own = await run();
      const elapsed = own ?? performance.now() - start;
      if (round >= 0) times.get(name)!.push(elapsed);
    }
  }
  const ours = median(times.values().next().value!);
  console.log(`\n${title} (median of ${rounds})`);
  for (const [name, own] of times) {
    const sorted = own.toSorted((a, b) => a - b);
    console.log(
      `  ${name.padEnd(26)} ${median(own).toFixed(0).padStart(7)} ms` +
        `  (${sorted[0]!.toFixed(0)} to ${sorted.at(-1)!.toFixed(0)})` +
        `  ours is ${(median(own) / ours).toFixed(2)} times as fast`,
    );
  }
  return Object.fromEntries(all.map(([name]) => [
    name,
    median(times.get(name)!),
  ]));
}

/** Returns the median. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Where and how a program is run. */
export interface ProcessOptions {
  /** Its working directory. */
  readonly cwd?: string;
  /** Variables of its environment, besides those of this program. */
  readonly env?: Record<string, string>;
}

/**
 * Runs a program, and returns the processor time of its process: user and
 * system, in milliseconds.
 */
export async function processorTime(
  program: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<number> {
  const { success, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", '"$@" >&2 && times', "bash", program, ...args],
    ...options,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const [, children] = new TextDecoder().decode(stdout).trim().split("\n");
  return [...children!.matchAll(/(\d+)m([\d.]+)s/g)]
    .map(([, minutes, seconds]) =>
      Number(minutes) * 60_000 + Number(seconds) * 1000
    )
    .reduce((a, b) => a + b);
}

/**
 * Runs a Python program.
 *
 * @param source Its text
 * @param args Its arguments
 */
export async function runPython(
  source: string,
  args: readonly string[],
): Promise<void> {
  const { success, stderr } = await new Deno.Command("python3", {
    args: ["-c", source, ...args],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
