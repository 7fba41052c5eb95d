/**
 * The control connection: sends commands, and matches replies to pending
 * commands in order. Knows the meaning of no FTP command.
 *
 * @module
 */

import { nextDiagnosticId, observeCommand } from "./diagnostics.ts";
import { type ByteStream, closeQuietly, writeAll } from "./byte_stream.ts";
import { CommandQueue } from "./command_queue.ts";
import type { ControlOptions, SendOptions } from "./control_options.ts";
import {
  brokenError,
  busyError,
  closedByReplyError,
  endedError,
  injectionError,
  notConnectedError,
  timeoutError,
  unexpectedReplyError,
  wrongReplyError,
} from "./control_errors.ts";
import { abortable, type Ticker, Watchdog } from "./waiting.ts";
import { PendingCommand, PendingCommands } from "./pending_commands.ts";
import { asError } from "../protocol/with_message.ts";
import {
  type Command,
  describeCommand,
  doubleIAC,
  encodeCommand,
} from "../protocol/command.ts";
import { printable } from "../protocol/printable.ts";
import type { Encoding } from "../protocol/encoding.ts";
import { isUnknownCommand, REDACTED } from "../protocol/errors.ts";
import { linesOf } from "../protocol/lines_of.ts";
import { type Reply, ReplyReader } from "../protocol/reply.ts";
import { Secrets } from "../protocol/redaction.ts";

/** Size of one read from the socket, in bytes. */
const READ_SIZE = 16 * 1024;

/**
 * Longest wait for an answer, in time-outs, while lines keep coming: a server
 * may count or hash files meanwhile. A greeting's 120 is not an answer, and
 * neither is a second 1yz.
 */
const REPLY_TIMEOUTS = 20;

const LF = 0x0A;

/** Text of a 421 reply that is not about the command. */
const UNRELATED_REGEXP =
  /time-?d?[ -]?out|idle|inactiv|too many|limit|maximum|max |busy|full|shut|maintenance|later|offline|admin|terminat|service (is )?(not |un)available/i;

/** A control connection, from the greeting to its end. */
export class ControlConnection {
  /** Its number in diagnostic events. */
  readonly id: number = nextDiagnosticId();
  /** When it was opened, in milliseconds of `performance.now()`. */
  readonly since: number = performance.now();
  /** Encoding of the next commands and replies. */
  encoding: Encoding;
  #stream: ByteStream;
  readonly #options: ControlOptions;
  readonly #reader: ReplyReader;
  readonly #pending = new PendingCommands();
  readonly #secrets = new Secrets();
  readonly #watchdog: Watchdog;
  #open: PendingCommand | undefined;
  #failure: Error | undefined;
  #isDoubtful = false;
  #isBroken = false;
  #lostOver: PendingCommand | undefined;
  #unknown: PendingCommand | undefined;
  #isHungUp = false;
  /** Why the server may close now. */
  #closing: string | undefined;
  #wasIdle = false;
  readonly #queue: CommandQueue;
  #isTelnet = false;
  #isWriting = false;
  #reading: Promise<void>;
  #isPaused = false;
  #lastReply: Reply | undefined;
  /** When the first bytes came that answer nothing, since the last answer. */
  #begun: number | undefined;
  /** Whether the bytes at hand have answered something. */
  #isAnswered = false;
  readonly #closed = Promise.withResolvers<void>();

