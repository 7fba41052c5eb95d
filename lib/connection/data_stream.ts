/**
 * The internal data connection: a byte stream with counters and a time-out,
 * which can be aborted.
 *
 * @module
 */

import {
  type ByteStream,
  closeQuietly,
  drain,
  freeMemory,
} from "./byte_stream.ts";
import { borrowBuffer, returnBuffer } from "./shared_buffer.ts";
import { readableOf, writableOf } from "./data_streams.ts";
import type { DataOptions } from "./data_options.ts";
import { offAbort, onAbort, Watchdog } from "./waiting.ts";
import type { TLSInfo } from "./tls_info.ts";
import { connectionError } from "../protocol/with_message.ts";

/** Later reads, in bytes; the fastest size measured. */
const READ_SIZE = 256 * 1024;

/**
 * Longest wait for the end of TLS after {@linkcode DataStream.close}, in
 * milliseconds.
 */
const CLOSE_GRACE = 2000;

/**
 * The bytes of one transfer, in one direction. Their end does not mean success:
 * only the final reply on the control connection does.
 */
export class DataStream implements AsyncDisposable {
  readonly #stream: ByteStream;
  readonly #options: DataOptions;
  readonly #watchdog: Watchdog;
  #bytesRead = 0;
  #bytesWritten = 0;
  #isEnded = false;
  #failure: unknown;
  /** Ends each open wait of {@linkcode unlessFailed}. */
  readonly #waits = new Set<(reason: unknown) => void>();
  #isClosed = false;
  #isHeld = false;
  #closing: Promise<void> | undefined;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array> | undefined;

  /**
   * Takes over a connected stream.
   *
   * @param stream The connection
   * @param options Time-out, signal and command
   */
  constructor(stream: ByteStream, options: DataOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#watchdog = new Watchdog(
      options.timeout,
      () =>
        this.fail(
          new Deno.errors.TimedOut(
            `Cannot complete "${options.command()}": no data moved within ${options.timeout} ms`,
          ),
        ),
      options.ticker,
    );
    const { signal } = options;
    if (signal !== undefined) onAbort(signal, this.#onAbort);
    if (signal?.aborted) this.fail(signal.reason);
  }

  /** Address of the local end. */
  get localAddr(): Deno.Addr {
    return this.#stream.localAddr;
  }

  /** Address of the server's end. */
  get remoteAddr(): Deno.Addr {
    return this.#stream.remoteAddr;
  }

  /** TLS properties of the connection; `undefined` without TLS. */
  get tls(): TLSInfo | undefined {
    return this.#stream.info;
  }

  /** Number of bytes read. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Number of bytes written. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** Compressed bytes that passed the connection; `undefined` in other modes. */
  get compressedSize(): number | undefined {
    return this.#stream.compressedSize;
  }

  /** Whether the server has ended its side: a read returned `null`. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /**
   * Whether the data ended without TLS's close_notify. Anyone on the way can
   * end a stream like that, so data may be missing.
   */
  get isCut(): boolean {
    return this.#isEnded && this.#stream.endedCleanly === false;
  }

  /** Whether {@linkcode close} was called or the connection failed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Whether {@linkcode close} left the server's side open until the server was
   * told.
   */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Error that ended the connection, if there is one. */
  get failure(): unknown {
    return this.#failure;
  }

  /** The stream below: TCP, or TLS over it. */
  get stream(): ByteStream {
    return this.#stream;
  }

  /**
   * Reads at least one byte.
   *
   * @param buffer Buffer for the bytes
   * @returns Number of bytes, or `null` at the end of the data
   * @throws {Deno.errors.TimedOut} If no byte comes within the time-out; the
   * data connection is then closed
   * @throws {Error} `Deno.errors.*` if the connection fails, or the signal's
   * reason
   */
  async read(buffer: Uint8Array): Promise<number | null> {
    this.#watchdog.begin();
    try {
      const n = await this.#stream.read(buffer);
      this.#watchdog.touch();
      this.#check();
      if (n === null) this.#isEnded = true;
      else this.#bytesRead += n;
      return n;
    } catch (error) {
      throw this.#reason(error);
    } finally {
      this.#watchdog.end();
    }
  }

