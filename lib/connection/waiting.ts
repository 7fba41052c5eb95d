/**
 * How waits end: without progress for too long, or by an `AbortSignal`.
 *
 * @module
 */

import { MAX_MILLISECONDS } from "../protocol/check_number.ts";

/** Ticks in one time-out: how fine the time without progress is measured. */
const TICKS = 8;

/**
 * Ends waits that make no progress: while one is under way, something has to
 * move. That others begin or end is no progress of a wait. One timer serves any
 * number of waits, and a wait costs two counters: the hot loops of a transfer
 * can afford it.
 */
export class Watchdog {
  #timeout: number;
  readonly #onExpire: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waits = 0;
  #progress = 0;
  #seen = 0;
  #idleTicks = 0;

  /**
   * Makes a watchdog that sleeps.
   *
   * @param timeout Milliseconds without progress until `onExpire` is called; 0 for never
   * @param onExpire Called once, when a wait has made no progress for so long
   */
  constructor(timeout: number, onExpire: () => void) {
    this.#timeout = timeout;
    this.#onExpire = onExpire;
  }

  /** How many waits are under way. */
  get waits(): number {
    return this.#waits;
  }

  /** A wait begins; where there is no other, its time begins too. */
  begin(): void {
    if (this.#waits++ > 0) return;
    this.#progress++;
    if (this.#timer !== undefined) Deno.refTimer(this.#timer);
    else if (this.#timeout > 0) this.#arm();
  }

  /** A wait has ended; without any, the timer does not hold the program. */
  end(): void {
    if (--this.#waits > 0 || this.#timer === undefined) return;
    Deno.unrefTimer(this.#timer);
  }

  /** Something moved. */
  touch(): void {
    this.#progress++;
  }

  /** Ends the watch for good: waits that begin later are not watched. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timeout = 0;
  }

  #arm(): void {
    this.#seen = this.#progress;
    this.#idleTicks = 0;
    this.#schedule();
  }

  #schedule(): void {
    this.#timer = setTimeout(() => this.#tick(), this.#timeout / TICKS);
  }

  #tick(): void {
    this.#timer = undefined;
    if (this.#waits === 0) return; // the next begin() arms it again
    if (this.#seen !== this.#progress) return this.#arm();
    if (++this.#idleTicks >= TICKS) return this.#onExpire();
    this.#schedule();
  }
}

/**
 * A promise that an aborted signal overtakes.
 *
 * @param promise What is waited for; a late rejection is swallowed
 * @param signal Ends the wait
 * @returns What the promise gives
 * @throws The signal's reason, if it is aborted first
 */
export function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  promise.catch(() => {}); // when the signal wins, nobody else looks at it
  return Promise.race([promise, aborted]).finally(() =>
    signal.removeEventListener("abort", onAbort)
  );
}

/** A signal that follows another one after a while. */
export class PatientSignal {
  /** The later signal; none where there is nothing to follow. */
  readonly signal: AbortSignal | undefined;
  readonly #source: AbortSignal | undefined;
  readonly #onAbort: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Follows a signal.
   *
   * @param source The signal, not aborted yet
   * @param delay Milliseconds between the two; 0 for none
   */
  constructor(source: AbortSignal | undefined, delay: number) {
    const controller = new AbortController();
    this.#source = source;
    this.#onAbort = () => {
      const abort = () => controller.abort(source!.reason);
      this.#timer = setTimeout(abort, delay);
    };
    const isFollowing = source !== undefined && delay > 0;
    this.signal = isFollowing ? controller.signal : source;
    if (isFollowing) {
      source.addEventListener("abort", this.#onAbort, { once: true });
    }
  }

  /** Follows no more. */
  release(): void {
    clearTimeout(this.#timer);
    this.#source?.removeEventListener("abort", this.#onAbort);
  }
}

/**
 * Runs a wait that can be interrupted, within a time.
 *
 * @param timeout Milliseconds; 0 for no limit
 * @param signal The caller's signal, if any
 * @param late Makes the error when time is up
 * @param run Gets a signal that aborts in either case
 * @returns What `run` gives
 * @throws The caller's reason, or what `late` made
 */
export async function within<T>(
  timeout: number,
  signal: AbortSignal | undefined,
  late: () => Error,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal!.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = timeout > 0
    ? setTimeout(
      () => controller.abort(late()),
      Math.min(timeout, MAX_MILLISECONDS),
    )
    : undefined;
  try {
    return await run(controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/**
 * Waits a while for a promise.
 *
 * @param promise What is waited for
 * @param timeout Milliseconds
 * @returns What the promise gives, or `undefined` if it rejects or is late
 */
export async function settle<T>(
  promise: Promise<T>,
  timeout: number,
): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), timeout);
  try {
    return await Promise.race([promise, late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
