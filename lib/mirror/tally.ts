/**
 * What a mirror has done so far, and whom it tells.
 *
 * @module
 */

import { LocalFault, locally } from "../files/faults.ts";
import type { Link } from "../files/link.ts";
import type { Progress } from "../files/progress.ts";
import { quote } from "./folder.ts";
import { FTPMirrorError } from "./faults.ts";
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
export class Tally {
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
  readonly #link: Link;
  readonly #title: string;
  readonly #options: MirrorOptions;
  readonly #failures: MirrorFailure[] = [];
  #fault: LocalFault | undefined;

  /**
   * Begins to count.
   *
   * @param link The client
   * @param title What is tried, for error messages
   * @param options Whom to tell
   */
  constructor(link: Link, title: string, options: MirrorOptions) {
    this.#link = link;
    this.#title = title;
    this.#options = options;
  }

  /**
   * Whether an entry takes part.
   *
   * @param entry The entry
   * @returns What the caller's filter says
   * @throws {LocalFault} If it throws
   */
  wants(entry: MirrorEntry): boolean {
    const { filter } = this.#options;
    return filter === undefined || locally(() => filter(entry));
  }

  /**
   * Does something with one entry. If that fails, the others go on.
   *
   * @param entry The entry
   * @param run Does it
   * @returns What it gives; `undefined` if it failed
   * @throws {unknown} What ends the mirror
   */
  async attempt<T>(
    entry: MirrorEntry,
    run: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await run();
    } catch (error) {
      if (error instanceof LocalFault) throw error;
      if (this.#fault !== undefined) throw this.#fault;
      this.#options.signal?.throwIfAborted();
      // no permission: the next will have none either
      if (error instanceof Deno.errors.NotCapable) throw error;
      await this.#comeBack(error);
      this.note({ action: "fail", entry, error });
      return undefined;
    }
  }

  /**
   * Counts and tells what was done.
   *
   * @param event What
   * @throws {LocalFault} If the callback throws
   */
  note(event: MirrorEvent): void {
    const { action, entry, error } = event;
    this.result[COUNTS[action]]++;
    if (action === "fail" && this.#failures.length < MAX_FAILURES) {
      this.#failures.push({ path: entry.path, error });
    }
    locally(() => this.#options.onEntry?.(event));
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
      const { transferred, bytes } = this.result;
      this.#guard(() =>
        onProgress({ path, file, transferred, bytes: bytes + file.transferred })
      );
    };
  }

  /**
   * The caller's `onRetry`, of which is known if it throws.
   *
   * @returns What `download` and `upload` are to call
   */
  get onRetry(): MirrorOptions["onRetry"] {
    const { onRetry } = this.#options;
    return onRetry && ((event) => this.#guard(() => onRetry(event)));
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
    const what = loss !== undefined
      ? "the connection is lost"
      : `${failed} ${failed === 1 ? "entry" : "entries"} failed, ${
        failed === 1 ? "" : "the first "
      }${quote(first?.path ?? "")}`;
    const why = cause instanceof Error ? cause.message : String(cause);
    return new FTPMirrorError(`${this.#title}: ${what}: ${why}`, {
      result: { ...this.result },
      failures: this.#failures,
      cause,
    });
  }

  /** One file may have been the end of a connection: the others get another. */
  async #comeBack(cause: unknown): Promise<void> {
    const link = this.#link;
    const { retry, signal } = this.#options;
    if (link.session.control.failure === undefined) return;
    if (retry === false || !link.canReconnect) throw this.error(cause);
    try {
      await link.jobs.alone(() => link.reconnect({ signal }), { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw this.error(error);
    }
  }

  /** Keeps what a callback throws: nobody else's errors end the mirror. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#fault = new LocalFault(error);
      throw error;
    }
  }
}