  /**
   * Reads to the end of the data. Like {@linkcode read} in a loop, without an
   * additional promise for each read. The buffer is small at first, because most
   * files are, and grows while reads fill it, or is the stream's own memory.
   *
   * @param take Called with the bytes, and awaited. Its second argument tells
   * whether it may keep them; otherwise they are valid until it ends
   * @param options `keep`: whether `take` may keep the bytes if that costs
   * nothing
   * @throws As {@linkcode read}, or the error of `take`
   */
  async readToEnd(
    take: (bytes: Uint8Array<ArrayBuffer>, isOwn: boolean) => unknown,
    { keep = false }: { keep?: boolean } = {},
  ): Promise<void> {
    const stream = this.#stream;
    const isOwn = stream.readOwn !== undefined;
    const first = isOwn ? new Uint8Array(0) : borrowBuffer();
    let buffer = first;
    while (true) {
      let bytes: Uint8Array<ArrayBuffer> | null;
      this.#watchdog.begin();
      try {
        if (stream.readOwn === undefined) {
          const n = await stream.read(buffer);
          bytes = n === null ? null : buffer.subarray(0, n);
        } else {
          bytes = await stream.readOwn();
        }
        this.#watchdog.touch();
        this.#check();
      } catch (error) {
        throw this.#reason(error);
      } finally {
        this.#watchdog.end();
      }
      if (bytes === null) {
        this.#isEnded = true;
        // otherwise the caller may have kept it
        if (keep && !isOwn) returnBuffer(first);
        return;
      }
      this.#bytesRead += bytes.length;
      const result = take(bytes, isOwn && keep);
      if (result !== undefined) await result;
      if (isOwn) {
        if (!keep) freeMemory(bytes);
      } else if (
        bytes.length === buffer.length && buffer.length < READ_SIZE
      ) {
        buffer = new Uint8Array(4 * buffer.length);
      }
    }
  }

  /**
   * Writes at least one byte.
   *
   * @param bytes Bytes to write
   * @returns Number of bytes written
   * @throws As {@linkcode read}
   */
  async write(bytes: Uint8Array): Promise<number> {
    this.#watchdog.begin();
    try {
      this.#check();
      const n = await this.#stream.write(bytes);
      this.#watchdog.touch();
      this.#bytesWritten += n;
      return n;
    } catch (error) {
      throw this.#reason(error);
    } finally {
      this.#watchdog.end();
    }
  }

  /**
   * Writes all bytes. Like {@linkcode write} in a loop, without an additional
   * promise for each write.
   *
   * @param bytes Bytes to write
   * @throws As {@linkcode read}
   */
  async writeAll(bytes: Uint8Array): Promise<void> {
    this.#watchdog.begin();
    try {
      let written = 0;
      do {
        this.#check();
        const n = await this.#stream.write(bytes.subarray(written));
        this.#watchdog.touch();
        written += n;
        this.#bytesWritten += n;
      } while (written < bytes.length);
    } catch (error) {
      throw this.#reason(error);
    } finally {
      this.#watchdog.end();
    }
  }

  /**
   * Waits until another writer has written bytes to the stream below.
   *
   * @param bytes Their number
   * @param writing Ends with the last one
   * @throws As {@linkcode read}
   */
  async written(bytes: number, writing: Promise<void>): Promise<void> {
    this.#watchdog.begin();
    try {
      await this.unlessFailed(writing);
      this.#bytesWritten += bytes;
    } catch (error) {
      throw this.#reason(error);
    } finally {
      this.#watchdog.end();
    }
  }

  /**
   * Ends the writing side: the server sees the end of the data.
   *
   * @throws As {@linkcode read}
   */
  async closeWrite(): Promise<void> {
    this.#watchdog.begin();
    try {
      this.#check();
      await this.#stream.closeWrite();
    } catch (error) {
      throw this.#reason(error);
    } finally {
      this.#watchdog.end();
    }
  }

