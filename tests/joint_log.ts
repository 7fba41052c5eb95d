/**
 * Joins the output of several `deno test` that run at the same time: one line
 * for each folder, the whole text of failures, and one summary.
 *
 * @module
 */

import type { Shard } from "./shards.ts";
import { type Counts, describeFolder, TerseLog } from "./terse_log.ts";

/** Results of the shards of a folder. */
interface Folder {
  /** Shards that have not ended. */
  open: number;
  readonly counts: Counts;
  seconds: number;
}

/** Reads the logs of shards. */
export class JointLog {
  readonly #write: (line: string) => void;
  readonly #folders = new Map<string, Folder>();
  /** Tests of each split file: all, and those in a shard. */
  readonly #split = new Map<string, { all: number; seen: number }>();
  readonly #started = performance.now();
  readonly #total = {
    passed: 0,
    steps: 0,
    failed: 0,
    ignored: 0,
    ignoredSteps: 0,
  };

  /**
   * @param write Takes each line of the report
   * @param shards All that will run
   */
  constructor(write: (line: string) => void, shards: readonly Shard[]) {
    this.#write = write;
    for (const { folder } of shards) {
      const counts = { passed: 0, failed: 0, ignored: 0 };
      const known = this.#folders.get(folder) ??
        { open: 0, counts, seconds: 0 };
      known.open++;
      this.#folders.set(folder, known);
    }
  }

  /** The tests of all shards that have ended. */
  get total(): Readonly<Counts> {
    return this.#total;
  }

  /**
   * Reads the log of a shard.
   *
   * @param status Returns the exit status of the process
   */
  async add(
    shard: Shard,
    lines: AsyncIterable<string>,
    status: () => Promise<number>,
  ): Promise<void> {
    const started = performance.now();
    const report: string[] = [];
    const log = new TerseLog((line) => report.push(line), { isPart: true });
    for await (const line of lines) log.push(line);
    log.end();
    const code = await status();
    const { total } = log;
    const hasFailed = code !== 0 || total === undefined || total.failed > 0;
    // an early exit is a failure, whatever the log says
    const failed = Math.max(total?.failed ?? 0, hasFailed ? 1 : 0);
    const { passed = 0, steps = 0, ignored = 0, ignoredSteps = 0 } = total ??
      {};
    this.#total.passed += passed;
    this.#total.steps += steps;
    this.#total.failed += failed;
    this.#total.ignored += ignored;
    this.#total.ignoredSteps += ignoredSteps;
    if (hasFailed) {
      report.forEach((line) => this.#write(line));
      this.#write(`deno test ended with ${code}: ${shard.files.join(" ")}`);
    }
    if (shard.filter !== undefined && total !== undefined) {
      const ran = passed + total.failed + ignored;
      const [file] = shard.files;
      const known = this.#split.get(file!) ?? { all: 0, seen: 0 };
      known.all = Math.max(known.all, ran + total.filteredOut);
      known.seen += ran;
      this.#split.set(file!, known);
    }
    const folder = this.#folders.get(shard.folder)!;
    folder.open--;
    folder.counts.passed += passed;
    folder.counts.failed += failed;
    folder.counts.ignored += ignored;
    folder.seconds += (performance.now() - started) / 1000;
    if (folder.open === 0) {
      this.#write(
        describeFolder(shard.folder, folder.counts, folder.seconds),
      );
    }
  }

  /** Writes the summary, as `deno test` does. */
  end(): void {
    const total = this.#total;
    for (const [file, { all, seen }] of this.#split) {
      if (all === seen) continue;
      total.failed++;
      this.#write(`${file} has ${all} tests, and its shards ran ${seen}`);
    }
    const seconds = (performance.now() - this.#started) / 1000;
    this.#write("");
    this.#write(
      `${total.failed > 0 ? "FAILED" : "ok"} | ${total.passed} passed` +
        inBrackets(total.steps) +
        ` | ${total.failed} failed` +
        (total.ignored > 0
          ? ` | ${total.ignored} ignored${inBrackets(total.ignoredSteps)}`
          : "") +
        ` (${seconds.toFixed(0)}s)`,
    );
    this.#write("");
  }
}

function inBrackets(steps: number): string {
  return steps === 0 ? "" : ` (${steps} ${steps === 1 ? "step" : "steps"})`;
}
