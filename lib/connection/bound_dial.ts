/**
 * Connects from a local address. Uses `node:net`, because `Deno.connect` cannot
 * bind a source address.
 *
 * @module
 */

import type { Socket } from "node:net";
import type { ByteStream } from "./byte_stream.ts";
import { type DialOptions, showAddress } from "./dial.ts";
import { nodeModule } from "./node_module.ts";
import { errorOfNode, NodeStream } from "./node_stream.ts";
import { within } from "./waiting.ts";
import { connectionError } from "../protocol/with_message.ts";

/**
 * Connects to a host from a local address. Requires `allow-net` permission for
 * both.
 *
 * @param localAddress An IPv4 or IPv6 address; a name is resolved in the same
 * family
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
): Promise<ByteStream> {
  const tried = `Cannot connect to "${
    showAddress(hostname, port)
  }" from "${localAddress}"`;
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  // node:net would throw an error that cannot be caught
  for (
    const host of [showAddress(localAddress, 0), showAddress(hostname, port)]
  ) {
    requireNet(tried, host);
  }
  const { connect, isIPv6 } = nodeModule("node:net");
  let socket: Socket | undefined;
  try {
    return await within(
      timeout,
      signal,
      () =>
        new Deno.errors.TimedOut(`${tried}: no answer within ${timeout} ms`),
      async (signal) => {
        socket = connect({
          host: hostname,
          port,
          localAddress,
          family: isIPv6(localAddress) ? 6 : 4,
          autoSelectFamily: false,
          allowHalfOpen: true,
          noDelay: true,
          keepAlive: true,
        });
        signal.addEventListener("abort", () => reject(signal.reason));
        socket.on("error", (error) => reject(explain(tried, error)));
        socket.once("connect", () => resolve(socket!));
        const connected = await promise;
        signal.throwIfAborted();
        return new NodeStream(connected);
      },
    );
  } catch (error) {
    socket?.destroy();
    throw error;
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