  /** The data as a web stream. Its end closes the connection. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= readableOf(this);
  }

  /**
   * The data as a web stream to write to. Closing it closes the connection.
   * Aborting it, as a pipe does if its source fails, aborts the transfer, and
   * `voidresp` rejects. The server may keep the bytes that it has received.
   */
  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= writableOf(this);
  }

  /**
   * Closes the connection. After an upload over TLS, the end of TLS takes a
   * moment; {@linkcode closed} waits for it.
   *
   * Before the end of a download over TLS, the server does not notice until
   * `abort`, `voidresp` or the end of the client, which send `ABOR` first.
   * ProFTPD ends the whole session if it cannot write to a protected data
   * connection, and Pure-FTPd stops answering.
   */
  close(): void {
    if (this.#isClosed) return;
    if (this.#options.holds && !this.#isEnded) return this.#hold();
    if (this.#bytesRead > 0 || this.#isEnded) return this.#release();
    this.#isClosed = true;
    this.#closing = this.#end().finally(() => this.#release());
  }

  /** Writes the rest, however long that takes, and closes the stream. */
  async #end(): Promise<void> {
    const finishing = this.#stream.finish?.();
    if (finishing !== undefined) await this.#unlessStuck(finishing);
    if (this.#failure !== undefined) return;
    const timer = setTimeout(() => this.#release(), CLOSE_GRACE);
    await this.#endTLS().catch(() => {});
    clearTimeout(timer);
  }

  /**
   * Waits for the last bytes. If they do not arrive, the data is incomplete.
   */
  async #unlessStuck(finishing: Promise<void>): Promise<void> {
    this.#watchdog.begin();
    try {
      await this.unlessFailed(finishing);
    } catch (error) {
      this.#isClosed = false; // the error belongs to the connection
      this.#failure = this.#reason(error);
      this.#isClosed = true;
    } finally {
      this.#watchdog.end();
    }
  }

  /** Ends the connection for its users only. */
  #hold(): void {
    this.#isHeld = true;
    this.interrupt(
      new Deno.errors.BadResource("The data connection is closed"),
    );
    this.#stream.unref(); // the program may end
    const { ended } = this.#options;
    if (ended?.aborted) this.#onEnded();
    else if (ended !== undefined) onAbort(ended, this.#onEnded);
  }

  /**
   * Ends TLS. Under TLS 1.3 the server's last records are tickets for later
   * sessions.
   */
  async #endTLS(): Promise<void> {
    await this.#stream.closeWrite();
    if (this.#stream.info?.protocol === "TLSv1.3") await drain(this.#stream);
  }

  /** Fulfilled when the connection is completely closed. */
  get closed(): Promise<void> {
    return this.#closing ?? Promise.resolve();
  }

  /**
   * Waits for a promise, at most as long as the connection lasts. Several waits
   * may be open at once.
   *
   * @param promise The promise
   * @returns The promise's result
   * @throws The failure of the connection, if it comes first
   */
  async unlessFailed<T>(promise: PromiseLike<T>): Promise<T> {
    const { promise: failed, reject } = Promise.withResolvers<never>();
    if (this.#failure !== undefined) reject(this.#failure);
    this.#waits.add(reject);
    try {
      return await Promise.race([failed, promise]);
    } finally {
      this.#waits.delete(reject);
    }
  }

  #endWaits(): void {
    for (const end of this.#waits) end(this.#failure);
  }

  /**
   * Ends the connection at once: pending and later calls reject.
   *
   * @param reason Their reason
   */
  fail(reason: unknown): void {
    this.#failure ??= reason;
    this.#endWaits();
    this.#release();
  }

  /**
   * Ends the connection for its users. Later calls reject, and pending ones
   * when data moves. The server does not notice before {@linkcode fail}.
   *
   * @param reason Their reason
   */
  interrupt(reason: unknown): void {
    this.#failure ??= reason;
    this.#isClosed = true;
    this.#endWaits();
  }

  /**
   * Aborts the transfer. The server is told before it sees the end of the data,
   * if it can be.
   *
   * @param reason Reason for pending and later calls
   */
  giveUp(reason: unknown): void {
    const { onAbort } = this.#options;
    if (onAbort === undefined || this.#isClosed) this.fail(reason);
    else onAbort(reason);
  }

  /** Closes the connection, and waits until it is completely closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed;
  }

  #onAbort = (): void => this.giveUp(this.#options.signal!.reason);

  #onEnded = (): void => this.fail(this.#options.ended!.reason);

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #release(): void {
    this.#isClosed = true;
    this.#isHeld = false;
    this.#watchdog.stop();
    offAbort(this.#options.signal, this.#onAbort);
    offAbort(this.#options.ended, this.#onEnded);
    closeQuietly(this.#stream);
  }

  /** Returns the error to throw for an error of the stream, and keeps it. */
  #reason(error: unknown): unknown {
    if (this.#failure !== undefined || this.#isClosed) {
      return this.#failure ?? error;
    }
    const { via } = this.#stream;
    const through = via === undefined ? "" : ` through ${via}`;
    return this.#failure = connectionError(
      error,
      (message) =>
        `Cannot complete "${this.#options.command()}": the data connection${through} failed after ${
          this.#bytesRead + this.#bytesWritten
        } bytes: ${message}`,
    );
  }
}
