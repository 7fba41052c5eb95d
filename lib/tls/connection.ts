/**
 * A TLS connection over any byte stream.
 *
 * @module
 */

import { type ByteStream, closeQuietly } from "../connection/byte_stream.ts";
import { CleartextQueue } from "./cleartext_queue.ts";
import { PrefixedStream } from "../connection/prefixed_stream.ts";
import { settle } from "../connection/waiting.ts";
import { FinalFlight } from "./final_flight.ts";
import { SendQueue } from "./send_queue.ts";
import type { Engine, EngineEvents, Handshake } from "./engine.ts";
import { ShownCertificate } from "./shown_certificate.ts";
import {
  explainFault,
  readClearAnswer,
  readHandshakeError,
  TLSError,
} from "./errors.ts";
import type { TLSProblem } from "./errors.ts";
import type { TLSInfo } from "../connection/tls_info.ts";
import type { TLSSession } from "./session.ts";

/**
 * Bytes read from the stream at once. The platform copies them six times, which
 * is fast while they fit into the processor's cache.
 */
const READ_SIZE = 64 * 1024;

/** Smallest read that is handed over with its buffer instead of copied. */
const KEEP_SIZE = 16 * 1024;

/** Unread cleartext at which reading from the stream stops, in bytes. */
const READ_AHEAD = 1024 * 1024;

/** Largest number of bytes that one write takes. */
const WRITE_SIZE = 256 * 1024;

/**
 * Turns of the event loop to wait for a close_notify that has arrived. The
 * platform reports it in several steps, and a stream without one counts as cut
 * off.
 */
const SETTLE_ROUNDS = 8;

/** Longest wait for a close_notify to be sent or to arrive, in milliseconds. */
const CLOSE_WAIT = 2000;

/** A connection over TLS, shaped like `Deno.Conn`. */
export class TLSConnection implements ByteStream {
  /** State shared by the data connections and their control connection. */
  readonly session: TLSSession;
  readonly #stream: ByteStream;
  readonly #engine: Engine;
  readonly #where: string;
  readonly #secured = Promise.withResolvers<Handshake>();
  readonly #ended = Promise.withResolvers<void>();
  #info: TLSInfo | undefined;
  #shown: ShownCertificate | undefined = new ShownCertificate();
  /** Set until the final flight, if the session shares the platform's store. */
  #flight: FinalFlight | undefined;
  readonly #cleartext = new CleartextQueue();
  readonly #sendQueue: SendQueue;
  #changed = Promise.withResolvers<void>();
  #room = Promise.withResolvers<void>();
  #writing: Promise<void> = Promise.resolve();
  #leaving: Promise<void> | undefined;
  #isSecured = false;
  #isNotified = false; // the peer's close_notify has arrived
  #isFlushed = false; // everything except close_notify was sent
  #endedCleanly: boolean | undefined;
  #failure: unknown;
  #isClosed = false;
  #isDetached = false;
  #isReading = false;
  #rest: PromiseWithResolvers<Uint8Array | null> | undefined;
  #rawBuffer = new Uint8Array(READ_SIZE);

