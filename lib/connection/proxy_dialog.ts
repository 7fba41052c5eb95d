/**
 * The exchange with a proxy, for all protocols.
 *
 * @module
 */

import { type ByteStream, writeAll } from "./byte_stream.ts";
import { showAddress } from "./dial.ts";
import type { DialTarget } from "./dialed_stream.ts";
import type { ProxyAddress } from "./proxy_address.ts";
import { connectionError } from "../protocol/with_message.ts";

/** Size of a read of unknown length, in bytes. */
const READ_SIZE = 1024;

type ErrorClass = new (message: string) => Error;

/** A request to a proxy to connect to a server. */
export class ProxyDialog {
  /** The proxy. */
  readonly proxy: ProxyAddress;
  /** The server. */
  readonly target: Omit<DialTarget, "signal">;
  readonly #stream: ByteStream;

  /** Starts an exchange. */
  constructor(
    stream: ByteStream,
    proxy: ProxyAddress,
    target: Omit<DialTarget, "signal">,
  ) {
    this.#stream = stream;
    this.proxy = proxy;
    this.target = target;
  }

  /** Sends bytes to the proxy. */
  async send(bytes: Uint8Array): Promise<void> {
    await this.#toProxy(writeAll(this.#stream, bytes));
  }

  /**
   * Reads a number of bytes of the proxy's answer, and none after it.
   *
   * @throws {Deno.errors.UnexpectedEof} If the proxy closes the connection
   * first
   */
  async read(length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    for (let filled = 0; filled < length;) {
      const n = await this.#toProxy(this.#stream.read(bytes.subarray(filled)));
      if (n === null) throw this.#ended();
      filled += n;
    }
    return bytes;
  }

  /**
   * Reads available bytes of the proxy's answer, and of what follows it.
   *
   * @throws {Deno.errors.UnexpectedEof} If the proxy closes the connection
   * first
   */
  async readSome(): Promise<Uint8Array> {
    const bytes = new Uint8Array(READ_SIZE);
    const n = await this.#toProxy(this.#stream.read(bytes));
    if (n === null) throw this.#ended();
    return bytes.subarray(0, n);
  }

  /** Creates an error that names server and proxy. */
  error(Class: ErrorClass, why: string): Error {
    return new Class(`${this.#tried}: ${why}`);
  }

  /** Advice for a proxy that does not allow a connection. */
  get advice(): string {
    const { transport, port } = this.target;
    return transport === "control"
      ? `the proxy must allow port ${port} of the server`
      : `the server chose port ${port} for this data connection: the proxy must allow the server's passive ports`;
  }

  get #tried(): string {
    return triedThrough(this.proxy, this.target);
  }

  #ended(): Error {
    return this.error(
      Deno.errors.UnexpectedEof,
      'the proxy closed the connection before it answered; if it always does, check the scheme and the port in "proxy"',
    );
  }

  async #toProxy<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw connectionError(
        error,
        (message) =>
          `${this.#tried}: the connection to the proxy failed: ${message}`,
      );
    }
  }
}

/** Formats the failed action for messages. */
export function triedThrough(
  proxy: ProxyAddress,
  { hostname, port }: Omit<DialTarget, "signal">,
): string {
  const shown = showAddress(hostname, port);
  return `Cannot connect to "${shown}" through ${proxy.shown}`;
}
