/** Counts the faults and outcomes of many cases. */

import { kindsIn } from "./case_plan.ts";
import type { CaseReport, Problem } from "./case_report.ts";

/** Descriptions of the kinds of problems. */
const NAMES: Record<Problem["kind"], string> = {
  loss: "silent losses",
  hang: "hangs",
  leak: "leaks",
  leftover: "leftovers",
  state: "sessions out of step",
  secret: "secrets shown",
  undisturbed: "errors of transfers that nothing happened to",
  late: "later commands that timed out",
  restart: "servers that did not start again",
};

/** Largest share of cases that are repeated because the machine was slow. */
const MOST_REPEATED = 0.1;

/** The reports of many cases. */
export class FaultReport {
  /** Faults that happened. */
  faults = 0;
  cases = 0;
  /** Cases that were run again with longer time-outs. */
  repeated = 0;
  readonly failures: CaseReport[] = [];
  readonly #rows = new Map<string, Map<string, number>>();
  readonly #outcomes = new Map<string, number>();
  readonly #kinds = new Set<string>();
  #leftovers = 0;
  #slowest = 0;

  add(report: CaseReport): void {
    const { outcome, happened, problems, elapsed } = report;
    this.cases++;
    this.faults += happened.length;
    if (problems.length > 0) this.failures.push(report);
    count(this.#outcomes, outcome);
    for (const kind of kindsIn(report)) this.#kinds.add(kind);
    for (const fault of new Set(happened.length > 0 ? happened : ["nothing"])) {
      let row = this.#rows.get(fault);
      if (row === undefined) this.#rows.set(fault, row = new Map());
      count(row, outcome);
    }
    if (report.hasLeftover) this.#leftovers++;
    this.#slowest = Math.max(this.#slowest, elapsed);
  }

  /**
   * Returns what the run does not prove, or `undefined`.
   *
   * @param asked Number of required faults
   * @param kinds Kinds of faults, each of which must have happened
   */
  shortfall(asked: number, kinds: readonly string[] = []): string | undefined {
    if (this.repeated > this.cases * MOST_REPEATED) {
      return `The machine was too slow, or the client is: ${this.repeated} of ${this.cases} transfers were repeated`;
    }
    const missing = kinds.filter((kind) => !this.#kinds.has(kind));
    if (missing.length > 0) {
      return `The run shows too little: ${
        missing.join("; ")
      } did not happen in ${this.cases} transfers`;
    }
    if (this.faults >= asked && this.#right > 0) return undefined;
    return `The run shows too little: ${this.faults} of ${asked} faults happened in ${this.cases} transfers, ${this.#right} of which ended with the right file`;
  }

  /** Returns the summary in one line. */
  summary(): string {
    const all = this.failures.flatMap(({ problems }) => problems);
    const bad = Object.entries(NAMES).map(([kind, name]) =>
      `${all.filter((problem) => problem.kind === kind).length} ${name}`
    );
    const right = this.#right;
    return `${this.faults} faults in ${this.cases} transfers: ${right} right files, ${
      this.cases - right
    } errors; ${
      bad.join(", ")
    }; ${this.repeated} repeated with longer time-outs; ${this.#leftovers} failed uploads left a temporary file; the slowest took ${
      Math.round(this.#slowest)
    } ms`;
  }

  get #right(): number {
    return [...this.#outcomes].filter(([outcome]) =>
      outcome.startsWith("right file")
    ).reduce((sum, [, count]) => sum + count, 0);
  }

  /** Returns a table of the faults, with the outcomes of their transfers. */
  table(): string {
    return [...this.#rows].sort().map(([fault, outcomes]) => {
      const cells = [...outcomes].sort((a, b) => b[1] - a[1])
        .map(([outcome, count]) => `${count} ${outcome}`);
      return `  ${fault}: ${cells.join(", ")}`;
    }).join("\n");
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
