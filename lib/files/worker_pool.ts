/**
 * Runs tasks on several connections: of a mirror, or of a list.
 *
 * @module
 */

import { anySignal } from "../connection/waiting.ts";
import { PauseTimer } from "../connection/pauses.ts";
import { showValue } from "../protocol/check_word.ts";
import type { SignalOptions } from "../transfer/session.ts";
import type { OwnedProvider, SessionProvider } from "./session_provider.ts";

/**
 * Largest number of connections. "auto": as many as make the work faster, up to
 * eight.
 */
export type Connections = number | "auto";

/** Largest number of connections of "auto". */
const AUTO_MOST = 8;

/** Gain, as a factor, for which "auto" opens another connection. */
const AUTO_GAIN = 1.15;

/** Tasks of each connection between two decisions of "auto". */
const AUTO_TASKS = 4;

/**
 * Rejects an invalid number of connections.
 *
 * @throws {RangeError} If it is neither "auto" nor an integer of 1 or more
 */
export function checkConnections(connections: unknown): void {
  const isCount = Number.isInteger(connections) && Number(connections) >= 1;
  if (connections === undefined || connections === "auto" || isCount) return;
  throw new RangeError(
    `Cannot use ${
      showValue(connections)
    } connections: it must be an integer, 1 or more, or "auto"`,
  );
}

/** A worker with a connection. */
export interface Worker {
  /** The connection. */
  readonly provider: SessionProvider;
  /** Set for each task, which may call it when it only waits for replies. */
  onEnding: (() => void) | undefined;
}

/** A task for one worker. */
export type Task<W> = (worker: W) => Promise<void>;

/** A queue of tasks. A task may add others. */
export interface TaskQueue<W> {
  /** Number of tasks that could start now. */
  readonly size: number;
  /** Takes a task; `undefined` if none can start before another one ends. */
  take(): Task<W> | undefined | Promise<Task<W> | undefined>;
}

/** Options of a pool. */
interface PoolOptions {
  /** Largest number of connections. */
  readonly most: Connections;
  /** Ends the work. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Workers, each with its own connection. The first uses the client's. The
 * others are opened while there are more tasks than workers, and closed at the
 * end. If the server refuses another connection, the pool works with those it
 * has.
 */
export class WorkerPool<W extends Worker> implements AsyncDisposable {
  /** The worker with the client's own connection. */
  readonly first: W;
  readonly #make: (provider: SessionProvider, signal: AbortSignal) => W;
  readonly #end = new AbortController();
  readonly #signal: AbortSignal;
  readonly #workers: Set<W>;
  readonly #added: OwnedProvider[] = [];
  readonly #adding = new Set<Promise<void>>();
  #most: number;
  #fork: (options: SignalOptions) => Promise<OwnedProvider>;
  readonly #growth: Growth | undefined;
  #queue: TaskQueue<W> | undefined;
  #runs: Promise<void>[] = [];
  readonly #pauses = new PauseTimer();
  #busy = 0;
  #waiting = 0;
  #change = Promise.withResolvers<void>();
  #failure: { error: unknown } | undefined;

