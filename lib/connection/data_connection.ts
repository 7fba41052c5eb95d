/**
 * The data connection: a stream of bytes that counts them, never waits
 * without end, and can be ended from outside.
 *
 * @module
 */

import { type ByteStream, drain, free } from "./byte_stream.ts";
import { readableOf, writableOf } from "./data_streams.ts";
import type { DataOptions } from "./data_options.ts";
import { Watchdog } from "./waiting.ts";
import type { TLSInfo } from "./tls_info.ts";
import { withMessage } from "./with_message.ts";

/** Size of the first read of {@linkcode DataConnection.readToEnd}: small files are many. */
const LEAST_READ_SIZE = 16 * 1024;

/** Size of its later reads, in bytes; the fastest that was measured. */
const READ_SIZE = 256 * 1024;

/** Longest wait for TLS to take its leave after {@linkcode DataConnection.close}. */
const CLOSE_GRACE = 2000;

/**
 * A data connection, shaped like `Deno.Conn`.
 *
 * It carries one transfer in one direction. Its end says nothing about
 * success: only the final reply on the control connection does.
 */
export class DataConnection implements AsyncDisposable {
  readonly #stream: ByteStream;
  readonly #options: DataOptions;
  readonly #watchdog: Watchdog;
  #bytesRead = 0;
  #bytesWritten = 0;
  #isEnded = false;
  #failure: unknown;
  #onFailure: ((reason: unknown) => void) | undefined;
  #isClosed = false;
  #isHeld = false;
  #closing: Promise<void> | undefined;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array> | undefined;

