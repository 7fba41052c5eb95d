/**
 * Adds TLS to control and data connections. Data connections resume the session
 * of their control connection.
 *
 * @module
 */

import { type ByteStream, closeQuietly } from "../connection/byte_stream.ts";
import { abortable, within } from "../connection/waiting.ts";
import { TLSConnection } from "./connection.ts";
import type { TLSOptions } from "./options.ts";
import { TLSSession } from "./session.ts";

/** Time limit of a handshake. */
export interface HandshakeOptions {
  /** Milliseconds; 0 for no limit. */
  timeout: number;
  /** Aborts the handshake. */
  signal?: AbortSignal | undefined;
}

/** The address of a control connection, and how to secure it. */
export interface SecureControlOptions extends HandshakeOptions {
  /** Host that was dialed. */
  host: string;
  /** Port that was dialed. */
  port: number;
  /** Options of the caller. */
  options: TLSOptions;
  /** Whether data connections may resume any session that the server issued. */
  acceptsAnySession?: boolean | undefined;
}

/**
 * Secures a control connection. Its data connections resume this session. The
 * stream is closed if this fails. The owner of the control connection has to
 * close `connection.session`.
 *
 * @throws {TLSError} If the handshake fails or the server is not trusted
 * @throws {Deno.errors.TimedOut} If it takes too long
 * @throws {TypeError} If an option is invalid
 */
export async function secureControl(
  stream: ByteStream,
  options: SecureControlOptions,
): Promise<TLSConnection> {
  const { host, port, options: tls, acceptsAnySession } = options;
  let session: TLSSession | undefined;
  try {
    session = new TLSSession(host, port, tls, acceptsAnySession);
    return await secure(stream, session, "control", options);
  } catch (error) {
    session?.close();
    closeQuietly(stream);
    throw error;
  }
}

/**
 * Secures a data connection with the session of its control connection. The
 * server has to show a certificate for the same name.
 */
export async function secureData(
  stream: ByteStream,
  session: TLSSession,
  options: HandshakeOptions,
): Promise<TLSConnection> {
  try {
    const connection = await secure(stream, session, "data", options);
    session.holdSession();
    return connection;
  } catch (error) {
    closeQuietly(stream);
    throw error;
  }
}

async function secure(
  stream: ByteStream,
  session: TLSSession,
  channel: "control" | "data",
  { timeout, signal }: HandshakeOptions,
): Promise<TLSConnection> {
  const where = `the ${channel} connection to "${session.shown}"`;
  return await within(
    timeout,
    signal,
    () =>
      new Deno.errors.TimedOut(
        `Cannot secure ${where}: the TLS handshake was not complete within ${timeout} ms`,
      ),
    (signal) => {
      const connection = new TLSConnection(stream, session, where);
      return abortable(connection.handshake(), signal)
        .then((handshake) => {
          if (channel === "control") {
            session.prepare(handshake);
            session.holdSession();
          }
          return connection;
        }, (error) => {
          connection.close();
          throw error;
        });
    },
  );
}
