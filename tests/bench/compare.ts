/** Contenders in turn, medians and ratios: what every comparing script needs. */

/**
 * Runs contenders one after the other, again and again, after one run that is
 * not counted, and prints each one's median and the first one's ratio to it.
 *
 * @param title What is compared
 * @param rounds Counted runs of each
 * @param contenders The work, by name; ours first. One that takes its own time
 * gives it, in milliseconds
 */
export async function compare(
  title: string,
  rounds: number,
  contenders: Record<string, () => Promise<number | void>>,
): Promise<void> {
  const times = new Map<string, number[]>();
  for (let round = -1; round < rounds; round++) {
    for (const [name, run] of Object.entries(contenders)) {
      const start = performance.now();
      const own = await run();
      const elapsed = own ?? performance.now() - start;
      if (round < 0) continue;
      const all = times.get(name) ?? [];
      all.push(elapsed);
      times.set(name, all);
    }
  }
  const ours = median(times.values().next().value!);
  console.log(`\n${title} (median of ${rounds})`);
  for (const [name, all] of times) {
    const sorted = all.toSorted((a, b) => a - b);
    console.log(
      `  ${name.padEnd(26)} ${median(all).toFixed(0).padStart(7)} ms` +
        `  (${sorted[0]!.toFixed(0)} to ${sorted.at(-1)!.toFixed(0)})` +
        `  ours is ${(median(all) / ours).toFixed(2)} times as fast`,
    );
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
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
