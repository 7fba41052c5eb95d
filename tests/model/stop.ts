/** Aborts a call at a random moment. */

import { setImmediate } from "node:timers";
import type { Random } from "../faults/random.ts";

/** Most turns of the event loop, and most milliseconds, until a signal is aborted. */
const MAX_TURNS = 300;
const MAX_WAIT = 30;

/** The reason with which an aborted call must reject. */
export class Stopped extends Error {
  override name = "Stopped";
}

/** How, and when, one call is broken off. */
export class Stop implements Disposable {
  readonly reason: Stopped = new Stopped("the test has stopped this call");
  /** Share of what a call gives after which it is stopped. */
  readonly at: number;
  readonly #way: number;
  readonly #turns: number;
  readonly #wait: number | undefined;
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  /** Draws a moment. */
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

  /** For the call. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The moment of the signal, for a report. */
  get moment(): string {
    return this.#wait === undefined
      ? `after ${this.#turns} turns`
      : `after ${this.#wait} ms`;
  }

  /** One of the ways to stop a call. */
  choose<const T>(ways: readonly T[]): T {
    return ways[Math.floor(this.#way * ways.length)]!;
  }

  /** Aborts the signal. */
  abort(): void {
    this.#controller.abort(this.reason);
  }

  /** Aborts the signal when its moment has come. */
  arm(): void {
    if (this.#wait !== undefined) {
      this.#timer = setTimeout(() => this.abort(), this.#wait);
      return;
    }
    // SessionLock of the event loop, and not milliseconds, are as fine as what a client does between two of its waits.
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
