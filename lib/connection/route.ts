/**
 * The route of connections to the server: direct, or through what the user
 * chose.
 *
 * @module
 */

import { dialFrom } from "./bound_dial.ts";
import type { ByteStream } from "./byte_stream.ts";
import { dial, type DialOptions, dialPeer } from "./dial.ts";
import { dialByFunction } from "./dial_function.ts";
import type { Dial, DialTarget } from "./dialed_stream.ts";
import { nodeModule } from "./node_module.ts";
import { dialThrough } from "./proxy.ts";
import { ProxyAddress } from "./proxy_address.ts";
import { withEither } from "./waiting.ts";
import { type HostPort, isSameHost } from "../protocol/address.ts";

/** A route to the server. */
export interface Route {
  /**
   * The option that makes the route indirect. The server cannot connect back
   * then, so active mode is not possible.
   */
  readonly via: "dial" | "proxy" | undefined;
  /** Opens a control connection. */
  dialServer(
    host: string,
    port: number,
    options: DialOptions,
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
    options: DialOptions,
  ): Promise<ByteStream>;
}

/** Options of a route. */
export interface RouteOptions {
  /** Function that opens the connections. */
  dial?: Dial | undefined;
  /** URL of a proxy. */
  proxy?: string | URL | undefined;
  /** Local address of the connections. */
  localAddress?: string | undefined;
}

/**
 * Chooses the route.
 *
 * @throws {TypeError} If options contradict each other, the URL is not usable, or
 * `localAddress` is no address
 */
export function makeRoute({ dial, proxy, localAddress }: RouteOptions): Route {
  if (localAddress !== undefined) checkLocalAddress(localAddress);
  if (dial !== undefined) {
    const others = Object.entries({ proxy, localAddress });
    const other = others.find(([, value]) => value !== undefined)?.[0];
    if (other !== undefined) throw contradiction(other);
    const open: Open = (target, options) =>
      dialByFunction(dial, target, options);
    return indirectRoute("dial", open);
  }
  const dialHost = dialerFrom(localAddress);
  if (proxy === undefined) return directRoute(dialHost);
  const address = new ProxyAddress(proxy);
  return indirectRoute(
    "proxy",
    (target, options) => dialThrough(address, target, options, dialHost),
  );
}

function contradiction(other: string): TypeError {
  return new TypeError(
    `Cannot use "dial" together with "${other}": "dial" opens the connections, and has to replace "${other}"`,
  );
}

function checkLocalAddress(address: string): void {
  if (nodeModule("node:net").isIP(address) !== 0) return;
  throw new TypeError(
    'Cannot use "localAddress": it must be an IPv4 or IPv6 address of this machine, such as "192.0.2.1"',
  );
}

/**
 * Returns the function that dials: `Deno.connect`, which is faster, unless an
 * address must be bound.
 */
function dialerFrom(localAddress: string | undefined): typeof dial {
  const isAny = localAddress === undefined ||
    ["0.0.0.0", "::"].some((any) => isSameHost(any, localAddress));
  if (isAny) return dial;
  return (hostname, port, options) =>
    joined(
      options,
      (options) => dialFrom(localAddress, hostname, port, options),
    );
}

/** Dials with one signal instead of two. */
function joined(
  { ended, ...options }: DialOptions,
  open: (options: DialOptions) => Promise<ByteStream>,
): Promise<ByteStream> {
  const { signal = ended } = options;
  return signal === undefined || ended === undefined || signal === ended
    ? open({ ...options, signal })
    : withEither(ended, signal, (signal) => open({ ...options, signal }));
}

/**
 * Rejects active mode if the server cannot connect back.
 *
 * @throws {TypeError} If the route is not direct
 */
export function checkActive({ via }: Route): void {
  if (via === undefined) return;
  throw new TypeError(
    `Cannot use active mode with "${via}": the server cannot connect to this machine through it; use passive mode ("passive": true)`,
  );
}

function directRoute(dialHost: typeof dial): Route {
  return {
    via: undefined,
    async dialServer(host, port, options) {
      const stream = await dialHost(host, port, options);
      const { hostname, port: remotePort } = stream.remoteAddr as Deno.NetAddr;
      return { stream, peer: [hostname, remotePort] };
    },
    dialData(host, port, name, options) {
      return dialPeer(host, port, name, options, dialHost);
    },
  };
}

type Open = (
  target: Omit<DialTarget, "signal">,
  options: DialOptions,
) => Promise<ByteStream>;

/**
 * Makes an indirect route. Data connections use the host's name, because its
 * address is unknown.
 */
function indirectRoute(name: "dial" | "proxy", open: Open): Route {
  return {
    via: name,
    async dialServer(hostname, port, options) {
      const target = { hostname, port, transport: "control" } as const;
      return { stream: await open(target, options), peer: [hostname, port] };
    },
    dialData(hostname, port, _name, options) {
      const target = { hostname, port, transport: "data" } as const;
      return joined(options, (options) => open(target, options));
    },
  };
}
