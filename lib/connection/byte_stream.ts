/**
 * What the control and the data connection need of a transport: the part of
 * `Deno.Conn` that a TLS connection can imitate.
 *
 * @module
 */

import type { TLSInfo } from "./tls_info.ts";

/** A duplex stream of bytes: a `Deno.TcpConn`, or TLS over one. */
export interface ByteStream {
  /** Reads at least one byte into `buffer`; `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /**
   * Reads at least one byte, in memory that is the caller's from then on;
   * `null` at the end. Where the stream has it, it costs a copy less than
   * `read`.
   */
  readOwn?(): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Writes at least one byte of `bytes` and tells how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends the writing side; the reading side stays open. */
  closeWrite(): Promise<void>;
  /** Closes both sides at once. Pending reads and writes reject. */
  close(): void;
  /** The local end. */
  readonly localAddr: Deno.Addr;
  /** The peer's end. */
  readonly remoteAddr: Deno.Addr;
  /**
   * Through what it goes, for messages: "the proxy ...". It may have ended the
   * connection where the server seems to.
   */
  readonly via?: string | undefined;
  /** What is known of TLS, where the stream has it. */
  readonly info?: TLSInfo;
  /**
   * Whether the peer said that the stream is whole (close_notify) before it
   * ended; `undefined` before the end, and where the stream cannot say it.
   */
  readonly endedCleanly?: boolean | undefined;
  /** Makes pending reads keep the event loop alive, the default. */
  ref(): void;
  /** Lets the program end although a read is pending. */
  unref(): void;
}

/**
 * Writes the whole of `bytes`.
 *
 * @param stream Where to
 * @param bytes What
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

/** Size of one read of what nobody wants, in bytes. */
const DRAIN_SIZE = 64 * 1024;

/**
 * Drops what still comes, until its end or until the stream is closed.
 *
 * @param stream The stream
 */
export async function drain(stream: ByteStream): Promise<void> {
  const buffer = new Uint8Array(DRAIN_SIZE);
  try {
    while (await stream.read(buffer) !== null);
  } catch {
    // it is given up anyway
  }
}

/**
 * Gives the memory of some bytes back, where they have it to themselves. What
 * is left to the garbage collector has it run through the whole heap again and
 * again, for each few dozen megabytes that pass.
 *
 * @param bytes Nobody may look at them any more
 */
export function free({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) {
    buffer.transfer(0);
  }
}
