/**
 * Downloads a file in segments, over several connections at once.
 *
 * @module
 */

import { anySignal } from "../../connection/waiting.ts";
import { quote } from "../../protocol/printable.ts";
import type { Session } from "../../transfer/session.ts";
import type { Transfer } from "../../transfer/transfer.ts";
import { awaitConfirmation } from "../confirm.ts";
import { FTPVerificationError } from "../errors.ts";
import { keepAlive } from "../keep_alive.ts";
import { openAt } from "../open_at.ts";
import type { DownloadOptions } from "../options.ts";
import type { ProgressTracker } from "../progress.ts";
import { proveRestart } from "../restart_proof.ts";
import { isAtEnd, isSameStart, OVERLAP } from "../resume.ts";
import type { SessionProvider } from "../session_provider.ts";
import type { Part } from "./part.ts";

/** Smallest segment in bytes; shorter ones do not pay off. */
const LEAST_SEGMENT = 1024 * 1024;

/** Largest number of segments. */
export const MOST_SEGMENTS = 64;

/** Size of a read, in bytes. */
const BLOCK_SIZE = 256 * 1024;

/**
 * A segment: its first byte, its first missing byte, and the byte after its
 * end.
 */
export type SegmentRange = readonly [
  origin: number,
  start: number,
  end: number,
];

/** A segment that is downloaded by one connection at a time. */
interface Segment {
  readonly origin: number;
  start: number;
  readonly end: number;
  isTaken: boolean;
}

/** The parts of the download that a segment uses. */
interface SegmentContext {
  readonly remote: string;
  readonly part: Part;
  readonly tracker: ProgressTracker;
  readonly options: DownloadOptions;
  /** For a fork: whether it has nothing left to do and can close. */
  readonly isLast?: () => boolean;
}

/** A connection of its own, which downloads segments. */
interface Fork {
  /** Its error, if any, as soon as it writes no more bytes. */
  readonly received: Promise<{ error: unknown } | undefined>;
  /** Fulfilled when it is closed. */
  readonly closed: Promise<void>;
}

/**
 * Returns the number of segments for a file.
 *
 * @param asked The option
 */
export function segmentCount(size: number | null, asked: number): number {
  return size === null ? 1 : Math.min(asked, Math.floor(size / LEAST_SEGMENT));
}

/**
 * The segments of one version of a file. Not tasks of a `WorkerPool`: a
 * connection continues into the next segment, one that fails leaves the rest of
 * its segment to another, and the download does not wait until all are closed.
 */
export class Segments {
  readonly size: number;
  readonly #count: number;
  readonly #segments: Segment[];
  /** Fulfilled when all forks of a complete download are closed. */
  closed: Promise<unknown> | undefined;

