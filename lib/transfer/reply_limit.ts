/**
 * Limits waits for replies to a time from when they are due.
 *
 * @module
 */

/** Ticks in one limit, the resolution of the measurement. */
const TICKS = 4;

/** A wait for a reply. */
interface LimitedWait {
  /** Whether no other reply comes first. */
  readonly isDue: () => boolean;
  /** Ends the wait. */
  readonly expire: () => void;
  ticks: number;
}

/** A limit for the waits of one connection. One timer serves all of them. */
export class ReplyLimit {
  /** The limit in milliseconds. */
  readonly limit: number;
  readonly #waits = new Set<LimitedWait>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * Creates a limit without a wait.
   *
   * @param ended Fulfilled when the connection has ended
   */
  constructor(limit: number, ended: Promise<void>) {
    this.limit = limit;
    ended.then(() => this.#stop());
  }

  /**
   * Waits for a promise until the limit is reached.
   *
   * @param isDue Whether the limit counts; before, another reply is due
   * @param run Waits for a promise that is `undefined` at the limit
   */
  async wait<T>(
    promise: Promise<T>,
    isDue: () => boolean,
    run: (limited: Promise<T | undefined>) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const wait = { isDue, expire: () => resolve(undefined), ticks: 0 };
    this.#waits.add(wait);
    this.#keepTicking();
    try {
      return await run(Promise.race([promise, late]));
    } finally {
      this.#waits.delete(wait);
      const isIdle = this.#waits.size === 0 && this.#timer !== undefined;
      if (isIdle) Deno.unrefTimer(this.#timer!); // the program may end
    }
  }

  #keepTicking(): void {
    if (this.#timer !== undefined) Deno.refTimer(this.#timer);
    else this.#timer = setInterval(() => this.#tick(), this.limit / TICKS);
  }

  #tick(): void {
    if (this.#waits.size === 0) return this.#stop();
    for (const wait of this.#waits) {
      wait.ticks = wait.isDue() ? wait.ticks + 1 : 0;
      // the first tick may come early
      if (wait.ticks > TICKS) wait.expire();
    }
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
