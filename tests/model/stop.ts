/** Aborts a call at a random moment. */

import { setImmediate } from "node:timers";
import type { Random } from "../faults/random.ts";

/**
 * Largest number of turns of the event loop, and of milliseconds, until a
 * signal is aborted.
 */
const MAX_TURNS = 300;
const MAX_WAIT = 30;

/** The reason that an aborted call must reject with. */
export class Stopped extends Error {
  override name = "Stopped";
}

/** How and when one call is stopped. */
export class Stop implements Disposable {
  readonly reason: Stopped = new Stopped("the test has stopped this call");
  /** Share of the results after which a call is stopped. */
  readonly at: number;
  readonly #way: number;
  readonly #turns: number;
  readonly #wait: number | undefined;
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  /** Chooses a moment. */
  constructor(random: Random) {
    this.at = random.pick([
      [2, 0],
      [6, random.next()],
      [2, random.next() ** 3],
      [1, 0.999],
    ]);
    this.#way = random.next();
    this.#turns = random.magnitude(1, MAX_TURNS) - 1;
    const wait = random.magnitude(1, MAX_WAIT);
    this.#wait = random.chance(0.4) ? wait : undefined;
  }

  /** Signal for the call. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Moment of the signal, for a report. */
  get moment(): string {
    return this.#wait === undefined
      ? `after ${this.#turns} turns`
      : `after ${this.#wait} ms`;
  }

  /** Chooses a way to stop a call. */
  choose<const T>(ways: readonly T[]): T {
    return ways[Math.floor(this.#way * ways.length)]!;
  }

  /** Aborts the signal. */
  abort(): void {
    this.#controller.abort(this.reason);
  }

  /** Aborts the signal at its moment. */
  arm(): void {
    if (this.#wait !== undefined) {
      this.#timer = setTimeout(() => this.abort(), this.#wait);
      return;
    }
    // Turns of the event loop are as short as the steps of a client between two
    // waits; milliseconds are not.
    let left = this.#turns;
    const turn = () => {
      if (this.#isOver) return;
      if (left-- === 0) this.abort();
      else setImmediate(turn);
    };
    if (left === 0) this.abort();
    else turn();
  }

  /** The call is over. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }
}
