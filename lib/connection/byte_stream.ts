/**
 * The stream that control and data connections use: the part of `Deno.Conn`
 * that a TLS connection can provide.
 *
 * @module
 */

import type { TLSInfo } from "./tls_info.ts";

/** A duplex stream of bytes: a `Deno.TcpConn`, or TLS over one. */
export interface ByteStream {
  /** Reads at least one byte into `buffer`; returns `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /**
   * Reads at least one byte into memory that the caller then owns; returns
   * `null` at the end. Saves a copy, if the stream supports it.
   */
  readOwn?(): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Writes at least one byte of `bytes`, and returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Writes what is kept back, so that {@linkcode closeWrite} needs no time. */
  finish?(): Promise<void>;
  /** Ends the writing side; the reading side stays open. */
  closeWrite(): Promise<void>;
  /** Closes both sides at once. Pending reads and writes reject. */
  close(): void;
  /** Address of the local end. */
  readonly localAddr: Deno.Addr;
  /** Address of the remote end. */
  readonly remoteAddr: Deno.Addr;
  /**
   * What the connection goes through, for messages, such as "the proxy ...". It
   * may have ended the connection instead of the server.
   */
  readonly via?: string | undefined;
  /** TLS properties, if the stream uses TLS. */
  readonly info?: TLSInfo | undefined;
  /**
   * Whether the stream ended with the peer's close_notify; `undefined` before
   * the end, and without TLS.
   */
  readonly endedCleanly?: boolean | undefined;
  /**
   * Compressed bytes that passed the connection; `undefined` if the stream does
   * not change the data.
   */
  readonly compressedSize?: number | undefined;
  /** Makes pending reads keep the event loop alive. The default. */
  ref(): void;
  /** Lets the program end while a read is pending. */
  unref(): void;
}

/**
 * Writes all bytes.
 *
 * @param stream The stream
 * @param bytes The bytes
 */
export async function writeAll(
  stream: Pick<ByteStream, "write">,
  bytes: Uint8Array,
): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    written += await stream.write(bytes.subarray(written));
  }
}

/**
 * Closes what may be closed already.
 *
 * @param closable The stream, listener or connection
 */
export function closeQuietly(closable: { close(): void }): void {
  try {
    // an async function is a valid close(): void for the compiler
    const closing: unknown = closable.close();
    if (closing !== undefined) Promise.resolve(closing).catch(() => {});
  } catch {
    // already closed
  }
}

/** Size of one read of discarded data, in bytes. */
const DRAIN_SIZE = 64 * 1024;

/**
 * Reads and discards data until its end, or until the stream is closed.
 *
 * @param stream The stream
 */
export async function drain(stream: ByteStream): Promise<void> {
  const buffer = new Uint8Array(DRAIN_SIZE);
  try {
    while (await stream.read(buffer) !== null);
  } catch {
    // the stream is given up anyway
  }
}

/**
 * Frees the memory of bytes that fill their buffer. Otherwise the garbage
 * collector would scan the whole heap for every few dozen megabytes.
 *
 * @param bytes The bytes, which must not be used any more
 */
export function freeMemory({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) {
    buffer.transfer(0);
  }
}