  private constructor(size: number, ranges: readonly SegmentRange[]) {
    this.size = size;
    this.#count = ranges.length;
    this.#segments = ranges.map(([origin, start, end]) => ({
      origin,
      start,
      end,
      isTaken: false,
    }));
  }

  /** Splits a file into segments of equal size. */
  static cut(size: number, count: number): Segments {
    const edge = (index: number) => Math.floor(size * index / count);
    return new Segments(
      size,
      Array.from(
        { length: count },
        (_, i) => [edge(i), edge(i), edge(i + 1)] as const,
      ),
    );
  }

  /**
   * Restores the segments of an earlier call. The last byte of a complete one is
   * missing again, so that the bytes before it are compared. Returns `undefined`
   * for ranges that do not cover the file.
   */
  static restore(size: number, ranges: unknown): Segments | undefined {
    if (!Array.isArray(ranges) || ranges.length > MOST_SEGMENTS) return;
    let edge = 0;
    const restored: SegmentRange[] = [];
    for (const range of ranges) {
      if (!isRange(range) || range[0] !== edge) return;
      const [origin, start, end] = range;
      restored.push([origin, Math.min(start, Math.max(origin, end - 1)), end]);
      edge = end;
    }
    return edge === size ? new Segments(size, restored) : undefined;
  }

  /** Bytes of the file that were received. */
  get received(): number {
    return this.#segments.reduce(
      (sum, { origin, start }) => sum + start - origin,
      0,
    );
  }

  /** The state to restore later. */
  get ranges(): SegmentRange[] {
    return this.#segments.map(({ origin, start, end }) => [origin, start, end]);
  }

  /** Whether no byte is missing. */
  get isComplete(): boolean {
    return this.#segments.every(({ start, end }) => start === end);
  }

  /**
   * Downloads the missing bytes. The client's own connection takes the last
   * segment. The others are forks: if the server refuses one, the connections
   * that exist do its work.
   *
   * @throws {FTPVerificationError} If the file changed
   */
  async fetch(
    provider: SessionProvider,
    context: SegmentContext,
  ): Promise<void> {
    const stop = new AbortController();
    const { signal } = context.options;
    const own = {
      ...context,
      options: {
        ...context.options,
        signal: anySignal(stop.signal, signal),
      },
    };
    const forks = Array.from(
      { length: this.#count - 1 },
      () => this.#fetchByFork(provider, own),
    );
    try {
      // with the caller's signal, to which the port belongs that was requested
      // with the size
      await this.#fetchAll(provider, context, "last");
      let failure: { error: unknown } | undefined;
      for (const { received } of forks) failure ??= await received;
      // work of failed forks
      await this.#fetchAll(provider, context);
      if (!this.isComplete) throw failure!.error;
      this.closed = Promise.all(forks.map(({ closed }) => closed));
    } catch (error) {
      stop.abort(error);
      await Promise.all(forks.map(({ closed }) => closed));
      throw error;
    }
  }

  /** Downloads segments on another connection, until all are taken. */
  #fetchByFork(provider: SessionProvider, context: SegmentContext): Fork {
    const { promise: received, resolve } = Promise.withResolvers<
      { error: unknown } | undefined
    >();
    const isLast = (): boolean => {
      if (this.#segments.some(isFree)) return false;
      resolve(undefined);
      return true;
    };
    const work = async (): Promise<void> => {
      try {
        await using fork = await provider.fork(context.options);
        await this.#fetchAll(fork, { ...context, isLast });
        resolve(undefined);
      } catch (error) {
        resolve({ error }); // too late to matter if all bytes are here
      }
    };
    return { received, closed: work() };
  }

  /** Downloads segments until all are taken. */
  async #fetchAll(
    provider: SessionProvider,
    context: SegmentContext,
    begin: "first" | "last" = "first",
  ): Promise<void> {
    const { signal } = context.options;
    let order = begin;
    for (let segment; (segment = this.#take(order)) !== undefined;) {
      order = "first";
      try {
        await provider.session.ready(signal, { isForced: true });
      } catch (error) {
        segment.isTaken = false;
        throw error;
      }
      if (await this.#fetchFrom(provider.session, segment, context)) return;
    }
  }

  #take(order: "first" | "last"): Segment | undefined {
    const segment = order === "first"
      ? this.#segments.find(isFree)
      : this.#segments.findLast(isFree);
    if (segment !== undefined) segment.isTaken = true;
    return segment;
  }

  /** Returns the next segment, if no connection has started it. */
  #takeNext({ end }: Segment): Segment | undefined {
    const next = this.#segments.find(({ origin }) => origin === end);
    if (next === undefined || next.isTaken || next.start > end) return;
    next.isTaken = true;
    return next;
  }

  /**
   * Downloads a segment, and the following ones that no other connection has
   * started.
   *
   * @returns Whether the connection must not take another segment
   */
  async #fetchFrom(
    session: Session,
    segment: Segment,
    context: SegmentContext,
  ): Promise<boolean> {
    const { remote, part, options } = context;
    let current = segment;
    try {
      const overlap = Math.min(OVERLAP, segment.start - segment.origin);
      const start = segment.start - overlap;
      const transfer = await openAt(session, "RETR", remote, start, options);
      await using alive = keepAlive(session, transfer, options);
      const expected = part.read(start, overlap);
      if (!await isSameStart(transfer, expected, options)) {
        await transfer.abort();
        throw new FTPVerificationError(
          `Cannot resume the download of ${
            quote(remote)
          }: the bytes before ${segment.start} differ`,
          { what: "overlap", expected: "equal bytes", actual: "others" },
        );
      }
      while (true) {
        await receive(transfer, current, context);
        const next = this.#takeNext(current);
        if (next === undefined) break;
        current.isTaken = false;
        current = next;
      }
      if (current.end < this.size) {
        if (context.isLast?.()) {
          // a fork's ABOR and QUIT would cost two round trips
          const reason = new Deno.errors.Interrupted("all segments are here");
          session.control.fail(reason);
          transfer.data.fail(reason);
          return true;
        }
        await transfer.abort();
        return false;
      }
      alive.stop();
      if (await isAtEnd(transfer, options)) {
        await awaitConfirmation(transfer, this.size, this.size, options);
        return false;
      }
      await transfer.abort();
      // a file that has grown is downloaded as of its start
      if (start > 0) await proveRestart(session, remote, start, options);
      return false;
    } finally {
      current.isTaken = false;
    }
  }
}

/** Whether no connection downloads a segment that is not complete. */
function isFree({ isTaken, start, end }: Segment): boolean {
  return !isTaken && start < end;
}

/** Receives the rest of a segment. */
async function receive(
  transfer: Transfer,
  segment: Segment,
  { part, tracker, remote, options }: SegmentContext,
): Promise<void> {
  const buffer = new Uint8Array(Math.min(BLOCK_SIZE, tracker.blocksize));
  try {
    while (segment.start < segment.end) {
      const room = buffer.subarray(0, segment.end - segment.start);
      const n = await transfer.data.read(room);
      if (n === null) break;
      part.writeAt(segment.start, buffer.subarray(0, n));
      segment.start += n;
      const wait = tracker.add(n);
      if (wait !== undefined) await wait;
    }
  } catch (error) {
    throw await transfer.failed(error, options);
  }
  if (segment.start === segment.end) return;
  await transfer.finish({ signal: options.signal });
  throw new FTPVerificationError(
    `Cannot verify the download of ${quote(remote)}`,
    {
      what: "size",
      expected: segment.end,
      actual: segment.start,
    },
  );
}

function isRange(value: unknown): value is SegmentRange {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [origin, start, end] = value;
  return value.every(Number.isSafeInteger) && origin >= 0 && start >= origin &&
    start <= end;
}