  /**
   * Takes over a connected stream. Users get theirs from `ntransfercmd`.
   *
   * @param stream The connection
   * @param options The settings
   */
  constructor(stream: ByteStream, options: DataOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#watchdog = new Watchdog(options.timeout, () =>
      this.fail(
        new Deno.errors.TimedOut(
          `Cannot complete "${options.command}": no data moved within ${options.timeout} ms`,
        ),
      ));
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (options.signal?.aborted) this.fail(options.signal.reason);
  }

  /** The local end. */
  get localAddr(): Deno.Addr {
    return this.#stream.localAddr;
  }

  /** The server's end. */
  get remoteAddr(): Deno.Addr {
    return this.#stream.remoteAddr;
  }

  /** What is known of TLS on this connection; `undefined` without. */
  get tls(): TLSInfo | undefined {
    return this.#stream.info;
  }

  /** Bytes read so far. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Bytes written so far. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** Whether the server has ended its side: a read gave `null`. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /**
   * Whether the data ended without TLS's close_notify: anybody on the way can
   * end a stream like that, and some of the data may be missing.
   */
  get isCut(): boolean {
    return this.#isEnded && this.#stream.endedCleanly === false;
  }

  /** Whether {@linkcode close} was called or the connection failed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether {@linkcode close} left the server's side for others to end. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Why the connection failed, if it did. */
  get failure(): unknown {
    return this.#failure;
  }

  /** The stream beneath: TCP, or TLS over it. */
  get stream(): ByteStream {
    return this.#stream;
  }

  /**
   * Reads at least one byte.
   *
   * @param buffer Where to
   * @returns Bytes read, or `null` at the end of the data
   * @throws {Deno.errors.TimedOut} If nothing comes within the time-out; the
   * data connection is closed then
   * @throws {Error} `Deno.errors.*` if the connection fails, or the signal's reason
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
   * Reads to the end of the data: {@linkcode read} in a loop, without the cost
   * of a promise more for each read, in a buffer that grows while reads fill
   * it, or in the memory that the stream gives.
   *
   * @param take Called with what was read, and awaited; it is told whether it
   * may keep the bytes, which otherwise are valid until then
   * @param options Whether to let it keep them where that costs nothing
   * @throws As {@linkcode read}, or what `take` throws
   */
  async readToEnd(
    take: (bytes: Uint8Array<ArrayBuffer>, isOwn: boolean) => unknown,
    { keep = false }: { keep?: boolean } = {},
  ): Promise<void> {
    const stream = this.#stream;
    const isOwn = stream.readOwn !== undefined;
    let buffer = new Uint8Array(isOwn ? 0 : LEAST_READ_SIZE);
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
        return;
      }
      this.#bytesRead += bytes.length;
      const result = take(bytes, isOwn && keep);
      if (result !== undefined) await result;
      if (isOwn) {
        if (!keep) free(bytes);
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
   * @param bytes What
   * @returns Bytes written
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
   * Writes all of some bytes: {@linkcode write} in a loop, without the cost of
   * a promise more for each write.
   *
   * @param bytes What
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

  /** The data as a web stream of chunks; it closes the connection at its end. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= readableOf(this);
  }

  /**
   * The data as a web stream to write to; closing it closes the connection.
   * Aborting it, as a pipe does whose source fails, aborts the transfer, and
   * `voidresp` rejects. The server may keep what came until then.
   */
  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= writableOf(this);
  }

  /**
   * Closes the connection. After an upload over TLS the leave-taking goes on
   * for a moment; {@linkcode closed} tells when it is over.
   *
   * Before the end of a download over TLS, the server sees nothing of it until
   * `abort`, `voidresp` or the end of the client, and is sent `ABOR` first:
   * ProFTPD gives the whole session up when it cannot write to a protected data
   * connection, and Pure-FTPd falls silent.
   */
  close(): void {
    if (this.#isClosed) return;
    if (this.#options.holds && !this.#isEnded) return this.#hold();
    if (this.#bytesRead > 0 || this.#isEnded) return this.#release();
    this.#isClosed = true;
    const timer = setTimeout(() => this.#release(), CLOSE_GRACE);
    this.#closing = this.#takeLeave().catch(() => {}).finally(() => {
      clearTimeout(timer);
      this.#release();
    });
  }

  /** Ends the connection for its users only. */
  #hold(): void {
    this.#isHeld = true;
    this.interrupt(
      new Deno.errors.BadResource("The data connection is closed"),
    );
    this.#stream.unref(); // a program that has done with it may end
  }

  /** Under TLS 1.3 the server's last words are tickets for later sessions. */
  async #takeLeave(): Promise<void> {
    await this.#stream.closeWrite();
    if (this.#stream.info?.protocol === "TLSv1.3") await drain(this.#stream);
  }

  /** Resolves when nothing of the connection is left. */
  get closed(): Promise<void> {
    return this.#closing ?? Promise.resolve();
  }

  /**
   * Waits for something else, but no longer than the connection lasts.
   *
   * @param promise What is waited for
   * @returns What the promise gives
   * @throws Why the connection failed, if it fails first
   */
  async unlessFailed<T>(promise: PromiseLike<T>): Promise<T> {
    const { promise: failed, reject } = Promise.withResolvers<never>();
    if (this.#failure !== undefined) reject(this.#failure);
    this.#onFailure = reject;
    try {
      return await Promise.race([failed, promise]);
    } finally {
      this.#onFailure = undefined;
    }
  }

  /**
   * Ends the connection at once: pending and later calls reject.
   *
   * @param reason What they reject with
   */
  fail(reason: unknown): void {
    this.#failure ??= reason;
    this.#onFailure?.(this.#failure);
    this.#release();
  }

  /**
   * Ends the connection for its users: later calls reject, and pending ones as
   * soon as anything moves. The server does not see it before {@linkcode fail}.
   *
   * @param reason What they reject with
   */
  interrupt(reason: unknown): void {
    this.#failure ??= reason;
    this.#isClosed = true;
    this.#onFailure?.(this.#failure);
  }

  /**
   * Gives the transfer up: the server is told, where there is somebody to tell
   * it, before it sees the end of the data.
   *
   * @param reason What pending and later calls reject with
   */
  giveUp(reason: unknown): void {
    const { onAbort } = this.#options;
    if (onAbort === undefined || this.#isClosed) this.fail(reason);
    else onAbort(reason);
  }

  /** Closes the connection and waits until nothing of it is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed;
  }

  #onAbort = (): void => this.giveUp(this.#options.signal!.reason);

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #release(): void {
    this.#isClosed = true;
    this.#isHeld = false;
    this.#watchdog.stop();
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    try {
      this.#stream.close();
    } catch {
      // closed before
    }
  }

  /** What to throw for a stream's error; a fault of the stream is kept. */
  #reason(error: unknown): unknown {
    if (this.#failure !== undefined || this.#isClosed) {
      return this.#failure ?? error;
    }
    const { via } = this.#stream;
    const through = via === undefined ? "" : ` through ${via}`;
    return this.#failure = withMessage(
      error,
      (message) =>
        `Cannot complete "${this.#options.command}": the data connection${through} failed after ${
          this.#bytesRead + this.#bytesWritten
        } bytes: ${message}`,
    );
  }
}
