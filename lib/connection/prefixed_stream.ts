/**
 * A stream whose first bytes were already read: by TLS that was removed (`CCC`),
 * or with the reply of a proxy.
 *
 * @module
 */

import type { ByteStream } from "./byte_stream.ts";

/** A stream whose first bytes were already read. */
export class PrefixedStream implements ByteStream {
  readonly via: string | undefined;
  readonly #stream: ByteStream;
  #first: Promise<Uint8Array | null> | undefined;

  /**
   * Wraps a stream.
   *
   * @param first A read that is pending or done, whose bytes come first;
   * `undefined` if there is none
   */
  constructor(
    stream: ByteStream,
    first: Promise<Uint8Array | null> | undefined,
    via: string | undefined = stream.via,
  ) {
    this.#stream = stream;
    this.#first = first;
    this.via = via;
  }

  /** Address of the local end. */
  get localAddr(): Deno.Addr {
    return this.#stream.localAddr;
  }

  /** Address of the remote end. */
  get remoteAddr(): Deno.Addr {
    return this.#stream.remoteAddr;
  }

  /**
   * Reads at least one byte.
   *
   * @returns Number of bytes, or `null` at the end
   */
  async read(buffer: Uint8Array): Promise<number | null> {
    if (this.#first === undefined) return this.#stream.read(buffer);
    const bytes = await this.#first;
    if (bytes === null) return null;
    const part = bytes.subarray(0, buffer.length);
    buffer.set(part);
    this.#first = part.length < bytes.length
      ? Promise.resolve(bytes.subarray(part.length))
      : undefined;
    return part.length;
  }

  /** Writes at least one byte. */
  write(bytes: Uint8Array): Promise<number> {
    return this.#stream.write(bytes);
  }

  /** Ends the writing side. */
  closeWrite(): Promise<void> {
    return this.#stream.closeWrite();
  }

  /** Closes both sides at once. */
  close(): void {
    this.#stream.close();
  }

  /** Makes pending reads keep the event loop alive. The default. */
  ref(): void {
    this.#stream.ref();
  }

  /** Lets the program end while a read is pending. */
  unref(): void {
    this.#stream.unref();
  }
}
