/**
 * Several connections at work on one mirror.
 *
 * @module
 */

import { Breather } from "../connection/breather.ts";
import type {
  OwnedProvider,
  SessionProvider,
} from "../files/session_provider.ts";

/** One connection, and what it takes to work with it. */
interface Worker {
  /** The connection. */
  readonly provider: SessionProvider;
}

/** A piece of work for one connection. */
export type Task<W> = (worker: W) => Promise<void>;

/** What there is to do. Who does a job may add others. */
export interface TaskQueue<W> {
  /** How many jobs could be begun at once. */
  readonly size: number;
  /**
   * Gives a job away.
   *
   * @returns The job; `undefined` if there is none until another one is done
   */
  take(): Task<W> | undefined;
}

/** How many connections, and until when. */
interface CrewOptions {
  /** Most connections. */
  readonly most: number;
  /** Ends the work. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Workers, each with a connection of its own. The first has the client's; the
 * others' are opened while there is more to do than is being done, and closed at
 * the end. A server that refuses one more is worked with as far as it goes.
 */
export class WorkerPool<W extends Worker> implements AsyncDisposable {
  /** Who works with the client's own connection. */
  readonly first: W;
  readonly #make: (provider: SessionProvider, signal: AbortSignal) => W;
  readonly #end = new AbortController();
  readonly #signal: AbortSignal;
  readonly #workers: Set<W>;
  readonly #added: OwnedProvider[] = [];
  readonly #adding = new Set<Promise<void>>();
  #most: number;
  #queue: TaskQueue<W> | undefined;
  #runs: Promise<void>[] = [];
  readonly #breather = new Breather();
  #busy = 0;
  #waiting = 0;
  #change = Promise.withResolvers<void>();
  #failure: { error: unknown } | undefined;

  /**
   * Makes a pool of one worker.
   *
   * @param provider The client
   * @param options How many may join, and a signal
   * @param make Makes a worker, which stops at the signal: the caller's, or
   * that another worker's job failed
   */
  constructor(
    provider: SessionProvider,
    { most, signal }: CrewOptions,
    make: (provider: SessionProvider, signal: AbortSignal) => W,
  ) {
    const { signal: end } = this.#end;
    this.#signal = signal === undefined ? end : AbortSignal.any([signal, end]);
    this.#most = most;
    this.#make = make;
    this.first = make(provider, this.#signal);
    this.#workers = new Set([this.first]);
  }

  /** Aborted when there is no going on. */
  get signal(): AbortSignal {
    return this.#signal;
  }

  /**
   * Does what there is to do. It ends when nobody works any more, also after a
   * failure.
   *
   * @param queue The work
   * @throws What the first job threw that failed
   */
  async run(queue: TaskQueue<W>): Promise<void> {
    this.#queue = queue;
    this.#runs = Array.from(this.#workers, (worker) => this.#work(worker));
    // whoever joins meanwhile is waited for too
    for (let i = 0; i < this.#runs.length; i++) await this.#runs[i];
    this.#queue = undefined;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /**
   * Tells that the job of a worker is one for the server: what else there is to
   * do would have to wait, so others are called.
   */
  addWorkers(): void {
    if (this.#queue === undefined) return;
    const spare = this.#most - this.#workers.size - this.#adding.size;
    const work = this.#queue.size - this.#waiting - this.#adding.size;
    for (let i = Math.min(spare, work); i > 0; i--) {
      const adding = this.#addWorker();
      this.#adding.add(adding);
      adding.then(() => this.#adding.delete(adding));
    }
  }

  /**
   * Does without a worker whose connection is lost for good, and without more
   * of them.
   *
   * @param provider The connection
   * @returns Whether there are others: the client's own is never done without
   */
  dropWorker(provider: SessionProvider): boolean {
    if (provider === this.first.provider) return false;
    this.#most = 0;
    for (const worker of this.#workers) {
      if (worker.provider === provider) this.#workers.delete(worker);
    }
    return true;
  }

  /** Closes what was opened. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#adding);
    await Promise.all(
      this.#added.map((provider) => provider[Symbol.asyncDispose]()),
    );
  }

  async #addWorker(): Promise<void> {
    try {
      const provider = await this.first.provider.fork({
        signal: this.#signal,
      });
      this.#added.push(provider);
      const worker = this.#make(provider, this.#signal);
      this.#workers.add(worker);
      if (this.#queue !== undefined) this.#runs.push(this.#work(worker));
    } catch {
      this.#most = 0; // it would refuse the next one too
    }
  }

  /** Never rejects. */
  async #work(worker: W): Promise<void> {
    while (this.#failure === undefined && this.#workers.has(worker)) {
      const job = this.#queue?.take();
      if (job !== undefined) {
        await this.#do(job, worker);
      } else if (this.#busy > 0) {
        this.#waiting++;
        await this.#change.promise;
        this.#waiting--;
      } else {
        return;
      }
    }
  }

  async #do(job: Task<W>, worker: W): Promise<void> {
    this.#busy++;
    try {
      await job(worker);
      if (this.#breather.isDue) await this.#breather.pause(this.#signal);
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
