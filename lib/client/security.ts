/**
 * Dialogues of RFC 4217, which secure the connections and return them to clear
 * text.
 *
 * @module
 */

import type { Session, SignalOptions } from "../transfer/session.ts";
import type { ExclusiveTurn } from "../transfer/turn.ts";
import type { ByteStream } from "../connection/byte_stream.ts";
import { notConnectedError } from "../connection/control_errors.ts";
import { checkDenoVersion } from "../tls/deno_version.ts";
import type { SecureControlOptions } from "../tls/secure.ts";
import type { TLSConnection } from "../tls/connection.ts";
import { TLSError } from "../tls/errors.ts";
import type { TLSOptions } from "../tls/options.ts";
import type { TLSSession } from "../tls/session.ts";
import type { Command } from "../protocol/command.ts";
import {
  FTPPermanentError,
  FTPProtocolError,
  isUnknownCommand,
  replyError,
} from "../protocol/errors.ts";
import { withAdvice } from "../protocol/with_advice.ts";
import { withMessage } from "../protocol/with_message.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Server } from "./options.ts";
import { TicketSupply } from "./ticket_supply.ts";

/** Loads TLS when it is needed: `node:tls` takes as long as everything else. */
function loadTLS(): Promise<typeof import("../tls/secure.ts")> {
  return import("../tls/secure.ts");
}

/** Adds TLS to the stream of a control connection. */
export async function secureStream(
  stream: ByteStream,
  options: SecureControlOptions,
): Promise<TLSConnection> {
  checkDenoVersion("FTPS");
  const { secureControl } = await loadTLS();
  return await secureControl(stream, options);
}

/**
 * Secures the control connection, if requested and not done yet.
 *
 * @throws {FTPProtocolError} If the server has logged in the user before TLS
 * (230); the connection is closed
 */
export async function secureIfAsked(
  turn: ExclusiveTurn,
  server: Server,
  welcome: Reply,
  options: SignalOptions,
): Promise<void> {
  const { session } = turn;
  if (server.tls === undefined || isSecured(session)) return;
  if (welcome.code === 230) {
    const error = new FTPProtocolError(
      `Cannot secure the connection: the server has logged in the user before TLS, "${welcome.text}"; the connection is closed`,
    );
    session.control.fail(error);
    throw error;
  }
  await auth(turn, server, options);
}

/** Whether the control connection is secured. */
export function isSecured(session: Session): boolean {
  return session.control.stream.info !== undefined;
}

/**
 * Secures the control connection: `AUTH TLS` and the handshake (RFC 4217
 * section 4). No secret is sent before it.
 *
 * @throws {FTPError} If the server refuses; the connection is in clear text
 * @throws {TypeError} If the connection is secured already
 */
export async function auth(
  turn: ExclusiveTurn,
  server: Server,
  options: SignalOptions,
): Promise<Reply> {
  const { session } = turn;
  if (isSecured(session)) {
    throw new TypeError('Cannot send "AUTH": the connection is under TLS');
  }
  checkDenoVersion("FTPS"); // before the server waits for a handshake
  const reply = await requestAuth(turn, server.tls, options);
  await session.control.replaceStream(async (stream) => {
    const secured = await secureStream(stream, {
      host: server.host,
      port: server.port,
      options: server.tls ?? {},
      acceptsAnySession: session.profile.acceptsAnyTLSSession,
      timeout: session.options.timeout,
      signal: options.signal,
    });
    keepTLSSession(session, secured.session);
    return secured;
  });
  return reply;
}

async function requestAuth(
  turn: ExclusiveTurn,
  tls: TLSOptions | undefined,
  options: SignalOptions,
): Promise<Reply> {
  try {
    return await pausing(turn, { verb: "AUTH", argument: "TLS" }, options);
  } catch (error) {
    if (!(error instanceof FTPPermanentError)) throw error;
    if (tls?.allowAuthSSL) {
      return await pausing(turn, { verb: "AUTH", argument: "SSL" }, options);
    }
    throw withMessage(
      error,
      (message) =>
        withAdvice(
          message,
          'the server offers no explicit TLS on this port, and nothing secret was sent; try tls: "implicit", which has port 990, or leave "tls" out to use no TLS',
        ),
    );
  }
}

/**
 * Tries TLS 1.2, whose sessions can be resumed any number of times, and then
 * 1.3, if the server supports nothing older and the user has not chosen.
 */
export async function withNewerTLS<T>(
  server: Server,
  attempt: (server: Server) => Promise<T>,
): Promise<T> {
  try {
    return await attempt(server);
  } catch (error) {
    const { tls } = server;
    const mayRetry = tls !== undefined && tls.maxVersion === undefined &&
      error instanceof TLSError &&
      // ProFTPD closes the connection without an alert
      (error.reason === "version" || error.reason === "broken");
    if (!mayRetry) throw error;
    return await attempt({ ...server, tls: { ...tls, maxVersion: "TLSv1.3" } });
  }
}

