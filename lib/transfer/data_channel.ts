/**
 * Opens data connections: passive by `EPSV` or `PASV`, active by `EPRT` or
 * `PORT`.
 *
 * @module
 */

import type { ByteStream } from "../connection/byte_stream.ts";
import { DataListener } from "../connection/dial.ts";
import { checkActive } from "../connection/route.ts";
import {
  formatEprt,
  formatPort,
  type HostPort,
  isIPv6,
  parsePassive,
} from "../protocol/address.ts";
import { FTPError, FTPPermanentError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Session, SignalOptions } from "./session.ts";

/** Milliseconds that a port which was asked for ahead is trusted to be there. */
const AHEAD_LIFE = 5000;

/** A data connection that opens in two steps, round the transfer's command. */
export interface DataChannel {
  /**
   * Gives the connection; called after the server's 1yz.
   *
   * @param signal Ends the wait
   */
  connect(signal?: AbortSignal): Promise<ByteStream>;
  /** Gives up what is open. */
  close(): void;
}

/**
 * Prepares a data connection in the session's mode.
 *
 * @param session The session
 * @param options A signal
 * @returns The channel: dialled already if passive, listening if active
 */
export async function openDataChannel(
  session: Session,
  options: SignalOptions,
): Promise<DataChannel> {
  return session.options.passive
    ? await dialPassive(session, options)
    : await listenActive(session, options);
}

async function dialPassive(
  session: Session,
  options: SignalOptions,
): Promise<DataChannel> {
  const stream = await dialEitherWay(session, options);
  return {
    connect: () => Promise.resolve(stream),
    close: () => {
      try {
        stream.close();
      } catch {
        // closed before, by the failure that leads here
      }
    },
  };
}

async function dialEitherWay(
  session: Session,
  options: SignalOptions,
): Promise<ByteStream> {
  const { timeout, host: name, route } = session.options;
  const open = ([host, port]: HostPort) =>
    session.untilEnded(
      options.signal,
      (signal) =>
        route.dialData(host, port, host === session.peer[0] ? name : host, {
          timeout,
          signal,
        }),
    );
  const address = await requestPassive(session, options);
  const mayTryPasv = !isIPv6(session.peer[0]) &&
    session.profile.hasExtendedPassive === undefined;
  if (!mayTryPasv) return await open(address);
  try {
    const stream = await open(address);
    session.profile.hasExtendedPassive = true;
    return stream;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    if (session.control.failure !== undefined) throw session.control.failure;
    // the port that EPSV named is dead (a firewall that reads only 227
    // replies): PASV once, and stay with what works
    const stream = await open(await requestPasv(session, options));
    session.profile.hasExtendedPassive ??= false;
    return stream;
  }
}

/**
 * Asks the server to listen before the transfer is opened, and does not wait:
 * the next one finds the reply there, and has a round trip less. Only for who
 * is about to open one: pyftpdlib closes the session where nobody connects
 * within 30 seconds.
 *
 * @param session The session
 * @param options The transfer's signal
 */
export function requestAhead(
  session: Session,
  { signal }: SignalOptions,
): void {
  if (!session.options.passive) return;
  const verb = session.profile.hasExtendedPassive === false ? "PASV" : "EPSV";
  const ask = () => {
    const reply = session.perform({ verb }, { signal });
    const ahead = { reply, signal, at: performance.now() };
    session.ahead = ahead;
    reply.catch((error) => {
      // the server's refusal is an answer; what was never sent is none
      const isAnswer = error instanceof FTPError;
      if (!isAnswer && session.ahead === ahead) session.ahead = undefined;
      if (!isAnswer) doubtExtendedPassive(session);
    });
    return reply;
  };
  session.turns.share(ask, { signal }).catch(() => {}); // the transfer throws
}

/** Sends `EPSV` or `PASV`, unless that was done ahead. */
async function askToListen(
  session: Session,
  verb: string,
  { signal }: SignalOptions,
): Promise<Reply> {
  const { ahead } = session;
  session.ahead = undefined; // a port is good for one connection
  const isUsable = ahead !== undefined && ahead.signal === signal &&
    performance.now() - ahead.at < AHEAD_LIFE;
  try {
    return await (isUsable
      ? ahead.reply
      : session.perform({ verb }, { signal }));
  } catch (error) {
    if (!isStuck(error)) throw error;
    await session.perform({ verb: "ABOR" }, { signal });
    return await session.perform({ verb }, { signal });
  }
}

