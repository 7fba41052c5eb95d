/**
 * Processes the items of a command, on one connection or several. Not a
 * `WorkerPool`: that has sessions of one client, and the commands call methods of
 * several clients.
 *
 * @module
 */

import type { FTP } from "../../mod.ts";
import { RateLimiter } from "../files/progress.ts";
import { type CommandContext, openClient, transferOptions } from "./context.ts";
import {
  EXIT,
  type ExitCode,
  exitCodeOf,
  Incomplete,
  Interrupted,
  UsageError,
} from "./exit_code.ts";
import { OutputClosed } from "./output.ts";
import { groupByServer, type Target } from "./target.ts";

/** Counts of processed and failed items. */
export class Outcome {
  /** Number of processed items. */
  done = 0;
  readonly #codes: ExitCode[] = [];
  #notTried = 0;

  /** Number of items that failed or were not tried. */
  get failed(): number {
    return this.#codes.length + this.#notTried;
  }

  /** Counts a failed item. */
  fail(error: unknown): void {
    this.#codes.push(exitCodeOf(error));
  }

  /** Counts items that were not tried, because the connection is lost. */
  skip(count: number): void {
    this.#notTried += count;
  }

  /**
   * Checks that everything was done.
   *
   * @throws {Incomplete} If an item failed
   */
  finish(): void {
    const { done, failed } = this;
    if (failed === 0) return;
    const [first = EXIT.network] = this.#codes;
    const code = done > 0 ? EXIT.partial : first;
    const all = done + failed;
    throw new Incomplete(code, `${failed} of ${all} failed`, all === 1);
  }
}

/** A file or directory that a command processes. */
interface Item {
  /** Its path on the server. */
  readonly path: string;
}

/** Work on a list. */
interface Work<T> {
  /** Counts the items. */
  readonly outcome: Outcome;
  /** Processes one item. */
  readonly run: (ftp: FTP, item: T) => Promise<void>;
  /**
   * Returns the name of an item in the messages of errors.
   *
   * @default its path
   */
  readonly nameOf?: (item: T) => string;
}

/**
 * Processes a list. A failed item does not stop the others; a lost connection
 * does.
 *
 * @throws {Interrupted} If the user interrupted it
 * @throws {OutputClosed} If standard output was closed
 */
export async function processItems<T extends Item>(
  ftp: FTP,
  items: readonly T[],
  context: CommandContext,
  { outcome, run, nameOf = ({ path }) => path }: Work<T>,
): Promise<void> {
  const { out, signal } = context;
  const queue = [...items];
  let ending: { error: unknown } | undefined;
  const work = async (client: FTP): Promise<void> => {
    while (ending === undefined && queue.length > 0) {
      const item = queue.shift()!;
      try {
        await run(client, item);
        outcome.done++;
      } catch (error) {
        const isEnd = signal.aborted || error instanceof OutputClosed ||
          error instanceof Interrupted;
        if (isEnd) {
          ending ??= { error: signal.aborted ? signal.reason : error };
          return;
        }
        outcome.fail(error);
        out.error(error, nameOf(item));
        if (exitCodeOf(error) !== EXIT.network) continue;
        // it was retried: the others would fail in the same way
        if (client === ftp) {
          outcome.skip(queue.length);
          queue.length = 0;
        }
        return;
      }
    }
  };
  const wanted = Math.min(connectionsOf(context), items.length);
  const more = Array.from({ length: Math.max(0, wanted - 1) }, async () => {
    let clone: FTP;
    try {
      clone = await ftp.clone({ signal });
    } catch {
      return; // the server allows fewer connections: the others do the work
    }
    await using _closed = clone;
    await work(clone);
  });
  await Promise.all([work(ftp), ...more]);
  if (ending !== undefined) throw ending.error;
}

/** Work on the targets of one server. */
interface TargetWork<T> {
  /** Finds the items that the targets stand for. */
  readonly find: (
    ftp: FTP,
    targets: readonly Target[],
    outcome: Outcome,
  ) => readonly T[] | Promise<readonly T[]>;
  /** Processes one item. */
  readonly run: (ftp: FTP, item: T) => Promise<void>;
}

/**
 * Processes targets, one server after the other. A server that fails does not
 * stop the others.
 *
 * @throws {Incomplete} If something failed
 */
export async function processTargets<T extends Item>(
  targets: readonly Target[],
  context: CommandContext,
  { find, run }: TargetWork<T>,
): Promise<void> {
  const { out, signal } = context;
  const outcome = new Outcome();
  const groups = groupByServer(targets);
  for (const { server, targets: wanted } of groups) {
    try {
      await using ftp = await openClient(server, context);
      const items = await find(ftp, wanted, outcome);
      await processItems(ftp, items, context, { outcome, run });
    } catch (error) {
      const isEnd = signal.aborted || error instanceof OutputClosed ||
        error instanceof Interrupted || error instanceof UsageError;
      const isOnly = groups.length === 1 && outcome.done + outcome.failed === 0;
      if (isEnd || isOnly) throw error;
      outcome.fail(error);
      out.error(error);
    }
    signal.throwIfAborted();
  }
  outcome.finish();
}

/** Reads `--connections`. */
export function connectionsOf({ flags }: CommandContext): number {
  return flags.number("connections", { least: 1, isInteger: true }) ?? 1;
}

/**
 * Checks the options of transfers before anything is sent. Returns the rate
 * limit that all connections share.
 *
 * @throws {UsageError} If a value cannot be used
 */
export function checkTransfers(context: CommandContext): RateLimiter {
  transferOptions(context);
  connectionsOf(context);
  return new RateLimiter(context.flags.rate());
}
