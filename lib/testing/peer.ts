/**
 * One end of a TCP connection, with control over resets and pieces that sockets
 * usually hide.
 *
 * @module
 */

import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** The connection ended while a test was using it. */
export class PeerGone extends Error {
  /** Name of the class. */
  override name = "PeerGone";
}

/** Certificate and key of a server. */
export interface TestIdentity {
  /** The certificate with its chain, PEM. */
  cert: string;
  /** The private key, PEM. */
  key: string;
}

/**
 * One end of a connection. Uses a socket of `node:net`, because it can be
 * reset.
 */
export class Peer {
  readonly #raw: Socket;
  /** The same, or TLS over it. */
  #socket: Socket;
  #switched = Promise.withResolvers<void>();
  #received = 0;
  #ended = false;
  #wasReset = false;
  #isReadingStopped = false;
  /** Resolves when the connection has ended, on either side. */
  readonly closed: Promise<void>;

  /**
   * Wraps a socket.
   *
   * @param socket An open socket, created with `allowHalfOpen`
   * @ignore
   */
  constructor(socket: Socket) {
    this.#raw = this.#socket = socket;
    socket.setNoDelay(true);
    this.#watch(socket);
    this.closed = new Promise((resolve) => {
      if (socket.closed) resolve();
      else socket.once("close", () => resolve());
    });
  }

  /**
   * Starts TLS as the server. No read or write may be pending.
   *
   * @param identity Certificate and key, PEM
   */
  secure(identity: TestIdentity): void {
    // a waiting read would take the bytes of the handshake
    this.#raw.removeAllListeners("readable");
    const socket = new TLSSocket(this.#raw, { isServer: true, ...identity });
    this.#socket = socket;
    this.#watch(socket);
    this.#switched.resolve();
    this.#switched = Promise.withResolvers();
  }

  #watch(socket: Socket): void {
    // "close" follows
    socket.on("error", () => this.#wasReset = true);
    socket.on("end", () => this.#ended = true);
  }

  /** The current socket: TLS, or the plain one. */
  get socket(): Socket {
    return this.#socket;
  }

  /** Number of bytes read. */
  get received(): number {
    return this.#received;
  }

  /** Whether the connection failed, instead of being closed. */
  get wasReset(): boolean {
    return this.#wasReset;
  }

  /** Whether the connection has ended. */
  get isGone(): boolean {
    return this.#raw.destroyed || this.#socket.destroyed;
  }

  /** Sends bytes. Resolves when the system has accepted them. */
  write(content: string | Uint8Array): Promise<void> {
    const bytes = toBytes(content);
    return new Promise((resolve, reject) => {
      if (this.isGone) {
        return reject(new PeerGone("Cannot write: the connection is gone"));
      }
      // A write to a destroyed socket may never call back.
      this.closed.then(() =>
        reject(new PeerGone("Cannot write: the connection is gone"))
      );
      this.#socket.write(bytes, (error) => {
        if (error) reject(new PeerGone("Cannot write", { cause: error }));
        else resolve();
      });
    });
  }

  /** Sends bytes in pieces, usually one TCP segment for each. */
  async writePieces(content: string | Uint8Array, size = 1): Promise<void> {
    const bytes = toBytes(content);
    for (let i = 0; i < bytes.length; i += size) {
      await this.write(bytes.subarray(i, i + size));
      // without a turn of the event loop, the reader would get several pieces
      // at once
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  /** Reads the available bytes, or waits for some; `null` at the end. */
  async read(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#isReadingStopped) await this.closed;
      const chunk = this.#socket.read() as Uint8Array | null;
      if (chunk !== null) {
        this.#received += chunk.length;
        return chunk;
      }
      if (this.#ended || this.isGone) return null;
      await this.#readable();
    }
  }

  /** Reads `limit` bytes, or all until the end. */
  async readAll(limit = Infinity): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    while (length < limit) {
      const chunk = await this.read();
      if (chunk === null) break;
      chunks.push(chunk);
      length += chunk.length;
    }
    return concat(chunks);
  }

  /**
   * Stops reading, so that the buffers fill until the other side cannot send
   * any more.
   */
  stopReading(): void {
    this.#isReadingStopped = true;
  }

  /** Ends the writing side (FIN); reading continues. */
  end(): void {
    this.#socket.end();
  }

  /** Sends pending bytes, then closes both directions. */
  close(): void {
    this.#socket.destroySoon();
  }

  /** Closes both directions at once. Pending bytes are lost. */
  drop(): void {
    this.#raw.destroy();
  }

  /** Resets the connection (RST). Bytes in transit are lost. */
  reset(): void {
    this.#raw.resetAndDestroy();
  }

  /**
   * Waits until the connection has ended, to simulate a server that never
   * replies. Always rejects.
   */
  async stall(): Promise<never> {
    await this.closed;
    throw new PeerGone("The connection ended while it was stalled");
  }

  #readable(): Promise<void> {
    return new Promise((resolve) => {
      const socket = this.#socket;
      this.#switched.promise.then(done);
      function done(): void {
        for (const event of ["readable", "end", "close"]) {
          socket.off(event, done);
        }
        resolve();
      }
      for (const event of ["readable", "end", "close"]) socket.on(event, done);
    });
  }
}

/** Encodes text in UTF-8; returns bytes unchanged. */
export function toBytes(content: string | Uint8Array): Uint8Array {
  return typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
}

/** Joins chunks into one array. */
export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(
    chunks.reduce((length, chunk) => length + chunk.length, 0),
  );
  let offset = 0;
  for (const chunk of chunks) {
    joined.set(chunk, offset);
    offset += chunk.length;
  }
  return joined;
}
