/**
 * TLS over any stream of bytes.
 *
 * @module
 */

import type { ByteStream } from "../connection/byte_stream.ts";
import { CleartextQueue } from "./cleartext_queue.ts";
import { DetachedStream } from "./detached_stream.ts";
import { settle } from "../connection/waiting.ts";
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
 * Size of the reads of ciphertext, in bytes: the platform copies what it is
 * given six times, which is fast where all of it stays in the processor's cache.
 */
const READ_SIZE = 64 * 1024;

/** Smallest read for which a buffer of its own is better than a copy. */
const KEEP_SIZE = 16 * 1024;

/** Cleartext that may wait to be read before the peer is held up, in bytes. */
const READ_AHEAD = 1024 * 1024;

/** Most cleartext that one write takes, in bytes. */
const WRITE_SIZE = 256 * 1024;

/**
 * Rounds of the event loop in which a close_notify that came may be told: the
 * platform tells it by several steps, and a stream without one counts as cut.
 */
const SETTLE_ROUNDS = 8;

/** Longest wait for a close_notify to leave or to arrive, in milliseconds. */
const CLOSE_WAIT = 2000;

/** A connection over TLS, shaped like `Deno.Conn`. */
export class TLSConnection implements ByteStream {
  /** What the data connections share with their control connection. */
  readonly session: TLSSession;
  readonly #stream: ByteStream;
  readonly #engine: Engine;
  readonly #where: string;
  readonly #secured = Promise.withResolvers<Handshake>();
  readonly #ended = Promise.withResolvers<void>();
  #info: TLSInfo | undefined;
  #shown: ShownCertificate | undefined = new ShownCertificate();
  readonly #cleartext = new CleartextQueue();
  readonly #sendQueue: SendQueue;
  #news = Promise.withResolvers<void>();
  #room = Promise.withResolvers<void>();
  #writing: Promise<void> = Promise.resolve();
  #leaving: Promise<void> | undefined;
  #isSecured = false;
  #isNotified = false; // the peer's close_notify came
  #isFlushed = false; // all but our close_notify was sent
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
   * @param where What it is and where it leads to, for messages of errors
   */
  constructor(stream: ByteStream, session: TLSSession, where: string) {
    this.session = session;
    this.#stream = stream;
    this.#where = where;
    this.#secured.promise.catch(() => {});
    this.#sendQueue = new SendQueue(stream, (error) => {
      // all that is lost is the answer to the peer's close_notify: the peer has
      // closed, and what it sent is whole
      if (this.#isNotified && this.#isFlushed) return;
      this.#fail(error);
    });
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
    this.#shown = undefined;
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
    while (this.#isWaiting()) await this.#news.promise;
    if (this.#cleartext.size === 0) return null;
    const n = this.#cleartext.read(buffer);
    this.#room.resolve();
    return n;
  }

  /**
   * Reads at least one byte, without a copy.
   *
   * @returns The bytes, in memory that is the caller's; `null` at the end
   * @throws As {@linkcode read}
   */
  async readOwn(): Promise<Uint8Array<ArrayBuffer> | null> {
    while (this.#isWaiting()) await this.#news.promise;
    if (this.#cleartext.size === 0) return null;
    const chunk = this.#cleartext.take();
    this.#room.resolve();
    return chunk;
  }

  /** Whether a read has to wait: there is nothing, and no end. */
  #isWaiting(): boolean {
    if (this.#cleartext.size > 0) return false;
    this.#check();
    return this.#endedCleanly === undefined;
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
    await settle(this.#ended.promise, CLOSE_WAIT);
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
    try {
      this.#stream.close();
    } catch {
      // closed before
    }
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
      send: (bytes, done) => this.#sendQueue.add(bytes, done),
      data: (bytes) => {
        this.#cleartext.push(bytes);
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
        if (this.#cleartext.size >= READ_AHEAD) {
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
        this.#shown?.take(bytes);
        this.#feed(bytes);
      }
    } catch (error) {
      this.#rest?.reject(error);
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
  #finish(rounds = SETTLE_ROUNDS): void {
    this.#engine.settle(() => {
      if (this.#isNotified) return;
      if (rounds > 1) return this.#finish(rounds - 1);
      if (this.#isSecured) return this.#end(false);
      this.#fail(this.#fault({
        reason: "broken",
        detail: "the server closed the connection during the handshake",
      }));
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
      await this.#sendQueue.sent;
      if (this.#failure !== undefined) return;
      this.#isFlushed = true;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#engine.end(resolve);
      await settle(promise.then(() => this.#sendQueue.sent), CLOSE_WAIT);
    })();
  }

  #announce(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
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
