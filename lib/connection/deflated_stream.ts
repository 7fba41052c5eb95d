/**
 * Compresses and decompresses data with zlib (RFC 1950), for `MODE Z`
 * (draft-preston-ftpext-deflate).
 *
 * @module
 */

import { joinBytes } from "../protocol/bytes.ts";
import { type ByteStream, writeAll } from "./byte_stream.ts";
import type { TLSInfo } from "./tls_info.ts";

/**
 * Bytes that are decompressed at once. Each may become a thousand bytes, so a
 * decompression bomb costs at most four megabytes of memory.
 */
const PIECE_SIZE = 4 * 1024;

/**
 * Largest average number of bytes that one byte may become, after the first
 * megabytes.
 */
const MAX_RATIO = 200;

/** Decompressed bytes up to which any ratio is accepted. */
const ANY_RATIO_SIZE = 64 * 1024 * 1024;

/** A stream whose data is compressed on the connection. */
export class DeflatedStream implements ByteStream {
  readonly #stream: ByteStream;
  readonly #buffer = new Uint8Array(PIECE_SIZE);
  #inflated: Inflated | undefined;
  #deflated: Deflated | undefined;
  #rest: Uint8Array = new Uint8Array();
  #bytesRead = 0;
  #bytesGiven = 0;
  readonly #checkSum = new Adler32();
  /** The last bytes received. */
  #trailer = new Uint8Array();
  #isWhole = false;

  /**
   * Takes over a connected stream.
   *
   * @param stream The connection: TCP, or TLS over it
   */
  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  get localAddr(): Deno.Addr {
    return this.#stream.localAddr;
  }

  get remoteAddr(): Deno.Addr {
    return this.#stream.remoteAddr;
  }

  get via(): string | undefined {
    return this.#stream.via;
  }

  get info(): TLSInfo | undefined {
    return this.#stream.info;
  }

  /** Whether the checksum was right, or the stream below ended cleanly. */
  get endedCleanly(): boolean | undefined {
    return this.#isWhole || this.#stream.endedCleanly;
  }

