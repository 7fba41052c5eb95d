/**
 * When to let ciphertext gather before it is read.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/**
 * A read of fewer bytes means, in the middle of a large transfer, that the peer
 * writes record by record and we are faster.
 */
const SHORT_READ = 40_000;

/** Bytes over which the speed is measured. */
const WINDOW = 1024 * 1024;

/**
 * Most milliseconds that so many bytes may take: 250 MB/s. Below, a network
 * sets the speed, and there is time enough to sleep.
 */
const WINDOW_TIME = 4;

/** How long to let bytes gather, in milliseconds: a few records' time. */
const GATHER_TIME = 0.1;

/** What the machine gives; tests give their own. */
interface Clock {
  /** Milliseconds since some moment. */
  now(): number;
  /** Lets everything else that is ready have its turn. */
  turn(): Promise<void>;
}

const MACHINE: Clock = {
  now: () => performance.now(),
  turn: () => new Promise((resolve) => setImmediate(resolve)),
};

/**
 * Stays awake between the reads of a very fast transfer.
 *
 * A reader that is faster than the server falls asleep before each record and
 * has the server wake it, which costs the server more than making the record:
 * 1 GB from vsftpd was 61,000 times that, and took anything from 0.6 to 1.2
 * seconds. The event loop is turned meanwhile: other work goes on.
 */
export class BusyPoll {
  readonly #clock: Clock;
  #start: number;
  #received = 0;
  #isFast = false;

  /** Begins to measure. */
  constructor(clock: Clock = MACHINE) {
    this.#clock = clock;
    this.#start = clock.now();
  }

  /**
   * Notes a read.
   *
   * @param size Its bytes
   * @returns When to read again; `undefined` for at once
   */
  after(size: number): Promise<void> | undefined {
    this.#received += size;
    if (this.#received >= WINDOW) {
      const now = this.#clock.now();
      this.#isFast = now - this.#start < WINDOW_TIME;
      this.#start = now;
      this.#received = 0;
    }
    return this.#isFast && size < SHORT_READ ? this.#gather() : undefined;
  }

  async #gather(): Promise<void> {
    const { now, turn } = this.#clock;
    const end = now() + GATHER_TIME;
    do await turn(); while (now() < end);
  }
}
