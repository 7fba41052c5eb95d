/**
 * When not to sleep between the reads and writes of a very fast transfer.
 *
 * Who is faster than the server falls asleep before each of its records, and is
 * woken by the server: at more than 250 MB/s that costs the server more than
 * making the record (1 GB from vsftpd was 61,000 times that and took anything
 * from 0.6 to 1.2 seconds). The event loop is turned meanwhile, so that other
 * work goes on.
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
const GATHER_TIME = 0.2;

/** How long to stay awake after a write, in milliseconds. */
const AWAKE_TIME = 2;

/**
 * Most turns of the event loop in a millisecond of waiting, several times what
 * there are: where the clock stands still, as in a program that mocks it, they
 * end the wait.
 */
const MOST_TURNS = 5000;

/** What the machine gives; tests give their own. */
interface Machine {
  /** Milliseconds since some moment. */
  now(): number;
  /** Calls back after everything else that is ready had its turn. */
  turn(callback: () => void): void;
}

const MACHINE: Machine = {
  now: () => performance.now(),
  turn: (callback) => void setImmediate(callback),
};

/** When somebody may sleep again. */
interface Deadline {
  /** In milliseconds. */
  end: number;
  /** Turns that are left until then, whatever the clock says. */
  turns: number;
}

/** Stays awake between the reads or writes of one connection while they are fast. */
export class BusyPoll {
  readonly #machine: Machine;
  #start: number;
  #count = 0;
  #isFast = false;
  readonly #reading: Deadline = { end: 0, turns: 0 };
  readonly #writing: Deadline = { end: 0, turns: 0 };
  #gathered: PromiseWithResolvers<void> | undefined;
  #isTurning = false;

  /** Begins to measure. */
  constructor(machine: Machine = MACHINE) {
    this.#machine = machine;
    this.#start = machine.now();
  }

  /**
   * Notes a read.
   *
   * @param size Its bytes
   * @returns When enough has gathered for the next; `undefined` for at once
   */
  afterRead(size: number): Promise<void> | undefined {
    this.#measure(size);
    if (!this.#isFast || size >= SHORT_READ) return undefined;
    this.#gathered ??= Promise.withResolvers();
    this.#stayAwake(this.#reading, GATHER_TIME);
    return this.#gathered.promise;
  }

  /**
   * Notes a write.
   *
   * @param size Its bytes
   */
  afterWrite(size: number): void {
    this.#measure(size);
    if (this.#isFast) this.#stayAwake(this.#writing, AWAKE_TIME);
  }

  /** Lets everybody sleep, from the next turn on. */
  stop(): void {
    this.#reading.turns = this.#writing.turns = 0;
  }

  #measure(size: number): void {
    this.#count += size;
    if (this.#count < WINDOW) return;
    const now = this.#machine.now();
    this.#isFast = now - this.#start < WINDOW_TIME;
    this.#start = now;
    this.#count = 0;
  }

  #stayAwake(deadline: Deadline, time: number): void {
    deadline.end = this.#machine.now() + time;
    deadline.turns = time * MOST_TURNS;
    if (this.#isTurning) return;
    this.#isTurning = true;
    this.#machine.turn(this.#next);
  }

  /** One turn: writes that go on keep no read waiting. */
  readonly #next = (): void => {
    if (this.#gathered !== undefined && this.#isOver(this.#reading)) {
      this.#gathered.resolve();
      this.#gathered = undefined;
    }
    const isWriting = !this.#isOver(this.#writing);
    this.#isTurning = isWriting || this.#gathered !== undefined;
    if (this.#isTurning) this.#machine.turn(this.#next);
  };

  #isOver(deadline: Deadline): boolean {
    return --deadline.turns < 0 || this.#machine.now() >= deadline.end;
  }
}