  /** Creates a pool of one worker. */
  constructor(
    provider: SessionProvider,
    { most, signal }: PoolOptions,
    make: (provider: SessionProvider, signal: AbortSignal) => W,
  ) {
    const { signal: end } = this.#end;
    this.#signal = anySignal(end, signal);
    this.#growth = most === "auto" ? new Growth() : undefined;
    this.#most = most === "auto" ? 1 : most;
    this.#make = make;
    this.#fork = (options) => provider.fork(options);
    this.first = make(provider, this.#signal);
    this.#workers = new Set([this.first]);
  }

  /** Aborted when the work cannot continue. */
  get signal(): AbortSignal {
    return this.#signal;
  }

  /** Whether further connections may be opened now. */
  get hasRoom(): boolean {
    return this.#most > this.#workers.size + this.#adding.size;
  }

  /**
   * Looks at the settings of the client's connection, so that others can be
   * opened while it is busy.
   */
  async prepare(): Promise<void> {
    if (this.#most <= 1) return;
    const { provider } = this.first;
    this.#fork = await provider.prepareFork({ signal: this.#signal });
  }

  /** Runs a queue until no worker is busy, also after a failure. */
  async run(queue: TaskQueue<W>): Promise<void> {
    this.#queue = queue;
    this.#runs = Array.from(this.#workers, (worker) => this.#work(worker));
    // workers that are added meanwhile are awaited, too
    for (let i = 0; i < this.#runs.length; i++) await this.#runs[i];
    this.#queue = undefined;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /**
   * Opens further connections for the tasks that would have to wait for a
   * request to the server.
   *
   * @param coming Number of tasks that are about to be queued
   */
  addWorkers(coming = 0): void {
    if (this.#queue === undefined) return;
    const spare = this.#most - this.#workers.size - this.#adding.size;
    const tasks = this.#queue.size + coming;
    const work = tasks - this.#waiting - this.#adding.size;
    for (let i = Math.min(spare, work); i > 0; i--) {
      const adding = this.#addWorker();
      this.#adding.add(adding);
      adding.then(() => this.#adding.delete(adding));
    }
  }

  /**
   * Drops a worker whose connection is lost permanently, and adds no more.
   *
   * @returns Whether there are others; the client's own is never dropped
   */
  dropWorker(provider: SessionProvider): boolean {
    if (provider === this.first.provider) return false;
    this.#most = 0;
    this.#growth?.stop();
    for (const worker of this.#workers) {
      if (worker.provider === provider) this.#workers.delete(worker);
    }
    return true;
  }

  /** Sends `QUIT` on the opened connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#adding);
    for (const provider of this.#added) provider.leave();
  }

  async #addWorker(): Promise<void> {
    try {
      const provider = await this.#fork({ signal: this.#signal });
      this.#added.push(provider);
      const worker = this.#make(provider, this.#signal);
      this.#workers.add(worker);
      if (this.#queue !== undefined) this.#runs.push(this.#work(worker));
    } catch {
      this.#most = 0; // the next one would be refused as well
      this.#growth?.stop();
    }
  }

  /**
   * Runs tasks until none is left. The next one begins while the one before
   * waits for its last replies. Never rejects.
   */
  async #work(worker: W): Promise<void> {
    let before: Promise<void> | undefined;
    while (this.#failure === undefined && this.#workers.has(worker)) {
      const task = await this.#queue?.take();
      if (task !== undefined) {
        const { promise: ending, resolve } = Promise.withResolvers<void>();
        worker.onEnding = resolve;
        const done = this.#do(task, worker);
        await Promise.race([done, ending]);
        await before;
        before = done;
      } else if (this.#busy > 0) {
        this.#waiting++;
        await this.#change.promise;
        this.#waiting--;
      } else {
        break;
      }
    }
    await before;
  }

  async #do(task: Task<W>, worker: W): Promise<void> {
    this.#busy++;
    try {
      await task(worker);
      if (this.#growth?.mayGrow(this.#workers.size)) {
        this.#most = Math.min(AUTO_MOST, this.#workers.size + 1);
        this.addWorkers();
      }
      if (this.#pauses.isDue) await this.#pauses.pause(this.#signal);
    } catch (error) {
      this.#failure ??= { error };
      this.#end.abort(error);
    }
    this.#busy--;
    if (this.#waiting === 0) return;
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}

/** Decides whether another connection is worth it, by the tasks a second. */
class Growth {
  #since = performance.now();
  #done = 0;
  #rate = 0;
  #isOver = false;

  /** Counts a task, and tells whether to open another connection. */
  mayGrow(workers: number): boolean {
    if (this.#isOver || ++this.#done < AUTO_TASKS * workers) return false;
    const now = performance.now();
    const rate = this.#done / (now - this.#since);
    this.#isOver = workers >= AUTO_MOST || rate < this.#rate * AUTO_GAIN;
    this.#since = now;
    this.#done = 0;
    this.#rate = rate;
    return !this.#isOver;
  }

  /** Ends the growth: the server refuses more. */
  stop(): void {
    this.#isOver = true;
  }
}
