/**
 * Which way connections take to the server: straight, or through what the user
 * has chosen.
 *
 * @module
 */

import type { ByteStream } from "./byte_stream.ts";
import { dial, dialPeer, type OpenOptions } from "./dial.ts";
import { dialByFunction } from "./dial_function.ts";
import type { Dial, DialTarget } from "./dialed_stream.ts";
import { dialThrough } from "./proxy.ts";
import { ProxyAddress } from "./proxy_address.ts";
import type { HostPort } from "../protocol/address.ts";

/** A way to the server. */
export interface Route {
  /**
   * The option that leads elsewhere than straight to the server: the server
   * cannot connect back then, so that there is no active mode.
   */
  readonly detour: "dial" | "proxy" | undefined;
  /**
   * Opens a control connection.
   *
   * @param host A name or an address
   * @param port A TCP port
   * @param options Time-out and signal
   * @returns The connection, and where data connections are to lead
   */
  dialServer(
    host: string,
    port: number,
    options: OpenOptions,
  ): Promise<{ stream: ByteStream; peer: HostPort }>;
  /**
   * Opens a data connection.
   *
   * @param host The peer's host, or the one that a trusted 227 reply named
   * @param port The port that the server named
   * @param name What the user called that host: a name or the same address
   * @param options Time-out and signal
   * @returns The connection
   */
  dialData(
    host: string,
    port: number,
    name: string,
    options: OpenOptions,
  ): Promise<ByteStream>;
}

/** What the user set about the way. */
export interface RouteOptions {
  /** Opens the connections. */
  dial?: Dial | undefined;
  /** The URL of a proxy. */
  proxy?: string | URL | undefined;
}

/**
 * Finds the way.
 *
 * @param options The user's, checked by name and kind
 * @returns The way
 * @throws {TypeError} If they contradict each other, or the URL names no proxy
 */
export function makeRoute({ dial, proxy }: RouteOptions): Route {
  if (dial !== undefined && proxy !== undefined) {
    throw new TypeError(
      'Cannot use "dial" together with "proxy": choose one; what "dial" opens may lead through a proxy',
    );
  }
  if (dial !== undefined) {
    const open: Open = (target, options) =>
      dialByFunction(dial, target, options);
    return detour("dial", open);
  }
  if (proxy === undefined) return STRAIGHT;
  const address = new ProxyAddress(proxy);
  return detour(
    "proxy",
    (target, options) => dialThrough(address, target, options),
  );
}

/**
 * Refuses active mode where the server cannot connect back.
 *
 * @param route The way
 * @throws {TypeError} If it is no straight one
 */
export function checkActive({ detour }: Route): void {
  if (detour === undefined) return;
  throw new TypeError(
    `Cannot use active mode with "${detour}": the server would have to connect to this machine, past it; use passive mode ("passive": true)`,
  );
}

const STRAIGHT: Route = {
  detour: undefined,
  async dialServer(host, port, options) {
    const stream = await dial(host, port, options);
    const { hostname, port: remotePort } = stream.remoteAddr as Deno.NetAddr;
    return { stream, peer: [hostname, remotePort] };
  },
  dialData: dialPeer,
};

type Open = (
  target: Omit<DialTarget, "signal">,
  options: OpenOptions,
) => Promise<ByteStream>;

/** Data connections lead to the host that was named: no address is known. */
function detour(name: "dial" | "proxy", open: Open): Route {
  return {
    detour: name,
    async dialServer(hostname, port, options) {
      const target = { hostname, port, transport: "control" } as const;
      return { stream: await open(target, options), peer: [hostname, port] };
    },
    dialData(hostname, port, _name, options) {
      return open({ hostname, port, transport: "data" }, options);
    },
  };
}
