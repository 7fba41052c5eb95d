/**
 * A file on the server that is read from any position.
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
import type { OwnedProvider, SessionProvider } from "./session_provider.ts";

/** Options of {@linkcode FTP.prototype.open FTP.open}. */
export interface OpenOptions {
  /**
   * Bytes that are fetched at least at once, and kept together: a multiple of
   * 512.
   *
   * @default 65_536
   */
  blockSize?: number | undefined;
  /**
   * Most bytes that are kept, for positions that are read again.
   *
   * @default 4_194_304
   */
  cacheSize?: number | undefined;
  /**
   * How often and after what wait a read that failed is tried again, or `false`
   * for never.
   *
   * @default 5 attempts, 500 ms before the first, 30,000 ms at most
   */
  retry?: RetryOptions | false | undefined;
  /**
   * Called before each wait, and awaited. What it throws ends the read.
   */
  onRetry?: ((event: RetryEvent) => unknown) | undefined;
  /** Ends the opening, and every read of the file. */
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

/** Blocks are a multiple of this, in bytes. */
const BLOCK_UNIT = 512;

/** Milliseconds for which size and time are not asked for again. */
const FRESH = 500;

/** Most blocks that are read and thrown away rather than asked for anew. */
const MOST_SKIPPED = 2;

/**
 * Opens a file for reading at any position.
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

/** Where the blocks of a file come from. */
interface BlockSource {
  readonly path: string;
  readonly size: number;
  readonly modified: Date | null;
  readonly blockSize: number;
  /** The bytes of a block: fewer than usual in the last one only. */
  fetch(block: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Fetches blocks, in order where that is possible. */
class BlockReader implements BlockSource {
  readonly blockSize: number;
  readonly #provider: OwnedProvider;
  readonly #path: string;
  readonly #options: OpenOptions & { signal: AbortSignal };
  #facts: RemoteFacts | undefined;
  #size = 0;
  /** The open transfer, and the block that it gives next. */
  #open: { session: Session; transfer: Transfer; next: number } | undefined;
  /** When size and time were told. */
  #asked = -Infinity;
  /** Bytes that came, for the count of retries. */
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

  /** Asks for size and time; where the server tells no size, its 150 may. */
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
      }: the server does not tell its size; use retrieve() to read it in order`,
    );
  }

  async fetch(block: number): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#recover(async (session) => {
      const { transfer } = await this.#reach(session, block);
      return await this.#read(transfer, block);
    });
  }

  /** Ends what is open and the connection. */
  async close(): Promise<void> {
    await this.#leave().catch(() => {}); // the connection is closed anyway
    await this.#provider[Symbol.asyncDispose]();
  }

  /** A transfer that gives a block next. */
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
      // the replacement of a connection that may have something left
      await this.#provider.session.ready(this.#options.signal, {
        isForced: true,
      });
    }
    const { session: current } = this.#provider;
    const age = performance.now() - this.#asked;
    if (age > FRESH) await this.#checkUnchanged(current);
    const transfer = await this.#retrieve(current, block);
    return { transfer };
  }

  async #retrieve(session: Session, block: number): Promise<Transfer> {
    const start = block * this.blockSize;
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

  /** Reads a block from the open transfer; with the last one takes the final reply. */
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

  /** Fills memory; gives how many bytes came before the data ended. */
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

  /** A file that is another by now must not give half of its bytes. */
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

  /** Runs a step, again on another connection where that may help; a changed file is final. */
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
 * A file on the server, open for reading at any position: an index at its end,
 * then one member of an archive, and not the rest. Made by
 * {@linkcode FTP.prototype.open FTP.open}.
 *
 * It has a connection of its own, until it is closed. Bytes are fetched in
 * blocks, and kept up to `cacheSize`. Reading in order goes on with the same
 * transfer; any other position ends it and begins another (`REST`, `RETR`).
 */
export class RemoteFile implements AsyncDisposable {
  readonly #reader: BlockSource;
  /** Blocks by number, the one used last at the end. */
  readonly #cache = new Map<number, Uint8Array<ArrayBuffer>>();
  readonly #mostBlocks: number;
  #position = 0;
  #isClosed = false;
  /** The reads that were begun, one after the other. */
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(reader: BlockSource, cacheSize: number) {
    this.#reader = reader;
    this.#mostBlocks = Math.max(1, Math.floor(cacheSize / reader.blockSize));
  }

  /** @internal */
  static create(
    reader: BlockSource,
    { cacheSize }: { cacheSize: number },
  ): RemoteFile {
    return new RemoteFile(reader, cacheSize);
  }

  /** Size in bytes, as it was when the file was opened. */
  get size(): number {
    return this.#reader.size;
  }

  /** When the file was last changed, or `null` where the server does not tell. */
  get mtime(): Date | null {
    return this.#reader.modified;
  }

  /** Where the next read begins, in bytes. */
  get position(): number {
    return this.#position;
  }

  /**
   * Reads at the position, and moves it behind what was read.
   *
   * The bytes come over a data connection that was not cut. The server's final
   * reply confirms only the last block of a file: what was read from its middle
   * has no other proof than TCP's, or that of TLS. A file whose size or time
   * changed is an error where a new transfer begins.
   *
   * @param buffer Memory that is filled, unless the file ends before
   * @returns How many bytes, or `null` at the end of the file
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
   * Moves the position. Nothing is sent.
   *
   * @param offset Bytes, from what `whence` says
   * @param whence The beginning, the position or the end of the file
   * @returns The new position
   * @throws {RangeError} If it lies before the beginning, or the offset is not an
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

  /** Reads and seeks that are begun at once come one after the other. */
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
