/**
 * The control connection: commands out, replies in, and a ledger of what is
 * owed. It knows no FTP command's meaning.
 *
 * @module
 */

import { type ByteStream, writeAll } from "./byte_stream.ts";
import { abortable, Watchdog } from "./deadline.ts";
import { Ledger, Owed, type OwedKind } from "./ledger.ts";
import { restate } from "./restate.ts";
import type { Tracer } from "./trace.ts";
import {
  type Command,
  describeCommand,
  doubleIAC,
  encodeCommand,
  printable,
} from "../protocol/command.ts";
import type { Encoding } from "../protocol/encoding.ts";
import { FTPProtocolError } from "../protocol/errors.ts";
import { type Reply, ReplyReader } from "../protocol/reply.ts";

/** Size of one read from the socket, in bytes. */
const READ_SIZE = 16 * 1024;

/** Commands written in one piece are joined up to this many bytes. */
const WRITE_SIZE = 64 * 1024;

/**
 * Bytes of commands without a reply that any server can bear: less than a
 * segment and than the buffer of a command. ProFTPD (1.3.8) joins two commands
 * to one where a read of its own ends between CR and LF.
 */
const SAFE_IN_FLIGHT = 512;

/**
 * Time-outs that a whole reply may take, though its lines keep coming: a server
 * may count files or hash one while it sends them.
 */
const REPLY_TIMEOUTS = 20;

const LF = 0x0A;

/** What to do about an open transfer: one of a method, one sent by hand. */
const ADVICE: Partial<Record<OwedKind, string>> = {
  transfer: "await its end first",
  command: "await voidresp() first",
};

/** Settings of a control connection. */
export interface ControlOptions {
  /** Of commands and replies. */
  encoding: Encoding;
  /** Milliseconds without progress that a wait may last; 0 for no limit. */
  timeout: number;
  /** Longest line of a reply, in bytes. */
  maxReplyLine: number;
  /** Longest reply, in bytes. */
  maxReply: number;
  /** How a multi-line reply ends. */
  multiline: "strict" | "lenient";
  /** Receives every command and reply, masked. */
  tracer: Tracer;
}

/** How one command is sent. */
export interface SendOptions {
  /** How its replies are taken. @default {"command"} */
  kind?: OwedKind;
  /** The open transfer this command may be sent during (`ABOR`). */
  during?: Owed | undefined;
  /** Stop reading after the final reply, for a handshake. @default {false} */
  pauses?: boolean;
  /** What to do about the transfer while it is open, for messages. */
  advice?: string | undefined;
}

/** One control connection, from the greeting to its end. */
export class ControlConnection {
  #stream: ByteStream;
  readonly #options: ControlOptions;
  readonly #reader: ReplyReader;
  readonly #ledger = new Ledger();
  readonly #watchdog: Watchdog;
  #encoding: Encoding;
  #open: Owed | undefined;
  #failure: Error | undefined;
  #isClosing = false;
  #wasIdle = false;
  #outgoing: Uint8Array[] = [];
  #inFlight = 0;
  #maxInFlight = SAFE_IN_FLIGHT;
  #isUrgent = false;
  #isTelnet = false;
  #isWriting = false;
  #reading: Promise<void>;
  #isPaused = false;
  #lastReply: Reply | undefined;
  /** When the reply that has not ended began. */
  #begun = performance.now();
  readonly #closed = Promise.withResolvers<void>();