  /**
   * Starts the handshake. Use {@linkcode secureControl} and {@linkcode
   * secureData}, which wait for it.
   */
  constructor(stream: ByteStream, session: TLSSession, where: string) {
    this.session = session;
    this.#stream = stream;
    this.#where = where;
    this.#secured.promise.catch(() => {});
    this.#sendQueue = new SendQueue(stream, (error) => {
      // only the answer to the peer's close_notify is lost: the peer has
      // closed, and its data is complete
      if (this.#isNotified && this.#isFlushed) return;
      this.#fail(error);
    });
    if (session.sharesStore) this.#flight = new FinalFlight();
    this.#engine = session.startEngine(this.#events());
    session.retain();
  }

  /**
   * Protocol version, cipher and certificate, and whether a session was
   * resumed.
   */
  get info(): TLSInfo {
    return this.#info!;
  }

  /**
   * Whether the stream ended with the peer's close_notify; `undefined` before
   * its end.
   */
  get endedCleanly(): boolean | undefined {
    return this.#endedCleanly;
  }

  /** Through what the connection goes, if not straight to the server. */
  get via(): string | undefined {
    return this.#stream.via;
  }

  /** Address of the local end. */
  get localAddr(): Deno.Addr {
    return this.#stream.localAddr;
  }

  /** Address of the remote end. */
  get remoteAddr(): Deno.Addr {
    return this.#stream.remoteAddr;
  }

  /**
   * Completes the handshake and verifies the server's certificate.
   *
   * @throws {TLSError} If the handshake fails or the server is not trusted
   */
  async handshake(): Promise<Handshake> {
    this.#pump();
    const handshake = await this.#secured.promise;
    const fault = this.session.findProblem(handshake);
    if (fault !== undefined) {
      throw this.#fault(fault, this.session.fingerprintOf(handshake));
    }
    this.#info = this.session.describe(handshake);
    this.#isSecured = true;
    this.#shown = undefined;
    return handshake;
  }

  /**
   * Reads at least one byte.
   *
   * @returns Number of bytes, or `null` at the end, clean or not
   * @throws {Error} The failure of the connection, after the bytes before it
   */
  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#isWaiting()) await this.#changed.promise;
    if (this.#cleartext.size === 0) return null;
    const n = this.#cleartext.read(buffer);
    this.#room.resolve();
    return n;
  }

  /**
   * Reads at least one byte, without a copy.
   *
   * @returns The bytes, in memory that the caller owns; `null` at the end
   */
  async readOwn(): Promise<Uint8Array<ArrayBuffer> | null> {
    while (this.#isWaiting()) await this.#changed.promise;
    if (this.#cleartext.size === 0) return null;
    const chunk = this.#cleartext.take();
    this.#room.resolve();
    return chunk;
  }

  /**
   * Whether a read has to wait: no bytes are queued and the stream has not
   * ended.
   */
  #isWaiting(): boolean {
    if (this.#cleartext.size > 0) return false;
    this.#check();
    return this.#endedCleanly === undefined;
  }

  /**
   * Writes at least one byte. Earlier bytes were handed to the stream once the
   * next call or {@linkcode closeWrite} has succeeded.
   *
   * @throws {Error} The failure of the connection
   */
  async write(bytes: Uint8Array): Promise<number> {
    while (true) {
      const writing = this.#writing;
      await writing;
      this.#check();
      if (writing === this.#writing) break; // no other call was faster
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
   * Ends the writing side: sends what was written, then close_notify, then
   * TCP's FIN.
   *
   * @throws {Error} The failure of the connection
   */
  async closeWrite(): Promise<void> {
    await this.#leave();
    this.#check();
    await this.#stream.closeWrite();
  }

  /**
   * Removes TLS from the connection, for `CCC`: sends close_notify and waits
   * briefly for the peer's. No other call may be pending, and none may follow.
   *
   * @throws {Error} The failure of the connection
   */
  async detach(): Promise<ByteStream> {
    await this.#leave();
    await settle(this.#ended.promise, CLOSE_WAIT);
    this.#check();
    this.#isDetached = true;
    if (this.#isReading) this.#rest = Promise.withResolvers();
    this.#rest?.promise.catch(() => {}); // the bytes may never be read
    this.#engine.destroy();
    this.session.release();
    return new PrefixedStream(this.#stream, this.#rest?.promise);
  }

  /** Closes the connection at once. Pending reads and writes reject. */
  close(): void {
    if (this.#isClosed || this.#isDetached) return;
    this.#isClosed = true;
    this.#fail(new Deno.errors.BadResource("The connection is closed"));
    this.session.release();
    closeQuietly(this.#stream);
  }

  /** Makes pending reads keep the event loop alive. The default. */
  ref(): void {
    this.#engine.ref();
    this.#stream.ref();
  }

  /** Lets the program end while a read is pending. */
  unref(): void {
    this.#engine.unref();
    this.#stream.unref();
  }

  #events(): Omit<EngineEvents, "session"> {
    return {
      secure: (handshake) => this.#secured.resolve(handshake),
      send: (bytes, done) => this.#sendQueue.add(bytes, done),
      data: (bytes) => {
        this.#cleartext.push(bytes);
        this.#announce();
      },
      end: () => {
        this.#isNotified = true;
        // RFC 8446, section 6.1: close_notify is answered with close_notify
        this.#leave().finally(() => this.#end(true));
      },
      fail: (message, code) =>
        this.#fail(this.#fault(readHandshakeError(message, code))),
    };
  }

  /** Copies ciphertext from the stream to the engine. */
  async #pump(): Promise<void> {
    try {
      let isFirst = true;
      while (this.#failure === undefined && this.#endedCleanly === undefined) {
        if (this.#cleartext.size >= READ_AHEAD) {
          this.#room = Promise.withResolvers();
          await this.#room.promise;
          continue;
        }
        await this.#engine.busy;
        this.#isReading = true;
        const n = await this.#stream.read(this.#rawBuffer);
        this.#isReading = false;
        if (this.#isNotified || this.#isDetached) { // no longer TLS
          this.#rest ??= Promise.withResolvers();
          this.#rest.resolve(n === null ? null : this.#rawBuffer.slice(0, n));
          if (n !== null) return;
        }
        if (n === null) {
          if (this.#flight !== undefined) this.#feed(this.#flight.rest());
          return this.#finish();
        }
        const bytes = this.#rawBuffer.subarray(0, n);
        const fault = isFirst ? readClearAnswer(bytes) : undefined;
        if (fault !== undefined) throw this.#fault(fault);
        isFirst = false;
        this.#shown?.take(bytes);
        if (this.#flight === undefined) this.#feed(bytes);
        else await this.#feedHandshake(this.#flight, bytes);
      }
    } catch (error) {
      this.#rest?.reject(error);
      // pyftpdlib resets a connection whose close_notify is answered: the bytes
      // before the reset are read first
      this.#engine.settle(() => {
        if (!this.#isNotified) this.#fail(error);
      });
    }
  }

  /**
   * Feeds bytes of the handshake. Its end stores a session, so only one
   * handshake of a slot ends at a time, and the next ClientHello is made before
   * another one does.
   */
  async #feedHandshake(
    divider: FinalFlight,
    bytes: Uint8Array,
  ): Promise<void> {
    const { before, flight } = divider.take(bytes);
    if (before.length > 0) this.#feed(before);
    if (divider.isOver) this.#flight = undefined;
    if (flight === undefined) return;
    await this.session.endHandshake(async () => {
      if (this.#failure !== undefined) return undefined;
      this.#feed(flight);
      // a server may send no Finished in its place: nothing waits for more bytes
      return await Promise.race([
        this.#secured.promise,
        this.#turns(SETTLE_ROUNDS),
      ]);
    });
  }

  /** Waits for turns of the event loop. */
  async #turns(rounds: number): Promise<undefined> {
    for (let i = 0; i < rounds && this.#failure === undefined; i++) {
      await new Promise<void>((resolve) => this.#engine.settle(resolve));
    }
  }

  #feed(bytes: Uint8Array): void {
    if (bytes.length < KEEP_SIZE) {
      this.#engine.feed(bytes.slice());
    } else if (!this.#engine.feed(bytes)) {
      this.#rawBuffer = new Uint8Array(READ_SIZE);
    }
  }

  /**
   * Handles the end of the stream: close_notify came just before it, or the
   * data was cut off.
   */
  #finish(rounds = SETTLE_ROUNDS): void {
    this.#engine.settle(() => {
      if (this.#isNotified) return;
      if (rounds > 1) return this.#finish(rounds - 1);
      if (this.#isSecured) return this.#end(false);
      const via = this.via === undefined ? "" : `, or ${this.via},`;
      this.#fail(this.#fault({
        reason: "broken",
        detail: `the server${via} closed the connection during the handshake`,
      }));
    });
  }

  #end(isClean: boolean): void {
    this.#endedCleanly ??= isClean;
    this.#ended.resolve();
    this.#announce();
  }

  /** Sends what is queued and then close_notify, once. */
  #leave(): Promise<void> {
    return this.#leaving ??= (async () => {
      await this.#writing;
      await this.#sendQueue.sent;
      if (this.#failure !== undefined) return;
      this.#isFlushed = true;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#engine.end(resolve);
      await settle(promise.then(() => this.#sendQueue.sent), CLOSE_WAIT);
    })();
  }

  #announce(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #fault(fault: TLSProblem, proven?: string): TLSError {
    const what = this.#isSecured ? "TLS broke on" : "Cannot secure";
    const fingerprint = proven ?? this.#shown?.fingerprint;
    const why = explainFault(fault, fingerprint);
    return new TLSError(`${what} ${this.#where}: ${why}`, {
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
