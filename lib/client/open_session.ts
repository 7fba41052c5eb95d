/**
 * Opens a session, up to the server's greeting.
 *
 * @module
 */

import { observeConnection } from "../connection/diagnostics.ts";
import { ControlConnection } from "../connection/control_connection.ts";
import { showAddress } from "../connection/dial.ts";
import { connectionError } from "../protocol/with_message.ts";
import type { Reply } from "../protocol/reply.ts";
import { ServerProfile } from "../transfer/server_profile.ts";
import { Session, type SignalOptions } from "../transfer/session.ts";
import { checkDenoVersion } from "../tls/deno_version.ts";
import { greet } from "./dialogues.ts";
import type { Server, Settings } from "./options.ts";
import { noteServer } from "./server_quirks.ts";
import { keepTLSSession, secureStream } from "./security.ts";

/** Advice for "ftps:", which users try first although implicit TLS is rare. */
const IMPLICIT_HINT =
  '; nothing listens for implicit TLS there: most servers have explicit TLS, on port 21 (tls: "explicit", or a URL of the scheme ftpes:)';

/**
 * Connects, secures the connection if TLS is implicit, reads the greeting, and
 * creates the session. Requires `allow-net` permission.
 */
export async function openSession(
  server: Server,
  settings: Settings,
  options: SignalOptions & { profile?: ServerProfile },
): Promise<{ session: Session; welcome: Reply }> {
  checkDenoVersion("FTP");
  const { timeout, route } = settings;
  const { signal } = options;
  const { host, port, tls } = server;
  const dialing = route.dialServer(host, port, { timeout, signal });
  const { stream: raw, peer } = await dialing.catch((error) => {
    const isRefused = route.via === undefined &&
      error instanceof Deno.errors.ConnectionRefused;
    throw isRefused && tls?.mode === "implicit"
      ? connectionError(error, (message) => message + IMPLICIT_HINT)
      : error;
  });
  const secured = tls?.mode === "implicit"
    ? await secureStream(raw, {
      host,
      port,
      options: tls,
      acceptsAnySession: options.profile?.acceptsAnyTLSSession,
      timeout,
      signal,
    })
    : undefined;
  const stream = secured ?? raw;
  const address = showAddress(host, port);
  const { pipelining, dropping } = settings;
  const control = new ControlConnection(stream, {
    ...settings,
    pipelining: pipelining && !dropping.has(address),
    onDropped: () => dropping.add(address),
  });
  observeConnection(control, { host, port });
  const session = new Session(control, peer, {
    timeout,
    host,
    route,
    passive: settings.passive,
    activeAddress: settings.activeAddress,
    allowEPRT: settings.allowEPRT,
    compress: settings.compress,
    trustPasvHost: settings.trustPasvHost,
    localAddress: settings.localAddress,
    activePorts: settings.activePorts,
    maxLine: settings.maxLine,
    maxListing: settings.maxListing,
  }, options.profile ?? new ServerProfile(settings.serverZone));
  session.isClearDataAllowed = tls === undefined;
  if (secured !== undefined) keepTLSSession(session, secured.session);
  const welcome = await greet(control, address, options);
  noteServer(session, welcome);
  return { session, welcome };
}
