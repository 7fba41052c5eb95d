/**
 * Finds the case that an open connection, listener, file or Worker belongs to.
 * The sanitizers of a test only report that there is one.
 */

import { AsyncLocalStorage } from "node:async_hooks";

/** Open resources of a case. */
export class OpenResources {
  readonly #open = new Map<object, string>();
  #changed = Promise.withResolvers<void>();
  /** Workers that were started. */
  workers = 0;

  /** How many are open. */
  get count(): number {
    return this.#open.size;
  }

  /** Something was opened. */
  add(resource: object, what: string): void {
    this.#open.set(resource, what);
  }

  /** Something was closed. */
  remove(resource: object): void {
    this.#open.delete(resource);
    this.#changed.resolve();
  }

  /** Returns resources that are still open after a time, in milliseconds. */
  async left(timeLimit: number): Promise<string[]> {
    const { promise: late, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(true), timeLimit);
    let isLate = false;
    while (this.#open.size > 0 && !isLate) {
      this.#changed = Promise.withResolvers();
      isLate = await Promise.race([
        late,
        this.#changed.promise.then(() => false),
      ]);
    }
    clearTimeout(timer);
    return [...this.#open.values()];
  }
}

/** Tracks which case opens a resource, until it is disposed of. */
export class LeakTracker implements Disposable {
  readonly #storage = new AsyncLocalStorage<OpenResources>();
  readonly #originals = {
    connect: Deno.connect,
    listen: Deno.listen,
    open: Deno.open,
    openSync: Deno.openSync,
    Worker: globalThis.Worker,
  };

  constructor() {
    const { connect, listen, open, openSync, Worker } = this.#originals;
    const watch = this.#watch.bind(this);
    const storage = this.#storage;
    // deno-lint-ignore no-explicit-any
    const anyhow = <T>(value: T): any => value;
    Deno.connect = anyhow(async (options: Deno.ConnectOptions) => {
      const resources = storage.getStore();
      const { hostname, port } = options;
      return watch(
        resources,
        await connect(options),
        `connection to ${hostname}:${port}`,
      );
    });
    Deno.listen = anyhow((options: Deno.TcpListenOptions) =>
      watch(storage.getStore(), listen(options), "listener")
    );
    Deno.open = async (path, options) =>
      watch(storage.getStore(), await open(path, options), `file ${path}`);
    Deno.openSync = (path, options) =>
      watch(storage.getStore(), openSync(path, options), `file ${path}`);
    globalThis.Worker = class extends Worker {
      readonly #resources = storage.getStore();
      constructor(url: string | URL, options?: WorkerOptions) {
        super(url, options);
        this.#resources?.add(this, "Worker");
        if (this.#resources !== undefined) this.#resources.workers++;
      }
      override terminate(): void {
        super.terminate();
        this.#resources?.remove(this);
      }
    };
  }

  /**
   * Runs a case. Everything that is opened in it, now or later, belongs to it.
   */
  run<T>(resources: OpenResources, run: () => Promise<T>): Promise<T> {
    return this.#storage.run(resources, run);
  }

  #watch<T extends { close(): void }>(
    resources: OpenResources | undefined,
    resource: T,
    what: string,
  ): T {
    if (resources === undefined) return resource;
    resources.add(resource, what);
    const close = resource.close.bind(resource);
    const dispose = () => {
      close();
      resources.remove(resource);
    };
    Object.defineProperty(resource, "close", { value: dispose });
    Object.defineProperty(resource, Symbol.dispose, { value: dispose });
    return resource;
  }

  [Symbol.dispose](): void {
    const { Worker, ...ofDeno } = this.#originals;
    Object.assign(Deno, ofDeno);
    globalThis.Worker = Worker;
  }
}
