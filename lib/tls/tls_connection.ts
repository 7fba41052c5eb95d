/**
 * TLS over any stream of bytes, with the sessions of the control connection
 * resumed by its data connections.
 *
 * @module
 */

import { type ByteStream, writeAll } from "../connection/byte_stream.ts";
import { DetachedStream } from "./detached_stream.ts";
import { abortable, settledWithin, within } from "../connection/deadline.ts";
import type { Engine, EngineEvents, Handshake } from "./tls_engine.ts";
import { readClearAnswer, readHandshakeError, TLSError } from "./tls_errors.ts";
import type { TLSFault } from "./tls_errors.ts";
import type { TLSInfo } from "../connection/tls_info.ts";
import type { TLSOptions } from "./tls_options.ts";
import { TLSSession } from "./tls_session.ts";

/** Size of the reads of ciphertext, in bytes. */
const READ_SIZE = 128 * 1024;

/** Smallest read for which a buffer of its own is better than a copy. */
const KEEP_SIZE = 16 * 1024;

/** Cleartext that may wait to be read before the peer is held up, in bytes. */
const READ_AHEAD = 1024 * 1024;

/** Most cleartext that one write takes, in bytes. */
const WRITE_SIZE = 256 * 1024;

/** Longest wait for a close_notify to leave or to arrive, in milliseconds. */
const CLOSE_WAIT = 2000;

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
    return await secure(stream, session, "data", options);
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
  const what = `Cannot secure the ${channel} connection to "${session.shown}"`;
  return await within(
    timeout,
    signal,
    () =>
      new Deno.errors.TimedOut(
        `${what}: the TLS handshake was not done within ${timeout} ms`,
      ),
    (signal) => {
      const connection = new TLSConnection(stream, session, what);
      return abortable(connection.handshake(), signal)
        .then((handshake) => {
          if (channel === "control") session.prepare(handshake);
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

/** A connection over TLS, shaped like `Deno.Conn`. */
export class TLSConnection implements ByteStream {
  /** What the data connections share with their control connection. */
  readonly session: TLSSession;
  readonly #stream: ByteStream;
  readonly #engine: Engine;
  readonly #what: string;
  readonly #secured = Promise.withResolvers<Handshake>();
  readonly #ended = Promise.withResolvers<void>();
  #info: TLSInfo | undefined;
  #chunks: Uint8Array[] = [];
  #waiting = 0; // bytes in #chunks
  #taken = 0; // bytes of the first chunk that were read
  #news = Promise.withResolvers<void>();
  #room = Promise.withResolvers<void>();
  #writing: Promise<void> = Promise.resolve();
  #leaving: Promise<void> | undefined;
  #isSecured = false;
  #isNotified = false; // the peer's close_notify came
  #endedCleanly: boolean | undefined;
  #failure: unknown;
  #isClosed = false;
  #isDetached = false;
  #isReading = false;
  #rest: PromiseWithResolvers<Uint8Array | null> | undefined;
  #rawBuffer = new Uint8Array(READ_SIZE);

  /**
   * Starts the handshake. Use {@linkcode secureControl} and
   * {@linkcode secureData}, which wait for it.
   *
   * @param stream The connection beneath
   * @param session What is shared with the control connection
   * @param what The beginning of the messages of errors
   */
  constructor(stream: ByteStream, session: TLSSession, what: string) {
    this.session = session;
    this.#stream = stream;
    this.#what = what;
    this.#secured.promise.catch(() => {});
    this.#engine = session.startEngine(this.#events());
    session.retain();
  }

  /** Protocol, cipher, the server's certificate, resumed or not. */
  get info(): TLSInfo {
    return this.#info!;
  }

  /**
   * Whether the peer's close_notify came before the end of the stream;
   * `undefined` as long as neither came.
   */
  get endedCleanly(): boolean | undefined {
    return this.#endedCleanly;
  }

  /** The local end. */
  get localAddr(): Deno.Addr {
    return this.#stream.localAddr;
  }

  /** The peer's end. */
  get remoteAddr(): Deno.Addr {
    return this.#stream.remoteAddr;
  }

  /**
   * Does the handshake, and judges the server by its certificate.
   *
   * @returns What it came to
   * @throws {TLSError} If the handshake fails or the server is not to be trusted
   */
  async handshake(): Promise<Handshake> {
    this.#pump();
    const handshake = await this.#secured.promise;
    const fault = this.session.judge(handshake);
    if (fault !== undefined) {
      throw this.#fault(fault, this.session.fingerprintOf(handshake));
    }
    this.#info = this.session.describe(handshake);
    this.#isSecured = true;
    return handshake;
  }

  /**
   * Reads at least one byte.
   *
   * @param buffer Where to
   * @returns Bytes read, or `null` at the end, clean or not
   * @throws {Error} What broke the connection, after the bytes before it
   */
  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#chunks.length === 0) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#endedCleanly !== undefined) return null;
      await this.#news.promise;
    }
    let filled = 0;
    while (filled < buffer.length && this.#chunks.length > 0) {
      const chunk = this.#chunks[0]!;
      const part = chunk.subarray(
        this.#taken,
        this.#taken + buffer.length - filled,
      );
      buffer.set(part, filled);
      filled += part.length;
      this.#taken += part.length;
      if (this.#taken === chunk.length) {
        this.#chunks.shift();
        this.#taken = 0;
      }
    }
    this.#waiting -= filled;
    this.#room.resolve();
    return filled;
  }

  /**
   * Writes at least one byte. What was written is on its way when the next
   * call or {@linkcode closeWrite} has succeeded.
   *
   * @param bytes What; may be used again when the promise is fulfilled
   * @returns Bytes taken
   * @throws {Error} What broke the connection
   */
  async write(bytes: Uint8Array): Promise<number> {
    while (true) {
      const writing = this.#writing;
      await writing;
      this.#check();
      if (writing === this.#writing) break; // nobody was faster
    }
    if (this.#leaving !== undefined) {
      throw new Deno.errors.BrokenPipe(
        "Cannot write: the writing side is closed",
      );
    }
    const part = bytes.subarray(0, WRITE_SIZE);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#writing = promise;
    this.#engine.write(part, resolve);
    return part.length;
  }

  /**
   * Ends the writing side: what was written is flushed, then close_notify,
   * then TCP's FIN.
   *
   * @throws {Error} What broke the connection
   */
  async closeWrite(): Promise<void> {
    await this.#leave();
    this.#check();
    await this.#stream.closeWrite();
  }

  /**
   * Takes TLS off the connection, for `CCC`: sends close_notify and waits a
   * moment for the peer's. No other call may be pending, and none may follow.
   *
   * @returns The connection beneath, from the peer's next byte in clear text
   * @throws {Error} What broke the connection
   */
  async detach(): Promise<ByteStream> {
    await this.#leave();
    await settledWithin(this.#ended.promise, CLOSE_WAIT);
    this.#check();
    this.#isDetached = true;
    if (this.#isReading) this.#rest = Promise.withResolvers();
    this.#rest?.promise.catch(() => {}); // nobody may ever read again
    this.#engine.destroy();
    this.session.release();
    return new DetachedStream(this.#stream, this.#rest?.promise);
  }

  /** Closes the connection at once. Pending reads and writes reject. */
  close(): void {
    if (this.#isClosed || this.#isDetached) return;
    this.#isClosed = true;
    this.#fail(new Deno.errors.BadResource("The connection is closed"));
    this.session.release();
    closeQuietly(this.#stream);
  }

  /** Makes pending reads keep the event loop alive, the default. */
  ref(): void {
    this.#engine.ref();
    this.#stream.ref();
  }

  /** Lets the program end although a read is pending. */
  unref(): void {
    this.#engine.unref();
    this.#stream.unref();
  }

  #events(): Omit<EngineEvents, "session"> {
    return {
      secure: (handshake) => this.#secured.resolve(handshake),
      send: (bytes, done) => {
        writeAll(this.#stream, bytes).then(done, (error) => {
          this.#fail(error);
          done();
        });
      },
      data: (bytes) => {
        this.#chunks.push(bytes);
        this.#waiting += bytes.length;
        this.#announce();
      },
      end: () => {
        this.#isNotified = true;
        // the answer to close_notify is close_notify (RFC 8446, section 6.1)
        this.#leave().finally(() => this.#end(true));
      },
      fail: (message, code) =>
        this.#fail(this.#fault(readHandshakeError(message, code))),
    };
  }

  /** Carries ciphertext from the stream to the engine. */
  async #pump(): Promise<void> {
    try {
      let isFirst = true;
      while (this.#failure === undefined && this.#endedCleanly === undefined) {
        if (this.#waiting >= READ_AHEAD) {
          this.#room = Promise.withResolvers();
          await this.#room.promise;
          continue;
        }
        await this.#engine.busy;
        this.#isReading = true;
        const n = await this.#stream.read(this.#rawBuffer);
        this.#isReading = false;
        if (this.#isNotified || this.#isDetached) { // these are not TLS's
          this.#rest ??= Promise.withResolvers();
          this.#rest.resolve(n === null ? null : this.#rawBuffer.slice(0, n));
          if (n !== null) return;
        }
        if (n === null) return this.#finish();
        const bytes = this.#rawBuffer.subarray(0, n);
        const fault = isFirst ? readClearAnswer(bytes) : undefined;
        if (fault !== undefined) throw this.#fault(fault);
        isFirst = false;
        this.#feed(bytes);
      }
    } catch (error) {
      this.#rest?.reject(error);
      if (!this.#isSecured) return this.#fail(error);
      // pyftpdlib resets a connection whose close_notify we answer: what came
      // before the reset is looked at first
      this.#engine.settle(() => {
        if (!this.#isNotified) this.#fail(error);
      });
    }
  }

  #feed(bytes: Uint8Array): void {
    if (bytes.length < KEEP_SIZE) {
      this.#engine.feed(bytes.slice());
    } else if (!this.#engine.feed(bytes)) {
      this.#rawBuffer = new Uint8Array(READ_SIZE);
    }
  }

  /** The stream has ended: with close_notify just before, or cut off. */
  #finish(): void {
    if (!this.#isSecured) {
      return this.#fail(this.#fault({
        reason: "broken",
        detail: "the server closed the connection during the handshake",
      }));
    }
    this.#engine.settle(() => {
      if (!this.#isNotified) this.#end(false);
    });
  }

  #end(isClean: boolean): void {
    this.#endedCleanly ??= isClean;
    this.#ended.resolve();
    this.#announce();
  }

  /** Flushes and sends close_notify, once. */
  #leave(): Promise<void> {
    return this.#leaving ??= (async () => {
      await this.#writing;
      if (this.#failure !== undefined) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#engine.end(resolve);
      await settledWithin(promise, CLOSE_WAIT);
    })();
  }

  #announce(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #fault(fault: TLSFault, fingerprint?: string): TLSError {
    return new TLSError(`${this.#what}: ${fault.detail}`, {
      reason: fault.reason,
      fingerprint,
    });
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#secured.reject(error);
    this.#engine.destroy();
    this.#room.resolve();
    this.#announce();
  }
}
