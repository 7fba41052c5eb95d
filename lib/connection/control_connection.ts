/**
 * The control connection: commands out, replies in, and a ledger of what is
 * owed. It knows no FTP command's meaning.
 *
 * @module
 */

import { type ByteStream, writeAll } from "./byte_stream.ts";
import { CommandQueue } from "./command_queue.ts";
import type { ControlOptions, SendOptions } from "./control_options.ts";
import {
  broken,
  busy,
  closed,
  closedByReply,
  ended,
  expired,
  injected,
  misplaced,
  outOfStep,
} from "./control_errors.ts";
import { abortable, Watchdog } from "./waiting.ts";
import { PendingCommand, PendingCommands } from "./pending_commands.ts";
import { asError } from "./with_message.ts";
import {
  type Command,
  describeCommand,
  doubleIAC,
  encodeCommand,
} from "../protocol/command.ts";
import { printable } from "../protocol/printable.ts";
import type { Encoding } from "../protocol/encoding.ts";
import { CONCEAL } from "../protocol/errors.ts";
import { linesOf } from "../protocol/lines_of.ts";
import { type Reply, ReplyReader } from "../protocol/reply.ts";
import { Secrets } from "../protocol/redaction.ts";

/** Size of one read from the socket, in bytes. */
const READ_SIZE = 16 * 1024;

/**
 * Time-outs that a wait may take until a command is answered, though lines keep
 * coming: a server may count files or hash one while it sends them. A greeting's
 * 120 is no answer, and neither is a 1yz behind another one.
 */
const REPLY_TIMEOUTS = 20;

const LF = 0x0A;

/** One control connection, from the greeting to its end. */
export class ControlConnection {
  /** The encoding of commands and replies from here on. */
  encoding: Encoding;
  #stream: ByteStream;
  readonly #options: ControlOptions;
  readonly #reader: ReplyReader;
  readonly #ledger = new PendingCommands();
  readonly #secrets = new Secrets();
  readonly #watchdog: Watchdog;
  #open: PendingCommand | undefined;
  #failure: Error | undefined;
  #isDoubtful = false;
  #isBroken = false;
  #lostOver: PendingCommand | undefined;
  #isClosing = false;
  #wasIdle = false;
  readonly #queue: CommandQueue;
  #isTelnet = false;
  #isWriting = false;
  #reading: Promise<void>;
  #isPaused = false;
  #lastReply: Reply | undefined;
  /** When the wait for the reply that is due began. */
  #begun = 0;
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

