/**
 * What a mirror has done so far, and whom it tells.
 *
 * @module
 */

import { asError } from "../connection/with_message.ts";
import { LocalError, locally } from "../files/errors.ts";
import { runOperation } from "../files/operation.ts";
import type { SessionProvider } from "../files/session_provider.ts";
import type { Progress } from "../files/progress.ts";
import { Listener } from "../transfer/listener.ts";
import { printableError, quote } from "../protocol/printable.ts";
import { FTPMirrorError } from "./errors.ts";
import type {
  MirrorEntry,
  MirrorEvent,
  MirrorFailure,
  MirrorOptions,
  MirrorResult,
} from "./options.ts";

/** Most failures that are kept: the others are counted. */
const MAX_FAILURES = 1000;

/** Counts of a {@linkcode MirrorEvent.action}. */
const COUNTS = {
  transfer: "transferred",
  unchanged: "unchanged",
  make: "made",
  remove: "removed",
  skip: "skipped",
  fail: "failed",
} as const;

/** Counts, calls the user back, and knows when there is no going on. */
export class MirrorReport {
  /** What was done so far. */
  readonly result: { -readonly [Key in keyof MirrorResult]: number } = {
    transferred: 0,
    unchanged: 0,
    made: 0,
    removed: 0,
    skipped: 0,
    failed: 0,
    bytes: 0,
  };
  readonly #dropWorker: (provider: SessionProvider) => boolean;
  readonly #title: string;
  readonly #options: MirrorOptions;
  readonly #failures: MirrorFailure[] = [];
  /** Bytes of each file that is under way. */
  readonly #underway = new Map<string, number>();
  readonly #listener = new Listener((fault) => new LocalError(fault));

  /**
   * Begins to count.
   *
   * @param title What is tried, for error messages
   * @param options Whom to tell
   * @param dismiss Is given a connection that is lost for good; tells whether
   * there are others
   */
  constructor(
    title: string,
    options: MirrorOptions,
    dropWorker: (provider: SessionProvider) => boolean,
  ) {
    this.#dropWorker = dropWorker;
    this.#title = title;
    this.#options = options;
  }

  /**
   * Whether an entry takes part.
   *
   * @param entry The entry
   * @returns What the caller's filter says
   * @throws {LocalError} If it throws, or gives no boolean: a promise is true
   * whatever comes of it
   */
  includes(entry: MirrorEntry): boolean {
    const { filter } = this.#options;
    if (filter === undefined) return true;
    return locally(() => {
      const isWanted: unknown = filter(entry);
      if (typeof isWanted === "boolean") return isWanted;
      throw new TypeError(
        `Cannot tell whether ${
          quote(entry.path)
        } takes part: "filter" must return true or false, not a promise or anything else`,
      );
    });
  }

  /**
   * Does something with one entry. If that fails, the others go on.
   *
   * @param provider The connection that it is done with
   * @param entry The entry
   * @param run Does it
   * @returns What it gives; `undefined` if it failed
   * @throws {unknown} What ends the mirror
   */
  async attempt<T>(
    provider: SessionProvider,
    entry: MirrorEntry,
    run: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await run();
    } catch (error) {
      if (error instanceof LocalError) throw error;
      this.#listener.check();
      this.#options.signal?.throwIfAborted();
      // no permission: the next will have none either
      if (error instanceof Deno.errors.NotCapable) throw error;
      await this.#comeBack(provider, error);
      this.record({ action: "fail", entry, error });
      return undefined;
    }
  }

  /**
   * Counts and tells what was done.
   *
   * @param event What
   * @throws {LocalError} If the callback throws, or one has failed meanwhile
   */
  record(event: MirrorEvent): void {
    const { action, entry, error } = event;
    this.result[COUNTS[action]]++;
    if (action === "fail" && this.#failures.length < MAX_FAILURES) {
      const shown = printableError(error);
      this.#failures.push({ path: entry.path, error: shown });
    }
    this.#listener.call(() => this.#options.onEntry?.(event));
  }

  /**
   * Counts the bytes of a file.
   *
   * @param path The file
   * @param run Transfers it, and gives the bytes that went through
   */
  async count(path: string, run: () => Promise<number>): Promise<void> {
    try {
      const bytes = await run();
      this.result.bytes += bytes; // others may have counted meanwhile
    } finally {
      this.#underway.delete(path);
    }
  }

  /**
   * Follows the transfer of a file.
   *
   * @param path The file
   * @returns What `download` and `upload` are to call
   */
  progressOf(path: string): ((progress: Progress) => void) | undefined {
    const { onProgress } = this.#options;
    if (onProgress === undefined) return undefined;
    return (file) => {
      this.#underway.set(path, file.transferred);
      const { transferred } = this.result;
      let { bytes } = this.result;
      for (const some of this.#underway.values()) bytes += some;
      return this.#listener.call(() =>
        onProgress({ path, file, transferred, bytes })
      );
    };
  }

  /**
   * The caller's `onRetry`, of which is known if it fails.
   *
   * @returns What `download` and `upload` are to call
   */
  get onRetry(): MirrorOptions["onRetry"] {
    return this.#listener.heard(this.#options.onRetry);
  }

  /**
   * Looks, at the end, whether the callbacks are well.
   *
   * @throws {LocalError} If one has failed
   */
  async settle(): Promise<void> {
    await this.#listener.settle();
  }

  /**
   * The error that a mirror ends with.
   *
   * @param loss What was the end of the connection, if that is why it ends
   * @returns The error
   */
  error(loss?: unknown): FTPMirrorError {
    const { failed } = this.result;
    const [first] = this.#failures;
    const cause = loss ?? first?.error;
    // of the mirrored directory itself the title tells already
    const isWhole = loss === undefined && failed === 1 && first?.path === "";
    const what = loss !== undefined
      ? "the connection is lost: "
      : isWhole
      ? ""
      : `${failed} ${failed === 1 ? "entry" : "entries"} failed, ${
        failed === 1 ? "" : "the first "
      }${quote(first?.path ?? "")}: `;
    const why = asError(cause).message;
    return new FTPMirrorError(`${this.#title}: ${what}${why}`, {
      result: { ...this.result },
      failures: this.#failures,
      cause,
    });
  }

  /** One file may have been the end of a connection: the others get another. */
  async #comeBack(provider: SessionProvider, cause: unknown): Promise<void> {
    const { retry, signal } = this.#options;
    if (!provider.session.isLost) return;
    let why = cause;
    if (retry !== false && provider.canReconnect) {
      try {
        await runOperation(
          provider,
          { signal },
          (options) => provider.reconnect(options),
        );
        return;
      } catch (error) {
        signal?.throwIfAborted();
        why = error;
      }
    }
    if (!this.#dropWorker(provider)) throw this.error(why);
  }
}
