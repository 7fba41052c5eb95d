/**
 * A socket of `node:net`, which can be bound to a local address before it is
 * connected.
 *
 * @module
 */

import type { Socket } from "node:net";
import type { ByteStream } from "./byte_stream.ts";

/** Classes of errors by the code of the operating system. */
const CLASSES: Readonly<Record<string, new (message: string) => Error>> = {
  EADDRINUSE: Deno.errors.AddrInUse,
  EADDRNOTAVAIL: Deno.errors.AddrNotAvailable,
  ECONNABORTED: Deno.errors.ConnectionAborted,
  ECONNREFUSED: Deno.errors.ConnectionRefused,
  ECONNRESET: Deno.errors.ConnectionReset,
  EHOSTUNREACH: Deno.errors.NetworkUnreachable,
  ENETUNREACH: Deno.errors.NetworkUnreachable,
  EPIPE: Deno.errors.BrokenPipe,
  ETIMEDOUT: Deno.errors.TimedOut,
};

/**
 * Converts an error of Node to the platform's.
 *
 * @returns An error of the class that the code stands for
 */
export function errorOfNode(error: Error & { code?: string }): Error {
  const Class = CLASSES[error.code ?? ""] ?? Error;
  return new Class(error.message);
}

/** A connected socket, shaped like `Deno.Conn`. */
export class NodeStream implements ByteStream {
  readonly localAddr: Deno.NetAddr;
  readonly remoteAddr: Deno.NetAddr;
  readonly #socket: Socket;
  #change = Promise.withResolvers<void>();
  #failure: Error | undefined;
  #isEnded = false;
  #isClosed = false;

  /**
   * Takes over a socket with `allowHalfOpen`.
   *
   * @param socket The socket, connected
   */
  constructor(socket: Socket) {
    this.#socket = socket;
    const transport = "tcp";
    this.localAddr = {
      transport,
      hostname: socket.localAddress ?? "",
      port: socket.localPort ?? 0,
    };
    this.remoteAddr = {
      transport,
      hostname: socket.remoteAddress ?? "",
      port: socket.remotePort ?? 0,
    };
    socket.on("readable", () => this.#announce());
    socket.on("end", () => {
      this.#isEnded = true;
      this.#announce();
    });
    socket.on("error", (error) => {
      this.#failure ??= errorOfNode(error);
      this.#announce();
    });
    socket.on("close", () => {
      this.#failure ??= closedError();
      this.#announce();
    });
  }

  /**
   * Reads at least one byte.
   *
   * @param buffer Where to
   * @returns Bytes read, or `null` at the end
   */
  async read(buffer: Uint8Array): Promise<number | null> {
    while (true) {
      if (this.#isClosed) throw closedError();
      const size = Math.min(buffer.length, this.#socket.readableLength);
      // read() without a size also detects the end
      const chunk: Uint8Array | null = this.#socket.read(size || undefined);
      if (chunk !== null) {
        buffer.set(chunk);
        return chunk.length;
      }
      if (this.#isEnded) return null;
      if (this.#failure !== undefined) throw this.#failure;
      await this.#change.promise;
    }
  }

  /**
   * Writes all of `bytes`.
   *
   * @param bytes What
   * @returns Bytes written
   */
  async write(bytes: Uint8Array): Promise<number> {
    await this.#done((done) => this.#socket.write(bytes, done));
    return bytes.length;
  }

  /** Ends the writing side; the reading side stays open. */
  async closeWrite(): Promise<void> {
    await this.#done((done) => this.#socket.end(done));
  }

  /** Closes both sides at once. Pending reads and writes reject. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.destroy();
    this.#announce();
  }

  /** Makes pending reads keep the event loop alive, the default. */
  ref(): void {
    this.#socket.ref();
  }

  /** Lets the program end while a read is pending. */
  unref(): void {
    this.#socket.unref();
  }

  #announce(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  async #done(
    begin: (done: (error?: Error | null) => void) => unknown,
  ): Promise<void> {
    if (this.#isClosed) throw closedError();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    begin((error) => {
      if (!error) resolve();
      else if (this.#isClosed) reject(closedError());
      else reject(this.#failure ?? errorOfNode(error));
    });
    await promise;
  }
}

function closedError(): Error {
  return new Deno.errors.BadResource("The connection is closed");
}
