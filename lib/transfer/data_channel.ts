/**
 * Opens data connections: outgoing in passive mode, incoming in active mode
 * after `EPRT` or `PORT`.
 *
 * @module
 */

import type { ByteStream } from "../connection/byte_stream.ts";
import { ServerListener } from "../connection/dial.ts";
import { checkActive } from "../connection/route.ts";
import {
  formatEprt,
  formatPort,
  type HostPort,
  isIPv6,
} from "../protocol/address.ts";
import {
  FTPPermanentError,
  isUnknownCommand,
  replyOf,
} from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import {
  isPassive,
  isPassiveRefused,
  mayTryPasv,
  type PassiveOptions,
  requestForNext,
  requestPassive,
  requestPasv,
} from "./passive.ts";
import type { PortAhead } from "./port_ahead.ts";
import type { Session, SignalOptions } from "./session.ts";
import type { ExclusiveTurn, Turn } from "./turn.ts";

/**
 * A data connection that is opened in two steps, before and after the
 * transfer's command.
 */
export interface DataChannel {
  /** The connection, if it is open before the transfer's command is sent. */
  readonly stream?: ByteStream;
  /** Returns the connection; called after the server's 1yz. */
  connect(signal?: AbortSignal): Promise<ByteStream>;
  /** Closes what is open. */
  close(): void;
}

/** Options of a data connection. */
interface ChannelOptions extends PassiveOptions {
  /**
   * Called while a known address is dialed, to send what needs no data
   * connection.
   */
  onDial?: (() => void) | undefined;
}

/**
 * Prepares a data connection in the session's mode: connected if passive,
 * listening if active.
 */
export async function openDataChannel(
  turn: ExclusiveTurn,
  options: ChannelOptions,
): Promise<DataChannel> {
  const { session } = turn;
  if (!isPassive(session)) return await listenActive(turn, options);
  try {
    return await dialPassive(turn, options);
  } catch (error) {
    const { passive, route } = session.options;
    const mayTryActive = passive === "auto" && route.via === undefined &&
      isPassiveRefused(error) && session.control.failure === undefined;
    if (!mayTryActive) throw error;
    const channel = await listenActive(turn, options);
    session.profile.refusesPassive = true;
    return channel;
  }
}

async function dialPassive(
  turn: ExclusiveTurn,
  options: ChannelOptions,
): Promise<DataChannel> {
  const stream = await dialEitherWay(turn, options);
  return {
    stream,
    connect: () => Promise.resolve(stream),
    close: () => {
      try {
        stream.close();
      } catch {
        // already closed by the failure
      }
    },
  };
}

/**
 * Requests a port for the next call, during another call's turn, and dials it.
 * A connection under TLS is dialed later: vsftpd falls back to clear text if
 * one is closed before its handshake.
 *
 * @returns The port; `undefined` if it was not requested
 */
export function openForNext(turn: Turn): PortAhead | undefined {
  const { session } = turn;
  const ahead = requestForNext(turn);
  if (session.protection !== undefined) return ahead;
  ahead?.dial((address) => dialData(session, address, undefined));
  return ahead;
}

function dialData(
  session: Session,
  [host, port]: HostPort,
  signal: AbortSignal | undefined,
): Promise<ByteStream> {
  const { timeout, host: named, route } = session.options;
  const name = host === session.peer[0] ? named : host;
  const { control: { ticker }, ended } = session;
  const options = { timeout, signal, ended, ticker };
  return route.dialData(host, port, name, options);
}

async function dialEitherWay(
  turn: ExclusiveTurn,
  options: ChannelOptions,
): Promise<ByteStream> {
  const { session } = turn;
  const { signal } = options;
  if (session.ahead?.isDialed) {
    const dialed = await session.takeAhead(signal)?.connected(signal);
    if (dialed !== undefined) return dialed;
  }
  const open = (address: HostPort) => dialData(session, address, signal);
  const address = await requestPassive(turn, options);
  const { profile } = session;
  const isFree = mayTryPasv(session) && session.options.passive !== "pasv";
  const isUnknown = isFree && profile.hasExtendedPassive === undefined;
  const isRecalled = isFree && profile.recalled.has("EPSV");
  if (!isUnknown && !isRecalled) {
    const opening = open(address);
    options.onDial?.();
    return await opening;
  }
  try {
    const stream = await open(address);
    if (isUnknown) profile.hasExtendedPassive = true;
    profile.recalled.delete("EPSV");
    return stream;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    if (session.control.failure !== undefined) throw session.control.failure;
    if (isRecalled && profile.unlearn("EPSV")) {
      signal?.throwIfAborted();
      return await dialEitherWay(turn, options);
    }
    // the port of EPSV is not reachable (a firewall that only reads 227
    // replies): PASV is tried once, and kept if it works
    const other = await requestPasv(turn, options).catch((refusal) => {
      throw refusal instanceof FTPPermanentError ? error : refusal;
    });
    const stream = await open(other);
    profile.hasExtendedPassive ??= false;
    return stream;
  }
}

async function listenActive(
  turn: ExclusiveTurn,
  options: SignalOptions,
): Promise<DataChannel> {
  const listener = await requestActive(turn, options);
  return {
    connect: async (signal) => {
      try {
        return await listener.accept({ signal });
      } finally {
        listener.close();
      }
    },
    close: () => listener.close(),
  };
}

/** Listens, and tells the server where. */
export async function requestActive(
  turn: ExclusiveTurn,
  options: SignalOptions = {},
): Promise<ServerListener> {
  const { session } = turn;
  checkActive(session.options.route);
  const listener = listenForServer(session);
  const { hostname, port } = listener.addr;
  const isAny = /^(0\.0\.0\.0|::)$/.test(hostname);
  const local = session.control.stream.localAddr as Deno.NetAddr;
  const told = session.options.activeAddress ??
    (isAny ? local.hostname : hostname);
  try {
    await announce(turn, told, port, options);
  } catch (error) {
    listener.close();
    throw error;
  }
  return listener;
}

/** Listens on the local address of the control connection, or on the user's. */
function listenForServer(session: Session): ServerListener {
  const { localAddress, activePorts, timeout } = session.options;
  const local = session.control.stream.localAddr as Deno.NetAddr;
  const hostname = localAddress ?? local.hostname;
  const listener = ServerListener.listen(hostname, activePorts, {
    peer: session.peer[0],
    timeout,
    lastPort: session.activePort,
  });
  session.activePort = listener.addr.port;
  return listener;
}

/**
 * Tells the server where to connect: `EPRT` (RFC 2428) over IPv6, `PORT` (RFC
 * 959) over IPv4, or `EPRT` if `PORT` is refused.
 */
async function announce(
  turn: ExclusiveTurn,
  hostname: string,
  port: number,
  options: SignalOptions = {},
): Promise<Reply> {
  const { session } = turn;
  const { allowEPRT } = session.options;
  const eprt = { verb: "EPRT", argument: formatEprt(hostname, port) };
  if (isIPv6(hostname)) {
    if (allowEPRT) return await turn.perform(eprt, options);
    throw new TypeError(
      'Cannot listen for data over IPv6: it requires "EPRT", and "allowEPRT" is false',
    );
  }
  const argument = formatPort(hostname, port);
  try {
    return await turn.perform({ verb: "PORT", argument }, options);
  } catch (error) {
    const isUnknown = isUnknownCommand(replyOf(error));
    const mayTryEPRT = allowEPRT && !turn.session.profile.lacks("EPRT");
    if (!isUnknown || !mayTryEPRT) throw error;
    return await turn.perform(eprt, options);
  }
}
