/**
 * Opens TCP connections: to the server, or from it in active mode.
 *
 * @module
 */

import { type ByteStream, closeQuietly } from "./byte_stream.ts";
import { type Ticker, within } from "./waiting.ts";
import { connectionError } from "../protocol/with_message.ts";
import { isSameHost } from "../protocol/address.ts";

/** Time limit of opening a connection. */
export interface DialOptions {
  /** Milliseconds; 0 for no limit. */
  timeout: number;
  /** Aborts the opening. */
  signal?: AbortSignal | undefined;
  /** Aborts the opening as well: the end of the control connection. */
  ended?: AbortSignal | undefined;
  /** The timer of another connection with the same time limit. */
  ticker?: Ticker | undefined;
}

/**
 * Connects to a host. Requires `allow-net` permission.
 *
 * @param hostname A name or an address
 * @param port A TCP port
 * @param options Time-out and signal
 * @returns The connection, without Nagle's delay and with keep-alive
 * @throws {Deno.errors.TimedOut} If the host does not answer in time
 * @throws {Error} `Deno.errors.*` as `Deno.connect`, or the signal's reason
 */
export async function dial(
  hostname: string,
  port: number,
  options: DialOptions,
): Promise<ByteStream> {
  const { timeout, signal } = options;
  const conn = await within(
    timeout,
    signal,
    () =>
      new Deno.errors.TimedOut(
        `Cannot connect to "${
          showAddress(hostname, port)
        }": no answer within ${timeout} ms`,
      ),
    async (signal) => {
      // the platform would leave a connection open that is made while the
      // signal is aborted, so it is closed here
      signal.throwIfAborted = () => {};
      try {
        const conn = await Deno.connect({ hostname, port, signal });
        if (signal.aborted) {
          conn.close();
          throw signal.reason;
        }
        return conn;
      } catch (error) {
        throw signal.aborted ? error : connectionError(
          error,
          (message) =>
            `Cannot connect to "${showAddress(hostname, port)}": ${message}`,
        );
      }
    },
    options,
  );
  conn.setNoDelay(true);
  conn.setKeepAlive(true);
  return conn;
}

/**
 * Connects to the peer of another connection. If only its name is allowed
 * (`--allow-net=ftp.example.com`), the name is used. It may have several
 * addresses, and only the peer's is accepted. Requires `allow-net` permission.
 *
 * @param address The peer's address
 * @param port A TCP port
 * @param name The user's name for the peer, or the same address
 * @param options Time-out and signal
 * @param dialHost Function that dials; it checks no address
 * @returns The connection, as {@linkcode dial} returns it
 * @throws {Deno.errors.NotCapable} If the port is not allowed, or the name
 * leads to another address; the message says what to allow
 * @throws {Error} As {@linkcode dial}
 */
export async function dialPeer(
  address: string,
  port: number,
  name: string,
  options: DialOptions,
  dialHost: typeof dial = dial,
): Promise<ByteStream> {
  const isNamed = name !== address && isAllowed(name, port) &&
    !isAllowed(address, port);
  const stream = await dialHost(isNamed ? name : address, port, options)
    .catch((error) => {
      if (!(error instanceof Deno.errors.NotCapable)) throw error;
      throw new Deno.errors.NotCapable(
        `${error.message}; a server chooses the ports of its data connections: allow the host without a port, --allow-net=${
          showHost(name)
        }`,
        { cause: error },
      );
    });
  const { hostname } = stream.remoteAddr as Deno.NetAddr;
  if (!isNamed || isSameHost(hostname, address)) return stream;
  stream.close();
  throw new Deno.errors.NotCapable(
    `Cannot connect to "${
      showAddress(address, port)
    }": only the name "${name}" is allowed, and it led to "${hostname}"; allow the address too, --allow-net=${name},${
      showHost(address)
    }`,
  );
}

/** Whether connections to a port are allowed. */
export function isAllowed(hostname: string, port: number): boolean {
  const host = showAddress(hostname, port);
  return Deno.permissions.querySync({ name: "net", host }).state === "granted";
}

/**
 * Formats an address: "host:port", or "[v6]:port".
 *
 * @param hostname A name or an address
 * @param port A TCP port
 * @returns The text
 */
export function showAddress(hostname: string, port: number): string {
  return `${showHost(hostname)}:${port}`;
}

function showHost(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

/** A port, or a range of ports, first and last included. */
export type PortRange = number | readonly [first: number, last: number];

/** Options of {@linkcode ServerListener.listen}. */
export interface ListenOptions {
  /** The only address that may connect. */
  peer: string;
  /** Time limit for the connection, in milliseconds; 0 for none. */
  timeout: number;
  /** The port of the last listener, which is tried last. */
  lastPort?: number | undefined;
}

/** Listens for the server's data connection in active mode. */
export class ServerListener {
  readonly #listener: Deno.TcpListener;
  readonly #options: ListenOptions;

  private constructor(listener: Deno.TcpListener, options: ListenOptions) {
    this.#listener = listener;
    this.#options = options;
  }

  /**
   * Listens on a free port of a range: the first one, or the one after that of
   * the last transfer, to which the server may still connect. Requires
   * `allow-net` permission.
   *
   * @param hostname The local address
   * @param ports The range; 0 lets the system choose
   * @param options Peer, time-out and last port
   * @returns The listener
   * @throws {Deno.errors.AddrInUse} If no port of the range is free
   */
  static listen(
    hostname: string,
    ports: PortRange,
    options: ListenOptions,
  ): ServerListener {
    const [first, last] = typeof ports === "number" ? [ports, ports] : ports;
    let failure: unknown = new RangeError(
      `Cannot listen for data: the port range ${first} to ${last} is empty`,
    );
    const size = last - first + 1;
    const { lastPort = last } = options;
    for (let step = 1; step <= size; step++) {
      const port = first + (Math.max(lastPort - first, 0) + step) % size;
      try {
        return new ServerListener(Deno.listen({ hostname, port }), options);
      } catch (error) {
        failure = error;
        if (!(error instanceof Deno.errors.AddrInUse)) break;
      }
    }
    throw failure;
  }

  /** The local address and port. */
  get addr(): Deno.NetAddr {
    return this.#listener.addr;
  }

  /** Accepts the server's connection. Closes those from other addresses. */
  async accept(
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<Deno.TcpConn> {
    const { peer, timeout } = this.#options;
    return await within(
      timeout,
      options.signal,
      () =>
        new Deno.errors.TimedOut(
          `Cannot open a data connection: "${peer}" did not connect to port ${this.addr.port} within ${timeout} ms`,
        ),
      async (signal) => {
        const close = () => this.close();
        signal.addEventListener("abort", close, { once: true });
        try {
          while (true) {
            const conn = await this.#listener.accept();
            if (isSameHost(conn.remoteAddr.hostname, peer)) {
              conn.setNoDelay(true);
              return conn;
            }
            conn.close();
          }
        } finally {
          signal.removeEventListener("abort", close);
        }
      },
    );
  }

  close(): void {
    closeQuietly(this.#listener); // a signal may have closed it
  }
}
