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

/**
 * A time-out is this many times the slowest step: a dial, a handshake, a
 * command with its reply.
 */
const MARGIN = 3;

/**
 * Calls on each server: one to warm up, and the measured ones, the second of
 * which is in a worker. A few servers have more.
 */
const ROUNDS = { few: 5, many: 3 };

/** Fewest servers that are many. */
const MANY = 4;

/**
 * Largest time scale that is measured. A call that takes longer than it allows
 * is a failure.
 */
const LARGEST_SCALE = 20;

/** Servers for each core: a case mostly waits. */
const SERVERS_PER_CORE = { plain: 4, tls: 2 };

/** Fewest faults for a server: to start and measure one takes time, too. */
const FAULTS_PER_SERVER = 8;

/** Factor for the times of a case, for one machine and one server. */
export class TimeScale {
  #slowest = 0;
  /** Factors that the calls would have needed. */
  readonly #needed: number[] = [];

  /** Learns from an undisturbed call. */
  note(
    { slowestStep, faultCase }: Pick<CaseReport, "slowestStep" | "faultCase">,
  ): void {
    this.#slowest = Math.max(this.#slowest, slowestStep);
    const needed = MARGIN * slowestStep / shortestTimeout(faultCase);
    this.#needed.push(needed);
  }

  /** Formats the factors for the log of a run. */
  toString(): string {
    return `time scale ${this.usualFactor.toFixed(1)}, at worst ${
      this.factor.toFixed(1)
    }: a step that nothing happens to takes up to ${
      Math.round(this.#slowest)
    } ms`;
  }

  /** Factor for which no call is too slow, at least 1. */
  get factor(): number {
    return Math.max(1, ...this.#needed);
  }

  /**
   * Factor for which nine of ten calls are not too slow; the others are
   * repeated.
   */
  get usualFactor(): number {
    const sorted = this.#needed.toSorted((a, b) => a - b);
    return Math.max(1, sorted[Math.floor(0.9 * sorted.length)] ?? 1);
  }
}

/**
 * Measures the time of undisturbed calls, with all servers at work.
 *
 * @param tracker Tracks leaks
 * @throws {Error} If an undisturbed call fails
 */
export async function measureTimeScale(
  servers: readonly ProxiedServer[],
  tracker: LeakTracker,
): Promise<TimeScale> {
  const timeScale = new TimeScale();
  const rounds = servers.length < MANY ? ROUNDS.few : ROUNDS.many;
  await Promise.all(servers.map(async (proxied) => {
    for (let round = 0; round < rounds; round++) {
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
 * Returns the number of servers of a configuration.
 *
 * @param faults Number of faults of the run
 */
export function serverCount(
  { server, tls }: Configuration,
  faults: number,
  cores: number = navigator.hardwareConcurrency,
): number {
  const possible = cores * SERVERS_PER_CORE[tls ? "tls" : "plain"];
  const needed = Math.max(1, Math.ceil(faults / FAULTS_PER_SERVER));
  const servers = Math.min(possible, needed);
  // ProFTPD sends no greeting for 400 ms after the end of a session
  return server === "proftpd" ? 2 * servers : servers;
}

/**
 * Makes an undisturbed transfer of usual size; with TLS, every second pair in a
 * worker.
 */
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