  get compressedSize(): number {
    return this.#bytesRead + (this.#deflated?.bytesMoved ?? 0);
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    if (this.#rest.length === 0) {
      const bytes = await this.#next();
      if (bytes === null) return null;
      this.#rest = bytes;
    }
    const n = Math.min(buffer.length, this.#rest.length);
    buffer.set(this.#rest.subarray(0, n));
    this.#rest = this.#rest.subarray(n);
    return n;
  }

  async write(bytes: Uint8Array): Promise<number> {
    this.#deflated ??= new Deflated(this.#stream);
    await this.#deflated.write(bytes);
    return bytes.length;
  }

  /** Writes what the compressor has kept back, and the end of the data. */
  async finish(): Promise<void> {
    await this.#deflated?.end();
  }

  async closeWrite(): Promise<void> {
    await this.finish();
    await this.#stream.closeWrite();
  }

  close(): void {
    this.#inflated?.cancel();
    this.#deflated?.cancel();
    this.#stream.close();
  }

  ref(): void {
    this.#stream.ref();
  }

  unref(): void {
    this.#stream.unref();
  }

  /** Reads the next bytes. Some servers send nothing for an empty file. */
  async #next(): Promise<Uint8Array | null> {
    while (true) {
      const given = await this.#inflated?.take();
      if (given !== undefined) {
        if (given === null) this.#checkEnd();
        else this.#count(given);
        return given;
      }
      const n = await this.#stream.read(this.#buffer);
      if (n === null && this.#inflated === undefined) return null;
      this.#inflated ??= new Inflated();
      if (n === null) this.#inflated.end();
      else {
        this.#bytesRead += n;
        const piece = this.#buffer.slice(0, n);
        this.#trailer = lastOf(this.#trailer, piece);
        this.#inflated.write(piece);
      }
    }
  }

  /** Rejects truncated data by its checksum; the platform accepts it. */
  #checkEnd(): void {
    const { value } = this.#checkSum;
    this.#isWhole = this.#trailer.length === CHECK_SUM_SIZE &&
      new DataView(this.#trailer.buffer).getUint32(0) === value;
    if (this.#isWhole) return;
    throw new Deno.errors.UnexpectedEof(
      `Cannot decompress the data: it ends after ${this.#bytesGiven} bytes without its checksum, so some of it may be missing; if the server does not compress it after "MODE Z", omit "compress"`,
    );
  }

  #count(bytes: Uint8Array): void {
    this.#checkSum.add(bytes);
    this.#bytesGiven += bytes.length;
    const most = Math.max(ANY_RATIO_SIZE, MAX_RATIO * this.#bytesRead);
    if (this.#bytesGiven <= most) return;
    throw new Deno.errors.InvalidData(
      `Cannot decompress the data: ${this.#bytesRead} bytes became more than ${MAX_RATIO} times as many; omit "compress" for this file`,
    );
  }
}

/** Size of the checksum at the end, in bytes. */
const CHECK_SUM_SIZE = 4;

/** Returns the last bytes of two pieces, as many as a checksum has. */
function lastOf(
  before: Uint8Array,
  piece: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return joinBytes([before, piece]).slice(-CHECK_SUM_SIZE);
}

/** The largest prime below 2^16. */
const ADLER_BASE = 65_521;

/**
 * Bytes whose sums stay below 2^30, because the engine adds such numbers
 * fastest.
 */
const ADLER_RUN = 2048;

/** zlib's checksum (RFC 1950 section 8). */
class Adler32 {
  #low = 1;
  #high = 0;

  /** The sum of all bytes so far. */
  get value(): number {
    return this.#high * 0x1_0000 + this.#low;
  }

  /** Adds bytes. */
  add(bytes: Uint8Array): void {
    let low = this.#low;
    let high = this.#high;
    for (let start = 0; start < bytes.length; start += ADLER_RUN) {
      const end = Math.min(bytes.length, start + ADLER_RUN);
      for (let at = start; at < end; at++) {
        low += bytes[at]!;
        high += low;
      }
      low %= ADLER_BASE;
      high %= ADLER_BASE;
    }
    this.#low = low;
    this.#high = high;
  }
}

/** Decompresses what is written to it. */
class Inflated {
  readonly #writer: WritableStreamDefaultWriter<BufferSource>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #reading: Promise<Uint8Array | null> | undefined;
  /** Fulfilled when everything written is decompressed. */
  #writing: Promise<void> | undefined;
  #isEnded = false;

  constructor() {
    const { writable, readable } = new DecompressionStream("deflate");
    this.#writer = writable.getWriter();
    this.#reader = readable.getReader();
    this.#writer.closed.catch(() => {}); // read() throws the same
  }

  /** Writes bytes, which are not to change. */
  write(bytes: Uint8Array<ArrayBuffer>): void {
    this.#writing = this.#writer.write(bytes);
    this.#writing.catch(() => {});
  }

  /** The compressed data has ended. */
  end(): void {
    this.#isEnded = true;
    this.#writer.close().catch(() => {});
  }

  /**
   * Returns decompressed bytes.
   *
   * @returns Bytes; `null` at the end; `undefined` if there are none until more
   * is written
   * @throws {Deno.errors.InvalidData} If the data cannot be decompressed
   */
  async take(): Promise<Uint8Array | null | undefined> {
    this.#reading ??= this.#reader.read().then(({ value }) => value ?? null);
    try {
      const given = this.#isEnded
        ? await this.#reading
        : await Promise.race([this.#reading, this.#writing]);
      if (given === undefined) {
        // the write and its result may complete at the same moment
        const there = await Promise.race([this.#reading, undefined]);
        if (there === undefined) return undefined;
        this.#reading = undefined;
        return there;
      }
      this.#reading = undefined;
      return given;
    } catch (error) {
      throw new Deno.errors.InvalidData(
        `Cannot decompress the data: ${
          (error as Error).message
        }; if the server does not compress it after "MODE Z", omit "compress"`,
        { cause: error },
      );
    }
  }

  cancel(): void {
    this.#reading?.catch(() => {});
    this.#reader.cancel().catch(() => {});
    this.#writer.abort().catch(() => {});
  }
}

/** Compresses what is written to it, and writes that to a stream. */
class Deflated {
  readonly #writer: WritableStreamDefaultWriter<BufferSource>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #moved: Promise<void>;
  #ending: Promise<void> | undefined;
  /** Compressed bytes written to the stream. */
  bytesMoved = 0;

  constructor(stream: ByteStream) {
    const { writable, readable } = new CompressionStream("deflate");
    this.#writer = writable.getWriter();
    this.#reader = readable.getReader();
    this.#writer.closed.catch(() => {}); // end() throws the same
    this.#moved = this.#move(stream);
    this.#moved.catch((error) => this.#writer.abort(error).catch(() => {}));
  }

  async write(bytes: Uint8Array): Promise<void> {
    // the caller may reuse its memory
    const written = this.#writer.write(bytes.slice());
    await Promise.race([written, this.#moved]);
    await written;
  }

  end(): Promise<void> {
    return this.#ending ??= this.#end();
  }

  async #end(): Promise<void> {
    const closed = this.#writer.close();
    closed.catch(() => {});
    await this.#moved;
    await closed;
  }

  async #move(stream: ByteStream): Promise<void> {
    while (true) {
      const { value, done } = await this.#reader.read();
      if (done) return;
      await writeAll(stream, value);
      this.bytesMoved += value.length;
    }
  }

  cancel(): void {
    this.#writer.abort().catch(() => {});
    this.#reader.cancel().catch(() => {});
  }
}
