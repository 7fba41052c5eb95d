/**
 * A connection that the user's function has dialled.
 *
 * @module
 */

import type { ByteStream } from "./byte_stream.ts";

/** What a {@linkcode Dial} function is asked for. */
export interface DialTarget {
  /**
   * The server: a name as the user gave it, in ASCII, or an address, IPv6
   * without brackets. Data connections go to the same host as the control
   * connection, unless `trustPasvHost` is set.
   */
  readonly hostname: string;
  /** The TCP port. The server chooses that of a data connection. */
  readonly port: number;
  /** What the connection is for. */
  readonly transport: "control" | "data";
  /** Aborted when the connection is not wanted any more, or `timeout` is up. */
  readonly signal: AbortSignal;
}

/**
 * A connection that a {@linkcode Dial} function gives: the part of `Deno.Conn`
 * that the client uses. A `Deno.TcpConn`, `Deno.TlsConn` or `Deno.UnixConn` is
 * one. Bytes must arrive unchanged and in order, in both directions.
 */
export interface DialedConn {
  /** Reads 1 to `buffer.length` bytes; `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes 1 to `bytes.length` bytes, and tells how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends the writing side; the reading side stays open. */
  closeWrite(): Promise<void>;
  /** Closes both sides at once. */
  close(): void;
  /** The local end; optional. */
  readonly localAddr?: Deno.Addr;
  /** The peer's end; optional. */
  readonly remoteAddr?: Deno.Addr;
  /** Makes pending reads keep the program alive, the default; optional. */
  ref?(): void;
  /** Lets the program end although a read is pending; optional. */
  unref?(): void;
  /** Called once with `true`, where it is there. */
  setNoDelay?(enable?: boolean): void;
  /** Called once with `true`, where it is there. */
  setKeepAlive?(enable?: boolean): void;
}

/**
 * Opens a connection to the server: through a tunnel, a jump host, a bound
 * address. It is called for each control and data connection, also those of
 * `clone()`, of reconnections and of mirrors. TLS, where it is asked for, is put
 * on top of what it gives.
 */
export type Dial = (target: DialTarget) => Promise<DialedConn>;

/** The methods that every connection must have. */
const METHODS = ["read", "write", "closeWrite", "close"] as const;

/** What no connection does for ever: it would stop the program. */
const MAX_EMPTY = 1000;

/**
 * Tells whether a value can be used as a connection.
 *
 * @param value What the user's function gave
 * @returns What it lacks; `undefined` if it is one
 */
export function lackOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) {
    return `gave ${
      value === null ? "null" : `a value of type ${typeof value}`
    }`;
  }
  const conn = value as Record<string, unknown>;
  const missing = METHODS.find((name) => typeof conn[name] !== "function");
  return missing && `gave an object without the method "${missing}"`;
}

/**
 * Lets the user's connection do what a `Deno.Conn` does: pending reads and
 * writes reject at once when it is closed, and counts are checked.
 */
export class DialedStream implements ByteStream {
  readonly via = 'the tunnel of "dial"';
  readonly localAddr: Deno.Addr;
  readonly remoteAddr: Deno.Addr;
  readonly #conn: DialedConn;
  readonly #pending = new Set<(error: Error) => void>();
  #isClosed = false;

  /**
   * Takes over a connection.
   *
   * @param conn The connection
   * @param target Where it leads to
   */
  constructor(
    conn: DialedConn,
    { hostname, port }: Omit<DialTarget, "signal">,
  ) {
    const transport = "tcp";
    this.#conn = conn;
    this.localAddr = conn.localAddr ?? { transport, hostname: "", port: 0 };
    this.remoteAddr = conn.remoteAddr ?? { transport, hostname, port };
    conn.setNoDelay?.(true);
    conn.setKeepAlive?.(true);
  }

  /**
   * Reads at least one byte.
   *
   * @param buffer Where to
   * @returns Bytes read, or `null` at the end
   */
  async read(buffer: Uint8Array): Promise<number | null> {
    for (let empty = 0; empty < MAX_EMPTY; empty++) {
      const n = await this.#untilClosed(() => this.#conn.read(buffer));
      if (n === null) return null;
      checkCount("read", n, buffer);
      if (n > 0) return n;
    }
    throw new TypeError(
      `Cannot use the connection of "dial": read() gave 0 bytes ${MAX_EMPTY} times; it must wait for a byte, or give null at the end`,
    );
  }

  /**
   * Writes at least one byte.
   *
   * @param bytes What
   * @returns Bytes written
   */
  async write(bytes: Uint8Array): Promise<number> {
    for (let empty = 0; empty < MAX_EMPTY; empty++) {
      const n = await this.#untilClosed(() => this.#conn.write(bytes));
      checkCount("write", n, bytes);
      if (n > 0 || bytes.length === 0) return n;
    }
    throw new TypeError(
      `Cannot use the connection of "dial": write() took 0 bytes ${MAX_EMPTY} times; it must take a byte, or throw`,
    );
  }

  /** Ends the writing side. */
  closeWrite(): Promise<void> {
    return this.#untilClosed(() => this.#conn.closeWrite());
  }

  /** Closes both sides at once. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const reject of this.#pending) reject(closedError());
    closeDialed(this.#conn);
  }

  /** Makes pending reads keep the event loop alive, the default. */
  ref(): void {
    if (!this.#isClosed) this.#conn.ref?.();
  }

  /** Lets the program end although a read is pending. */
  unref(): void {
    if (!this.#isClosed) this.#conn.unref?.();
  }

  async #untilClosed<T>(begin: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw closedError();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#pending.add(reject);
    try {
      begin().then(resolve, reject);
      return await promise;
    } finally {
      this.#pending.delete(reject);
    }
  }
}

/**
 * Closes a connection of the user's, whatever it throws.
 *
 * @param conn The connection
 */
export function closeDialed(conn: DialedConn): void {
  try {
    // an async function is a close(): void to the compiler
    const closing: unknown = conn.close();
    Promise.resolve(closing).catch(() => {});
  } catch {
    // closed before
  }
}

function closedError(): Error {
  return new Deno.errors.BadResource("The connection is closed");
}

function checkCount(method: string, n: number, { length }: Uint8Array): void {
  if (Number.isInteger(n) && n >= 0 && n <= length) return;
  throw new TypeError(
    `Cannot use the connection of "dial": ${method}() gave ${
      typeof n === "number" ? n : `a value of type ${typeof n}`
    } for a buffer of ${length} bytes; it must give the number of bytes`,
  );
}
