/**
 * The route of connections to the server: direct, or through what the user
 * chose.
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

/** A route to the server. */
export interface Route {
  /**
   * The option that makes the route indirect. The server cannot connect back
   * then, so active mode is not possible.
   */
  readonly detour: "dial" | "proxy" | undefined;
  /** Opens a control connection. */
  dialServer(
    host: string,
    port: number,
    options: OpenOptions,
  ): Promise<{ stream: ByteStream; peer: HostPort }>;
  /**
   * Opens a data connection.
   *
   * @param name The user's name for the host, or the same address
   */
  dialData(
    host: string,
    port: number,
    name: string,
    options: OpenOptions,
  ): Promise<ByteStream>;
}

/** Options of a route. */
export interface RouteOptions {
  /** Function that opens the connections. */
  dial?: Dial | undefined;
  /** URL of a proxy. */
  proxy?: string | URL | undefined;
}

/**
 * Chooses the route.
 *
 * @throws {TypeError} If both options are set, or the URL is not usable
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
 * Rejects active mode if the server cannot connect back.
 *
 * @throws {TypeError} If the route is not direct
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

/**
 * Makes an indirect route. Data connections use the host's name, because its
 * address is unknown.
 */
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
