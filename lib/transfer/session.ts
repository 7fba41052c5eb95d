/**
 * What one control connection is set to: modes, types and protection, and the
 * plain exchange of a command for a reply.
 *
 * @module
 */

import type { ControlConnection } from "../connection/control_connection.ts";
import { closedWaiting } from "../connection/control_errors.ts";
import { abortable } from "../connection/waiting.ts";
import { asError } from "../connection/with_message.ts";
import type { PortRange } from "../connection/dial.ts";
import type { Route } from "../connection/route.ts";
import type { PendingCommand } from "../connection/pending_commands.ts";
import type { TLSSession } from "../tls/session.ts";
import type { ByteStream } from "../connection/byte_stream.ts";
import type { HostPort } from "../protocol/address.ts";
import type { Command } from "../protocol/command.ts";
import { replyError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import type { ServerProfile } from "./server_profile.ts";
import type { Transfer } from "./transfer.ts";
import { SessionLock } from "./session_lock.ts";
import { ExclusiveTurn, Turn } from "./turn.ts";

/**
 * Who dials the data connection, and how it is asked for: `true`, the client, by
 * `EPSV` or else `PASV`; "epsv" and "pasv", by the one only; `false`, the server,
 * by `PORT` or `EPRT`; "auto", the server where it refuses passive mode.
 */
export type PassiveMode = boolean | "auto" | "epsv" | "pasv";

/** Settings that transfers look at. */
export interface SessionOptions {
  /** Milliseconds without progress that a wait may last; 0 for no limit. */
  timeout: number;
  /** The server's end of the control connection, as the user named it. */
  host: string;
  /** Which way data connections take. */
  route: Route;
  /** Whether the data connection is dialled by the client, and how. */
  passive: PassiveMode;
  /** Whether `EPRT` may be sent. */
  allowEPRT: boolean;
  /** Address that the server is told in active mode, if it is another. */
  activeAddress?: string | undefined;
  /** Whether the address in a 227 reply is used, against RFC 2577. */
  trustPasvHost: boolean;
  /** Local address to listen on in active mode. */
  localAddress?: string | undefined;
  /** Ports to listen on in active mode. */
  activePorts: PortRange;
  /** Whether data is compressed where the server offers it. */
  compress: boolean;
  /** Longest line of a listing or a text, in bytes. */
  maxLine: number;
  /** Most bytes of entries that are kept at once. */
  maxListing: number;
}

/** Protects data connections. */
export interface DataProtection {
  /**
   * Does what has to be done before a data connection is asked for.
   *
   * @param turn The right to talk alone
   * @param options A signal
   */
  prepare(turn: ExclusiveTurn, options: SignalOptions): Promise<void>;
  /**
   * Puts TLS on a data connection.
   *
   * @param stream The TCP connection
   * @param signal Ends the handshake
   * @returns The protected stream
   */
  secure(stream: ByteStream, signal?: AbortSignal): Promise<ByteStream>;
}

/** Which of a server's virtual hosts was chosen. */
export interface VirtualHost {
  /** The `HOST` command. */
  readonly command: Command;
  /** Whether it was sent under TLS: it may choose the certificate otherwise. */
  readonly isSecured: boolean;
}

/** What a wait may be given. */
export interface SignalOptions {
  /** Ends the call. */
  signal?: AbortSignal | undefined;
}

/** A port that the server was asked for before the transfer was opened. */
export interface PortAhead {
  /** Where to dial; rejects as the transfer would. */
  readonly address: Promise<HostPort>;
  /** Whose it is: the signal of the call that asked. */
  readonly signal: AbortSignal | undefined;
  /** When it was asked for, in milliseconds. */
  readonly at: number;
}

/** One control connection with its settings. */
export class Session {
  /** The settings; `passive` changes with `setPasv`. */
  readonly options: SessionOptions;
  /** What is known of the server, shared with its other connections. */
  readonly profile: ServerProfile;
  /** The representation type the server was last told, if any. */
  type: string | undefined;
  /** The current directory, if the server was asked for it. */
  directory: string | undefined;
  /** What leads there from the directory after login, if that is known. */
  moves: readonly Command[] | undefined = [];
  /**
   * The latest `MODE`, `STRU`, `LANG`, and `OPTS` of each feature that were
   * accepted.
   */
  readonly settings: Map<string, Command> = new Map();
  /** The latest `HOST` that was accepted (RFC 7151). */
  virtualHost: VirtualHost | undefined;
  /** The `AUTH` and `USER` that were sent: the features depend on them. */
  identity = "";
  /** Whether a `REST` of ours may wait for the next transfer command. */
  hasRestart = false;
  /** Where the server was told to connect last, in active mode. */
  activePort: number | undefined;
  /** A port for the next transfer, if nothing was sent that may close it. */
  ahead: PortAhead | undefined;
  /** The TLS session of the control connection, once there is one. */
  tls: TLSSession | undefined;
  /** Protects data connections after `PROT P`. */
  protection: DataProtection | undefined;
  /** Whether data may go in clear text: not where TLS was asked for. */
  isClearDataAllowed = true;
  /** The transfer whose final reply was not seen yet. */
  transfer: Transfer | undefined;
  /**
   * What was sent by hand and cannot be repeated on another connection: its
   * verb.
   */
  handmade: string | undefined;
  /** Opens another connection, logged in and set as this one is. */
  renewal: (() => Promise<Session>) | undefined;
  #control: ControlConnection;
  #peer: readonly [host: string, port: number];
  #ended: AbortSignal;
  /** Ends of transfers that are under way. */
  readonly #endings = new Set<Promise<unknown>>();
  #renewing: Promise<void> | undefined;
  #unclaimed: PendingCommand[] = [];
  /** Those whose 1yz was given. */
  readonly #begun = new WeakSet<PendingCommand>();
  readonly #claims = new SessionLock();
  /** Who may talk. */
  readonly #lock = new SessionLock((signal) => this.ready(signal));
  readonly #turn: Turn;
  readonly #exclusiveTurn: ExclusiveTurn;

  /**
   * Wraps a control connection.
   *
   * @param control The connection
   * @param peer Address and port of the server's end
   * @param options The settings
   * @param profile What is known of the server
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
    control.closed.then(() => {
      ending.abort(control.failure);
      const { lostOver, failure } = control;
      const hungUp = failure instanceof Deno.errors.UnexpectedEof;
      if (lostOver !== undefined && hungUp) {
        this.profile.noteHangUp(lostOver.command);
      }
    });
  }

  /** The control connection. It is another one after {@linkcode renew}. */
  get control(): ControlConnection {
    return this.#control;
  }

  /** Host and port that were dialled: the server, for data connections too. */
  get peer(): readonly [host: string, port: number] {
    return this.#peer;
  }

  /** Aborted when the control connection has ended, with the reason. */
  get ended(): AbortSignal {
    return this.#ended;
  }

  /** Whether the control connection has failed, and not for a doubt. */
  get isLost(): boolean {
    return this.#control.failure !== undefined && !this.#control.isDoubtful;
  }

  /**
   * Runs a call beside others: single commands, which are pipelined.
   *
   * @param run Talks; it starts at once unless a call has the session for
   * itself, or waits for that
   * @param options A signal; it ends the wait for the turn
   * @returns What `run` gives
   */
  shared<T>(
    run: (turn: Turn) => Promise<T>,
    options?: SignalOptions,
  ): Promise<T> {
    return this.#lock.shared(() => run(this.#turn), options);
  }

  /**
   * Runs a call when all before it are done, and lets none start until it is.
   *
   * @param run The dialogue
   * @param options A signal; it ends the wait for the turn
   * @returns What `run` gives
   */
  exclusive<T>(
    run: (turn: ExclusiveTurn) => Promise<T>,
    options?: SignalOptions,
  ): Promise<T> {
    return this.#lock.exclusive(() => run(this.#exclusiveTurn), options);
  }

  /**
   * Ends a transfer. Calls that want a turn meanwhile wait for it; it takes no
   * turn itself.
   *
   * @param end Ends the transfer, and what belongs to it
   * @returns What it gives
   */
  async settle<T>(end: () => Promise<T>): Promise<T> {
    const ending = end();
    this.#endings.add(ending);
    try {
      return await ending;
    } finally {
      this.#endings.delete(ending);
    }
  }

  /**
   * Takes note of a transfer that did not come to its end. What the server says
   * to `ABOR` does not prove that nothing is left: pyftpdlib sends the file
   * when the next data connection is opened, Pure-FTPd and ProFTPD put what was
   * left of a listing before the next, ProFTPD loses a reply. So the connection
   * is closed, unless the server is known to leave nothing, and the next call
   * has another.
   *
   * @param command The transfer's command, printable and masked
   */
  doubt(command: string): void {
    this.ahead = undefined;
    // a server may break the connection over it: the next call has another
    const isOpen = this.#control.failure === undefined;
    if (isOpen && this.profile.leavesNothing) return;
    const hint = this.handmade === undefined
      ? "call reconnect()"
      : `"${this.handmade}", which was sent by hand, is not repeated by itself: call reconnect()`;
    this.#control.giveUp(
      new Deno.errors.NotConnected(
        `"${command}" did not come to its end, and this server may give what is left of it to the next transfer; ${hint}`,
      ),
    );
  }

  /**
   * What a call waits for before it begins: that nothing of an earlier transfer
   * is left.
   *
   * @param signal Ends the wait
   * @param options Whether the connection may be another one although something
   * that was sent by hand is lost with it
   * @returns The wait; `undefined` where there is none
   */
  ready(
    signal: AbortSignal | undefined,
    { isForced = false }: { isForced?: boolean } = {},
  ): Promise<void> | undefined {
    this.transfer?.endIfLeft();
    const isSettled = this.#endings.size === 0;
    if (isSettled && !this.#control.isDoubtful) return undefined;
    const open = async () => {
      await this.#settled(signal);
      // what cannot be repeated is not lost in silence: the call throws
      if (isForced || this.handmade === undefined) await this.renew(signal);
    };
    return open();
  }

  /**
   * Has another control connection where this one was closed for a doubt, in
   * a turn or before one.
   *
   * @param signal Ends the wait
   * @throws {Error} `Deno.errors.*` if there is none to be had
   */
  async renew(signal?: AbortSignal): Promise<void> {
    const { renewal } = this;
    if (!this.#control.isDoubtful || renewal === undefined) return;
    this.#renewing ??= renewal().then((other) => this.#adopt(other))
      .finally(() => this.#renewing = undefined);
    await abortable(this.#renewing, signal);
  }

  /**
   * Has another control connection where the server has ended this one over a
   * command that is not sent again. The caller has the turn, or comes before all
   * turns.
   *
   * @param error How it ended
   * @param signal Ends the wait
   * @returns Whether there is another; not where something that was sent by hand
   * would be lost
   */
  async replace(error: unknown, signal?: AbortSignal): Promise<boolean> {
    const mayReplace = this.renewal !== undefined &&
      this.handmade === undefined && !signal?.aborted;
    if (!mayReplace) return false;
    this.#control.giveUp(asError(error));
    await this.renew(signal);
    return this.#control.failure === undefined;
  }

  /** Waits until no transfer is being ended. */
  async #settled(signal?: AbortSignal): Promise<void> {
    while (this.#endings.size > 0) {
      await abortable(Promise.allSettled([...this.#endings]), signal);
    }
  }

  /** Goes on with the connection of another session, set as this one. */
  #adopt(other: Session): void {
    if (!this.#control.isDoubtful) { // closed meanwhile, for good
      other.control.fail(this.#control.failure!);
      throw this.#control.failure;
    }
    this.#control = other.#control;
    this.#peer = other.#peer;
    this.#ended = other.#ended;
    this.tls = other.tls;
    this.identity = other.identity;
    this.protection = other.protection;
    this.isClearDataAllowed = other.isClearDataAllowed;
    this.type = other.type;
    this.directory = other.directory;
    this.moves = other.moves;
    this.virtualHost = other.virtualHost;
    this.handmade = undefined;
    this.hasRestart = false;
    this.ahead = undefined;
    this.transfer = undefined;
    this.#unclaimed = [];
  }

  /**
   * Waits for something else than a reply: the end of the session ends that too.
   *
   * @param signal The caller's
   * @param run Begins what is waited for, under a signal of either
   * @returns What `run` gives
   * @throws Why the control connection has failed, if it fails first
   */
  async untilEnded<T>(
    signal: AbortSignal | undefined,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { ended } = this;
    return await run(
      signal === undefined ? ended : AbortSignal.any([signal, ended]),
    );
  }

  async #exchange(
    command: Command,
    { signal }: SignalOptions = {},
  ): Promise<Reply> {
    return (await this.#ask(command, signal)).reply;
  }

  async #perform(command: Command, options?: SignalOptions): Promise<Reply> {
    const { reply, pending } = await this.#ask(command, options?.signal);
    return expectSuccess(reply, pending.command);
  }

  /**
   * Sends `ABOR`, the one command that may come in the middle of a dialogue.
   *
   * @param options A signal
   * @returns A reply of 1yz, 2yz or 3yz
   */
  async sendAbort({ signal }: SignalOptions): Promise<Reply> {
    return (await this.#ask({ verb: "ABOR" }, signal)).reply;
  }

  /**
   * Sends a command without waiting; {@linkcode nextReply} gives its reply.
   *
   * @param command The command
   */
  put(command: Command): void {
    this.#unclaimed.push(this.control.send(command, { advice: PUT_ADVICE }));
    this.#doubt(command);
  }

  /**
   * Takes note of a command that the user gives word for word: another
   * connection may not be set as this one then.
   *
   * @param command The command
   */
  noteByHand(command: Command): void {
    const word = command.verb.toUpperCase();
    // who is logged in is not known any more
    if (/^(USER|PASS|REIN)$/.test(word)) this.renewal = undefined;
    if (!isRepeatable(word, String(command.argument ?? ""))) {
      this.handmade = word;
    }
  }

  /**
   * Waits for the reply that is due next: the open transfer's final one, or
   * those of the commands that {@linkcode put} has sent, in order. One that
   * opens a transfer has two.
   *
   * @param options A signal
   * @returns The reply and the command it answers, whatever its code
   * @throws {TypeError} If nothing is owed
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
      if (failure !== undefined) throw closedWaiting(failure);
      throw new TypeError("Cannot wait for a reply: no command is owed one");
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
  ): Promise<{ pending: PendingCommand; reply: Reply }> {
    signal?.throwIfAborted();
    const pending = this.control.send(command);
    const { moves } = this;
    this.#doubt(command);
    const reply = await this.control.wait(pending.first, signal);
    this.#note(command, reply, moves);
    if (reply.code >= 400) throw replyError(reply, pending.command);
    return { pending, reply };
  }

  /** Forgets what a command may change: nobody may be there to see its reply. */
  #doubt(command: Command): void {
    const word = command.verb.toUpperCase();
    const isAfresh = /^(REIN|USER|AUTH)$/.test(word);
    if (!LOOK_REGEXP.test(word)) this.ahead = undefined;
    if (isAfresh) this.#noteIdentity(word, String(command.argument ?? ""));
    if (word === "REIN") {
      this.settings.clear();
      this.virtualHost = undefined;
    }
    if (isAfresh || word === "TYPE") this.type = undefined;
    if (isAfresh || isMove(command)) {
      this.directory = undefined;
      this.moves = isAfresh ? [] : undefined;
    }
  }

  /** Notes who the user is: another user may be shown other features. */
  #noteIdentity(word: string, argument: string): void {
    const others = this.identity.replace(/^USER .*\n/m, "");
    this.identity = word === "REIN" ? "" : `${others}${word} ${argument}\n`;
  }

  /** Follows what a command has changed, now that its reply is here. */
  #note(
    command: Command,
    reply: Reply,
    before: readonly Command[] | undefined,
  ): void {
    const isDone = reply.code < 300;
    if (reply.code < 500) this.profile.noteKnown(command.verb.toUpperCase());
    const argument = String(command.argument);
    const word = command.verb.toUpperCase();
    if (isDone && word === "TYPE") this.type = argument.toUpperCase();
    const setting = settingOf(word, argument);
    if (isDone && setting !== undefined) this.settings.set(setting, command);
    if (isDone && word === "HOST") {
      const isSecured = this.control.stream.info !== undefined;
      this.virtualHost = { command, isSecured };
    }
    if (!isMove(command)) return;
    if (!isDone) this.moves = before;
    else if (word === "SITE") this.moves = undefined; // told by other names now
    else if (argument.startsWith("/")) this.moves = [command];
    else if (before !== undefined && before.length < MAX_MOVES) {
      this.moves = [...before, command];
    }
  }
}

/** How a transfer ends that was opened by hand. */
const PUT_ADVICE = "await getresp() until it gives the final reply first";

/** What holds until it is said otherwise, beside the type: its name. */
function settingOf(word: string, argument: string): string | undefined {
  if (/^(MODE|STRU|LANG)$/.test(word)) return word;
  const [feature] = argument.toUpperCase().split(" ", 1);
  // of IBM i: what names look like
  const isKept = word === "OPTS" ||
    (word === "SITE" && /^(NAMEFMT|UMASK|IDLE)$/.test(feature!));
  return isKept ? `${word} ${feature}` : undefined;
}

function isMove({ verb, argument }: Command): boolean {
  return MOVE_REGEXP.test(verb) ||
    settingOf(verb.toUpperCase(), String(argument)) === "SITE NAMEFMT";
}

/** Commands that set nothing. */
const STATELESS_REGEXP =
  /^(NOOP|X?PWD|SIZE|MDTM|STAT|HELP|SYST|FEAT|ABOR|LIST|NLST|MLSD|MLST|RETR|STO[RU]|APPE|DELE|X?RMD|X?MKD|RNFR|RNTO|MFMT|MFCT|MFF|AVBL|HASH|MD5|X(CRC|MD5|SHA1?|SHA256|SHA512)|ALLO|REST|QUIT|PASV|EPSV|PORT|EPRT|HOST)$/;

/** Of `SITE`: what changes a file, and nothing of the session. */
const STATELESS_SITE_REGEXP =
  /^(CHMOD|CHOWN|CHGRP|UTIME|HELP|SYMLINK|CPFR|CPTO|MKDIR|RMDIR)\b/i;

/** Whether another connection can be as it is after a command. */
function isRepeatable(word: string, argument: string): boolean {
  if (word === "TYPE") return /^[AI]$/i.test(argument);
  if (word === "SITE" && STATELESS_SITE_REGEXP.test(argument)) return true;
  return STATELESS_REGEXP.test(word) || MOVE_REGEXP.test(word) ||
    settingOf(word, argument) !== undefined;
}

/** What is sent between the request for a port and its transfer. */
const LOOK_REGEXP = /^(TYPE|SIZE|MDTM|PWD|REST|NOOP)$/;

/** What changes the directory. */
const MOVE_REGEXP = /^(X?CWD|CDUP|XCUP|SMNT)$/i;

/** Most steps that are taken again to return to a directory. */
const MAX_MOVES = 100;

/**
 * Insists on a completed command.
 *
 * @param reply The reply
 * @param command The command, printable and masked
 * @returns The reply
 * @throws {FTPReplyError} Unless it is 2yz (or the class of 4yz and 5yz)
 */
export function expectSuccess(reply: Reply, command: string): Reply {
  if (reply.code >= 200 && reply.code < 300) return reply;
  throw replyError(reply, command);
}
