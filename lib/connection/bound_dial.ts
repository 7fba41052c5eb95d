/**
 * Connects from a local address. Uses `node:net`, because `Deno.connect` cannot
 * bind a source address.
 *
 * @module
 */

import type { Socket } from "node:net";
import type { ByteStream } from "./byte_stream.ts";
import { type DialOptions, isAllowed, showAddress } from "./dial.ts";
import { nodeModule } from "./node_module.ts";
import { errorOfNode, NodeStream } from "./node_stream.ts";
import { anySignal, settle, within } from "./waiting.ts";
import { connectionError } from "../protocol/with_message.ts";

/** Resolves a name, like `lookup` of `node:dns`. */
export type Resolve = (
  hostname: string,
  options: { family: 4 | 6; all: true },
) => Promise<{ address: string }[]>;

/** Time between attempts at the addresses of a name, in milliseconds (RFC 8305). */
const STEP = 250;

const FASTER = new Error("another address was faster");

/**
 * Connects to a host from a local address. Requires `allow-net` permission for
 * both.
 *
 * @param localAddress An IPv4 or IPv6 address; a name is resolved in the same
 * family, and its addresses are tried in turn
 * @param resolve Function that resolves the name
 * @returns The connection, without Nagle's delay and with keep-alive
 * @throws {Deno.errors.TimedOut} If the host does not answer in time
 * @throws {Deno.errors.NotCapable} If permission for one of them is missing
 * @throws {Deno.errors.AddrNotAvailable} If the address does not belong to this
 * machine, or has another family than the host
 */
export async function dialFrom(
  localAddress: string,
  hostname: string,
  port: number,
  { timeout, signal }: DialOptions,
  resolve: Resolve = nodeModule("node:dns/promises").lookup,
): Promise<ByteStream> {
  const tried = `Cannot connect to "${
    showAddress(hostname, port)
  }" from "${localAddress}"`;
  // node:net would throw an error that cannot be caught
  for (
    const host of [showAddress(localAddress, 0), showAddress(hostname, port)]
  ) {
    requireNet(tried, host);
  }
  const late = () =>
    new Deno.errors.TimedOut(`${tried}: no answer within ${timeout} ms`);
  return await within(timeout, signal, late, async (signal) => {
    const addresses = await resolveLike(localAddress, hostname, port, resolve);
    const open = (address: string, signal: AbortSignal) =>
      connectSocket(localAddress, address, port, signal);
    const socket = await firstOf(addresses, signal, open).catch((error) => {
      throw signal.aborted ? error : explain(tried, error);
    });
    return new NodeStream(socket);
  });
}

/**
 * Returns a name, which stands for its first address, and its other addresses
 * in the family of the local address. If only the name is allowed, no others
 * are returned.
 */
async function resolveLike(
  localAddress: string,
  hostname: string,
  port: number,
  resolve: Resolve,
): Promise<string[]> {
  const { isIP } = nodeModule("node:net");
  if (isIP(hostname) !== 0) return [hostname];
  const family = familyOf(localAddress);
  // an error comes again when the name is used
  const found = await resolve(hostname, { family, all: true }).catch(() => []);
  const others = found.slice(1).map(({ address }) => address);
  return [hostname, ...others.filter((other) => isAllowed(other, port))];
}

function familyOf(address: string): 4 | 6 {
  return nodeModule("node:net").isIPv6(address) ? 6 : 4;
}

/**
 * Connects to the first address that answers; they are tried 250 ms apart. Other
 * sockets are closed.
 */
export async function firstOf<T extends { destroy(): unknown }>(
  addresses: readonly string[],
  signal: AbortSignal,
  open: (address: string, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const others = new AbortController();
  const ended = anySignal(signal, others.signal);
  const attempts: Promise<T>[] = [];
  const { promise: opened, resolve } = Promise.withResolvers<true>();
  let first: T | undefined;
  for (const address of addresses) {
    const attempt = open(address, ended);
    attempts.push(attempt);
    const isOpen = attempt.then((socket) => {
      if ((first ??= socket) !== socket) socket.destroy();
      resolve(true);
      return true;
    }, () => false); // the first error is thrown below
    if (attempts.length === addresses.length) break;
    const isDone = await settle(Promise.race([opened, isOpen]), STEP);
    if (isDone === true || signal.aborted) break;
  }
  try {
    await Promise.any(attempts);
    return first!;
  } catch {
    return await attempts[0]!;
  } finally {
    others.abort(FASTER);
  }
}

/** Opens a socket; closes it if the signal is aborted before that. */
async function connectSocket(
  localAddress: string,
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<Socket> {
  const { connect } = nodeModule("node:net");
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({
    host,
    port,
    localAddress,
    family: familyOf(localAddress),
    autoSelectFamily: false,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
  });
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort);
  socket.on("error", reject);
  socket.once("connect", () => resolve(socket));
  try {
    if (signal.aborted) abort();
    return await promise;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Explains an error of `node:net`. */
function explain(
  tried: string,
  error: Error & { code?: string; syscall?: string },
): Error {
  if (error.syscall === "bind" || error.code === "EADDRNOTAVAIL") {
    return new Deno.errors.AddrNotAvailable(
      `${tried}: ${error.message}; "localAddress" must be an address of this machine`,
    );
  }
  if (error.code === "EINVAL" || error.code === "EAFNOSUPPORT") {
    return new Deno.errors.AddrNotAvailable(
      `${tried}: ${error.message}; the server cannot be reached from "localAddress": both must be IPv4 or both IPv6, and 127.0.0.1 reaches only this machine`,
    );
  }
  return connectionError(
    errorOfNode(error),
    (message) => `${tried}: ${message}`,
  );
}

/** Requests a permission. */
function requireNet(tried: string, host: string): void {
  const { state } = Deno.permissions.requestSync({ name: "net", host });
  if (state === "granted") return;
  throw new Deno.errors.NotCapable(
    `${tried}: Requires net access to "${host}", run again with the --allow-net flag`,
  );
}
