/**
 * Progress reports of a transfer, and its rate limit.
 *
 * @module
 */

import { delay } from "../connection/waiting.ts";
import { Listener } from "../transfer/listener.ts";
import { LocalError } from "./errors.ts";
import type { FileTransferOptions } from "./options.ts";

/** Progress of a transfer. */
export interface Progress {
  /** Bytes of the file transferred, including those of an earlier call. */
  readonly transferred: number;
  /** Size of the file in bytes, or `null` if it is not known. */
  readonly total: number | null;
  /** Current rate in bytes per second, a whole number. */
  readonly rate: number;
  /**
   * Milliseconds until the end at this rate, a whole number; `null` if the
   * total is not known or the rate is 0.
   */
  readonly eta: number | null;
  /**
   * Whether this is the last report: every byte was transferred and verified.
   * The file still has to replace its target; only the end of the call shows
   * that it has.
   */
  readonly done: boolean;
}

/** Progress reports and rate limit of a transfer. */
export type MeterOptions = Pick<
  FileTransferOptions,
  "onProgress" | "progressRate" | "maxRate" | "signal"
>;

/** Smallest block in bytes, however low the rate. */
const LEAST_BLOCK = 1024;

/** Longest delay, in milliseconds, that later bytes may make up for. */
const BURST = 100;

/** Milliseconds that one block takes at the limit. */
const EVEN = 20;

/** Weight of the newest value in the rate. */
const SMOOTHING = 0.3;

/** Limits the rate of all transfers that share it. */
export class RateLimiter {
  readonly #rate: number;
  #due = 0;

  /**
   * Creates a limiter.
   *
   * @param rate Bytes a second
   * @throws {RangeError} If it is not positive
   */
  constructor(rate = Infinity) {
    this.#rate = checkRate("maxRate", rate);
  }

  /** Whether there is no limit. */
  get isFree(): boolean {
    return this.#rate === Infinity;
  }

  /** Bytes to read or write at once for an even rate. */
  get blocksize(): number {
    return Math.max(LEAST_BLOCK, Math.ceil(this.#rate * EVEN / 1000));
  }

  /** Counts transferred bytes. Returns a pause if they exceed the limit. */
  keep(bytes: number, signal?: AbortSignal): Promise<void> | undefined {
    if (this.isFree) return undefined;
    const now = performance.now();
    this.#due = Math.max(this.#due, now - BURST) + bytes * 1000 / this.#rate;
    return this.#due > now ? delay(this.#due - now, signal) : undefined;
  }
}

/** Counts the bytes of one transfer and reports progress. */
export class ProgressTracker {
  /** Bytes of the file transferred. */
  position = 0;
  /** Size of the file in bytes, if it is known. */
  total: number | null = null;
  /** Bytes transferred, including repetitions. */
  moved = 0;
  readonly #options: MeterOptions;
  readonly #block: number;
  readonly #limiter: RateLimiter;
  readonly #interval: number;
  readonly #listener = new Listener((fault) => new LocalError(fault));
  #reportedAt = performance.now();
  #reportedBytes = 0;
  #rate = 0;
  #isFinished = false;

  /**
   * Creates a tracker.
   *
   * @param options Callback and limits
   * @param block Best block size, in bytes
   * @param limiter The limiter, if it is shared
   * @throws {RangeError} If a rate is not positive
   */
  constructor(
    options: MeterOptions,
    block: number,
    limiter: RateLimiter = new RateLimiter(options.maxRate),
  ) {
    this.#options = options;
    this.#block = block;
    this.#limiter = limiter;
    const { progressRate = 10 } = options;
    this.#interval = 1000 / checkRate("progressRate", progressRate);
  }

  /** Bytes to read or write at once. */
  get blocksize(): number {
    return Math.min(this.#block, this.#limiter.blocksize);
  }

  /** Whether no rate limit applies. */
  get isFree(): boolean {
    return this.#limiter.isFree;
  }

  /** Counts transferred bytes. Returns a pause if they exceed the limit. */
  add(bytes: number): Promise<void> | undefined {
    this.position += bytes;
    this.moved += bytes;
    if (this.#options.onProgress !== undefined && !this.#isFinished) {
      this.#listener.check();
      const now = performance.now();
      if (now - this.#reportedAt >= this.#interval) this.#report(now, false);
    }
    return this.#limiter.keep(bytes, this.#options.signal);
  }

  /** Reports, once, that all bytes were transferred. */
  async finish(): Promise<void> {
    if (this.#options.onProgress === undefined || this.#isFinished) return;
    this.#isFinished = true;
    this.#report(performance.now(), true);
    await this.#listener.settle();
  }

  #report(now: number, done: boolean): void {
    const elapsed = now - this.#reportedAt;
    const latest = (this.moved - this.#reportedBytes) * 1000 /
      Math.max(elapsed, 1);
    this.#rate = this.#rate === 0
      ? latest
      : SMOOTHING * latest + (1 - SMOOTHING) * this.#rate;
    this.#reportedAt = now;
    this.#reportedBytes = this.moved;
    const left = done ? 0 : this.total === null ? NaN : this.total -
      this.position;
    const eta = left * 1000 / this.#rate;
    const progress: Progress = {
      transferred: this.position,
      total: this.total,
      rate: Math.round(this.#rate),
      eta: left === 0
        ? 0
        : Number.isFinite(eta)
        ? Math.max(0, Math.ceil(eta))
        : null,
      done,
    };
    this.#listener.call(() => this.#options.onProgress?.(progress));
  }
}

function checkRate(name: string, value: number): number {
  if (value > 0) return value;
  throw new RangeError(
    `Cannot use ${name} ${value}: it must be a positive number`,
  );
}
