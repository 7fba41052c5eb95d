/**
 * A connection that the user's function has opened.
 *
 * @module
 */

import { type ByteStream, closeQuietly } from "./byte_stream.ts";

/**
 * A connection that a {@linkcode Dial} function returns: the part of
 * `Deno.Conn` that the client uses. `Deno.TcpConn`, `Deno.TlsConn` and
 * `Deno.UnixConn` qualify. Bytes must arrive unchanged and in order, in both
 * directions.
 */
export interface DialedConn {
  /** Reads 1 to `buffer.length` bytes; `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes 1 to `bytes.length` bytes, and returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends the writing side; the reading side stays open. */
  closeWrite(): Promise<void>;
  /**
   * Closes both sides at once. What was written before `closeWrite()` must still
   * arrive, or the server takes a part of a file for the whole.
   */
  close(): void;
  /** Address of the local end; optional. */
  readonly localAddr?: Deno.Addr;
  /** Address of the remote end; optional. */
  readonly remoteAddr?: Deno.Addr;
  /** Makes pending reads keep the program alive, the default; optional. */
  ref?(): void;
  /** Lets the program end while a read is pending; optional. */
  unref?(): void;
  /** Called once with `true`, if it exists. */
  setNoDelay?(enable?: boolean): void;
  /** Called once with `true`, if it exists. */
  setKeepAlive?(enable?: boolean): void;
}

/**
 * Opens a connection to the server: through a tunnel or jump host, or from a
 * certain address. Called for each control and data connection, including those
 * of `clone()`, reconnections and mirrors. TLS, if used, runs over the
 * connection that it returns. The function gets:
 *
 * - `hostname`: the server, a name as the user gave it, in ASCII, or an
 *   address, IPv6 without brackets. Data connections go to the same host as the
 *   control connection, unless `trustPasvHost` is set.
 * - `port`: the TCP port. The server chooses the port of a data connection.
 * - `transport`: the purpose of the connection.
 * - `signal`: aborted when the connection is no longer needed, or `timeout` has
 *   passed.
 */
export type Dial = (target: {
  readonly hostname: string;
  readonly port: number;
  readonly transport: "control" | "data";
  readonly signal: AbortSignal;
}) => Promise<DialedConn>;

/** The connection that a {@linkcode Dial} function has to open. */
export type DialTarget = Parameters<Dial>[0];

/** Methods that every connection must have. */
const METHODS = ["read", "write", "closeWrite", "close"] as const;

/**
 * Largest number of empty reads or writes in a row, which would otherwise never
 * end.
 */
const MAX_EMPTY = 1000;

/**
 * Describes what a value lacks to be a connection; `undefined` if it is one.
 *
 * @param value The result of the user's function
 * @returns The description
 */
export function lackOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) {
    return `returned ${
      value === null ? "null" : `a value of type ${typeof value}`
    }`;
  }
  const conn = value as Record<string, unknown>;
  const missing = METHODS.find((name) => typeof conn[name] !== "function");
  return missing && `returned an object without the method "${missing}"`;
}

/**
 * Makes the user's connection behave like a `Deno.Conn`: pending reads and
 * writes reject when it is closed, and counts are checked.
 */
export class DialedStream implements ByteStream {
  readonly via = 'the tunnel of "dial"';
  readonly localAddr: Deno.Addr;
  readonly remoteAddr: Deno.Addr;
  readonly #conn: DialedConn;
  readonly #pending = new Set<(error: Error) => void>();
  #isClosed = false;

  /**
   * Wraps a connection.
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
   * @param buffer Buffer for the bytes
   * @returns Number of bytes, or `null` at the end
   */
  async read(buffer: Uint8Array): Promise<number | null> {
    for (let empty = 0; empty < MAX_EMPTY; empty++) {
      const n = await this.#untilClosed(() => this.#conn.read(buffer));
      if (n === null) return null;
      checkCount("read", n, buffer);
      if (n > 0) return n;
    }
    throw new TypeError(
      `Cannot use the connection of "dial": read() returned 0 bytes ${MAX_EMPTY} times; it must wait for a byte, or return null at the end`,
    );
  }

  /**
   * Writes at least one byte.
   *
   * @param bytes Bytes to write
   * @returns Number of bytes written
   */
  async write(bytes: Uint8Array): Promise<number> {
    for (let empty = 0; empty < MAX_EMPTY; empty++) {
      const n = await this.#untilClosed(() => this.#conn.write(bytes));
      checkCount("write", n, bytes);
      if (n > 0 || bytes.length === 0) return n;
    }
    throw new TypeError(
      `Cannot use the connection of "dial": write() wrote 0 bytes ${MAX_EMPTY} times; it must write a byte, or throw`,
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
    closeQuietly(this.#conn);
  }

  /** Makes pending reads keep the event loop alive. The default. */
  ref(): void {
    if (!this.#isClosed) this.#conn.ref?.();
  }

  /** Lets the program end while a read is pending. */
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

function closedError(): Error {
  return new Deno.errors.BadResource("The connection is closed");
}

function checkCount(method: string, n: number, { length }: Uint8Array): void {
  if (Number.isInteger(n) && n >= 0 && n <= length) return;
  throw new TypeError(
    `Cannot use the connection of "dial": ${method}() returned ${
      typeof n === "number" ? n : `a value of type ${typeof n}`
    } for a buffer of ${length} bytes; it must return the number of bytes`,
  );
}
