/**
 * How far a transfer is, told at most so often, and how fast it may go.
 *
 * @module
 */

import { Listener } from "../transfer/listener.ts";
import { LocalError } from "./errors.ts";
import { pause } from "./pause.ts";

/** How far a transfer is. */
export interface Progress {
  /** Bytes of the file on the other side, those of an earlier part too. */
  readonly transferred: number;
  /** Size of the file in bytes, or `null` where it is not known. */
  readonly total: number | null;
  /** Bytes a second of late, a whole number. */
  readonly rate: number;
  /**
   * Milliseconds until the end at this rate, a whole number; `null` if the total
   * is not known, or nothing moves.
   */
  readonly eta: number | null;
  /**
   * Whether this is the last report: every byte is on the other side, and
   * verified. What is left is that the file takes its place; only the call's
   * own end tells that it has.
   */
  readonly done: boolean;
}

/** What a transfer tells, and how fast it may be. */
export interface MeterOptions {
  /**
   * Called as bytes go through, and once at the end. Not awaited. What it throws
   * ends the transfer, also at the end: the old file stays. What an async one
   * rejects with does the same, if it does so before the end.
   */
  onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * Most calls of `onProgress` in a second.
   *
   * @default {10}
   */
  progressRate?: number | undefined;
  /**
   * Most bytes in a second.
   *
   * @default {no limit}
   */
  maxRate?: number | undefined;
  /** Ends the transfer. */
  signal?: AbortSignal | undefined;
}

/** Least bytes of a block, however low the rate. */
const LEAST_BLOCK = 1024;

/** Milliseconds of silence whose bytes may be made up for. */
const BURST = 100;

/** Milliseconds that one block takes at the limit. */
const EVEN = 20;

/** Weight of the newest figure in the rate. */
const SMOOTHING = 0.3;

/** How fast transfers may be, all that share it together. */
export class RateLimiter {
  readonly #rate: number;
  #due = 0;

  /**
   * Makes a pace.
   *
   * @param rate Most bytes in a second
   * @throws {RangeError} If it is not positive
   */
  constructor(rate = Infinity) {
    this.#rate = checkRate("maxRate", rate);
  }

  /** Whether there is no limit. */
  get isFree(): boolean {
    return this.#rate === Infinity;
  }

  /** Bytes to read or write at once, so that the rate is even. */
  get blocksize(): number {
    return Math.max(LEAST_BLOCK, Math.ceil(this.#rate * EVEN / 1000));
  }

  /**
   * Counts bytes that went through.
   *
   * @param bytes How many
   * @param signal Ends the wait
   * @returns A wait, where that was faster than it may be
   */
  keep(bytes: number, signal?: AbortSignal): Promise<void> | undefined {
    if (this.isFree) return undefined;
    const now = performance.now();
    this.#due = Math.max(this.#due, now - BURST) + bytes * 1000 / this.#rate;
    return this.#due > now ? pause(this.#due - now, signal) : undefined;
  }
}

/** Counts the bytes of one transfer. */
export class ProgressTracker {
  /** Bytes of the file that are on the other side. */
  position = 0;
  /** Size of the file in bytes, if it is known. */
  total: number | null = null;
  /** Bytes that were moved, also those that were moved again. */
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
   * Makes a meter.
   *
   * @param options Whom to tell, and the limit
   * @param block Bytes that are best read or written at once
   * @param limiter The limit, if it is one that others share
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

  /**
   * Counts bytes that went through.
   *
   * @param bytes How many
   * @returns A wait, where the transfer is faster than it may be
   */
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

  /** Tells, once, that all bytes are on the other side. */
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
