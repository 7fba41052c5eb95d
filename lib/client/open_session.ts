/**
 * From a host's name to a session that has heard the greeting.
 *
 * @module
 */

import { ControlConnection } from "../connection/control_connection.ts";
import { dial } from "../connection/dial.ts";
import type { Reply } from "../protocol/reply.ts";
import { Session, type SignalOptions } from "../transfer/session.ts";
import { greet } from "./dialogues.ts";
import type { Settings } from "./options.ts";

/**
 * Dials, takes the greeting, and makes the session. Requires `allow-net`
 * permission.
 *
 * @param host A name or an address
 * @param port A TCP port
 * @param settings The client's settings
 * @param options A signal
 * @returns The session and its 2yz greeting
 */
export async function openSession(
  host: string,
  port: number,
  settings: Settings,
  options: SignalOptions,
): Promise<{ session: Session; welcome: Reply }> {
  const { timeout } = settings;
  const stream = await dial(host, port, { timeout, signal: options.signal });
  const peer = stream.remoteAddr as Deno.NetAddr;
  const control = new ControlConnection(stream, settings);
  const session = new Session(control, [peer.hostname, peer.port], {
    timeout,
    passive: settings.passive,
    trustPasvHost: settings.trustPasvHost,
    localAddress: settings.localAddress,
    activePorts: settings.activePorts,
    maxLine: settings.maxLine,
  });
  const welcome = await greet(control, options);
  return { session, welcome };
}