  /**
   * Takes over a connected stream and starts to read.
   *
   * @param stream The connection
   * @param options The settings
   */
  constructor(stream: ByteStream, options: ControlOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#encoding = options.encoding;
    this.#reader = new ReplyReader({
      decode: (bytes) => this.#encoding.decode(bytes),
      maxReplyLine: options.maxReplyLine,
      maxReply: options.maxReply,
      multiline: options.multiline,
    });
    this.#watchdog = new Watchdog(options.timeout, () => this.#expire());
    this.#reading = this.#run();
  }

  /** The stream in use: TCP, or TLS over it. */
  get stream(): ByteStream {
    return this.#stream;
  }

  /** The encoding of commands and replies. */
  get encoding(): Encoding {
    return this.#encoding;
  }

  /** The encoding of commands and replies from here on. */
  set encoding(encoding: Encoding) {
    this.#encoding = encoding;
  }

  /** Why the connection is closed, if it is. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /**
   * Whether the server closed the connection while nothing was asked of it: no
   * command is lost with it.
   */
  get wasClosedIdle(): boolean {
    return this.#failure !== undefined && this.#wasIdle;
  }

  /** The transfer whose final reply nobody has collected yet. */
  get open(): Owed | undefined {
    return this.#open;
  }

  /** The entry that is due next, if anything is owed. */
  get due(): Owed | undefined {
    return this.#ledger.head;
  }

  /** The last reply that came. */
  get lastReply(): Reply | undefined {
    return this.#lastReply;
  }

  /** Doubles the byte 0xFF in commands from here on. */
  speakTelnet(): void {
    this.#isTelnet = true;
  }

  /** Whether few bytes of commands may be without a reply. */
  get isLimited(): boolean {
    return this.#maxInFlight !== Infinity;
  }

  /** Lifts the limit on bytes of commands that have no reply yet. */
  allowAnyInFlight(): void {
    this.#maxInFlight = Infinity;
  }

  /**
   * Expects the greeting.
   *
   * @param address Whose, for messages
   * @returns Its entry in the ledger
   */
  expectGreeting(address: string): Owed {
    const describe = () => `connect to ${address}`;
    return this.#owe(new Owed(describe, "greeting", false));
  }

  /**
   * Writes a command, behind the commands before it, without waiting for
   * their replies.
   *
   * @param command The command
   * @param options How its replies are taken
   * @returns Its entry in the ledger
   * @throws {TypeError} If the command has CR, LF or NUL, or cannot be encoded
   * @throws {Deno.errors.Busy} If a transfer is open
   * @throws {Deno.errors.NotConnected} If the connection is closed
   */
  send(command: Command, options: SendOptions = {}): Owed {
    const line = encodeCommand(command, this.#encoding);
    const bytes = this.#isTelnet ? doubleIAC(line) : line;
    const encoding = this.#encoding;
    const describe = () => describeCommand(command, encoding);
    if (this.#failure !== undefined) {
      throw new Deno.errors.NotConnected(
        `Cannot send "${describe()}": the connection is closed: ${this.#failure.message}`,
        { cause: this.#failure },
      );
    }
    if (this.#open !== undefined && this.#open !== options.during) {
      throw new Deno.errors.Busy(
        `Cannot send "${describe()}": the transfer "${this.#open.command}" is open; ${
          this.#open.advice ?? ADVICE[this.#open.kind]
        }`,
      );
    }
    const { kind = "command", pauses = false } = options;
    const owed = this.#owe(new Owed(describe, kind, pauses));
    owed.size = bytes.length;
    owed.advice = options.advice;
    this.#options.tracer.emit("sent", describe);
    this.#outgoing.push(bytes);
    this.#isUrgent ||= options.during !== undefined;
    if (!this.#isWriting) this.#flush();
    return owed;
  }

  /**
   * Waits for a reply that is owed, within the time-out.
   *
   * @param reply `first` or `final` of an entry
   * @param signal Ends the wait; the reply is still taken when it comes, so the
   * connection stays in step
   * @returns The reply
   */
  async wait(
    reply: Promise<Reply>,
    signal?: AbortSignal,
  ): Promise<Reply> {
    if (this.#watchdog.waits === 0) this.#stream.ref();
    this.#watchdog.begin();
    try {
      return await abortable(reply, signal);
    } finally {
      this.#watchdog.end();
      if (this.#watchdog.waits === 0 && this.#failure === undefined) {
        this.#stream.unref(); // an idle connection does not hold the program
      }
    }
  }

  /**
   * Marks the final reply of the open transfer as seen: commands may be sent
   * again.
   *
   * @param owed The transfer's entry
   */
  collect(owed: Owed): void {
    if (this.#open === owed) this.#open = undefined;
  }

  /**
   * Replaces the stream after a command that paused the reading (`AUTH`,
   * `CCC`).
   *
   * @param secure Makes the new stream from the old one
   * @throws {FTPProtocolError} If bytes came behind the reply: they were not
   * protected by what was just agreed (response injection). The connection is
   * closed
   */
  async replaceStream(
    secure: (stream: ByteStream) => Promise<ByteStream>,
  ): Promise<void> {
    await this.#reading;
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#reader.hasPartial || this.#ledger.head !== undefined) {
      const error = new FTPProtocolError(
        "Cannot change the protection of the control connection: bytes came in clear text behind the reply; the connection is closed",
      );
      this.fail(error);
      throw error;
    }
    try {
      this.#stream.ref();
      this.#stream = await secure(this.#stream);
    } catch (error) {
      this.fail(restate(error, (message) => message));
      throw error;
    }
    this.#isPaused = false;
    this.#reading = this.#run();
  }

  /** Announces that the server may close now (`QUIT`). */
  expectClose(): void {
    this.#isClosing = true;
  }

  /**
   * Closes at once. Whatever is owed rejects with the reason.
   *
   * @param reason Why
   */
  fail(reason: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.#options.tracer.emit("event", () => `closed: ${reason.message}`);
    this.#watchdog.stop();
    this.#ledger.fail(reason);
    try {
      this.#stream.close();
    } catch {
      // closed by the peer already
    }
    this.#reading.then(() => this.#closed.resolve());
  }

  /** Resolves when the connection is closed and nothing reads any more. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  #owe(owed: Owed): Owed {
    this.#ledger.add(owed);
    return owed;
  }

  /** The only place that writes to the socket. */
  async #flush(): Promise<void> {
    this.#isWriting = true;
    try {
      while (this.#outgoing.length > 0 && this.#failure === undefined) {
        const bytes = this.#takeOutgoing();
        if (bytes === undefined) return; // the next reply makes room
        await writeAll(this.#stream, bytes);
        this.#watchdog.touch();
      }
      this.#isUrgent = false;
    } catch (error) {
      this.#closedBy(error);
    } finally {
      this.#isWriting = false;
    }
  }

  /** Joins waiting commands, so that a pipeline is few segments. */
  #takeOutgoing(): Uint8Array | undefined {
    const outgoing = this.#outgoing;
    const room = this.#isUrgent ? Infinity : this.#maxInFlight - this.#inFlight;
    let size = 0;
    let count = 0;
    while (count < outgoing.length && size < WRITE_SIZE) {
      const next = size + outgoing[count]!.length;
      if (next > room && this.#inFlight + size > 0) break;
      size = next;
      count++;
    }
    if (count === 0) return undefined;
    this.#inFlight += size;
    if (outgoing.length === 1) return outgoing.pop()!;
    const joined = new Uint8Array(size);
    let at = 0;
    for (const bytes of outgoing.splice(0, count)) {
      joined.set(bytes, at);
      at += bytes.length;
    }
    return joined;
  }

  /** A reply has come: there is room for as many bytes as it answers. */
  #makeRoom(owed: Owed): void {
    this.#inFlight -= owed.size;
    owed.size = 0;
    if (this.#ledger.head === undefined) this.#inFlight = 0;
    if (this.#outgoing.length > 0 && !this.#isWriting) this.#flush();
  }

  /** The only loop that reads from the socket. */
  async #run(): Promise<void> {
    const buffer = new Uint8Array(READ_SIZE);
    try {
      if (this.#watchdog.waits === 0) this.#stream.unref();
      while (!this.#isPaused && this.#failure === undefined) {
        const n = await this.#stream.read(buffer);
        if (this.#failure !== undefined) return;
        if (n === null) return this.#ended();
        this.#take(buffer.subarray(0, n));
      }
    } catch (error) {
      this.#closedBy(error);
    }
  }

  /** Whole lines are progress, but not for ever without a reply that ends. */
  #take(bytes: Uint8Array): void {
    const now = performance.now();
    if (!this.#isBegun) this.#begun = now;
    if (bytes.includes(LF)) this.#watchdog.touch();
    const replies = this.#reader.push(bytes);
    for (const reply of replies) this.#deliver(reply);
    if (this.#reader.error !== undefined) return this.fail(this.#reader.error);
    if (!this.#isBegun) return;
    if (replies.length > 0 && !this.#awaitsGreeting) this.#begun = now;
    const most = REPLY_TIMEOUTS * this.#options.timeout;
    if (most > 0 && now - this.#begun > most) {
      this.#expire(`the reply has no end after ${most} ms`);
    }
  }

  /** Whether the greeting is due: a 120 before it is only a part of it. */
  get #awaitsGreeting(): boolean {
    return this.#ledger.head?.kind === "greeting";
  }

  get #isBegun(): boolean {
    return this.#reader.hasPartial || this.#awaitsGreeting;
  }

  #deliver(reply: Reply): void {
    if (this.#failure !== undefined) return;
    this.#lastReply = reply;
    this.#options.tracer.emit("received", () => printable(reply.text));
    if (this.#isPaused) {
      return this.fail(
        new FTPProtocolError(
          "Cannot change the protection of the control connection: a reply came in clear text behind the one that agreed to it; the connection is closed",
        ),
      );
    }
    const owed = this.#ledger.deliver(reply);
    if (owed === undefined && reply.code !== 421) {
      return this.fail(
        new FTPProtocolError(
          `Received a reply that no command is waiting for, "${
            printable(reply.text)
          }": the connection is out of step and closed`,
        ),
      );
    }
    if (owed !== undefined) this.#makeRoom(owed);
    if (reply.code < 200 && owed?.preliminary === reply) this.#open = owed;
    if (owed?.isSettled && owed.pauses && reply.code < 400) {
      this.#isPaused = true;
    }
    if (reply.code === 421) {
      this.#wasIdle = owed === undefined && this.#open === undefined;
      // 421 closes the connection, whatever it answers (RFC 959 section 5.4)
      this.fail(
        new Deno.errors.ConnectionReset(
          `The server closed the connection: ${printable(reply.text)}`,
        ),
      );
    }
  }

  #ended(): void {
    this.#wasIdle = this.#isIdle && !this.#reader.hasPartial;
    if (this.#isClosing && this.#ledger.head === undefined) {
      return this.fail(new Deno.errors.NotConnected("quit() was called"));
    }
    const where = this.#reader.hasPartial ? " in the middle of a reply" : "";
    const tried = this.#ledger.head === undefined
      ? "Cannot keep the connection"
      : `Cannot complete "${this.#ledger.head.command}"`;
    this.fail(
      new Deno.errors.UnexpectedEof(
        `${tried}: the server closed the connection${where}`,
      ),
    );
  }

  #expire(
    what = `no reply within ${this.#options.timeout} ms`,
  ): void {
    const owed = this.#ledger.head;
    const tried = owed === undefined
      ? "Cannot write to the control connection"
      : `Cannot complete "${owed.command}"`;
    const { hint: line } = this.#reader;
    const hint = line === undefined
      ? ""
      : `; "${
        printable(line)
      }" may have been meant to end the reply: try { multiline: "lenient" }`;
    this.fail(
      new Deno.errors.TimedOut(
        `${tried}: ${what}; the connection is closed${hint}`,
      ),
    );
  }

  get #isIdle(): boolean {
    return this.#ledger.head === undefined && this.#open === undefined;
  }

  #closedBy(error: unknown): void {
    this.#wasIdle = this.#isIdle;
    const command = this.#ledger.head?.command ?? "a command";
    this.fail(
      restate(
        error,
        (message) =>
          `Cannot complete "${command}": the connection failed: ${message}`,
      ),
    );
  }
}
