/**
 * A control connection with its settings: modes, types and protection.
 *
 * @module
 */

import type { ControlConnection } from "../connection/control_connection.ts";
import { nextLoopTurn } from "../connection/pauses.ts";
import { noReplyError } from "../connection/control_errors.ts";
import { abortable, onAbort, withEither } from "../connection/waiting.ts";
import { asError } from "../protocol/with_message.ts";
import type { PortRange } from "../connection/dial.ts";
import type { Route } from "../connection/route.ts";
import type { PendingCommand } from "../connection/pending_commands.ts";
import type { TLSSession } from "../tls/session.ts";
import type { ByteStream } from "../connection/byte_stream.ts";
import type { Command } from "../protocol/command.ts";
import { replyError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import type { PortAhead } from "./port_ahead.ts";
import type { ServerProfile } from "./server_profile.ts";
import type { Transfer } from "./transfer.ts";
import { ReplyLimit } from "./reply_limit.ts";
import { SessionLock } from "./session_lock.ts";
import {
  CLOSING,
  isRepeatable,
  SessionState,
  SUPERFLUOUS,
} from "./session_state.ts";
import { ExclusiveTurn, Turn } from "./turn.ts";

/**
 * Mode of data connections. `true`: the client connects, with `EPSV` or else
 * `PASV`. "epsv" and "pasv": with this command only. `false`: the server
 * connects, with `PORT` or `EPRT`. "auto": the server connects if it refuses
 * passive mode.
 */
export type PassiveMode = boolean | "auto" | "epsv" | "pasv";

/** Options of a session that transfers use. */
export interface SessionOptions {
  /** Time limit of a wait without progress, in milliseconds; 0 for none. */
  timeout: number;
  /** The server, as the user named it. */
  host: string;
  /** Route of data connections. */
  route: Route;
  /** Mode of data connections. */
  passive: PassiveMode;
  /** Whether `EPRT` may be sent. */
  allowEPRT: boolean;
  /**
   * Address that is sent to the server in active mode, if it is not the local
   * one.
   */
  activeAddress?: string | undefined;
  /** Whether to use the address in a 227 reply, against RFC 2577. */
  trustPasvHost: boolean;
  /** Local address to listen on in active mode. */
  localAddress?: string | undefined;
  /** Ports to listen on in active mode. */
  activePorts: PortRange;
  /** Whether data is compressed where the server offers it. */
  compress: boolean;
  /** Longest line of a listing or text, in bytes. */
  maxLine: number;
  /** Largest size of entries kept at once, in bytes. */
  maxListing: number;
}

/** Protects data connections. */
export interface DataProtection {
  /** Prepares a data connection, before its port is requested. */
  prepare(turn: ExclusiveTurn, options: SignalOptions): Promise<void>;
  /**
   * Adds TLS to a data connection.
   *
   * @param stream The TCP connection
   * @param signal Aborts the handshake
   */
  secure(stream: ByteStream, signal?: AbortSignal): Promise<ByteStream>;
}

/** Options of a call that can be aborted. */
export interface SignalOptions {
  /** Aborts the call. */
  signal?: AbortSignal | undefined;
}

/** A control connection with its settings. */
export class Session {
  /** The options; `passive` changes with `setPasv`. */
  readonly options: SessionOptions;
  /** What is known about the server, shared with its other connections. */
  readonly profile: ServerProfile;
  /** The settings that the commands of this connection have made. */
  state: SessionState = new SessionState();
  /** Whether a `REST` may apply to the next transfer. */
  hasRestart = false;
  /** The last port in active mode. */
  activePort: number | undefined;
  /** The TLS session of the control connection. */
  tls: TLSSession | undefined;
  /** Protects data connections after `PROT P`. */
  protection: DataProtection | undefined;
  /** Whether data may be sent in clear text; `false` if TLS was requested. */
  isClearDataAllowed = true;
  /**
   * Verb of a command sent by hand that cannot be repeated on another
   * connection.
   */
  handmade: string | undefined;
  /** Orders proven stores: one at an offset needs the file of the call before. */
  readonly stores: SessionLock = new SessionLock();
  /** Opens another connection with the same login and settings. */
  renewal: (() => Promise<Session>) | undefined;
  #control: ControlConnection;
  /** The connection before this one. */
  #replaced: ControlConnection | undefined;
  #peer: readonly [host: string, port: number];
  #ended: AbortSignal;
  /** Pending ends of transfers. */
  readonly #endings: Promise<unknown>[] = [];
  #transfer: Transfer | undefined;
  #ahead: PortAhead | undefined;
  #renewing: Promise<void> | undefined;
  #unclaimed: PendingCommand[] = [];
  #replyLimit: ReplyLimit | undefined;
  /** Commands whose 1yz was returned. */
  readonly #begun = new WeakSet<PendingCommand>();
  readonly #claims = new SessionLock();
  /** Decides who may send commands. */
  readonly #lock = new SessionLock((signal) => this.ready(signal));
  readonly #turn: Turn;
  readonly #exclusiveTurn: ExclusiveTurn;

  /**
   * Wraps a control connection.
   *
   * @param peer Address and port of the server
   */
  constructor(
    control: ControlConnection,
    peer: readonly [host: string, port: number],
    options: SessionOptions,
    profile: ServerProfile,
  ) {
    this.#control = control;
    this.#peer = peer;
    this.options = options;
    this.profile = profile;
    const talking = {
      exchange: this.#exchange.bind(this),
      perform: this.#perform.bind(this),
    };
    this.#turn = new Turn(this, talking);
    this.#exclusiveTurn = new ExclusiveTurn(this, talking);
    const ending = new AbortController();
    this.#ended = ending.signal;
    onAbort(ending.signal, () => {}); // all waits share one listener
    control.closed.then(() => {
      ending.abort(control.failure);
      if (this.#control === control) this.#ahead?.drop(); // its error is kept
      if (!control.isHungUp) return;
      this.profile.noteHangUp(this.#causeOf(control), control);
    });
  }

  /** The control connection. Replaced by {@linkcode renew}. */
  get control(): ControlConnection {
    return this.#control;
  }

  /** Host and port of the server, for data connections too. */
  get peer(): readonly [host: string, port: number] {
    return this.#peer;
  }

  /** Aborted when the control connection has ended, with its reason. */
  get ended(): AbortSignal {
    return this.#ended;
  }

  /**
   * The open transfer, if {@linkcode openTransfer} opened it. Its pending command
   * alone knows whether it is open.
   */
  get transfer(): Transfer | undefined {
    return this.#transfer?.isOpen ? this.#transfer : undefined;
  }

  /** Takes the transfer that was opened. */
  set transfer(transfer: Transfer) {
    this.#transfer = transfer;
  }

  /** A port for the next transfer, if no later command may have closed it. */
  get ahead(): PortAhead | undefined {
    return this.#ahead;
  }

  /** Replaces the port for the next transfer, and closes its connection. */
  set ahead(ahead: PortAhead | undefined) {
    this.#ahead?.drop();
    this.#ahead = ahead;
  }

  /** Takes the port for the next transfer, if a call may use it. */
  takeAhead(signal: AbortSignal | undefined): PortAhead | undefined {
    const ahead = this.#ahead;
    this.#ahead = undefined; // a port is used for one connection
    if (ahead?.isFor(signal)) return ahead;
    ahead?.drop();
    return undefined;
  }

  /** Whether the control connection has failed, and cannot be replaced. */
  get isLost(): boolean {
    return this.#control.failure !== undefined && !this.#control.isDoubtful;
  }

  /**
   * Runs a call together with others: single commands, which are pipelined. It
   * starts at once unless another call has the session exclusively or waits for
   * that.
   */
  shared<T>(
    run: (turn: Turn) => Promise<T>,
    options?: SignalOptions,
  ): Promise<T> {
    return this.#lock.shared(() => run(this.#turn), options);
  }

  /** Runs a call after all earlier ones, and before all later ones. */
  exclusive<T>(
    run: (turn: ExclusiveTurn) => Promise<T>,
    options?: SignalOptions,
  ): Promise<T> {
    return this.#lock.exclusive(() => run(this.#exclusiveTurn), options);
  }

  /** Ends a transfer without a turn. Calls that need a turn wait for it. */
  async settle<T>(end: () => Promise<T>): Promise<T> {
    const ending = end();
    this.#endings.push(ending);
    try {
      return await ending;
    } finally {
      this.#endings.splice(this.#endings.indexOf(ending), 1);
    }
  }

  /**
   * Gives up the connection after a transfer that did not end regularly, unless
   * the server is known to leave nothing behind. The next call uses another
   * connection.
   *
   * The reply to `ABOR` does not prove that nothing is left. pyftpdlib sends
   * the file when the next data connection is opened. Pure-FTPd and ProFTPD
   * send the rest of a listing before the next one. ProFTPD loses a reply.
   *
   * @param command The transfer's command, printable and masked
   */
  doubt(command: string): void {
    this.ahead = undefined;
    // the server may close the connection because of it: the next call uses
    // another one
    const isOpen = this.#control.failure === undefined;
    if (isOpen && this.profile.leavesNothing) return;
    const hint = this.handmade === undefined
      ? "call reconnect()"
      : `"${this.handmade}", which was sent by hand, is not repeated automatically: call reconnect()`;
    this.#control.giveUp(
      new Deno.errors.NotConnected(
        `"${command}" did not end regularly, and this server may send the rest of it in the next transfer; ${hint}`,
      ),
    );
  }

  /**
   * Waits until nothing of an earlier transfer is left. Every call does this
   * first.
   *
   * @param options `isForced`: whether to replace the connection even if a
   * command sent by hand is lost
   * @returns The wait, or `undefined` if there is none
   */
  ready(
    signal: AbortSignal | undefined,
    { isForced = false }: { isForced?: boolean } = {},
  ): Promise<void> | undefined {
    const { transfer } = this;
    transfer?.endIfLeft();
    const isSettled = this.#endings.length === 0;
    const isFree = transfer === undefined && !this.#control.isDoubtful;
    if (isSettled && isFree) return undefined;
    const open = async () => {
      // a stream that was cancelled behind others is told a few steps later
      if (isSettled && transfer !== undefined) await nextLoopTurn(signal);
      transfer?.endIfLeft();
      await this.#settled(signal);
      // a command that cannot be repeated is not lost silently: the call throws
      if (isForced || this.handmade === undefined) await this.renew(signal);
    };
    return open();
  }

  /**
   * Replaces a connection that was given up, in a turn or before one.
   *
   * @throws {Error} `Deno.errors.*` if no connection can be opened
   */
  async renew(signal?: AbortSignal): Promise<void> {
    const { renewal } = this;
    if (!this.#control.isDoubtful || renewal === undefined) return;
    this.#renewing ??= renewal().then((other) => this.#adopt(other))
      .finally(() => this.#renewing = undefined);
    await abortable(this.#renewing, signal);
  }

  /**
   * Replaces a connection that the server closed after a command that is not
   * sent again. The caller has the turn, or comes before all turns.
   *
   * @param error The error of the connection
   * @returns Whether it was replaced; `false` if a command sent by hand would
   * be lost
   */
  async replace(error: unknown, signal?: AbortSignal): Promise<boolean> {
    const mayReplace = this.renewal !== undefined &&
      this.handmade === undefined && !signal?.aborted;
    if (!mayReplace) return false;
    this.#control.giveUp(asError(error));
    await this.renew(signal);
    return this.#control.failure === undefined;
  }

  /**
   * Runs a query. If the server closes the connection at a command that it may
   * not know, repeats the query on another connection. The second time in the
   * same place, this command is left out.
   *
   * @param options `isDone`: whether the query may not be repeated any more
   */
  async pastHangUps<T>(
    query: () => Promise<T>,
    { signal, isDone }: SignalOptions & { isDone?: () => boolean },
  ): Promise<T> {
    const passed = new Set<string>();
    for (;;) {
      const first = this.#control;
      try {
        return await query();
      } catch (error) {
        // the query may have replaced connections itself
        const isReplacement = this.#control !== first &&
          this.#control.failure === undefined;
        const control = isReplacement ? this.#replaced! : this.#control;
        // "": commands that were sent together; the next connection sends one
        // at a time
        const command = this.#causeOf(control);
        const isOther = !control.isHungUp || passed.has(command);
        if (isOther || isDone?.()) throw error;
        // perhaps by accident: the command is sent once more
        if (!this.profile.noteHangUp(command, control)) {
          passed.add(command);
          const [verb = ""] = command.split(" ", 1);
          if (verb !== "" && !this.profile.lacks(verb)) throw error;
        }
        // another call may have replaced it
        const isReplaced = this.#control !== control ||
          await this.replace(error, signal);
        if (!isReplaced) throw error;
      }
    }
  }

  /** Returns the command that made the server hang up; "" if unknown. */
  #causeOf({ unknown, hungUpAt }: ControlConnection): string {
    const { command = "" } = unknown ?? {};
    if (this.profile.isAvoidable(command)) return command;
    return hungUpAt?.command ?? command;
  }

  /** Waits until no end of a transfer is pending. */
  async #settled(signal?: AbortSignal): Promise<void> {
    while (this.#endings.length > 0) {
      await abortable(Promise.allSettled([...this.#endings]), signal);
    }
  }

  /** Takes over the connection of another session with the same settings. */
  #adopt(other: Session): void {
    if (!this.#control.isDoubtful) { // closed permanently meanwhile
      other.control.fail(this.#control.failure!);
      throw this.#control.failure;
    }
    this.#replaced = this.#control;
    this.#control = other.#control;
    this.#peer = other.#peer;
    this.#ended = other.#ended;
    this.tls = other.tls;
    this.state = other.state;
    this.protection = other.protection;
    this.isClearDataAllowed = other.isClearDataAllowed;
    this.handmade = undefined;
    this.hasRestart = false;
    this.ahead = undefined;
    this.#transfer = undefined;
    this.#unclaimed = [];
    this.#replyLimit = undefined;
  }

  /** A limit for waits on this connection, kept for the next wait. */
  replyLimit(limit: number): ReplyLimit {
    if (this.#replyLimit?.limit !== limit) {
      this.#replyLimit = new ReplyLimit(limit, this.#control.closed);
    }
    return this.#replyLimit;
  }

  /**
   * Runs a wait that is not for a reply, and aborts it with the session.
   *
   * @throws The failure of the control connection, if it comes first
   */
  async untilEnded<T>(
    signal: AbortSignal | undefined,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { ended } = this;
    return await (signal === undefined || signal === ended
      ? run(ended)
      : withEither(ended, signal, run));
  }

  /**
   * Sends commands while only the final reply of a transfer is due, if the
   * server takes commands together. The data must have ended: some servers
   * abort the transfer at any command.
   *
   * @returns Whether they were sent
   */
  askBehind(transfer: PendingCommand, ask: (turn: Turn) => void): boolean {
    const { control } = this;
    if (control.failure !== undefined) return false;
    const exchange = async (
      command: Command,
      { signal }: SignalOptions = {},
    ) => (await this.#ask(command, signal, transfer)).reply;
    const perform = async (command: Command, options?: SignalOptions) =>
      expectSuccess(await exchange(command, options), command.verb);
    ask(new Turn(this, { exchange, perform }));
    return true;
  }

  async #exchange(
    command: Command,
    { signal }: SignalOptions = {},
  ): Promise<Reply> {
    return (await this.#ask(command, signal)).reply;
  }

  async #perform(command: Command, options?: SignalOptions): Promise<Reply> {
    const { reply, pending } = await this.#ask(command, options?.signal);
    if (reply.code === SUPERFLUOUS && isChange(command)) {
      throw replyError(reply, pending.command);
    }
    return expectSuccess(reply, pending.command);
  }

  /**
   * Sends `ABOR`, the only command that may come during a dialogue. Returns a
   * reply of 1yz, 2yz or 3yz.
   */
  async sendAbort({ signal }: SignalOptions): Promise<Reply> {
    return (await this.#ask({ verb: "ABOR" }, signal)).reply;
  }

  /**
   * Sends a command without waiting; {@linkcode nextReply} returns its reply.
   */
  put(command: Command): void {
    this.#unclaimed.push(this.control.send(command, { advice: PUT_ADVICE }));
    this.#forget(command);
  }

  /**
   * Notes a command that the user sends literally. Another connection may not
   * have the same settings afterwards.
   */
  noteByHand(command: Command): void {
    const word = command.verb.toUpperCase();
    // the user is unknown now
    if (/^(USER|PASS|REIN)$/.test(word)) this.renewal = undefined;
    if (!isRepeatable(word, String(command.argument ?? ""))) {
      this.handmade = word;
    }
  }

  /**
   * Waits for the next reply: the final one of the open transfer, or those of
   * the commands sent by {@linkcode put}, in order. A command that opens a
   * transfer has two.
   *
   * @returns The reply, with any code, and the command it answers
   * @throws {TypeError} If no command is pending
   * @throws {Deno.errors.NotConnected} If the connection is closed
   */
  nextReply(
    options: SignalOptions = {},
  ): Promise<{ reply: Reply; command: string }> {
    return this.#claims.exclusive(() => this.#claim(options), options);
  }

  async #claim(
    { signal }: SignalOptions,
  ): Promise<{ reply: Reply; command: string }> {
    const { open, failure } = this.control;
    const own = this.#unclaimed.filter(({ isAcknowledged }) => !isAcknowledged);
    this.#unclaimed = own;
    const pending = open === undefined || own.includes(open) ? own[0] : open;
    if (pending === undefined) {
      if (failure !== undefined) throw noReplyError(failure);
      throw new TypeError("Cannot wait for a reply: no command is pending");
    }
    const isFirst = own.includes(pending) && !this.#begun.has(pending);
    const due = isFirst ? pending.first : pending.final;
    const reply = await this.control.wait(due, signal);
    if (reply.code < 200) this.#begun.add(pending);
    else this.control.acknowledge(pending);
    return { reply, command: pending.command };
  }

  async #ask(
    command: Command,
    signal: AbortSignal | undefined,
    behind?: PendingCommand,
  ): Promise<{ pending: PendingCommand; reply: Reply }> {
    signal?.throwIfAborted();
    const pending = this.control.send(command, {
      during: behind,
      isBehind: behind !== undefined,
    });
    const { state, control } = this;
    const { moves } = state;
    this.#forget(command);
    const reply = await control.wait(pending.first, signal);
    if (reply.code < 500 && reply.code !== CLOSING) {
      this.profile.noteKnown(command);
    }
    const isSecured = control.stream.info !== undefined;
    state.note(command, reply, { moves, isSecured });
    if (reply.code >= 400) throw replyError(reply, pending.command);
    return { pending, reply };
  }

  /** Discards what a command may change, because its reply may not be read. */
  #forget(command: Command): void {
    if (this.#ahead !== undefined && !LOOK_REGEXP.test(command.verb)) {
      this.ahead = undefined;
    }
    this.state.forget(command);
  }
}

/** Advice about a transfer that was opened by hand. */
const PUT_ADVICE = "await getresp() until it returns the final reply first";

/** Whether a command is meant to change a file or the directory. */
function isChange({ verb, argument, isLiteral }: Command): boolean {
  if (isLiteral) return false; // the user sees the reply
  if (!/^SITE$/i.test(verb)) return CHANGE_REGEXP.test(verb);
  const start = argument?.slice(0, LONGEST_SITE) ?? "";
  return SITE_CHANGE_REGEXP.test(
    typeof start === "string" ? start : String.fromCharCode(...start),
  );
}

/** Length of the longest word of `SITE` below, with a blank. */
const LONGEST_SITE = 6;
const CHANGE_REGEXP =
  /^(DELE|X?RMD|X?MKD|RNTO|X?CWD|CDUP|XCUP|MFMT|MFF|MFCT)$/i;
const SITE_CHANGE_REGEXP = /^(CHMOD|CPTO|UTIME) /i;

/** Commands that may come between the request for a port and its transfer. */
const LOOK_REGEXP = /^(TYPE|SIZE|MDTM|PWD|REST|NOOP)$/i;

/**
 * Checks that a command was completed.
 *
 * @throws {FTPReplyError} Unless the reply is 2yz (or the class of 4yz and 5yz)
 */
export function expectSuccess(reply: Reply, command: string): Reply {
  if (reply.code >= 200 && reply.code < 300) return reply;
  throw replyError(reply, command);
}
