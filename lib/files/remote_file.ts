/**
 * A file on the server that can be read at any position.
 *
 * @module
 */

import { type RemoteFacts, requestFacts } from "../commands/queries.ts";
import { checkNames, type NamesOf } from "../protocol/check_names.ts";
import { checkNumber } from "../protocol/check_number.ts";
import { quote } from "../protocol/printable.ts";
import type { Session } from "../transfer/session.ts";
import type { Transfer } from "../transfer/transfer.ts";
import { FTPVerificationError, unwrapped } from "./errors.ts";
import { openAt } from "./open_at.ts";
import { withLifetime } from "./operation.ts";
import {
  checkRetry,
  type RetryEvent,
  type RetryOptions,
  withRecovery,
} from "./recovery.ts";
import { proveRestart } from "./restart_proof.ts";
import type { OwnedProvider, SessionProvider } from "./session_provider.ts";

/** Options of {@linkcode FTP.prototype.open FTP.open}. */
export interface OpenOptions {
  /**
   * Size of a block, in bytes: the unit of downloads and of the cache. A
   * multiple of 512.
   *
   * @default 65_536
   */
  blockSize?: number | undefined;
  /**
   * Size of the cache, in bytes.
   *
   * @default 4_194_304
   */
  cacheSize?: number | undefined;
  /**
   * Attempts of a failed read, and the waits between them; `false` for no
   * retries.
   *
   * @default attempts: 5, delay: 500, maxDelay: 30_000
   */
  retry?: RetryOptions | false | undefined;
  /** Called before each wait, and awaited. If it throws, the read fails. */
  onRetry?: ((event: RetryEvent) => unknown) | undefined;
  /** Aborts opening the file, and every read. */
  signal?: AbortSignal | undefined;
}

const OPEN_OPTIONS: NamesOf<OpenOptions> = {
  blockSize: true,
  cacheSize: true,
  retry: true,
  onRetry: true,
  signal: true,
};

const BLOCK_SIZE = 64 * 1024;
const CACHE_SIZE = 4 * 1024 * 1024;

/** Unit of block sizes, in bytes. */
const BLOCK_UNIT = 512;

/** Milliseconds during which size and time are not requested again. */
const MAX_CACHE_AGE = 500;

/**
 * Largest number of blocks to read and discard, instead of starting a new
 * transfer.
 */
const MOST_SKIPPED = 2;

/**
 * Opens a file for reading at any position, on its own connection.
 *
 * @param provider The client
 * @param path The file
 * @param options Sizes, retries and a signal
 * @returns The file, with a connection of its own
 */
export async function openRemoteFile(
  provider: SessionProvider,
  path: string,
  options: OpenOptions,
): Promise<RemoteFile> {
  const { blockSize = BLOCK_SIZE, cacheSize = CACHE_SIZE } = options;
  checkNames("open", options, OPEN_OPTIONS);
  checkRetry(options.retry);
  checkNumber("blockSize", blockSize, { isInteger: true });
  checkNumber("cacheSize", cacheSize);
  if (blockSize === 0 || blockSize % BLOCK_UNIT !== 0) {
    throw new RangeError(
      `Cannot use blockSize ${blockSize}: it must be a positive multiple of ${BLOCK_UNIT}`,
    );
  }
  const { signal } = options;
  const own = await provider.fork({ signal });
  try {
    const reader = new BlockReader(own, path, { ...options, blockSize });
    await reader.open();
    return RemoteFile.create(reader, { cacheSize });
  } catch (error) {
    await own[Symbol.asyncDispose]();
    throw error;
  }
}

/** Source of a file's blocks. */
interface BlockSource {
  readonly path: string;
  readonly size: number;
  readonly modified: Date | null;
  readonly blockSize: number;
  /** Returns a block; only the last one may be shorter. */
  fetch(block: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Downloads blocks. Blocks in order use the same transfer. */
class BlockReader implements BlockSource {
  readonly blockSize: number;
  readonly #provider: OwnedProvider;
  readonly #path: string;
  readonly #options: OpenOptions & { signal: AbortSignal };
  #facts: RemoteFacts | undefined;
  #size = 0;
  /** The open transfer, and the number of its next block. */
  #open: { session: Session; transfer: Transfer; next: number } | undefined;
  /** Time of the last check of size and time. */
  #asked = -Infinity;
  /** Number of bytes received, to detect progress between retries. */
  #received = 0;

  constructor(
    provider: OwnedProvider,
    path: string,
    options: OpenOptions & { blockSize: number },
  ) {
    this.#provider = provider;
    this.#path = path;
    this.#options = {
      ...options,
      signal: withLifetime(provider, options.signal),
    };
    this.blockSize = options.blockSize;
  }

  get path(): string {
    return this.#path;
  }

  get size(): number {
    return this.#size;
  }

  get modified(): Date | null {
    return this.#facts?.modified ?? null;
  }

  /**
   * Requests size and time. Without `SIZE`, the 150 reply may have the size.
   */
  async open(): Promise<void> {
    await this.#recover(async (session) => {
      const facts = await requestFacts(session, this.#path, this.#options);
      let { size } = facts;
      if (size === null) size = await this.#announcedSize(session);
      this.#facts = facts;
      this.#size = size;
      this.#asked = performance.now();
    });
  }

