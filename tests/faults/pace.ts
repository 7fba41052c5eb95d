/**
 * What the machine can do: time-outs of cases are multiples of what a transfer takes here, now.
 *
 * @module
 */

import {
  type Configuration,
  type FaultCase,
  makeCase,
  SHORTEST_TIMEOUT,
} from "./fault_case.ts";
import type { Lane } from "./lane.ts";
import type { LeakTracker } from "./leak_tracker.ts";
import type { CaseReport } from "./report.ts";
import { runCase } from "./run_case.ts";

/** How many times the slowest step (a dial, a handshake, a command with its reply) a time-out is. */
const MARGIN = 3;

/** Calls on each lane: one to warm up, and those that are measured. */
const ROUNDS = 4;

/** Slowest pace that is measured: a call that takes longer than it may at this one is a failure. */
const SLOWEST_PACE = 20;

/** Lanes that a core bears: most of a case's time is waiting for what was done to it. */
const LANES_PER_CORE = { plain: 4, tls: 2 };

/** The pace of one machine with one server. */
export class Pace {
  #slowest = 0;

  /** Takes what came of a call that nothing happened to. */
  note({ slowestStep }: Pick<CaseReport, "slowestStep">): void {
    this.#slowest = Math.max(this.#slowest, slowestStep);
  }

  /** For the log of a run. */
  toString(): string {
    return `pace ${
      this.factor.toFixed(1)
    }: a step that nothing happens to takes up to ${
      Math.round(this.#slowest)
    } ms`;
  }

  /** By how much all times of a case are to be multiplied, at least 1. */
  get factor(): number {
    return Math.max(1, MARGIN * this.#slowest / SHORTEST_TIMEOUT);
  }
}

/**
 * Measures what calls take, all lanes at work at once.
 *
 * @param lanes Where
 * @param tracker Who sees leaks
 * @returns The pace
 * @throws {Error} If a call fails to which nothing is done
 */
export async function measurePace(
  lanes: readonly Lane[],
  tracker: LeakTracker,
): Promise<Pace> {
  const pace = new Pace();
  await Promise.all(lanes.map(async (lane) => {
    for (let round = 0; round < ROUNDS; round++) {
      const report = await runCase(
        lane,
        makeCalmCase(lane.configuration, round),
        tracker,
      );
      const { problems, error } = report;
      if (problems.length > 0 || error !== undefined) {
        throw new Error(
          `Cannot measure the pace of "${lane.configuration.server}": ${
            Deno.inspect({ problems, error })
          }`,
        );
      }
      if (round > 0) pace.note(report);
    }
  }));
  return pace;
}

/**
 * How many lanes a configuration is to have.
 *
 * @param configuration Its
 * @param cores Of this machine
 */
export function laneCount(
  { server, tls }: Configuration,
  cores: number = navigator.hardwareConcurrency,
): number {
  const lanes = cores * LANES_PER_CORE[tls ? "tls" : "plain"];
  // ProFTPD sleeps for 400 ms whenever a session has ended, and greets no client meanwhile
  return server === "proftpd" ? 2 * lanes : lanes;
}

/** A transfer of usual size that nothing happens to; with TLS, in a Worker, which is the slowest. */
function makeCalmCase(
  { server, tls }: Configuration,
  round: number,
): FaultCase {
  return {
    ...makeCase(0),
    server,
    tls,
    direction: round % 2 === 0 ? "download" : "upload",
    size: 200_000,
    oldSize: 200_000,
    source: "path",
    inDirectory: true,
    timeout: SLOWEST_PACE * 1000,
    sharesName: tls,
    options: {
      retry: false,
      resume: false,
      atomic: true,
      verify: "hash",
      mtime: false,
      keepAlive: 0,
    },
    faults: [],
    kill: undefined,
    abort: undefined,
    pipelining: false,
    pace: SLOWEST_PACE,
  };
}
