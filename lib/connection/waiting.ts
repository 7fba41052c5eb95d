/**
 * Limits of waits.
 *
 * | to wait                                                | use                      |
 * | ------------------------------------------------------ | ------------------------ |
 * | for bytes or replies, as long as there is progress     | {@linkcode Watchdog}     |
 * | for a promise, until a signal is aborted               | {@linkcode abortable}    |
 * | for work that takes a signal, for a limited time       | {@linkcode within}       |
 * | for a promise whose failure or delay does not matter   | {@linkcode settle}       |
 * | for some time                                          | {@linkcode delay}        |
 *
 * {@linkcode anySignal} joins signals. Four waits are elsewhere, because they need
 * more context: `DataStream.unlessFailed` ends with the data connection, and so
 * does a callback; `withLifetime` ends with the connection of a call that may
 * get another one; `passive.ts` counts only the time in which its reply is due;
 * and `Breather` is a pause in work that waits for nothing. `Session.untilEnded` is
 * `anySignal` with the end of one session.
 *
 * @module
 */

import { MAX_MILLISECONDS } from "../protocol/check_number.ts";

/** Ticks in one time-out, the resolution of the measurement. */
const TICKS = 8;

/**
 * Ends waits without progress. While a wait is pending, {@linkcode touch} has
 * to be called. The start or end of another wait is not progress. One timer
 * serves all waits, and a wait costs two counters, which hot loops can afford.
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
   * Creates a watchdog without a wait.
   *
   * @param timeout Milliseconds without progress until `onExpire` is called; 0
   * for never
   * @param onExpire Called once, if a wait made no progress for that time
   */
  constructor(timeout: number, onExpire: () => void) {
    this.#timeout = timeout;
    this.#onExpire = onExpire;
  }

  /** Number of pending waits. */
  get waits(): number {
    return this.#waits;
  }

  /** Starts a wait. The first one starts the timer. */
  begin(): void {
    if (this.#waits++ > 0) return;
    this.#progress++;
    if (this.#timer !== undefined) Deno.refTimer(this.#timer);
    else if (this.#timeout > 0) this.#arm();
  }

  /** Ends a wait. Without waits, the timer does not keep the program alive. */
  end(): void {
    if (--this.#waits > 0 || this.#timer === undefined) return;
    Deno.unrefTimer(this.#timer);
  }

  /** Reports progress. */
  touch(): void {
    this.#progress++;
  }

  /** Stops permanently: later waits are not limited. */
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

/** Waits for a promise, or rejects when a signal is aborted. */
export function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  promise.catch(() => {}); // not an unhandled rejection if the signal is first
  return Promise.race([promise, aborted]).finally(() =>
    signal.removeEventListener("abort", onAbort)
  );
}

/** Joins signals; `undefined` ones are left out. */
export function anySignal(
  signal: AbortSignal,
  ...others: readonly (AbortSignal | undefined)[]
): AbortSignal {
  const more = others.filter((other) =>
    other !== undefined && other !== signal
  ) as AbortSignal[];
  return more.length === 0 ? signal : AbortSignal.any([signal, ...more]);
}

/** Waits for some milliseconds, 24 days at most. */
export async function delay(
  milliseconds: number,
  signal?: AbortSignal,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, Math.min(milliseconds, MAX_MILLISECONDS));
  try {
    await abortable(promise, signal);
  } finally {
    clearTimeout(timer);
  }
}

/** A signal that follows another one after a delay. */
export class DelayedSignal {
  /** The delayed signal; `undefined` if there is nothing to follow. */
  readonly signal: AbortSignal | undefined;
  readonly #source: AbortSignal | undefined;
  readonly #onAbort: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Follows a signal.
   *
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

  /** Stops following. */
  release(): void {
    clearTimeout(this.#timer);
    this.#source?.removeEventListener("abort", this.#onAbort);
  }
}

/**
 * Runs a function with a time limit and a signal.
 *
 * @param timeout Milliseconds; 0 for no limit
 * @param late Creates the error of a time-out
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
 * Waits for a promise for a limited time.
 *
 * @returns The promise's result, or `undefined` if it rejects or is late
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
