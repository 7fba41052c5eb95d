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
 * {@linkcode anySignal} joins signals permanently, {@linkcode withEither} until a
 * function has ended. {@linkcode onAbort} costs less than an event listener.
 *
 * These waits are elsewhere, because they need more context:
 *
 * - `DataStream.unlessFailed` and `waitFor` (callbacks) end with a data
 *   connection
 * - `Session.untilEnded` ends with a session
 * - `withLifetime` ends with a client's connection, which may replace its session
 * - `ReplyLimit` counts only the time in which a reply is due
 * - `PauseTimer` is a pause in work that waits for nothing
 *
 * @module
 */

import { MAX_MILLISECONDS } from "../protocol/check_number.ts";

/** Ticks in one time-out, the resolution of the measurement. */
const TICKS = 8;

/** The timer of several {@linkcode Watchdog}s with the same time-out. */
export class Ticker {
  /** The time-out in milliseconds; 0 for none. */
  readonly timeout: number;
  /** Those that wait. A `Set` would allocate for each wait. */
  readonly #running: Watchdog[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isReleased = false;
  /** Calls whose waits follow each other. */
  #calls = 0;

  /** Creates a ticker without a timer. */
  constructor(timeout: number) {
    this.timeout = timeout;
  }

  /**
   * Adds a watchdog that waits.
   *
   * @returns Whether a whole time-out starts now; otherwise the next tick comes
   * early
   */
  start(watchdog: Watchdog): boolean {
    if (this.timeout === 0) return false;
    this.#running.push(watchdog);
    if (this.#timer === undefined) {
      this.#schedule();
      return true;
    }
    if (this.#running.length === 1 && this.#calls === 0) {
      Deno.refTimer(this.#timer);
    }
    return false;
  }

  /** Removes a watchdog. Alone, the timer does not keep the program alive. */
  end(watchdog: Watchdog): void {
    const index = this.#running.indexOf(watchdog);
    if (index < 0) return;
    this.#running[index] = this.#running.at(-1)!;
    this.#running.pop();
    this.#settle();
  }

  /**
   * Runs a call whose waits follow each other: the timer keeps the program
   * alive between them, which costs less than a change for each wait.
   */
  async during<T>(call: () => Promise<T>): Promise<T> {
    const isFirst = this.#calls++ === 0 && this.#running.length === 0;
    if (isFirst && this.#timer !== undefined) Deno.refTimer(this.#timer);
    try {
      return await call();
    } finally {
      this.#calls--;
      this.#settle();
    }
  }

  /** Ends the timer's effect on the program, unless something waits. */
  #settle(): void {
    if (this.#running.length > 0) return;
    if (this.#isReleased) this.#clear();
    else if (this.#calls === 0 && this.#timer !== undefined) {
      Deno.unrefTimer(this.#timer);
    }
  }

  /** Ends the timer as soon as no watchdog waits. */
  release(): void {
    this.#isReleased = true;
    if (this.#running.length === 0) this.#clear();
  }

  #clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    this.#timer = setTimeout(() => this.#tick(), this.timeout / TICKS);
  }

  #tick(): void {
    this.#timer = undefined;
    if (this.#running.length === 0) return; // the next wait sets it again
    this.#schedule();
    for (const watchdog of [...this.#running]) watchdog.tick();
  }
}

/**
 * Ends waits without progress. While a wait is pending, {@linkcode touch} has
 * to be called. The start or end of another wait is not progress. One timer
 * serves all waits, and a wait costs a few counters, which hot loops can afford.
 */
export class Watchdog {
  readonly #ticker: Ticker;
  readonly #isShared: boolean;
  readonly #onExpire: () => void;
  #waits = 0;
  #progress = 0;
  #seen = 0;
  #idleTicks = 0;
  #isStopped = false;

  /**
   * Creates a watchdog without a wait.
   *
   * @param timeout Milliseconds without progress until `onExpire` is called; 0
   * for never
   * @param onExpire Called once, if a wait made no progress for that time
   * @param ticker A timer that others use, too
   */
  constructor(timeout: number, onExpire: () => void, ticker?: Ticker) {
    this.#isShared = ticker?.timeout === timeout;
    this.#ticker = this.#isShared ? ticker! : new Ticker(timeout);
    this.#onExpire = onExpire;
  }

  /** Number of pending waits. */
  get waits(): number {
    return this.#waits;
  }

  /** Its timer, which other watchdogs may share. */
  get ticker(): Ticker {
    return this.#ticker;
  }

  /** Starts a wait. The first one starts the timer. */
  begin(): void {
    if (this.#waits++ > 0 || this.#isStopped) return;
    this.#progress++;
    if (this.#ticker.start(this)) this.#restart();
  }

  /** Ends a wait. Without waits, the timer does not keep the program alive. */
  end(): void {
    if (--this.#waits === 0) this.#ticker.end(this);
  }

  /** Reports progress. */
  touch(): void {
    this.#progress++;
  }

  /** Stops permanently: later waits are not limited. */
  stop(): void {
    this.#isStopped = true;
    this.#ticker.end(this);
    if (!this.#isShared) this.#ticker.release();
  }

  /** Called by the timer while a wait is pending. */
  tick(): void {
    if (this.#seen !== this.#progress) return this.#restart();
    if (++this.#idleTicks < TICKS) return;
    this.#isStopped = true;
    this.#ticker.end(this);
    this.#onExpire();
  }

  #restart(): void {
    this.#seen = this.#progress;
    this.#idleTicks = 0;
  }
}

/** Functions to call when a signal is aborted, behind one event listener. */
class AbortCalls {
  readonly #signal: AbortSignal;
  readonly #calls = new Set<() => void>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(call: () => void): void {
    if (this.#calls.size === 0) {
      this.#signal.addEventListener("abort", this.#run, { once: true });
    }
    this.#calls.add(call);
  }

  delete(call: () => void): void {
    if (!this.#calls.delete(call) || this.#calls.size > 0) return;
    // a listener would keep the timer of AbortSignal.timeout() alive
    this.#signal.removeEventListener("abort", this.#run);
  }

  #run = (): void => {
    const calls = [...this.#calls];
    this.#calls.clear();
    for (const call of calls) call();
  };
}

/** Beside the signals, because they belong to the caller. */
const abortCalls = new WeakMap<AbortSignal, AbortCalls>();

/**
 * Calls a function when a signal is aborted. Costs a tenth of an event listener
 * if the signal has another such function.
 *
 * @param call Must not throw, and is called once
 */
export function onAbort(signal: AbortSignal, call: () => void): void {
  let calls = abortCalls.get(signal);
  if (calls === undefined) {
    abortCalls.set(signal, calls = new AbortCalls(signal));
  }
  calls.add(call);
}

/** Takes back {@linkcode onAbort}. */
export function offAbort(
  signal: AbortSignal | undefined,
  call: () => void,
): void {
  if (signal !== undefined) abortCalls.get(signal)?.delete(call);
}

/** Waits for a promise, or rejects when a signal is aborted. */
export function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const end = () => reject(signal.reason);
    promise.then(
      (value) => {
        offAbort(signal, end);
        resolve(value);
      },
      (error) => {
        offAbort(signal, end);
        reject(error);
      },
    );
    if (signal.aborted) queueMicrotask(end); // a settled promise comes first
    else onAbort(signal, end);
  });
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

/**
 * Runs a function with a signal that follows two others until it ends. Costs
 * less than {@linkcode anySignal}, whose result may be kept.
 */
export async function withEither<T>(
  first: AbortSignal,
  second: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const onFirst = () => controller.abort(first.reason);
  const onSecond = () => controller.abort(second.reason);
  if (first.aborted) onFirst();
  else if (second.aborted) onSecond();
  onAbort(first, onFirst);
  onAbort(second, onSecond);
  try {
    return await run(controller.signal);
  } finally {
    offAbort(first, onFirst);
    offAbort(second, onSecond);
  }
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
  #follow: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Follows a signal.
   *
   * @param delay Milliseconds between the two; 0 for none
   */
  constructor(source: AbortSignal | undefined, delay: number) {
    const isFollowing = source !== undefined && delay > 0;
    this.#source = isFollowing ? source : undefined;
    if (!isFollowing) {
      this.signal = source;
      return;
    }
    const controller = new AbortController();
    this.#follow = () => {
      const abort = () => controller.abort(source.reason);
      this.#timer = setTimeout(abort, delay);
    };
    this.signal = controller.signal;
    onAbort(source, this.#follow);
  }

  /** Stops following. */
  release(): void {
    if (this.#follow === undefined) return;
    clearTimeout(this.#timer);
    offAbort(this.#source, this.#follow);
  }
}

/** What else limits the work of {@linkcode within}. */
interface WithinOptions {
  readonly ticker?: Ticker | undefined;
  readonly ended?: AbortSignal | undefined;
}

/**
 * Runs a function with a time limit and a signal.
 *
 * @param timeout Milliseconds; 0 for no limit
 * @param late Creates the error of a time-out
 * @param options `ticker`: a timer that others with the same limit use, too;
 * `ended`: another signal
 */
export async function within<T>(
  timeout: number,
  signal: AbortSignal | undefined,
  late: () => Error,
  run: (signal: AbortSignal) => Promise<T>,
  { ticker, ended }: WithinOptions = {},
): Promise<T> {
  signal?.throwIfAborted();
  ended?.throwIfAborted();
  const controller = new AbortController();
  const follow = () =>
    controller.abort((ended?.aborted ? ended : signal!).reason);
  if (signal !== undefined) onAbort(signal, follow);
  if (ended !== undefined) onAbort(ended, follow);
  const expire = () => controller.abort(late());
  const isShared = ticker !== undefined && ticker.timeout === timeout;
  const watchdog = isShared ? new Watchdog(timeout, expire, ticker) : undefined;
  watchdog?.begin();
  const timer = timeout > 0 && !isShared
    ? setTimeout(expire, Math.min(timeout, MAX_MILLISECONDS))
    : undefined;
  try {
    return await run(controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    watchdog?.end();
    if (timer !== undefined) clearTimeout(timer);
    offAbort(signal, follow);
    offAbort(ended, follow);
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
