/**
 * What is left of a connection after TLS was taken off it.
 *
 * @module
 */

import type { ByteStream } from "../connection/byte_stream.ts";

/** A stream of which some bytes were read before. */
export class DetachedStream implements ByteStream {
  readonly #stream: ByteStream;
  #first: Promise<Uint8Array | null> | undefined;

  /**
   * Takes over a stream.
   *
   * @param stream The stream
   * @param first What comes before the stream's own bytes: a read that began
   * earlier; `undefined` if there is none
   */
  constructor(
    stream: ByteStream,
    first: Promise<Uint8Array | null> | undefined,
  ) {
    this.#stream = stream;
    this.#first = first;
  }

  /** The local end. */
  get localAddr(): Deno.Addr {
    return this.#stream.localAddr;
  }

  /** The peer's end. */
  get remoteAddr(): Deno.Addr {
    return this.#stream.remoteAddr;
  }

  /**
   * Reads at least one byte.
   *
   * @param buffer Where to
   * @returns Bytes read, or `null` at the end
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

  /**
   * Writes at least one byte.
   *
   * @param bytes What
   * @returns Bytes written
   */
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

  /** Makes pending reads keep the event loop alive, the default. */
  ref(): void {
    this.#stream.ref();
  }

  /** Lets the program end although a read is pending. */
  unref(): void {
    this.#stream.unref();
  }
}
