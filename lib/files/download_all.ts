/**
 * Downloads a list of files, over one connection or several.
 *
 * @module
 */

import { basename, dirname, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { checkName, splitPath } from "../commands/path.ts";
import { asError } from "../protocol/with_message.ts";
import { checkNames, type NamesOf } from "../protocol/check_names.ts";
import { quote } from "../protocol/printable.ts";
import { resolveTarget } from "./download/local_target.ts";
import { download } from "./download/download.ts";
import { withLifetime } from "./operation.ts";
import {
  checkTransferOptions,
  DOWNLOAD_OPTIONS,
  type DownloadOptions,
  type FileTransferResult,
} from "./options.ts";
import { type Progress, RateLimiter } from "./progress.ts";
import { reconnectIfLost } from "./recovery.ts";
import type { SessionProvider } from "./session_provider.ts";
import {
  checkConnections,
  type Task,
  type TaskQueue,
  type Worker,
  WorkerPool,
} from "./worker_pool.ts";

/** A file to download: its path on the server, or that path and the target. */
export type DownloadItem =
  | string
  | { readonly remote: string; readonly local: string | URL };

/** Options of {@linkcode FTP.prototype.downloadAll FTP.downloadAll}. */
export interface DownloadAllOptions
  extends Omit<DownloadOptions, "onProgress"> {
  /**
   * Largest number of connections, including the client's own. The others are
   * opened when there is work for them, and closed at the end. If the server
   * allows fewer, those do all the work. "auto" opens up to eight connections,
   * one after another, while each makes the work faster by at least a seventh
   * and the server accepts it.
   *
   * @default 1
   */
  connections?: number | "auto" | undefined;
  /**
   * Whether outcomes are returned in the order of the list, instead of the
   * order in which the files end.
   *
   * @default false
   */
  ordered?: boolean | undefined;
  /**
   * Rate limit of all connections together, in bytes per second.
   *
   * @default no limit
   */
  maxRate?: number | undefined;
  /** Called during the transfer of a file, and once at its end. */
  onProgress?: ((progress: Progress, remote: string) => void) | undefined;
}

/** Outcome of one file. Either `result` or `error` is set. */
export interface DownloadOutcome {
  /** Path on the server. */
  readonly remote: string;
  /** Path of the target. */
  readonly local: string;
  /** Size, verification, time and retries of a downloaded file. */
  readonly result?: FileTransferResult | undefined;
  /** The error, if the file was not downloaded. */
  readonly error?: Error | undefined;
}

const DOWNLOAD_ALL_OPTIONS: NamesOf<DownloadAllOptions> = {
  ...DOWNLOAD_OPTIONS,
  connections: true,
  ordered: true,
};

/**
 * Largest number of waiting outcomes; no further file is started until the
 * caller takes one.
 */
const MOST_WAITING = 64;

/**
 * Rejects unknown and invalid options, and returns the outcomes. Nothing is
 * sent before the caller requests the first one.
 */
export function downloadAll(
  provider: SessionProvider,
  items: Iterable<DownloadItem> | AsyncIterable<DownloadItem>,
  directory: string | URL,
  options: DownloadAllOptions,
): AsyncGenerator<DownloadOutcome, void, undefined> {
  checkNames("downloadAll", options, DOWNLOAD_ALL_OPTIONS);
  checkConnections(options.connections);
  checkTransferOptions(options);
  return outcomesOf(provider, items, directory, options);
}

async function* outcomesOf(
  provider: SessionProvider,
  items: Iterable<DownloadItem> | AsyncIterable<DownloadItem>,
  directory: string | URL,
  options: DownloadAllOptions,
): AsyncGenerator<DownloadOutcome, void, undefined> {
  const { connections: most = 1 } = options;
  const signal = withLifetime(provider, options.signal);
  const folder = directory instanceof URL
    ? fileURLToPath(directory)
    : directory;
  await Deno.mkdir(folder, { recursive: true });
  await using pool = new WorkerPool<Worker>(
    provider,
    { most, signal },
    (provider) => ({ provider, onEnding: undefined }),
  );
  const list = new DownloadList(items, folder, pool, options);
  const running = pool.run(list).then(() => list.end(), (error) => {
    list.end(asError(error));
  });
  try {
    for (let next; (next = await list.next()) !== undefined;) yield next;
  } finally {
    list.leave();
    await running;
  }
}

/** The list as a queue of tasks, and the outcomes. */
class DownloadList implements TaskQueue<Worker> {
  readonly #items: AsyncIterator<DownloadItem> | Iterator<DownloadItem>;
  readonly #folder: string;
  readonly #pool: WorkerPool<Worker>;
  readonly #options: DownloadAllOptions;
  readonly #limiter: RateLimiter;
  /** Keys of the targets so far: no file replaces another one of the list. */
  readonly #targets = new Set<string>();
  /** Outcomes that wait for the caller, by position or in order of time. */
  readonly #outcomes = new Map<number, DownloadOutcome>();
  #taking: Promise<unknown> = Promise.resolve();
  #count = 0;
  /** Position of the next outcome of an ordered list. */
  #next = 0;
  #isRead = false;
  #isOver = false;
  #failure: Error | undefined;
  #change = Promise.withResolvers<void>();

  constructor(
    items: Iterable<DownloadItem> | AsyncIterable<DownloadItem>,
    folder: string,
    pool: WorkerPool<Worker>,
    options: DownloadAllOptions,
  ) {
    this.#items = Symbol.asyncIterator in items
      ? items[Symbol.asyncIterator]()
      : items[Symbol.iterator]();
    this.#folder = folder;
    this.#pool = pool;
    this.#options = options;
    this.#limiter = new RateLimiter(options.maxRate);
  }

  /** One at a time, because the number of the others is unknown. */
  get size(): number {
    return this.#isRead ? 0 : 1;
  }

  /** Takes the next file, once the caller has taken enough outcomes. */
  take(): Promise<Task<Worker> | undefined> {
    const taken = this.#taking.then(() => this.#take());
    this.#taking = taken.catch(() => {});
    return taken;
  }

  async #take(): Promise<Task<Worker> | undefined> {
    while (this.#outcomes.size >= MOST_WAITING && !this.#isRead) {
      await this.#change.promise;
    }
    if (this.#isRead) return undefined;
    let item: IteratorResult<DownloadItem>;
    try {
      item = await this.#items.next();
    } catch (error) {
      this.#failure ??= asError(error);
      item = { done: true, value: undefined };
    }
    this.#isRead ||= item.done === true;
    if (item.done || this.#failure !== undefined) return undefined;
    const position = this.#count++;
    return (worker) => this.#run(worker, position, item.value);
  }

  /** Downloads one file. Rejects only if the others would fail as well. */
  async #run(
    worker: Worker,
    position: number,
    item: DownloadItem,
  ): Promise<void> {
    const { onEnding, provider } = worker;
    this.#pool.addWorkers();
    const remote = typeof item === "string" ? item : item.remote;
    let local = "";
    try {
      local = this.#targetOf(item);
      const { onProgress, ...options } = this.#options;
      const result = await download(provider, remote, local, {
        ...options,
        signal: this.#pool.signal,
        onProgress: onProgress &&
          ((progress) => onProgress(progress, remote)),
      }, { limiter: this.#limiter, onEnding });
      this.#add(position, { remote, local, result });
    } catch (error) {
      const { signal } = this.#pool;
      signal.throwIfAborted();
      if (error instanceof Deno.errors.NotCapable) throw error;
      const { retry } = this.#options;
      const loss = await reconnectIfLost(provider, { retry, signal }, error);
      if (loss !== undefined && !this.#pool.dropWorker(provider)) {
        throw loss.error;
      }
      this.#add(position, { remote, local, error: asError(error) });
    }
  }

  /** Returns the target of an item, and rejects one that was used before. */
  #targetOf(item: DownloadItem): string {
    let local: string;
    if (typeof item === "string") {
      const [, name] = splitPath(item);
      local = `${this.#folder}/${checkName(name)}`;
    } else {
      local = item.local instanceof URL
        ? fileURLToPath(item.local)
        : item.local;
    }
    const key = keyOf(local);
    if (this.#targets.has(key)) {
      throw new Deno.errors.AlreadyExists(
        `Cannot download to ${
          quote(local)
        }: another file of the list has this target; give each a "local" path`,
      );
    }
    this.#targets.add(key);
    return local;
  }

  #add(position: number, outcome: DownloadOutcome): void {
    this.#outcomes.set(position, outcome);
    this.#wake();
  }

  #wake(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  /** Returns the next outcome; `undefined` after the last one. */
  async next(): Promise<DownloadOutcome | undefined> {
    const { ordered = false } = this.#options;
    for (;;) {
      const [first] = this.#outcomes.keys();
      const position = ordered ? this.#next : first;
      const outcome = position === undefined
        ? undefined
        : this.#outcomes.get(position);
      if (outcome !== undefined) {
        this.#outcomes.delete(position!);
        this.#next++;
        this.#wake();
        return outcome;
      }
      if (this.#isOver) {
        if (this.#failure !== undefined) throw this.#failure;
        return undefined;
      }
      await this.#change.promise;
    }
  }

  /** Ends the outcomes after the waiting ones. */
  end(error?: Error): void {
    this.#failure ??= error;
    this.#isOver = true;
    this.#wake();
  }

  /** Starts no further file, because the caller wants no more outcomes. */
  leave(): void {
    if (!this.#isRead) {
      this.#isRead = true;
      Promise.resolve(this.#items.return?.()).catch(() => {});
    }
    this.#wake();
  }
}

/**
 * Returns a text that is equal for all paths of one file: with `..`, through a
 * link, or in another case where the file system ignores that.
 */
function keyOf(local: string): string {
  try {
    const { path } = resolveTarget(local);
    const { dev, ino } = Deno.statSync(dirname(path));
    const name = Deno.build.os === "linux"
      ? basename(path)
      : basename(path).normalize("NFC").toLowerCase();
    if (ino !== null) return `${dev} ${ino} ${name}`;
  } catch {
    // the download reports what is wrong with the path
  }
  return normalize(local);
}
