/** Chooses cases, so that even a short run has every kind of fault. */

import type { CaseReport } from "./case_report.ts";
import {
  type Configuration,
  type FaultCase,
  makeCase,
  seedsOf,
} from "./fault_case.ts";

/** Most seeds that are passed over to find a kind. */
const MAX_SEARCHED = 5000;

/** A seed, and what its case has at first. */
interface Candidate {
  readonly seed: number;
  readonly kinds: readonly string[];
}

/** The cases of a configuration: one of each kind, then those that are left. */
export class CasePlan {
  readonly #seeds: Generator<number, never>;
  /** Seeds that were passed over, in order. */
  readonly #passedOver: Candidate[] = [];
  /** Kinds that have not happened, and how often they were tried. */
  readonly #missing: Map<string, number>;

  /**
   * @param index Index of the configuration
   * @param start The smallest seed
   * @param kinds Kinds that come first
   */
  constructor(index: number, start: number, kinds: readonly string[]) {
    this.#seeds = seedsOf(index, start);
    this.#missing = new Map(kinds.map((kind) => [kind, 0]));
  }

  /** Returns a seed of the missing kind that was tried least, or the next one. */
  next(): number {
    const [least] = [...this.#missing].toSorted((a, b) => a[1] - b[1]);
    if (least !== undefined) {
      const [kind, tries] = least;
      this.#missing.set(kind, tries + 1);
      const seed = this.#find(kind);
      if (seed !== undefined) return seed;
    }
    return this.#passedOver.shift()?.seed ?? this.#seeds.next().value;
  }

  /** Learns which kinds have happened. */
  note(report: CaseReport): void {
    for (const kind of kindsIn(report)) this.#missing.delete(kind);
  }

  /** Kinds that have not happened. */
  get missing(): string[] {
    return [...this.#missing.keys()];
  }

  #find(kind: string): number | undefined {
    const index = this.#passedOver.findIndex(({ kinds }) =>
      kinds.includes(kind)
    );
    if (index !== -1) return this.#passedOver.splice(index, 1)[0]!.seed;
    for (let searched = 0; searched < MAX_SEARCHED; searched++) {
      const seed = this.#seeds.next().value;
      const kinds = kindsPlanned(makeCase(seed));
      if (kinds.includes(kind)) return seed;
      this.#passedOver.push({ seed, kinds });
    }
    return undefined;
  }
}

/** Returns every kind of fault that the cases of a configuration have. */
export function kindsOf({ server, tls }: Configuration): string[] {
  const faults = ["close", "reset", "stall", "pause"];
  // without TLS, only a hash of the file detects a flipped bit
  const hasCorruptData = tls || server === "proftpd";
  const ofBoth = [
    ...faults.map((fault) => `data ${fault}`),
    ...hasCorruptData ? ["data corrupt"] : [],
    ...faults.map((fault) => `control ${fault}`),
    "control corrupt",
    "server killed",
    "server killed, restarted",
    "call aborted",
  ];
  return ["download", "upload"].flatMap((direction) =>
    ofBoth.map((what) => `${direction}: ${what}`)
  );
}

/** Returns the kinds of what happened in a case. */
export function kindsIn(
  { faultCase, happened, error }: Pick<
    CaseReport,
    "faultCase" | "happened" | "error"
  >,
): string[] {
  const { abort, direction } = faultCase;
  const isAborted = abort !== undefined && error instanceof DOMException;
  return [...happened, ...isAborted ? ["call aborted"] : []]
    .map((what) => `${direction}: ${what}`);
}

/** Returns the kinds that a case begins with. */
function kindsPlanned({ direction, faults, kill, abort }: FaultCase): string[] {
  const [first] = faults;
  return [
    ...first === undefined ? [] : [`${first.channel} ${first.fault}`],
    ...kill === undefined
      ? []
      : [`server killed${kill.restart ? ", restarted" : ""}`],
    ...abort === undefined ? [] : ["call aborted"],
  ].map((what) => `${direction}: ${what}`);
}
