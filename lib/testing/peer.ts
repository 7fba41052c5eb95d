/**
 * One end of a TCP connection in the hands of a test, that can do what sockets
 * usually hide.
 *
 * @module
 */

import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** The connection ended while a test still wanted something of it. */
export class PeerGone extends Error {
  /** The class's own name. */
  override name = "PeerGone";
}

/** Who a server is, for TLS. */
export interface TestIdentity {
  /** The certificate with its chain, PEM. */
  cert: string;
  /** The private key, PEM. */
  key: string;
}

/** A socket of `node:net`, since those can be reset. */
export class Peer {
  readonly #raw: Socket;
  /** The same, or TLS over it. */
  #socket: Socket;
  #switched = Promise.withResolvers<void>();
  #received = 0;
  #ended = false;
  #wasReset = false;
  #isDeaf = false;
  /** Settles when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;

  /**
   * Takes a socket over.
   *
   * @param socket Open, and made with `allowHalfOpen`
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
   * Puts TLS on the connection, as a server. Nothing of it may be under way.
   *
   * @param identity Certificate and key, PEM
   */
  secure(identity: TestIdentity): void {
    // what waits for bytes would take those of the handshake
    this.#raw.removeAllListeners("readable");
    const socket = new TLSSocket(this.#raw, { isServer: true, ...identity });
    this.#socket = socket;
    this.#watch(socket);
    this.#switched.resolve();
    this.#switched = Promise.withResolvers();
  }

  #watch(socket: Socket): void {
    // "close" follows, and that is what counts
    socket.on("error", () => this.#wasReset = true);
    socket.on("end", () => this.#ended = true);
  }

  /** The socket that is written to. */
  get socket(): Socket {
    return this.#socket;
  }

  /** Bytes read so far. */
  get received(): number {
    return this.#received;
  }

  /** Whether the connection was lost, or never made, rather than closed. */
  get wasReset(): boolean {
    return this.#wasReset;
  }

  /** Whether nothing can be sent any more. */
  get isGone(): boolean {
    return this.#raw.destroyed || this.#socket.destroyed;
  }

  /** Sends bytes; settles when the system has taken them. */
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

  /** Sends bytes in pieces, each as a TCP segment of its own as far as the system lets one say so. */
  async writePieces(content: string | Uint8Array, size = 1): Promise<void> {
    const bytes = toBytes(content);
    for (let i = 0; i < bytes.length; i += size) {
      await this.write(bytes.subarray(i, i + size));
      // The reader gets a turn of the event loop: otherwise the pieces would meet in its buffer.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  /** Reads what has come; `null` at the end of the stream or of the connection. */
  async read(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#isDeaf) await this.closed;
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

  /** Reads nothing more: what the other side sends fills the buffers, until it cannot send any more. */
  deafen(): void {
    this.#isDeaf = true;
  }

  /** Says that nothing more will be sent (FIN), and goes on reading. */
  end(): void {
    this.#socket.end();
  }

  /** Sends what is owed, then closes both directions. */
  close(): void {
    this.#socket.destroySoon();
  }

  /** Closes both directions at once; what was not sent yet is lost. */
  drop(): void {
    this.#raw.destroy();
  }

  /** Ends the connection with a reset (RST): what is underway is lost. */
  reset(): void {
    this.#raw.resetAndDestroy();
  }

  /** Waits until the connection is gone: for what never answers. Always rejects. */
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

/** Bytes as they are, text in UTF-8. */
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
