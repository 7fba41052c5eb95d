/**
 * The data connection that `ntransfercmd` returns.
 *
 * @module
 */

import type { DataStream } from "./data_stream.ts";
import type { TLSInfo } from "./tls_info.ts";

/** Gives users the data connection over a stream. */
export let connectionOver: (stream: DataStream) => DataConnection;

/**
 * A data connection, shaped like `Deno.Conn`.
 *
 * It carries one transfer in one direction. Its end does not mean success: only
 * the final reply on the control connection does.
 */
export class DataConnection implements AsyncDisposable {
  readonly #stream: DataStream;

  /** @ignore */
  private constructor(stream: DataStream) {
    this.#stream = stream;
  }

  static {
    connectionOver = (stream) => new DataConnection(stream);
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
    return this.#stream.tls;
  }

  /** Number of bytes read. */
  get bytesRead(): number {
    return this.#stream.bytesRead;
  }

  /** Number of bytes written. */
  get bytesWritten(): number {
    return this.#stream.bytesWritten;
  }

  /** Whether the server has ended its side: a read returned `null`. */
  get isEnded(): boolean {
    return this.#stream.isEnded;
  }

  /**
   * Whether the data ended without TLS's close_notify. Anyone on the way can
   * end a stream like that, so data may be missing.
   */
  get isCut(): boolean {
    return this.#stream.isCut;
  }

  /** Whether {@linkcode close} was called or the connection failed. */
  get isClosed(): boolean {
    return this.#stream.isClosed;
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
  read(buffer: Uint8Array): Promise<number | null> {
    return this.#stream.read(buffer);
  }

  /**
   * Writes at least one byte.
   *
   * @param bytes Bytes to write
   * @returns Number of bytes written
   * @throws As {@linkcode read}
   */
  write(bytes: Uint8Array): Promise<number> {
    return this.#stream.write(bytes);
  }

  /**
   * Ends the writing side: the server sees the end of the data.
   *
   * @throws As {@linkcode read}
   */
  closeWrite(): Promise<void> {
    return this.#stream.closeWrite();
  }

  /** The data as a web stream. Its end closes the connection. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#stream.readable;
  }

  /**
   * The data as a web stream to write to. Closing it closes the connection.
   * Aborting it, as a pipe does if its source fails, aborts the transfer, and
   * `voidresp` rejects. The server may keep the bytes that it has received.
   */
  get writable(): WritableStream<Uint8Array> {
    return this.#stream.writable;
  }

  /**
   * Closes the connection. After an upload over TLS, the end of TLS takes a
   * moment; `await using` waits for it.
   *
   * Before the end of a download over TLS, the server does not notice until
   * `abort`, `voidresp` or the end of the client, which send `ABOR` first.
   * ProFTPD ends the whole session if it cannot write to a protected data
   * connection, and Pure-FTPd stops answering.
   */
  close(): void {
    this.#stream.close();
  }

  /** Closes the connection, and waits until it is completely closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream[Symbol.asyncDispose]();
  }
}