  async #announcedSize(session: Session): Promise<number> {
    const transfer = await this.#retrieve(session, 0);
    await this.#leave();
    if (transfer.size !== null) return transfer.size;
    throw new Deno.errors.NotSupported(
      `Cannot open ${
        quote(this.#path)
      }: the server does not report its size; use retrieve() to read it in order`,
    );
  }

  async fetch(block: number): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#recover(async (session) => {
      const { transfer } = await this.#reach(session, block);
      return await this.#read(transfer, block);
    });
  }

  /** Ends the transfer and closes the connection. */
  async close(): Promise<void> {
    await this.#leave().catch(() => {}); // the connection is closed anyway
    await this.#provider[Symbol.asyncDispose]();
  }

  /** Returns a transfer whose next block is the given one. */
  async #reach(
    session: Session,
    block: number,
  ): Promise<{ transfer: Transfer }> {
    const open = this.#open;
    const isNear = open !== undefined && open.session === session &&
      block >= open.next && block - open.next <= MOST_SKIPPED;
    if (isNear) {
      while (open.next < block) await this.#read(open.transfer, open.next);
      return open;
    }
    if (open !== undefined) {
      await this.#leave();
      // a connection in doubt is replaced
      await this.#provider.session.ready(this.#options.signal, {
        isForced: true,
      });
    }
    const { session: current } = this.#provider;
    const age = performance.now() - this.#asked;
    if (age > MAX_CACHE_AGE) await this.#checkUnchanged(current);
    const transfer = await this.#retrieve(current, block);
    return { transfer };
  }

  async #retrieve(session: Session, block: number): Promise<Transfer> {
    const start = block * this.blockSize;
    if (start > 0) {
      await proveRestart(session, this.#path, start, this.#options);
    }
    const transfer = await openAt(
      session,
      "RETR",
      this.#path,
      start,
      this.#options,
    );
    this.#open = { session, transfer, next: block };
    return transfer;
  }

  /**
   * Reads a block from the open transfer. After the last one, waits for the
   * final reply.
   */
  async #read(
    transfer: Transfer,
    block: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const start = block * this.blockSize;
    const length = Math.min(this.blockSize, this.#size - start);
    const bytes = new Uint8Array(length);
    try {
      const filled = await this.#fill(transfer, bytes);
      const isLast = start + length === this.#size;
      if (!isLast && filled === length) {
        if (this.#open !== undefined) this.#open.next = block + 1;
        return bytes;
      }
      const isLonger = filled === length &&
        await transfer.data.read(new Uint8Array(1)) !== null;
      if (isLonger) throw this.#changed("size", "more bytes");
      await transfer.finish({ ...this.#options, isWhole: filled === length });
      this.#open = undefined;
      if (filled < length) throw this.#changed("size", start + filled);
    } catch (error) {
      const isOpen = this.#open?.transfer === transfer;
      this.#open = undefined;
      throw isOpen ? await transfer.failed(error, this.#options) : error;
    }
    return bytes;
  }

  /** Fills a buffer. Returns the number of bytes before the end of the data. */
  async #fill(
    { data }: Transfer,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<number> {
    let filled = 0;
    while (filled < bytes.length) {
      const n = await data.read(bytes.subarray(filled));
      if (n === null) break;
      filled += n;
      this.#received += n;
    }
    return filled;
  }

  /**
   * Checks that the file has not changed, so that blocks of two versions are
   * not mixed.
   */
  async #checkUnchanged(session: Session): Promise<void> {
    const before = this.#facts;
    if (before === undefined) return;
    const { size, shown } = await requestFacts(
      session,
      this.#path,
      this.#options,
    );
    this.#asked = performance.now();
    if (size !== before.size) throw this.#changed("size", size ?? "unknown");
    if (shown?.getTime() !== before.shown?.getTime()) {
      throw this.#changed("mtime", shown?.toISOString() ?? "unknown");
    }
  }

  #changed(what: string, actual: number | string): FTPVerificationError {
    const expected = what === "size"
      ? this.#size
      : this.#facts?.shown?.toISOString() ?? "unknown";
    return new FTPVerificationError(
      `Cannot read ${
        quote(this.#path)
      }: the file on the server changed since it was opened; open it again`,
      { what, expected, actual },
    );
  }

  async #leave(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.transfer.abort();
  }

  /**
   * Runs a step, with retries on other connections. A changed file is not
   * retried.
   */
  async #recover<T>(step: (session: Session) => Promise<T>): Promise<T> {
    const outcome = await unwrapped(() =>
      withRecovery<{ value: T } | { error: FTPVerificationError }>(
        this.#provider,
        this.#options,
        () => this.#received,
        async () => {
          try {
            return { value: await step(this.#provider.session) };
          } catch (error) {
            if (error instanceof FTPVerificationError) return { error };
            throw error;
          }
        },
      )
    );
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }
}

/**
 * A file on the server, open for reading at any position, such as the index at
 * the end of an archive and one of its members. Returned by
 * {@linkcode FTP.prototype.open FTP.open}.
 *
 * The file uses its own connection until it is closed. It is downloaded in
 * blocks, which are cached up to `cacheSize`. Reads in order continue the same
 * transfer. Another position aborts it and starts a new one (`REST`, `RETR`).
 */
export class RemoteFile implements AsyncDisposable {
  readonly #reader: BlockSource;
  /** Blocks by number; the most recently used is last. */
  readonly #cache = new Map<number, Uint8Array<ArrayBuffer>>();
  readonly #mostBlocks: number;
  #position = 0;
  #isClosed = false;
  /** The end of the queue of reads and seeks. */
  #queue: Promise<unknown> = Promise.resolve();

  /** @ignore */
  private constructor(reader: BlockSource, cacheSize: number) {
    this.#reader = reader;
    this.#mostBlocks = Math.max(1, Math.floor(cacheSize / reader.blockSize));
  }

  /** @ignore */
  static create(
    reader: BlockSource,
    { cacheSize }: { cacheSize: number },
  ): RemoteFile {
    return new RemoteFile(reader, cacheSize);
  }

  /** Size in bytes when the file was opened. */
  get size(): number {
    return this.#reader.size;
  }

  /** Time of the last change, or `null` if the server does not report it. */
  get mtime(): Date | null {
    return this.#reader.modified;
  }

  /** Position of the next read, in bytes. */
  get position(): number {
    return this.#position;
  }

  /**
   * Reads at the current position, and advances it.
   *
   * The server's final reply confirms only the last block of the file. Other
   * blocks are protected only by the checks of TCP, or TLS. When a new transfer
   * starts, the file's size and time are checked; a change is an error.
   *
   * @param buffer The buffer to fill, unless the file ends before
   * @returns Number of bytes, or `null` at the end of the file
   * @throws {FTPVerificationError} If the file on the server changed
   * @throws {FTPError} If the server refuses
   * @throws {Deno.errors.BadResource} If the file is closed
   * @throws {Error} `Deno.errors.*` if the connection fails, after its retries
   */
  async read(buffer: Uint8Array): Promise<number | null> {
    return await this.#inTurn(async () => {
      if (buffer.length === 0) return 0;
      if (this.#position >= this.size) return null;
      let filled = 0;
      while (filled < buffer.length && this.#position < this.size) {
        const { blockSize } = this.#reader;
        const number = Math.floor(this.#position / blockSize);
        const block = await this.#block(number);
        const from = this.#position - number * blockSize;
        const part = block.subarray(from, from + buffer.length - filled);
        buffer.set(part, filled);
        filled += part.length;
        this.#position += part.length;
      }
      return filled;
    });
  }

  /**
   * Sets the position. Nothing is sent.
   *
   * @param offset Offset in bytes, relative to `whence`
   * @param whence The start, the current position, or the end of the file
   * @returns The new position
   * @throws {RangeError} If the position is negative, or the offset is not an
   * integer
   */
  async seek(
    offset: number | bigint,
    whence: Deno.SeekMode = Deno.SeekMode.Start,
  ): Promise<number> {
    return await this.#inTurn(() => {
      const base = whence === Deno.SeekMode.Start
        ? 0
        : whence === Deno.SeekMode.Current
        ? this.#position
        : this.size;
      const position = base + Number(offset);
      if (!Number.isSafeInteger(position) || position < 0) {
        throw new RangeError(
          `Cannot seek to ${position}: it must be a non-negative integer`,
        );
      }
      this.#position = position;
      return position;
    });
  }

  /** Closes the file and its connection. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cache.clear();
    await this.#reader.close();
  }

  /** Closes the file and its connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #block(number: number): Promise<Uint8Array<ArrayBuffer>> {
    const cache = this.#cache;
    const kept = cache.get(number);
    const block = kept ?? await this.#reader.fetch(number);
    if (this.#isClosed) throw this.#closed();
    cache.delete(number);
    cache.set(number, block);
    if (cache.size > this.#mostBlocks) {
      cache.delete(cache.keys().next().value!);
    }
    return block;
  }

  /** Queues simultaneous reads and seeks. */
  #inTurn<T>(run: () => T | Promise<T>): Promise<T> {
    const result = this.#queue.then(() => {
      if (this.#isClosed) throw this.#closed();
      return run();
    });
    this.#queue = result.catch(() => {});
    return result;
  }

  #closed(): Error {
    return new Deno.errors.BadResource(
      `Cannot use ${quote(this.#reader.path)}: the file is closed`,
    );
  }
}