  /** Takes over a connected stream, and starts to read. */
  constructor(stream: ByteStream, options: ControlOptions) {
    this.#stream = stream;
    this.#options = options;
    this.encoding = options.encoding;
    this.#queue = new CommandQueue(options.pipelining);
    this.#reader = new ReplyReader({
      decode: (bytes) => this.encoding.decode(bytes),
      maxReplyLine: options.maxReplyLine,
      maxReply: options.maxReply,
      multiline: options.multiline,
      mask: this.#mask,
    });
    this.#watchdog = new Watchdog(options.timeout, () => this.#expire());
    this.#reading = this.#run();
  }

  /** The current stream: TCP, or TLS over it. */
  get stream(): ByteStream {
    return this.#stream;
  }

  /** Reason why the connection is closed, if it is. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /**
   * Whether the server closed an idle connection, so that no command is lost.
   */
  get wasClosedIdle(): boolean {
    return this.#failure !== undefined && this.#wasIdle;
  }

  /**
   * Whether the connection was closed because of what an aborted transfer may
   * have left behind. Another connection can replace it.
   */
  get isDoubtful(): boolean {
    return this.#isDoubtful;
  }

  /**
   * The pending command when the server ended the connection or stopped
   * answering. It may be a command that the server cannot handle.
   */
  get lostOver(): PendingCommand | undefined {
    return this.#lostOver;
  }

  /**
   * Whether the server closed the connection, with or without a 421 reply, but
   * not because it was idle or has too many connections.
   */
  get isHungUp(): boolean {
    return this.#isHungUp;
  }

  /** The command at which the server hung up, if that may be the reason. */
  get hungUpAt(): PendingCommand | undefined {
    return this.#isHungUp ? this.#lostOver : undefined;
  }

  /**
   * The last command that was answered, if the server does not know it. Some
   * servers close the connection a moment later.
   */
  get unknown(): PendingCommand | undefined {
    return this.#unknown;
  }

  /** The transfer whose final reply was not acknowledged yet. */
  get open(): PendingCommand | undefined {
    return this.#open;
  }

  /** The command whose reply is next, if any is pending. */
  get due(): PendingCommand | undefined {
    return this.#pending.head;
  }

  /** The last reply. */
  get lastReply(): Reply | undefined {
    return this.#lastReply;
  }

  /** Doubles the byte 0xFF in commands from now on. */
  speakTelnet(): void {
    this.#isTelnet = true;
  }

  /** The timer of its time limit, for its data connections. */
  get ticker(): Ticker {
    return this.#watchdog.ticker;
  }

  /** Whether commands are sent before earlier ones are answered. */
  get isPipelining(): boolean {
    return this.#queue.isJoining;
  }

  /** Whether commands that were sent together had replies. */
  get hasPipelined(): boolean {
    return this.#pending.isProven;
  }

  /** Whether only a few bytes of commands may be unanswered. */
  get isLimited(): boolean {
    return this.#queue.isLimited;
  }

  /** Sets the limit on unanswered bytes; 0 for one command at a time. */
  limitInFlight(size: number): void {
    this.#queue.limit(size);
  }

  /** Expects the greeting. */
  expectGreeting(address: string): PendingCommand {
    const describe = () => `connect to ${address}`;
    return this.#pending.add(new PendingCommand(describe, "greeting", false));
  }

  /**
   * Sends a command after those before it, without waiting for their replies.
   *
   * @throws {TypeError} If the command has CR, LF or NUL, or cannot be encoded
   * @throws {Deno.errors.Busy} If a transfer is open
   * @throws {Deno.errors.NotConnected} If the connection is closed
   */
  send(command: Command, options: SendOptions = {}): PendingCommand {
    const line = encodeCommand(command, this.encoding);
    const bytes = this.#isTelnet ? doubleIAC(line) : line;
    const encoding = this.encoding;
    const describe = () => describeCommand(command, encoding);
    if (this.#failure !== undefined) {
      throw notConnectedError(describe(), this.#failure);
    }
    if (this.#open !== undefined && this.#open !== options.during) {
      throw busyError(describe(), this.#open);
    }
    const { kind = "command", pauses = false, replaces } = options;
    const entry = new PendingCommand(describe, kind, pauses);
    const pending = replaces === undefined
      ? this.#pending.add(entry)
      : this.#pending.replace(entry, replaces);
    pending.verb = command.verb.toUpperCase();
    pending.size = bytes.length;
    const isUrgent = options.during !== undefined && !options.isBehind;
    pending.isPipelined &&= this.#queue.isJoining && !isUrgent &&
      !this.#queue.isHolding;
    pending.isSecret = this.#secrets.note(command);
    pending.advice = options.advice;
    if (replaces !== undefined) {
      this.#queue.addFirst(bytes);
      this.#flush();
    } else {
      this.#write(bytes, isUrgent);
    }
    // its reply may never come, and replies to later commands would be matched
    // to it
    if (kind === "passive" && replaces === undefined) this.#queue.hold();
    this.#options.tracer.emit("sent", describe);
    observeCommand(this.id, pending);
    return pending;
  }

  /**
   * Waits for a reply, within the time-out.
   *
   * @param reply `first` or `final` of a pending command
   */
  async wait<T>(reply: Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#watchdog.waits === 0) {
      this.#stream.ref();
      this.#begun = undefined;
    }
    this.#watchdog.begin();
    try {
      return await abortable(reply, signal);
    } finally {
      this.#watchdog.end();
      if (this.#watchdog.waits === 0 && this.#failure === undefined) {
        this.#stream.unref(); // an idle connection does not keep the program alive
      }
    }
  }

  /**
   * Marks the final reply of a command as handled. After that of the open
   * transfer, commands may be sent again.
   */
  acknowledge(pending: PendingCommand): void {
    pending.isAcknowledged = true;
    if (this.#open === pending) this.#open = undefined;
  }

  /**
   * Replaces the stream after a command that paused reading (`AUTH`, `CCC`).
   *
   * @throws {FTPProtocolError} If unprotected bytes followed the reply
   * (response injection); the connection is closed
   */
  async replaceStream(
    secure: (stream: ByteStream) => Promise<ByteStream>,
  ): Promise<void> {
    await this.#reading;
    if (this.#failure !== undefined) throw this.#failure;
    try {
      this.#stream.ref();
      this.#stream = await secure(this.#stream);
      if (this.#failure !== undefined) this.#stream.close(); // closed meanwhile, when nothing else knew the stream
    } catch (error) {
      const { failure = error } = this; // closing the old stream meanwhile breaks the new one, too
      this.fail(asError(error));
      throw failure;
    }
    if (this.#failure !== undefined) throw this.#failure;
    this.#isPaused = false;
    this.#reading = this.#run();
  }

  /**
   * Adds an event to the trace that no command or reply shows.
   *
   * @param text Returns the text, printable and masked
   */
  tell(text: () => string): void {
    this.#options.tracer.emit("event", text);
  }

  /** Announces that the server may close now (`QUIT`), and why. */
  expectClose(why: string): void {
    this.#closing = why;
  }

  /** Closes at once. Pending commands reject with the reason. */
  fail(reason: Error): void {
    if (this.#isDoubtful) {
      this.#failure = reason; // permanently
      this.#isDoubtful = false;
    }
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.#options.tracer.emit("event", () => `closed: ${reason.message}`);
    this.#watchdog.stop();
    this.#pending.fail(reason);
    closeQuietly(this.#stream); // the peer may have closed it
    this.#reading.then(() => this.#closed.resolve());
  }

  /** Closes at once, because of what the server or the network did. */
  #break(reason: Error): void {
    if (this.#failure === undefined) this.#isBroken = true;
    this.fail(reason);
  }

  /**
   * Closes a connection on which an aborted transfer may have left something.
   */
  giveUp(reason: Error): void {
    // not if the user closed it: only if it broke
    if (this.#failure !== undefined && !this.#isBroken) return;
    if (this.#failure === undefined) this.fail(reason);
    this.#isDoubtful = true;
  }

  /** Fulfilled when the connection is closed and no read is pending. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /**
   * Writes a command in order, joined with others of the same moment. An urgent
   * one (`ABOR`) is written at once, before its data connection is closed.
   */
  #write(bytes: Uint8Array, isUrgent: boolean): void {
    const isFirst = this.#queue.isEmpty;
    this.#queue.add(bytes, isUrgent);
    if (isUrgent) this.#flush();
    else if (isFirst) queueMicrotask(() => this.#flush());
  }

  /** The only place that writes to the socket. */
  async #flush(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    try {
      while (this.#failure === undefined) {
        const bytes = this.#queue.take();
        if (bytes === undefined) return; // the next reply makes room
        // not progress: a server that never answers may still read
        await writeAll(this.#stream, bytes);
      }
    } catch (error) {
      this.#closedBy(error);
    } finally {
      this.#isWriting = false;
    }
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

  /**
   * Handles received bytes. Complete lines count as progress, but not without
   * end.
   */
  #take(bytes: Uint8Array): void {
    if (bytes.includes(LF)) this.#watchdog.touch();
    this.#isAnswered = false;
    // if nothing may follow a reply, each line is checked on its own
    for (const part of this.#pending.pauses ? linesOf(bytes) : [bytes]) {
      if (this.#isPaused) return this.#break(injectionError());
      for (const reply of this.#reader.push(part)) this.#deliver(reply);
    }
    if (this.#reader.error !== undefined) {
      this.#suspect();
      return this.#break(this.#reader.error);
    }
    if (!this.#queue.isEmpty) this.#flush();
    const isAwaited = this.#watchdog.waits > 0 && !this.#isIdle;
    if (isAwaited && !this.#isAnswered) this.#checkLength();
  }

  /** Limits the time of a reply whose lines keep coming. */
  #checkLength(): void {
    const most = REPLY_TIMEOUTS * this.#options.timeout;
    const now = performance.now();
    this.#begun ??= now;
    if (most === 0 || now - this.#begun <= most) return;
    this.#expire(`the reply has no end after ${most} ms`);
  }

  #deliver(received: Reply): void {
    if (this.#failure !== undefined) return;
    this.#options.tracer.emit(
      "received",
      () => printable(this.#mask(received.text)),
    );
    const { due } = this;
    const isMismatched = this.#pending.isMismatched(received);
    // other replies below 400 are data until an error is made of them
    const mayTell = due?.isSecret !== false || received.code >= 400 ||
      isMismatched;
    const reply = mayTell ? received[REDACTED]() : received;
    this.#lastReply = reply;
    if (due !== undefined && isMismatched) {
      return this.#break(wrongReplyError(due, reply));
    }
    const pending = this.#pending.deliver(reply);
    if (pending === undefined && reply.code !== 421) {
      return this.#break(unexpectedReplyError(reply));
    }
    if (pending !== undefined) {
      this.#unknown = isUnknownCommand(reply) ? pending : undefined;
      this.#queue.answered(pending, this.due === undefined);
      if (pending.kind === "passive" && pending.isSettled) {
        this.#passed(pending);
      }
    }
    const isPreliminary = pending?.preliminary === reply;
    if (isPreliminary && pending?.kind !== "passive") this.#open = pending;
    const isAnswer = pending?.isSettled || pending?.preliminary === reply;
    if (isAnswer) {
      this.#begun = undefined;
      this.#isAnswered = true;
    }
    if (pending?.isSettled && pending.pauses && reply.code < 400) {
      this.#isPaused = true;
    }
    if (reply.code === 421) {
      this.#wasIdle = pending === undefined && this.#open === undefined;
      if (pending !== undefined && !UNRELATED_REGEXP.test(reply.text)) {
        this.#isHungUp = true;
        this.#lostOver = pending;
      }
      this.#break(closedByReplyError(reply));
    }
  }

  /**
   * Releases the commands held after `EPSV`, or after the `PASV` that replaced
   * it.
   */
  #passed(pending: PendingCommand): void {
    const { replaces } = pending;
    if (replaces !== undefined) this.#queue.answered(replaces, false);
    if (this.due?.replaces !== pending) this.#queue.release();
  }

  #mask = (text: string): string => this.#secrets.mask(text);

  #ended(): void {
    this.#wasIdle = this.#isIdle && !this.#reader.hasPartial;
    if (this.#closing !== undefined && this.due === undefined) {
      return this.fail(new Deno.errors.NotConnected(this.#closing));
    }
    const isSuspect = this.#suspect(this.#pending.isUnproven);
    this.#isHungUp = true;
    this.#noteBroken(isSuspect);
    const { via } = this.#stream;
    this.#break(endedError(this.due, this.#reader.hasPartial, isSuspect, via));
  }

  #expire(what?: string): void {
    const awaited = this.due?.kind === "greeting" ? "answer" : "reply";
    what ??= `no ${awaited} within ${this.#options.timeout} ms`;
    this.#noteBroken(this.#suspect());
    const { via } = this.#stream;
    this.#break(timeoutError(this.due, what, this.#reader.hint, via));
  }

  /** Notes that the server may not support pipelining. */
  #suspect(isSuspect = isSuspicious(this.due)): boolean {
    if (isSuspect) this.#options.onDropped();
    return isSuspect;
  }

  /**
   * Notes the pending command when the connection broke, if that may be the
   * reason.
   */
  #noteBroken(isSuspect: boolean): void {
    if (!isSuspect) this.#lostOver = this.due;
  }

  get #isIdle(): boolean {
    return this.due === undefined && this.#open === undefined;
  }

  #closedBy(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#wasIdle = this.#isIdle;
    this.#noteBroken(this.#suspect(this.#pending.isUnproven));
    this.#break(brokenError(this.due, error, this.#stream.via));
  }
}

/**
 * Whether a command got no reply because others were sent with it. A firewall
 * may drop `EPSV` in any case.
 */
function isSuspicious(due: PendingCommand | undefined): boolean {
  return due?.isPipelined === true && due.kind !== "passive";
}
