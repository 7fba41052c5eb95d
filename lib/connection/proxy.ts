/**
 * Opens connections through a proxy.
 *
 * @module
 */

import type { ByteStream } from "./byte_stream.ts";
import { dial, type DialOptions } from "./dial.ts";
import type { DialTarget } from "./dialed_stream.ts";
import { connectByHTTP } from "./http_connect.ts";
import { PrefixedStream } from "./prefixed_stream.ts";
import type { ProxyAddress } from "./proxy_address.ts";
import { ProxyDialog, triedThrough } from "./proxy_dialog.ts";
import { connectBySocks5 } from "./socks5.ts";
import { abortable, within } from "./waiting.ts";
import { connectionError } from "../protocol/with_message.ts";

/** Start of the message that names the proxy as the dialed host. */
const DIALED_REGEXP = /^Cannot connect to "[^"]*"(?:: )?/;

/**
 * Opens a connection through a proxy. Requires `allow-net` permission for the
 * proxy, and none for the server.
 *
 * @param options Time-out of each of the two steps, and signal
 * @param dialHost Function that dials the proxy
 * @throws {Deno.errors.TimedOut} If the proxy does not answer in time
 * @throws {Deno.errors.PermissionDenied} If it refuses the user or the server
 * @throws {Error} `Deno.errors.*` that name the hop that failed
 */
export async function dialThrough(
  proxy: ProxyAddress,
  target: Omit<DialTarget, "signal">,
  options: DialOptions,
  dialHost: typeof dial = dial,
): Promise<ByteStream> {
  const { timeout, signal } = options;
  const tried = triedThrough(proxy, target);
  if (target.hostname.includes("%")) {
    throw new TypeError(
      `${tried}: the address has a zone, which a proxy cannot use`,
    );
  }
  const stream = await dialHost(proxy.hostname, proxy.port, options)
    .catch((error) => {
      throw signal?.aborted ? error : connectionError(
        error,
        (message) =>
          `${tried}: the proxy cannot be reached: ${
            message.replace(DIALED_REGEXP, "")
          }; check the host and the port in "proxy"`,
      );
    });
  const dialog = new ProxyDialog(stream, proxy, target);
  try {
    const first = await within(
      timeout,
      signal,
      () =>
        new Deno.errors.TimedOut(
          `${tried}: the proxy did not answer within ${timeout} ms; if it never does, check the scheme and the port in "proxy"`,
        ),
      (signal) => abortable(runDialog(dialog), signal),
    );
    const before = first.length > 0 ? Promise.resolve(first) : undefined;
    return new PrefixedStream(stream, before, proxy.shown);
  } catch (error) {
    stream.close();
    throw error;
  }
}

/** Talks to the proxy. Returns the bytes after its answer. */
async function runDialog(dialog: ProxyDialog): Promise<Uint8Array> {
  if (dialog.proxy.protocol === "http") return await connectByHTTP(dialog);
  await connectBySocks5(dialog);
  return new Uint8Array(0);
}