/** Notes the TLS session that data connections resume. */
export function keepTLSSession(session: Session, tls: TLSSession): void {
  session.tls = tls;
  session.control.closed.then(() => tls.close());
}

/** Protects data connections: `PBSZ 0`, `PROT P` (RFC 4217 section 9). */
export async function protP(
  turn: ExclusiveTurn,
  options: SignalOptions,
): Promise<Reply> {
  const { session } = turn;
  const { tls } = session;
  if (tls === undefined) {
    throw new TypeError(
      'Cannot send "PROT P": the control connection is not under TLS, call auth() first',
    );
  }
  session.isClearDataAllowed = false;
  const reply = await requestProtection(turn, options);
  const tickets = new TicketSupply(tls);
  session.protection = {
    prepare: (turn, options) => tickets.supply(turn, options),
    secure: async (stream, signal) => {
      const { secureData } = await loadTLS();
      const { timeout } = session.options;
      return await secureData(stream, tls, { timeout, signal });
    },
  };
  return reply;
}

/** Sends `PBSZ 0` and `PROT P`. If `PBSZ` is unknown, `PROT` decides. */
async function requestProtection(
  turn: ExclusiveTurn,
  options: SignalOptions,
): Promise<Reply> {
  try {
    await requestBufferSize(turn, options, isUnknownCommand);
    return await turn.perform({ verb: "PROT", argument: "P" }, options);
  } catch (error) {
    if (!(error instanceof FTPPermanentError)) throw error;
    throw withMessage(
      error,
      (message) =>
        withAdvice(
          message,
          'no data was sent; set tls: { data: "clear" } only if files and listings may be sent in clear text',
        ),
    );
  }
}

/** Sends `PBSZ 0`, which has to precede `PROT` (RFC 4217 section 9). */
async function requestBufferSize(
  turn: ExclusiveTurn,
  options: SignalOptions,
  isPassed: (refusal: Reply | undefined) => boolean = () => true,
): Promise<void> {
  try {
    await turn.perform({ verb: "PBSZ", argument: "0" }, options);
  } catch (error) {
    const isExpected = error instanceof FTPPermanentError &&
      isPassed(error.reply);
    if (!isExpected) throw error;
  }
}

/** Refusals of `PROT C` because of a policy, which would refuse clear data. */
const POLICY_REPLIES = [533, 534];

/**
 * Sends data in clear text: `PROT C`. A server that does not know the command
 * does so anyway, if nothing was protected so far (RFC 4217 section 9).
 */
export async function protC(
  turn: ExclusiveTurn,
  options: SignalOptions,
): Promise<Reply> {
  const { session } = turn;
  const isFirst = session.protection === undefined;
  if (isFirst && isSecured(session)) await requestBufferSize(turn, options);
  let reply: Reply;
  try {
    reply = await turn.perform({ verb: "PROT", argument: "C" }, options);
  } catch (error) {
    const refusal = error instanceof FTPPermanentError
      ? error.reply
      : undefined;
    const isUnknown = refusal !== undefined && isFirst &&
      !POLICY_REPLIES.includes(refusal.code);
    if (!isUnknown) throw error;
    reply = refusal;
  }
  session.protection = undefined;
  session.isClearDataAllowed = true;
  return reply;
}

/**
 * Returns the control connection to clear text: `CCC` (RFC 4217 section 12.3).
 *
 * @throws {TypeError} If the connection is in clear text already
 */
export async function ccc(
  turn: ExclusiveTurn,
  options: SignalOptions,
): Promise<Reply> {
  const { session } = turn;
  const { failure } = session.control;
  if (failure !== undefined) throw notConnectedError("CCC", failure);
  if (!isSecured(session)) {
    throw new TypeError('Cannot send "CCC": the connection is in clear text');
  }
  const reply = await pausing(turn, { verb: "CCC" }, options);
  await session.control.replaceStream((stream) =>
    (stream as TLSConnection).detach()
  );
  return reply;
}

/** Sends a command after whose reply the bytes are no longer plain FTP. */
async function pausing(
  { session: { control } }: ExclusiveTurn,
  command: Command,
  { signal }: SignalOptions,
): Promise<Reply> {
  signal?.throwIfAborted();
  const pending = control.send(command, { pauses: true });
  let reply: Reply;
  try {
    reply = await control.wait(pending.final, signal);
  } catch (error) {
    // the server may be waiting for a handshake that will not start
    control.fail(error as Error);
    throw error;
  }
  if (reply.code >= 400) throw replyError(reply, pending.command);
  return reply;
}
