/**
 * Counts and reports the actions of a mirror.
 *
 * @module
 */

import { withAdvice } from "../protocol/with_advice.ts";
import { asError } from "../protocol/with_message.ts";
import { LocalError, locally } from "../files/errors.ts";
import { reconnectIfLost } from "../files/recovery.ts";
import type { SessionProvider } from "../files/session_provider.ts";
import type { Progress } from "../files/progress.ts";
import { Listener } from "../transfer/listener.ts";
import {
  printableError,
  printableRecord,
  quote,
} from "../protocol/printable.ts";
import { FTPMirrorError, type MirrorFailure } from "./errors.ts";
import type {
  MirrorEntry,
  MirrorEvent,
  MirrorOptions,
  MirrorResult,
} from "./options.ts";

/** Largest number of failures that are kept; further ones are only counted. */
const MAX_FAILURES = 1000;

/** Counter of each {@linkcode MirrorEvent.action}. */
const COUNTS = {
  transfer: "transferred",
  unchanged: "unchanged",
  make: "made",
  remove: "removed",
  skip: "skipped",
  fail: "failed",
} as const;

/**
 * Counts actions, calls the user's callbacks, and decides when the mirror
 * cannot continue.
 */
export class MirrorReport {
  /** Counts so far. */
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
  /** Number of failures that ended the mirror. */
  #lost = 0;
  /** Bytes of each current file. */
  readonly #current = new Map<string, number>();
  readonly #listener = new Listener((fault) => new LocalError(fault));

  /** Starts with zero counts. */
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
   * @throws {LocalError} If `filter` throws or does not return a boolean: a
   * promise would always count as true
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
        } takes part: "filter" must return true or false, not a promise or another value`,
      );
    });
  }

  /**
   * Runs an action on one entry. If it fails, the mirror continues with the
   * others.
   *
   * @returns The result, or `undefined` if it failed
   * @throws {unknown} An error that ends the mirror
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
      // without the permission, the next entry would fail as well
      if (error instanceof Deno.errors.NotCapable) throw error;
      let loss = await reconnectIfLost(provider, this.#options, error);
      if (loss !== undefined && this.#dropWorker(provider)) loss = undefined;
      this.record({ action: "fail", entry, error });
      if (loss === undefined) return undefined;
      this.#lost++;
      throw this.error(loss.error);
    }
  }

  /**
   * Counts and reports an action.
   *
   * @throws {LocalError} If a callback has failed
   */
  record(event: MirrorEvent): void {
    const { action, entry, error } = event;
    this.result[COUNTS[action]]++;
    if (action === "fail" && this.#failures.length < MAX_FAILURES) {
      const shown = printableError(error);
      this.#failures.push(printableRecord({ path: entry.path, error: shown }));
    }
    this.#listener.call(() => this.#options.onEntry?.(event));
  }

  /**
   * Counts the bytes of a file.
   *
   * @param run Transfers the file, and returns the bytes transferred
   */
  async count(path: string, run: () => Promise<number>): Promise<void> {
    try {
      const bytes = await run();
      this.result.bytes += bytes; // others may have counted meanwhile
    } finally {
      this.#current.delete(path);
    }
  }

  /** Returns a callback for the progress of a file. */
  progressOf(path: string): ((progress: Progress) => void) | undefined {
    const { onProgress } = this.#options;
    if (onProgress === undefined) return undefined;
    return (file) => {
      this.#current.set(path, file.transferred);
      const { transferred } = this.result;
      let { bytes } = this.result;
      for (const some of this.#current.values()) bytes += some;
      return this.#listener.call(() =>
        onProgress({ path, file, transferred, bytes })
      );
    };
  }

  /** The caller's `onRetry`, with its failures recorded. */
  get onRetry(): MirrorOptions["onRetry"] {
    return this.#listener.heard(this.#options.onRetry);
  }

  /**
   * Waits for pending callbacks at the end.
   *
   * @throws {LocalError} If one has failed
   */
  async settle(): Promise<void> {
    await this.#listener.settle();
  }

  /**
   * Creates the error of an incomplete mirror.
   *
   * @param loss Error that ended the connection, if that is the reason
   * @param unfinished Number of entries that were not processed to their end,
   * those included that failed because of the loss
   */
  error(loss?: unknown, unfinished = 0): FTPMirrorError {
    const unreached = Math.max(unfinished - this.#lost, 0);
    const { failed } = this.result;
    const [first] = this.#failures;
    const cause = loss ?? first?.error;
    // the title names the mirrored directory already
    const isWhole = loss === undefined && failed === 1 && first?.path === "";
    const what = loss !== undefined
      ? "the connection is lost: "
      : isWhole
      ? ""
      : `${failed} ${failed === 1 ? "entry" : "entries"} failed, ${
        failed === 1 ? "" : "the first "
      }${quote(first?.path ?? "")}: `;
    const rest = unreached === 0
      ? ""
      : `${unreached} more ${
        unreached === 1 ? "entry was" : "entries were"
      } not reached`;
    const message = `${this.#title}: ${what}${asError(cause).message}`;
    return new FTPMirrorError(withAdvice(message, rest), {
      result: { ...this.result },
      failures: this.#failures,
      unreached,
      cause,
    });
  }
}
