/**
 * Measures the speed of the machine: time-outs of cases are multiples of the
 * time that a transfer takes.
 *
 * @module
 */

import {
  type Configuration,
  type FaultCase,
  makeCase,
  shortestTimeout,
} from "./fault_case.ts";
import type { ProxiedServer } from "./proxied_server.ts";
import type { LeakTracker } from "./leak_tracker.ts";
import type { CaseReport } from "./case_report.ts";
import { runCase } from "./run_case.ts";

/** How many times the slowest step (a dial, a handshake, a command with its reply) a time-out is. */
const MARGIN = 3;

/** Calls on each proxied: one to warm up, and those that are measured. */
const ROUNDS = 5;

/** Slowest time scale that is measured: a call that takes longer than it may at this one is a failure. */
const LARGEST_SCALE = 20;

/** Servers for each core: a case mostly waits. */
const SERVERS_PER_CORE = { plain: 4, tls: 2 };

/** The time scale of one machine with one server. */
export class TimeScale {
  #slowest = 0;
  /** By how much each call would need longer time-outs. */
  readonly #needed: number[] = [];

  /** Takes what came of a call that nothing happened to. */
  note(
    { slowestStep, faultCase }: Pick<CaseReport, "slowestStep" | "faultCase">,
  ): void {
    this.#slowest = Math.max(this.#slowest, slowestStep);
    const needed = MARGIN * slowestStep / shortestTimeout(faultCase);
    this.#needed.push(needed);
  }

  /** For the log of a run. */
  toString(): string {
    return `time scale ${this.usualFactor.toFixed(1)}, at worst ${
      this.factor.toFixed(1)
    }: a step that nothing happens to takes up to ${
      Math.round(this.#slowest)
    } ms`;
  }

  /** By how much all times of a case are to be multiplied so that no call is too slow, at least 1. */
  get factor(): number {
    return Math.max(1, ...this.#needed);
  }

  /** The same for nine calls of ten: the others are repeated. */
  get usualFactor(): number {
    const sorted = this.#needed.toSorted((a, b) => a - b);
    return Math.max(1, sorted[Math.floor(0.9 * sorted.length)] ?? 1);
  }
}

/**
 * Measures what calls take, all servers at work at once.
 *
 * @param servers Where
 * @param tracker Who sees leaks
 * @returns The time scale
 * @throws {Error} If a call fails to which nothing is done
 */
export async function measureTimeScale(
  servers: readonly ProxiedServer[],
  tracker: LeakTracker,
): Promise<TimeScale> {
  const timeScale = new TimeScale();
  await Promise.all(servers.map(async (proxied) => {
    for (let round = 0; round < ROUNDS; round++) {
      const report = await runCase(
        proxied,
        makeUndisturbedCase(proxied.configuration, round),
        tracker,
      );
      const { problems, error } = report;
      if (problems.length > 0 || error !== undefined) {
        throw new Error(
          `Cannot measure the time scale of "${proxied.configuration.server}": ${
            Deno.inspect({ problems, error })
          }`,
        );
      }
      if (round > 0) timeScale.note(report);
    }
  }));
  return timeScale;
}

/**
 * How many servers a configuration is to have.
 *
 * @param configuration Its
 * @param cores Of this machine
 */
export function serverCount(
  { server, tls }: Configuration,
  cores: number = navigator.hardwareConcurrency,
): number {
  const servers = cores * SERVERS_PER_CORE[tls ? "tls" : "plain"];
  // ProFTPD sleeps for 400 ms whenever a session has ended, and greets no client meanwhile
  return server === "proftpd" ? 2 * servers : servers;
}

/** A transfer of usual size that nothing happens to; with TLS, every second pair in a Worker. */
function makeUndisturbedCase(
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
    timeout: LARGEST_SCALE * 1000,
    sharesName: tls && round % 4 >= 2,
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
    timeScale: LARGEST_SCALE,
  };
}