  /** The stream in use: TCP, or TLS over it. */
  get stream(): ByteStream {
    return this.#stream;
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

  /**
   * Whether the connection was closed for what a transfer that was ended early
   * may have left behind: another one can take its place.
   */
  get isDoubtful(): boolean {
    return this.#isDoubtful;
  }

  /**
   * The command that was due when the server ended the connection, or fell
   * silent: it may be one that the server does not bear.
   */
  get lostOver(): PendingCommand | undefined {
    return this.#lostOver;
  }

  /** The transfer whose final reply nobody has collected yet. */
  get open(): PendingCommand | undefined {
    return this.#open;
  }

  /** The entry that is due next, if anything is owed. */
  get due(): PendingCommand | undefined {
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
    return this.#queue.isLimited;
  }

  /** Sets the limit on bytes of commands without a reply; 0 for one command. */
  limitInFlight(size: number): void {
    this.#queue.limit(size);
  }

  /**
   * Expects the greeting.
   *
   * @param address Whose, for messages
   * @returns Its entry in the ledger
   */
  expectGreeting(address: string): PendingCommand {
    const describe = () => `connect to ${address}`;
    return this.#ledger.add(new PendingCommand(describe, "greeting", false));
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
  send(command: Command, options: SendOptions = {}): PendingCommand {
    const line = encodeCommand(command, this.encoding);
    const bytes = this.#isTelnet ? doubleIAC(line) : line;
    const encoding = this.encoding;
    const describe = () => describeCommand(command, encoding);
    if (this.#failure !== undefined) throw closed(describe(), this.#failure);
    if (this.#open !== undefined && this.#open !== options.during) {
      throw busy(describe(), this.#open);
    }
    const { kind = "command", pauses = false, replaces } = options;
    const entry = new PendingCommand(describe, kind, pauses);
    const pending = replaces === undefined
      ? this.#ledger.add(entry)
      : this.#ledger.replace(entry, replaces);
    pending.verb = command.verb.toUpperCase();
    pending.size = bytes.length;
    pending.isPipelined &&= this.#queue.isJoining && !options.during &&
      !this.#queue.isHolding;
    pending.isSecret = this.#secrets.note(command);
    pending.advice = options.advice;
    if (replaces !== undefined) {
      this.#queue.addFirst(bytes);
      this.#flush();
    } else {
      this.#write(bytes, options.during !== undefined);
    }
    // its reply may never come: what follows would be given another's
    if (kind === "passive" && replaces === undefined) this.#queue.hold();
    this.#options.tracer.emit("sent", describe);
    return pending;
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
    if (this.#watchdog.waits === 0) {
      this.#stream.ref();
      this.#begun = performance.now();
    }
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
   * Marks the final reply of a command as seen: where it was the open transfer,
   * commands may be sent again.
   *
   * @param pending The command's entry
   */
  collect(pending: PendingCommand): void {
    pending.isCollected = true;
    if (this.#open === pending) this.#open = undefined;
  }

  /**
   * Replaces the stream after a command that paused reading (`AUTH`, `CCC`).
   *
   * @param secure Makes the new stream from the old one
   * @throws {FTPProtocolError} If bytes came behind the reply, not protected by
   * what was just agreed (response injection); the connection is closed
   */
  async replaceStream(
    secure: (stream: ByteStream) => Promise<ByteStream>,
  ): Promise<void> {
    await this.#reading;
    if (this.#failure !== undefined) throw this.#failure;
    try {
      this.#stream.ref();
      this.#stream = await secure(this.#stream);
      if (this.#failure !== undefined) this.#stream.close(); // nobody knew it
    } catch (error) {
      const { failure = error } = this; // what was closed meanwhile breaks too
      this.fail(asError(error));
      throw failure;
    }
    if (this.#failure !== undefined) throw this.#failure;
    this.#isPaused = false;
    this.#reading = this.#run();
  }

  /**
   * Tells whoever traces the connection what no command and no reply shows.
   *
   * @param text Gives the text, printable and masked
   */
  tell(text: () => string): void {
    this.#options.tracer.emit("event", text);
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
    if (this.#isDoubtful) {
      this.#failure = reason; // for good now
      this.#isDoubtful = false;
    }
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

  /**
   * Closes a connection on which something may have been left behind.
   *
   * @param reason By what
   */
  giveUp(reason: Error): void {
    // not where the user has closed it: only where it broke over an abort
    if (this.#failure !== undefined && !this.#isBroken) return;
    if (this.#failure === undefined) this.fail(reason);
    this.#isDoubtful = true;
  }

  /** Resolves when the connection is closed and nothing reads any more. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /**
   * Writes a command in its turn, in one piece with others of the same moment;
   * what is urgent (`ABOR`) at once, before its data connection is closed.
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
        // that is no progress: who never answers may well read
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

  /** Whole lines are progress, but not for ever without an answer. */
  #take(bytes: Uint8Array): void {
    if (bytes.includes(LF)) this.#watchdog.touch();
    // where nothing may come behind a reply, each line is looked at by itself
    for (const part of this.#ledger.pauses ? linesOf(bytes) : [bytes]) {
      if (this.#isPaused) return this.fail(injected());
      for (const reply of this.#reader.push(part)) this.#deliver(reply);
    }
    if (this.#reader.error !== undefined) {
      this.#suspect();
      return this.fail(this.#reader.error);
    }
    if (!this.#queue.isEmpty) this.#flush();
    const isAwaited = this.#watchdog.waits > 0 && !this.#isIdle;
    const most = REPLY_TIMEOUTS * this.#options.timeout;
    if (isAwaited && most > 0 && performance.now() - this.#begun > most) {
      this.#expire(`the reply has no end after ${most} ms`);
    }
  }

  #deliver(reply: Reply): void {
    if (this.#failure !== undefined) return;
    this.#lastReply = reply;
    this.#options.tracer.emit(
      "received",
      () => printable(this.#mask(reply.text)),
    );
    const { due } = this;
    if (due !== undefined && this.#ledger.isMisplaced(reply)) {
      reply[CONCEAL]();
      return this.fail(misplaced(due, reply));
    }
    const pending = this.#ledger.deliver(reply);
    // what else is below 400 is data, until an error is made of it
    if (pending?.isSecret !== false || reply.code >= 400) reply[CONCEAL]();
    if (pending === undefined && reply.code !== 421) {
      return this.fail(outOfStep(reply));
    }
    if (pending !== undefined) {
      this.#queue.answered(pending, this.due === undefined);
      if (pending.kind === "passive" && pending.isSettled) {
        this.#passed(pending);
      }
    }
    const isPreliminary = pending?.preliminary === reply;
    if (isPreliminary && pending?.kind !== "passive") this.#open = pending;
    const isAnswer = pending?.isSettled || pending?.preliminary === reply;
    if (isAnswer) this.#begun = performance.now();
    if (pending?.isSettled && pending.pauses && reply.code < 400) {
      this.#isPaused = true;
    }
    if (reply.code === 421) {
      this.#wasIdle = pending === undefined && this.#open === undefined;
      this.fail(closedByReply(reply));
    }
  }

  /** Lets go what waited behind `EPSV`, or the `PASV` in its place. */
  #passed(pending: PendingCommand): void {
    const { replaces } = pending;
    if (replaces !== undefined) this.#queue.answered(replaces, false);
    if (this.due?.replaces !== pending) this.#queue.release();
  }

  #mask = (text: string): string => this.#secrets.mask(text);

  #ended(): void {
    this.#wasIdle = this.#isIdle && !this.#reader.hasPartial;
    if (this.#isClosing && this.due === undefined) {
      return this.fail(new Deno.errors.NotConnected("quit() was called"));
    }
    const isSuspect = this.#suspect(this.#ledger.isUnproven);
    this.#noteBroken(isSuspect);
    const { via } = this.#stream;
    this.fail(ended(this.due, this.#reader.hasPartial, isSuspect, via));
  }

  #expire(what = `no reply within ${this.#options.timeout} ms`): void {
    this.#noteBroken(this.#suspect());
    this.fail(expired(this.due, what, this.#reader.hint));
  }

  /** Whether the server may not bear what was pipelined: that is noted. */
  #suspect(isSuspect = isSuspicious(this.due)): boolean {
    if (isSuspect) this.#options.onDropped();
    return isSuspect;
  }

  /** Takes note of what was due when the connection broke, if it was that. */
  #noteBroken(isSuspect: boolean): void {
    this.#isBroken = true;
    if (!isSuspect) this.#lostOver = this.due;
  }

  get #isIdle(): boolean {
    return this.due === undefined && this.#open === undefined;
  }

  #closedBy(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#wasIdle = this.#isIdle;
    this.#noteBroken(this.#suspect(this.#ledger.isUnproven));
    this.fail(broken(this.due, error, this.#stream.via));
  }
}

/** Whether a command got no reply because others came with it; `EPSV` is swallowed for what it is. */
function isSuspicious(due: PendingCommand | undefined): boolean {
  return due?.isPipelined === true && due.kind !== "passive";
}
