/**
 * Puts TLS on control and data connections: the sessions of the control
 * connection are resumed by its data connections.
 *
 * @module
 */

import type { ByteStream } from "../connection/byte_stream.ts";
import { abortable, within } from "../connection/waiting.ts";
import { TLSConnection } from "./connection.ts";
import type { TLSOptions } from "./options.ts";
import { TLSSession } from "./session.ts";

/** How long the handshake may take, and who may end it. */
export interface HandshakeOptions {
  /** Milliseconds; 0 for no limit. */
  timeout: number;
  /** The caller's signal. */
  signal?: AbortSignal | undefined;
}

/** Whom a control connection was dialled to, and what is asked of it. */
export interface SecureControlOptions extends HandshakeOptions {
  /** The host that was dialled. */
  host: string;
  /** The port that was dialled. */
  port: number;
  /** The user's options. */
  options: TLSOptions;
}

/**
 * Secures a control connection: the first handshake, from whose session those
 * of the data connections are resumed.
 *
 * The stream is closed if this fails. `connection.session` is to be closed by
 * whoever closes the control connection.
 *
 * @param stream The connection, on which the server waits for a ClientHello
 * @param options Host, port, the user's options, time-out and signal
 * @returns The connection; whether to trust the server is settled
 * @throws {TLSError} If the handshake fails or the server is not to be trusted
 * @throws {Deno.errors.TimedOut} If it takes too long
 * @throws {TypeError} If the options make no sense
 */
export async function secureControl(
  stream: ByteStream,
  options: SecureControlOptions,
): Promise<TLSConnection> {
  let session: TLSSession | undefined;
  try {
    session = new TLSSession(options.host, options.port, options.options);
    return await secure(stream, session, "control", options);
  } catch (error) {
    session?.close();
    closeQuietly(stream);
    throw error;
  }
}

/**
 * Secures a data connection with the session of its control connection. The
 * server is held to the name of the control connection.
 *
 * @param stream The connection; the server's 1yz reply has come
 * @param session The control connection's
 * @param options Time-out and signal
 * @returns The connection
 * @throws As {@linkcode secureControl}
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
        `Cannot secure ${where}: the TLS handshake was not done within ${timeout} ms`,
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

function closeQuietly(stream: ByteStream): void {
  try {
    stream.close();
  } catch {
    // closed before
  }
}