/** LightFTP may miss the end of a transfer; it says then that `ABOR` helps. */
function isStuck(error: unknown): boolean {
  return error instanceof FTPPermanentError &&
    /\buse ABOR\b/i.test(error.reply?.text ?? "");
}

/**
 * Asks the server to listen: `EPSV` (RFC 2428) unless it was refused before, or
 * cost the connection before it ever worked; else `PASV` (RFC 959). Over IPv6
 * there is only `EPSV`.
 *
 * @param session The session
 * @param options A signal
 * @returns Where to dial
 */
export async function requestPassive(
  session: Session,
  options: SignalOptions = {},
): Promise<HostPort> {
  if (session.profile.hasExtendedPassive === false) {
    return await requestPasv(session, options);
  }
  try {
    return resolve(session, await askToListen(session, "EPSV", options));
  } catch (error) {
    if (isIPv6(session.peer[0])) throw error;
    const code = error instanceof FTPError ? error.reply?.code : undefined;
    // 202: superfluous here, RFC 959 section 4.2.1
    const isRefused = code === 202 ||
      (error instanceof FTPPermanentError && code !== 530);
    if (!isRefused) {
      doubtExtendedPassive(session);
      throw error;
    }
    const address = await requestPasv(session, options);
    session.profile.hasExtendedPassive = false;
    return address;
  }
}

/**
 * Some firewalls swallow `EPSV`, or cut the connection: where it never worked and
 * the connection is lost, the next one uses `PASV`.
 */
function doubtExtendedPassive(session: Session): void {
  const isLost = session.control.failure !== undefined;
  if (isLost && !isIPv6(session.peer[0])) {
    session.profile.hasExtendedPassive ??= false;
  }
}

async function requestPasv(
  session: Session,
  options: SignalOptions,
): Promise<HostPort> {
  return resolve(session, await askToListen(session, "PASV", options));
}

/**
 * The address to dial: the port from the reply, the host that the control
 * connection goes to. A server that names another host would make the client
 * connect wherever it likes (RFC 2577 section 3).
 */
function resolve(session: Session, reply: Reply): HostPort {
  const [host, port] = parsePassive(reply, session.peer);
  const isTrusted = session.options.trustPasvHost && host !== "0.0.0.0";
  return [isTrusted ? host : session.peer[0], port];
}

async function listenActive(
  session: Session,
  options: SignalOptions,
): Promise<DataChannel> {
  const listener = await requestActive(session, options);
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

/**
 * Listens, and tells the server where.
 *
 * @param session The session
 * @param options A signal
 * @returns The listener, which the server is to connect to
 */
export async function requestActive(
  session: Session,
  options: SignalOptions = {},
): Promise<DataListener> {
  checkActive(session.options.route);
  const listener = listenForServer(session);
  const { hostname, port } = listener.addr;
  const isAny = /^(0\.0\.0\.0|::)$/.test(hostname);
  const local = session.control.stream.localAddr as Deno.NetAddr;
  const told = isAny ? local.hostname : hostname;
  try {
    await announce(session, told, port, options);
  } catch (error) {
    listener.close();
    throw error;
  }
  return listener;
}

/**
 * Listens on the address that the control connection comes from, or the one
 * the user chose.
 *
 * @param session The session
 * @returns The listener
 */
function listenForServer(session: Session): DataListener {
  const { localAddress, activePorts, timeout } = session.options;
  const local = session.control.stream.localAddr as Deno.NetAddr;
  const hostname = localAddress ?? local.hostname;
  const listener = DataListener.listen(hostname, activePorts, {
    peer: session.peer[0],
    timeout,
    lastPort: session.activePort,
  });
  session.activePort = listener.addr.port;
  return listener;
}

/**
 * Tells the server where to connect: `EPRT` (RFC 2428) over IPv6, `PORT` (RFC
 * 959) over IPv4, and `EPRT` there too if `PORT` is refused.
 *
 * @param session The session
 * @param hostname The listener's address
 * @param port Its port
 * @param options A signal
 * @returns The server's reply
 */
async function announce(
  session: Session,
  hostname: string,
  port: number,
  options: SignalOptions = {},
): Promise<Reply> {
  const eprt = { verb: "EPRT", argument: formatEprt(hostname, port) };
  if (isIPv6(hostname)) return await session.perform(eprt, options);
  const argument = formatPort(hostname, port);
  try {
    return await session.perform({ verb: "PORT", argument }, options);
  } catch (error) {
    const isUnknown = error instanceof FTPPermanentError &&
      [500, 502].includes(error.reply?.code ?? 0);
    if (!isUnknown) throw error;
    return await session.perform(eprt, options);
  }
}
