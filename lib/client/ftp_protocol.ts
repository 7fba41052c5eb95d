/**
 * The protocol level: Python's `ftplib.FTP` and `ftplib.FTP_TLS`, name for
 * name.
 *
 * @module
 */

import {
  changeDirectory,
  deleteFile,
  rename,
  requestSize,
} from "../commands/files.ts";
import {
  connectionOver,
  type DataConnection,
} from "../connection/data_connection.ts";
import type { DataListener } from "../connection/dial.ts";
import { checkActive } from "../connection/route.ts";
import type { TLSInfo } from "../connection/tls_info.ts";
import { parseFacts } from "../listing/facts.ts";
import { formatEprt, formatPort, type HostPort } from "../protocol/address.ts";
import {
  checkNames,
  checkSignal,
  type NamesOf,
} from "../protocol/check_names.ts";
import { checkNumber } from "../protocol/check_number.ts";
import { showValue } from "../protocol/check_word.ts";
import { encodeCommand, parseCommand, type Path } from "../protocol/command.ts";
import { FTPPermanentError, replyError } from "../protocol/errors.ts";
import { printableText } from "../protocol/printable.ts";
import type { Reply } from "../protocol/reply.ts";
import { parse257, parseDirectory } from "../protocol/reply_values.ts";
import { abortOpen } from "../transfer/abort.ts";
import { requestActive } from "../transfer/data_channel.ts";
import { keepLines } from "../transfer/kept_lines.ts";
import {
  openTransfer,
  type TransferOptions,
} from "../transfer/open_transfer.ts";
import { requestPassive } from "../transfer/passive.ts";
import type { Turn } from "../transfer/turn.ts";
import {
  iterateLines,
  receiveBlocks,
  receiveLines,
} from "../transfer/receive.ts";
import { sendBlocks, sendLines } from "../transfer/send.ts";
import {
  expectSuccess,
  type PassiveMode,
  type SignalOptions,
} from "../transfer/session.ts";
import type { Source } from "../transfer/source.ts";
import { checkCredentials, resolveCredentials } from "./dialogues.ts";
import { authAs, enter, loginAs } from "./enter.ts";
import {
  checkAddress,
  type FTPOptions,
  optionsOf,
  resolveOptions,
  type Server,
  type Settings,
} from "./options.ts";
import { auth, ccc, protC, protP, withNewerTLS } from "./security.ts";
import { settingsOf } from "./session_settings.ts";
import type { Command } from "../protocol/command.ts";
import { checkPath } from "./check_path.ts";
import { ClientConnection } from "./client_connection.ts";

/** The connection of a client, for the other files of this folder. */
export let connectionOf: (client: FTPProtocol) => ClientConnection;

/** Bytes of one block, as in ftplib. */
const BLOCKSIZE = 8192;

/** Options of `retrbinary`. */
export interface RetrbinaryOptions {
  /**
   * Most bytes of one block.
   *
   * @default 8192
   */
  blocksize?: number | undefined;
  /**
   * Whether all blocks lie in one buffer: faster, and a block is valid only
   * until the callback returns or its promise is settled. Memory is the same
   * for a file of any size then. Without, every block is the callback's to keep,
   * and those that it does not keep are garbage until the platform collects
   * them: some tens of megabytes more in a transfer of many gigabytes.
   *
   * @default false
   */
  reuse?: boolean | undefined;
  /** Offset to start at, in bytes (`REST`). */
  rest?: number | string | undefined;
  /** Aborts the transfer. */
  signal?: AbortSignal | undefined;
}

/** Options of `storbinary`. */
export interface StorbinaryOptions extends Omit<RetrbinaryOptions, "reuse"> {
  /** Called with each block that was written, and awaited. */
  callback?: ((block: Uint8Array) => unknown) | undefined;
}

const RETRBINARY_OPTIONS: NamesOf<RetrbinaryOptions> = {
  blocksize: true,
  reuse: true,
  rest: true,
  signal: true,
};

const STORBINARY_OPTIONS: NamesOf<StorbinaryOptions> = {
  blocksize: true,
  callback: true,
  rest: true,
  signal: true,
};

/**
 * One connection to an FTP server, with the methods of Python's `ftplib.FTP` and
 * `ftplib.FTP_TLS`, name for name.
 *
 * | task             | methods |
 * | ---------------- | ------- |
 * | connection       | {@linkcode FTPProtocol.prototype.connect connect}, {@linkcode FTPProtocol.prototype.getwelcome getwelcome}, {@linkcode FTPProtocol.prototype.login login}, {@linkcode FTPProtocol.prototype.acct acct}, {@linkcode FTPProtocol.prototype.clone clone}, {@linkcode FTPProtocol.prototype.quit quit}, {@linkcode FTPProtocol.prototype.close close} |
 * | TLS              | {@linkcode FTPProtocol.prototype.auth auth}, {@linkcode FTPProtocol.prototype.protP protP}, {@linkcode FTPProtocol.prototype.protC protC}, {@linkcode FTPProtocol.prototype.ccc ccc}, {@linkcode FTPProtocol.prototype.tls tls} |
 * | commands         | {@linkcode FTPProtocol.prototype.sendcmd sendcmd}, {@linkcode FTPProtocol.prototype.voidcmd voidcmd}, {@linkcode FTPProtocol.prototype.putcmd putcmd}, {@linkcode FTPProtocol.prototype.getresp getresp}, {@linkcode FTPProtocol.prototype.voidresp voidresp}, {@linkcode FTPProtocol.prototype.abort abort} |
 * | transfers        | {@linkcode FTPProtocol.prototype.retrbinary retrbinary}, {@linkcode FTPProtocol.prototype.retrlines retrlines}, {@linkcode FTPProtocol.prototype.storbinary storbinary}, {@linkcode FTPProtocol.prototype.storlines storlines}, {@linkcode FTPProtocol.prototype.ntransfercmd ntransfercmd}, {@linkcode FTPProtocol.prototype.transfercmd transfercmd} |
 * | listings         | {@linkcode FTPProtocol.prototype.nlst nlst}, {@linkcode FTPProtocol.prototype.dir dir}, {@linkcode FTPProtocol.prototype.mlsd mlsd} |
 * | files            | {@linkcode FTPProtocol.prototype.size size}, {@linkcode FTPProtocol.prototype.delete delete}, {@linkcode FTPProtocol.prototype.rename rename} |
 * | directories      | {@linkcode FTPProtocol.prototype.cwd cwd}, {@linkcode FTPProtocol.prototype.pwd pwd}, {@linkcode FTPProtocol.prototype.mkd mkd}, {@linkcode FTPProtocol.prototype.rmd rmd} |
 * | data connections | {@linkcode FTPProtocol.prototype.setPasv setPasv}, {@linkcode FTPProtocol.prototype.passiveserver passiveserver}, {@linkcode FTPProtocol.prototype.makepasv makepasv}, {@linkcode FTPProtocol.prototype.makeport makeport}, {@linkcode FTPProtocol.prototype.sendport sendport}, {@linkcode FTPProtocol.prototype.sendeprt sendeprt} |
 * | state            | {@linkcode FTPProtocol.prototype.host host}, {@linkcode FTPProtocol.prototype.port port}, {@linkcode FTPProtocol.prototype.timeout timeout}, {@linkcode FTPProtocol.prototype.encoding encoding}, {@linkcode FTPProtocol.prototype.connected connected}, {@linkcode FTPProtocol.prototype.lastresp lastresp}, {@linkcode FTPProtocol.prototype.setDebuglevel setDebuglevel} |
 *
 * Errors are of two kinds. {@linkcode FTPError} and its subclasses carry a
 * `reply`: the server refused, and the connection is usable, except after 421.
 * `Deno.errors.*`, and an {@linkcode FTPProtocolError} without a reply, mean that
 * the connection failed. It is closed, and every later call throws
 * `Deno.errors.NotConnected` with the cause.
 *
 * Two errors are thrown before anything is sent and change nothing:
 * `Deno.errors.Busy` while a transfer is open, and `TypeError` or `RangeError`
 * for an argument that cannot be sent. An aborted `signal` rejects with its reason
 * and leaves the connection usable, unless the method says otherwise.
 *
 * Commands that are not awaited one by one are pipelined: written at once, replies
 * matched in order. While a data transfer is open, any other command is refused
 * with `Deno.errors.Busy`, and the transfer continues.
 */
export class FTPProtocol implements AsyncDisposable {
  #connection: ClientConnection = new ClientConnection();
  readonly #settings: Settings;
  #server: Server;
  #welcome: Reply | undefined;

  static {
    connectionOf = (client) => client.#connection;
  }

  /**
   * Makes a client. Nothing is sent before {@linkcode FTPProtocol.prototype.connect connect}.
   *
   * @param options Settings for the life of the client
   * @throws {RangeError} If a number is negative or an encoding unknown
   * @throws {TypeError} If a word is none of those allowed
   */
  constructor(options: FTPOptions = {}) {
    this.#settings = resolveOptions(options);
    this.#server = { host: "", port: 0, tls: this.#settings.tls };
  }

  /** The host that was dialled. */
  get host(): string {
    return this.#server.host;
  }

  /** The port that was dialled. */
  get port(): number {
    return this.#server.port;
  }

  /** Milliseconds without progress that a wait may last. */
  get timeout(): number {
    return this.#settings.timeout;
  }

  /** The encoding of names and replies. */
  get encoding(): string {
    return this.#settings.encoding.label;
  }

  /** Whether the client dials the data connection. */
  get passiveserver(): boolean {
    return this.#settings.passive !== false;
  }

  /**
   * Chooses who dials the data connection from here on.
   *
   * @param value As the option `passive`: `true` for the client, `false` for the
   * server
   * @throws {TypeError} If it is `false`, and `dial` is set: the server could not
   * connect to this machine
   */
  setPasv(value: PassiveMode): void {
    checkNames("setPasv", { passive: value }, { passive: true });
    if (value === false) checkActive(this.#settings.route);
    this.#settings.passive = value;
    const session = this.#connection.sessionIfAny;
    if (session !== undefined) session.options.passive = value;
  }

  /** The code of the last reply, as ftplib has it: three digits, or "". */
  get lastresp(): string {
    return `${this.#connection.sessionIfAny?.control.lastReply?.code ?? ""}`;
  }

  /** What is known of TLS on the control connection; `undefined` without. */
  get tls(): TLSInfo | undefined {
    return this.#connection.sessionIfAny?.control.stream.info;
  }

  /** Whether the connection is open, as far as is known. */
  get connected(): boolean {
    const session = this.#connection.sessionIfAny;
    return session !== undefined && session.control.failure === undefined;
  }

  /**
   * Connects and reads the welcome. With implicit TLS the handshake comes
   * first.
   *
   * A connection that is open, or is being opened, is closed first, and what was
   * begun on it ends with `Deno.errors.NotConnected`: transfers, the waits
   * before they are tried again, whole directories. None goes on here.
   *
   * Requires `allow-net` permission.
   *
   * @tags allow-net
   * @param host A name, which may have letters beyond ASCII, or an address
   * @param port A TCP port; 990 is the default with implicit TLS
   * @param options A signal
   * @returns The welcome, 2yz
   * @throws {FTPError} If the welcome is 4yz or 5yz; the connection is closed
   * @throws {TypeError} If the host is empty or a URL
   * @throws {RangeError} If the port is not 1 to 65535
   * @throws {Deno.errors.NotConnected} If the client is closed, disposed of or
   * connected again before there is a connection
   * @throws {Error} `Deno.errors.*` if there is no connection to be had
   */
  async connect(
    host: string,
    port: number = this.#settings.tls?.mode === "implicit" ? 990 : 21,
    options: SignalOptions = {},
  ): Promise<Reply> {
    const name = checkAddress(host, port);
    checkSignal(options.signal);
    this.#connection.end("connect() was called");
    const connection = this.#connection = new ClientConnection();
    this.#welcome = undefined;
    this.#server = { host: name, port, tls: this.#settings.tls };
    return await withNewerTLS(
      { host: name, port, tls: this.#settings.tls },
      (server) => this.#open(connection, server, options),
    );
  }

  /**
   * The welcome that {@linkcode FTPProtocol.prototype.connect connect} read.
   *
   * @returns The reply
   * @throws {Deno.errors.NotConnected} Before `connect`
   */
  getwelcome(): Reply {
    if (this.#welcome !== undefined) return this.#welcome;
    throw new Deno.errors.NotConnected(
      "Cannot talk to a server: call connect() first",
    );
  }

  /**
   * Shows what is sent and received, on standard error, secrets masked. It may
   * be called before {@linkcode FTPProtocol.prototype.connect connect}.
   *
   * @param level 0 for nothing, 1 for commands and replies, 2 for events too
   */
  setDebuglevel(level: number): void {
    checkNumber("level", level);
    this.#settings.tracer.level = level;
  }

  /**
   * Logs in (RFC 959 section 4.1.1). With explicit TLS the control connection
   * is secured first, and the data connections after (`PROT P`).
   *
   * Where another user was logged in, what was begun as that user ends with
   * `Deno.errors.NotConnected`, as at {@linkcode FTPProtocol.prototype.connect connect}.
   *
   * @param user The user; "" is "anonymous"
   * @param passwd The password, where the server asks for one (331); anonymous
   * users send "anonymous@"
   * @param acct The account, where the server asks for one (332)
   * @param options A signal; if it is aborted while the connection is being
   * secured, it is closed
   * @returns The 2yz reply
   * @throws {FTPPermanentError} If user or password are wrong (530)
   * @throws {FTPError} If the server refuses, `AUTH` or `PROT` too: with TLS
   * nothing secret was sent in clear text then
   * @throws {TLSError} If TLS fails or the server cannot be trusted; the
   * connection is closed
   */
  async login(
    user = "anonymous",
    passwd = "",
    acct = "",
    options: SignalOptions = {},
  ): Promise<Reply> {
    const credentials = resolveCredentials(user, passwd, acct);
    const settings = this.#settings;
    const session = this.#connection.session;
    checkCredentials(credentials, session.control.encoding);
    return await session.exclusive((turn) => {
      const connection = this.#connection = this.#connection.admit(
        session,
        credentials,
      );
      const before = settingsOf(session);
      return withNewerTLS(this.#server, async (server) => {
        const identity = { server, settings, credentials };
        const isSame = server === this.#server;
        const welcome = isSame
          ? this.#welcome!
          : await this.#open(connection, server, options);
        const reply = isSame
          ? await enter(turn, welcome, identity, options)
          : await connection.session.exclusive(
            (turn) => loginAs(turn, welcome, identity, before, options),
            options,
          );
        connection.remember(identity);
        return reply;
      });
    }, options);
  }

  async #open(
    connection: ClientConnection,
    server: Server,
    options: SignalOptions,
  ): Promise<Reply> {
    const welcome = await connection.open(server, this.#settings, options);
    this.#server = server;
    return this.#welcome = welcome;
  }

  /**
   * Takes leave (`QUIT`) and closes the connection, also where the server
   * refuses.
   *
   * @param options A signal; if it is aborted the connection stays open
   * @returns The 2yz reply
   * @throws {FTPError} If the reply is another
   * @throws {Deno.errors.Busy} If a transfer is open, which goes on
   * @throws {Deno.errors.UnexpectedEof} If the server closes without a reply
   */
  async quit(options: SignalOptions = {}): Promise<Reply> {
    return await this.#connection.quit(options);
  }

  /**
   * Opens another connection like this one: to the same server, by the same
   * user, under the same protection, in the same directory, and with what
   * `TYPE`, `MODE`, `STRU` and `OPTS` have set. A connection carries one
   * transfer at a time: several at once need several. Whoever opens one closes
   * it. Servers limit how many they let one user have.
   *
   * Requires `allow-net` permission.
   *
   * @tags allow-net
   * @param options A signal
   * @returns A client of its own, made by the constructor of this one's class
   * @throws {Deno.errors.NotConnected} If no user is logged in, the directory is
   * not known, or this client is closed meanwhile
   * @throws {FTPError} If the server refuses
   * @throws {Error} `Deno.errors.*` if there is no connection to be had
   *
   * @example Fetch two files at once
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * await using twin = await ftp.clone();
   * await Promise.all([ftp.download("a", "a"), twin.download("b", "b")]);
   * ```
   */
  async clone(options: SignalOptions = {}): Promise<this> {
    const Class = this.constructor as new (options: FTPOptions) => this;
    const twin = new Class(optionsOf(this.#settings));
    const settings = twin.#settings;
    settings.tracer.level = this.#settings.tracer.level;
    const opened = await this.#connection.openFor(settings, options);
    twin.#connection = opened.connection;
    twin.#server = opened.server;
    twin.#welcome = opened.welcome;
    return twin;
  }

  /**
   * Closes the connections at once, without a word to the server. What is under
   * way ends with `Deno.errors.NotConnected`: calls, transfers and the waits
   * before they are tried again, {@linkcode FTPProtocol.prototype.connect connect} and `reconnect` too.
   */
  close(): void {
    this.#connection.end("close() was called");
  }

  /**
   * Takes leave if that is possible without waiting long, and closes as
   * {@linkcode FTPProtocol.prototype.close close} does.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]();
  }

  /**
   * Secures the control connection (`AUTH TLS`, RFC 4217). {@linkcode FTPProtocol.prototype.login login}
   * does it by itself when the option `tls` is set. Where the server knows
   * nothing older than TLS 1.3, both connect once more, for that; without the
   * option, which may say so, this speaks TLS 1.2 only.
   *
   * @param options A signal; if it is aborted the connection is closed
   * @returns The 234 reply
   * @throws {FTPError} If the server refuses; the connection is in clear text
   * @throws {TLSError} If TLS fails or the server cannot be trusted; the
   * connection is closed
   * @throws {TypeError} If the connection is under TLS already
   */
  async auth(options: SignalOptions = {}): Promise<Reply> {
    const session = this.#connection.session;
    return await session.exclusive((turn) => {
      const connection = this.#connection;
      const before = settingsOf(session);
      return withNewerTLS(this.#server, async (server) => {
        if (server === this.#server) {
          return await auth(turn, server, options);
        }
        const welcome = await this.#open(connection, server, options);
        return await connection.session.exclusive(
          (turn) => authAs(turn, welcome, server, before, options),
          options,
        );
      });
    }, options);
  }

  /**
   * Protects data connections from here on (`PBSZ 0`, `PROT P`, RFC 4217
   * section 9).
   *
   * @param options A signal
   * @returns The 2yz reply to `PROT`
   * @throws {FTPError} If the server refuses; no data is sent in clear text then
   * unless {@linkcode FTPProtocol.prototype.protC protC} is called
   * @throws {TypeError} If the control connection is not under TLS
   */
  async protP(options: SignalOptions = {}): Promise<Reply> {
    const session = this.#connection.session;
    return await session.exclusive((turn) => protP(turn, options), options);
  }

  /**
   * Leaves data connections in clear text from here on (`PROT C`, RFC 4217
   * section 9).
   *
   * @param options A signal
   * @returns The 2yz reply; or, where no data was protected on this connection,
   * the refusal of a server that has no `PROT`, whose data is in clear text anyway
   * @throws {FTPError} If the server refuses; data stays protected
   */
  async protC(options: SignalOptions = {}): Promise<Reply> {
    const session = this.#connection.session;
    return await session.exclusive((turn) => protC(turn, options), options);
  }

  /**
   * Returns the control connection to clear text (`CCC`, RFC 4217 section
   * 12.3), for firewalls that must read it. Data connections keep their
   * protection.
   *
   * @param options A signal; if it is aborted the connection is closed
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses
   * @throws {TypeError} If the control connection is not under TLS
   */
  async ccc(options: SignalOptions = {}): Promise<Reply> {
    const session = this.#connection.session;
    return await session.exclusive((turn) => ccc(turn, options), options);
  }

  /**
   * Sends a command and waits for the reply.
   *
   * @param cmd The whole command line
   * @param options A signal
   * @returns A reply of 1yz, 2yz or 3yz. After 1yz the final reply is still
   * owed: see {@linkcode FTPProtocol.prototype.voidresp voidresp}
   * @throws {FTPTemporaryError} For 4yz
   * @throws {FTPPermanentError} For 5yz
   * @throws {TypeError} If the line has CR, LF or NUL; nothing is sent
   * @throws {Deno.errors.Busy} If a transfer is open, which goes on
   * @throws {Error} `Deno.errors.*` if the connection fails
   */
  async sendcmd(cmd: string, options: SignalOptions = {}): Promise<Reply> {
    const session = this.#connection.session;
    const command = parseCommand(cmd);
    return await session.shared((turn) => {
      session.noteByHand(command);
      return turn.exchange(command, options);
    }, options);
  }

  /**
   * Sends a command that must be answered with 2yz.
   *
   * @param cmd The whole command line
   * @param options A signal
   * @returns The reply
   * @throws {FTPReplyError} For 1yz and 3yz
   * @throws {FTPError} As {@linkcode FTPProtocol.prototype.sendcmd sendcmd}
   */
  async voidcmd(cmd: string, options: SignalOptions = {}): Promise<Reply> {
    const session = this.#connection.session;
    const command = parseCommand(cmd);
    return await session.shared((turn) => {
      session.noteByHand(command);
      return turn.perform(command, options);
    }, options);
  }

  /**
   * Sends a command and does not wait; {@linkcode FTPProtocol.prototype.getresp getresp} gives the reply.
   *
   * @param cmd The whole command line
   * @throws {TypeError} If the line has CR, LF or NUL; nothing is sent
   * @throws {Deno.errors.Busy} If a transfer is open, which goes on
   */
  async putcmd(cmd: string): Promise<void> {
    const session = this.#connection.session;
    return await session.shared(() => {
      const command = parseCommand(cmd);
      session.noteByHand(command);
      session.put(command);
      return Promise.resolve();
    });
  }

  /**
   * Waits for the reply that is owed next: of {@linkcode FTPProtocol.prototype.putcmd putcmd}, or the final
   * one of an open transfer. A command that opens a transfer has two, 1yz and
   * the final one.
   *
   * @param options A signal
   * @returns A reply of 1yz, 2yz or 3yz
   * @throws {FTPError} For 4yz and 5yz
   * @throws {TypeError} If no reply is owed, or the data connection is open
   * @throws {Deno.errors.NotConnected} If the connection is closed
   */
  async getresp(options: SignalOptions = {}): Promise<Reply> {
    const session = this.#connection.session;
    if (session.transfer !== undefined) {
      return await session.transfer.collect(options);
    }
    const { reply, command } = await session.nextReply(options);
    if (reply.code >= 400) throw replyError(reply, command);
    return reply;
  }

  /**
   * Waits for the reply that is owed next, which must be 2yz. After
   * `ntransfercmd` it is the server's word that the transfer is
   * complete: call it when the data connection is closed.
   *
   * @param options A signal
   * @returns The reply
   * @throws {FTPError} Unless it is 2yz
   * @throws {Deno.errors.Interrupted} If a download over TLS was closed here
   * before the end of its data; the connection is usable
   * @throws {TypeError} If no reply is owed, or the data connection is open
   * @throws {Error} Why the data connection failed or was aborted here, although
   * the reply may be 2yz
   */
  async voidresp(options: SignalOptions = {}): Promise<Reply> {
    return expectSuccess(await this.getresp(options), "voidresp");
  }

  /**
   * Sends account information (`ACCT`, RFC 959 section 4.1.1).
   *
   * @param password The account
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} As {@linkcode FTPProtocol.prototype.voidcmd voidcmd}
   */
  async acct(password: string, options: SignalOptions = {}): Promise<Reply> {
    const command = { verb: "ACCT", argument: password, name: "password" };
    this.#connection.session.noteByHand(command);
    return await this.#perform(command, options);
  }

  /**
   * Aborts the open transfer (`ABOR`, RFC 959 section 4.1.3): its data
   * connection is closed, and all replies that are owed are taken. Where no
   * transfer is open `ABOR` is sent all the same.
   *
   * A server may give what is left of the transfer to the next one, whatever it
   * says. So the connection is closed then, unless the server is known to leave
   * nothing (vsftpd), {@linkcode FTPProtocol.prototype.connected FTP.connected} is false, and the next
   * call connects, logs in and sets type, directory and options again. Where
   * something was sent by hand that is not repeated (`SITE`, `CLNT`, `ACCT`...),
   * or no user is logged in, that call throws `Deno.errors.NotConnected`, and
   * `reconnect()` is needed.
   *
   * @param options A signal
   * @returns The reply to `ABOR`: 225, 226 or 426
   * @throws {FTPError} For any other code
   * @throws {Deno.errors.TimedOut} If what is owed does not come within five
   * seconds; the connection is closed
   */
  async abort(options: SignalOptions = {}): Promise<Reply> {
    const session = this.#connection.session;
    const wasConnected = this.connected;
    const aborted = await abortOpen(session);
    const { failure } = session.control;
    const isLate = failure instanceof Deno.errors.TimedOut;
    if (wasConnected && (session.isLost || isLate)) throw failure;
    let reply = aborted;
    if (reply === undefined) {
      await session.ready(options.signal);
      reply = await session.sendAbort(options);
    }
    if (![225, 226, 426].includes(reply.code)) throw replyError(reply, "ABOR");
    return reply;
  }

  /**
   * Asks the server to listen (`EPSV`, RFC 2428, else `PASV`, RFC 959). Over
   * IPv6 there is only `EPSV`.
   *
   * @param options A signal
   * @returns Host and port to dial; the host is that of the control connection,
   * unless `trustPasvHost` is set
   * @throws {FTPError} If the server refuses
   * @throws {FTPProtocolError} If the reply names no port
   */
  async makepasv(options: SignalOptions = {}): Promise<HostPort> {
    const session = this.#connection.session;
    return await session.exclusive(
      (turn) => requestPassive(turn, options),
      options,
    );
  }

  /**
   * Listens and tells the server where (`PORT`, `EPRT`). The caller accepts
   * and closes.
   *
   * Requires `allow-net` permission.
   *
   * @tags allow-net
   * @param options A signal
   * @returns The listener; its `accept()` takes the server's connection only
   * @throws {FTPError} If the server refuses
   * @throws {Deno.errors.AddrInUse} If no port of `activePorts` is free
   *
   * @example Let the server connect
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * const listener = await ftp.makeport();
   * await ftp.sendcmd("NLST"); // 150: it connects
   * const conn = await listener.accept();
   * listener.close();
   * const buffer = new Uint8Array(8192);
   * for (let n; (n = await conn.read(buffer)) !== null;) console.log(n);
   * conn.close();
   * await ftp.voidresp();
   * ```
   */
  async makeport(options: SignalOptions = {}): Promise<DataListener> {
    const session = this.#connection.session;
    return await session.exclusive(
      (turn) => requestActive(turn, options),
      options,
    );
  }

  /**
   * Tells the server where to connect (`PORT`, RFC 959).
   *
   * @param host An IPv4 address
   * @param port A TCP port
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses
   * @throws {TypeError} If the host is no such address
   * @throws {RangeError} If the port is not 1 to 65535
   */
  async sendport(
    host: string,
    port: number,
    options: SignalOptions = {},
  ): Promise<Reply> {
    const argument = formatPort(host, port);
    return await this.#perform(
      { verb: "PORT", argument, name: "host" },
      options,
    );
  }

  /**
   * Tells the server where to connect (`EPRT`, RFC 2428).
   *
   * @param host An IPv4 or IPv6 address
   * @param port A TCP port
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses
   * @throws {TypeError} If the host is no address
   * @throws {RangeError} If the port is not 1 to 65535
   */
  async sendeprt(
    host: string,
    port: number,
    options: SignalOptions = {},
  ): Promise<Reply> {
    const argument = formatEprt(host, port);
    return await this.#perform(
      { verb: "EPRT", argument, name: "host" },
      options,
    );
  }

  /**
   * Opens a transfer and gives its data connection. Read or write it, close
   * it, and then await `voidresp`: before that the transfer is not
   * confirmed, and every other command is refused with `Deno.errors.Busy`. A
   * download that is closed before its end is aborted by the next call, which
   * may have another connection, as {@linkcode FTPProtocol.prototype.abort FTP.abort} tells.
   *
   * @param cmd `RETR path`, `STOR path`, `LIST`...
   * @param rest Offset to start at, in bytes (`REST`)
   * @param options A signal; it ends the data connection too
   * @returns The data connection, and the server's estimate of the size in
   * bytes or `null`
   * @throws {FTPError} If the server refuses
   * @throws {RangeError} If the offset is a number and no such offset
   * @throws {TypeError} If TLS was asked for and the data is not protected
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example Read a file in pieces
   * ```ts
   * import { FTP } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = new FTP();
   * await ftp.connect("ftp.example.com");
   * await ftp.login();
   * await ftp.voidcmd("TYPE I");
   * const [conn, size] = await ftp.ntransfercmd("RETR data.bin");
   * const buffer = new Uint8Array(2048);
   * let received = 0;
   * for (let n; (n = await conn.read(buffer)) !== null;) received += n;
   * conn.close();
   * await ftp.voidresp();
   * console.log(received, size);
   * ```
   */
  async ntransfercmd(
    cmd: string,
    rest?: number | string,
    options: SignalOptions = {},
  ): Promise<[DataConnection, number | null]> {
    const session = this.#connection.session;
    checkRest(rest);
    const command = parseCommand(cmd);
    const opening: TransferOptions = {
      ...options,
      rest,
      anyMode: true,
      advice: "close its data connection and await voidresp() first",
    };
    const transfer = await session.exclusive(
      (turn) => openTransfer(turn, command, opening),
      options,
    );
    return [connectionOver(transfer.data), transfer.size];
  }

  /**
   * As {@linkcode FTPProtocol.prototype.ntransfercmd ntransfercmd}, without the size.
   *
   * @param cmd `RETR path`, `STOR path`, `LIST`...
   * @param rest Offset to start at, in bytes
   * @param options A signal
   * @returns The data connection
   */
  async transfercmd(
    cmd: string,
    rest?: number | string,
    options: SignalOptions = {},
  ): Promise<DataConnection> {
    const [connection] = await this.ntransfercmd(cmd, rest, options);
    return connection;
  }

  /**
   * Retrieves a file in binary (`TYPE I`).
   *
   * An error of the callback aborts the transfer and is thrown again; the client
   * stays usable, perhaps by another connection ({@linkcode FTPProtocol.prototype.abort FTP.abort}).
   *
   * @param cmd `RETR path`
   * @param callback Called with each block and awaited; the block is the
   * callback's to keep, unless `reuse` is set
   * @param options Block size, offset and signal
   * @returns The final 2yz reply
   * @throws {FTPError} If the server refuses or reports a failure
   * @throws {RangeError} If block size or offset are no such numbers
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example Hash a file without keeping it
   * ```ts
   * import { createHash } from "node:crypto";
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * const hash = createHash("sha256");
   * await ftp.retrbinary("RETR data.bin", (block) => hash.update(block), {
   *   blocksize: 65_536,
   *   reuse: true,
   * });
   * console.log(hash.digest("hex"));
   * ```
   */
  async retrbinary(
    cmd: string,
    callback: (block: Uint8Array<ArrayBuffer>) => unknown,
    options: RetrbinaryOptions = {},
  ): Promise<Reply> {
    checkNames("retrbinary", options, RETRBINARY_OPTIONS);
    checkRest(options.rest);
    return await receiveBlocks(
      this.#connection.session,
      parseCommand(cmd),
      callback,
      {
        blocksize: options.blocksize ?? BLOCKSIZE,
        reuse: options.reuse,
        rest: options.rest,
        signal: options.signal,
        type: "I",
        anyMode: true,
      },
    );
  }

  /**
   * Retrieves a text or a listing (`TYPE A`), line by line. CRLF and LF end a
   * line; a CR alone does not, unlike in ftplib.
   *
   * @param cmd `RETR path`, `LIST`, `NLST`...
   * @param callback Called with each line, without its end, and awaited; prints
   * it if it is left out, control characters replaced
   * @param options A signal
   * @returns The final 2yz reply
   * @throws {FTPError} If the server refuses or reports a failure
   * @throws {FTPProtocolError} If a line is longer than `maxLine`; the transfer
   * is aborted, and the connection can be used
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example Read a report
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com");
   * const lines: string[] = [];
   * await ftp.retrlines("RETR report.txt", (line) => lines.push(line));
   * ```
   */
  async retrlines(
    cmd: string,
    callback: (line: string) => unknown = printLine,
    options: SignalOptions = {},
  ): Promise<Reply> {
    return await receiveLines(
      this.#connection.session,
      parseCommand(cmd),
      callback,
      {
        ...options,
      },
    );
  }

  /**
   * Stores a file in binary (`TYPE I`). The command is sent when the source has
   * given its first chunk: it may empty a file. As in ftplib, what is proven is
   * the server's final reply and nothing else: `size` or `upload` compare.
   *
   * @param cmd `STOR path`, `APPE path`, `STOU`
   * @param source The bytes
   * @param options Block size, callback, offset and signal
   * @returns The final 2yz reply
   * @throws {FTPError} If the server refuses or reports a failure (552: disk
   * full)
   * @throws {RangeError} If block size or offset are no such numbers
   * @throws {TypeError} If the source gives no bytes, or was read before
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example Append to a log
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/logs");
   * const line = new TextEncoder().encode(`${new Date().toISOString()} done\n`);
   * await ftp.storbinary("APPE jobs.log", line);
   * ```
   */
  async storbinary(
    cmd: string,
    source: Source,
    options: StorbinaryOptions = {},
  ): Promise<Reply> {
    checkNames("storbinary", options, STORBINARY_OPTIONS);
    checkRest(options.rest);
    return await sendBlocks(
      this.#connection.session,
      parseCommand(cmd),
      source,
      {
        blocksize: options.blocksize ?? BLOCKSIZE,
        callback: options.callback,
        rest: options.rest,
        signal: options.signal,
        type: "I",
        anyMode: true,
      },
    );
  }

  /**
   * Stores a text (`TYPE A`). Every line is ended with CRLF. As with
   * {@linkcode FTPProtocol.prototype.storbinary storbinary} the source comes first.
   *
   * @param cmd `STOR path`
   * @param source The bytes, with LF or CRLF
   * @param callback Called with each line that was written, and awaited
   * @param options A signal
   * @returns The final 2yz reply
   * @throws {FTPError} As {@linkcode FTPProtocol.prototype.storbinary storbinary}
   * @throws {FTPProtocolError} If a line is longer than `maxLine`; the transfer
   * is aborted, and the connection can be used
   */
  async storlines(
    cmd: string,
    source: Source,
    callback?: (line: Uint8Array) => unknown,
    options: SignalOptions = {},
  ): Promise<Reply> {
    return await sendLines(
      this.#connection.session,
      parseCommand(cmd),
      source,
      {
        ...options,
        callback,
      },
    );
  }

  /**
   * Names in a directory (`NLST`, RFC 959 section 4.1.3), all of which are kept.
   *
   * @param args Words for the command, commonly one path; and a signal
   * @returns The names, as the server gives them
   * @throws {FTPError} If the server refuses; some do with 550 or 450 where
   * there is nothing to name
   * @throws {RangeError} If the names take more than `maxListing` bytes
   */
  async nlst(...args: (string | SignalOptions)[]): Promise<string[]> {
    const { cmd, options } = listCommand("NLST", args);
    return await keepLines(
      this.#connection.session,
      parseCommand(cmd),
      options,
    );
  }

  /**
   * A directory as people read it (`LIST`, RFC 959 section 4.1.3).
   *
   * @param args Words for the command, commonly one path; last a callback for
   * the lines, else they are printed; and a signal
   * @returns The final 2yz reply
   * @throws {FTPError} As {@linkcode FTPProtocol.prototype.retrlines retrlines}
   */
  dir(
    ...args: (string | SignalOptions | ((line: string) => unknown))[]
  ): Promise<Reply> {
    const callback = args.find((arg) => typeof arg === "function");
    const words = args.filter((arg) => typeof arg !== "function");
    const { cmd, options } = listCommand("LIST", words);
    return this.retrlines(cmd, callback, options);
  }

  /**
   * A directory in the standard's format (`MLSD`, RFC 3659 section 7).
   * Stopping early aborts the transfer; the client stays usable, perhaps by
   * another connection ({@linkcode FTPProtocol.prototype.abort FTP.abort}).
   *
   * @param path The directory; "" for the current one
   * @param facts The facts wanted (`OPTS MLST`); none for the server's choice
   * @param options A signal
   * @returns Name and facts of each entry, the facts' names in lower case; the
   * entries for the directory itself and its parent too
   * @throws {FTPError} As {@linkcode FTPProtocol.prototype.retrlines retrlines}; 500 or 502 where it is unknown
   */
  async *mlsd(
    path = "",
    facts: readonly string[] = [],
    options: SignalOptions = {},
  ): AsyncGenerator<[name: string, facts: Record<string, string>]> {
    const session = this.#connection.session;
    checkFacts(facts);
    const command = path === ""
      ? { verb: "MLSD" }
      : { verb: "MLSD", argument: path, name: "path" };
    encodeCommand(command, session.control.encoding);
    if (facts.length > 0) {
      const argument = `MLST ${facts.join(";")};`;
      await this.#request({ verb: "OPTS", argument, name: "facts" }, options);
    }
    for await (
      const line of iterateLines(session, command, options)
    ) {
      const { name, facts } = parseFacts(line);
      yield [name, facts];
    }
  }

  /**
   * Changes the directory (`CWD`, RFC 959 section 4.1.1). ".." is `CDUP`, and
   * `CWD ..` where that is unknown (500); "" is ".".
   *
   * @param dirname The directory
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses
   */
  async cwd(dirname: Path, options: SignalOptions = {}): Promise<Reply> {
    const session = this.#connection.session;
    const change = (turn: Turn) => changeDirectory(turn, dirname, options);
    return dirname === ".." // it may be two commands
      ? await session.exclusive(change, options)
      : await session.shared(change, options);
  }

  /**
   * The current directory (`PWD`, RFC 959 section 4.1.3).
   *
   * @param options A signal
   * @returns The path, also one without quotes; "" where the server does not
   * answer 257
   * @throws {FTPError} If the server refuses
   * @throws {FTPProtocolError} As {@linkcode parse257}
   */
  async pwd(options: SignalOptions = {}): Promise<string> {
    const reply = await this.#perform({ verb: "PWD" }, options);
    return reply.code === 257 ? parseDirectory(reply) : "";
  }

  /**
   * Makes a directory (`MKD`, RFC 959 section 4.1.3).
   *
   * @param dirname The directory
   * @param options A signal
   * @returns The path that the server made, in its words; "" where it does not
   * say 257, or no path in quotes
   * @throws {FTPError} If the server refuses
   * @throws {FTPProtocolError} As {@linkcode parse257}
   */
  async mkd(dirname: Path, options: SignalOptions = {}): Promise<string> {
    checkPath(this.#connection.session, dirname, "dirname");
    const reply = await this.#perform({
      verb: "MKD",
      argument: dirname,
      name: "dirname",
    }, options);
    return reply.code === 257 ? parse257(reply) : "";
  }

  /**
   * Removes an empty directory (`RMD`, RFC 959 section 4.1.3).
   *
   * @param dirname The directory
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses
   */
  async rmd(dirname: Path, options: SignalOptions = {}): Promise<Reply> {
    checkPath(this.#connection.session, dirname, "dirname");
    return await this.#perform({
      verb: "RMD",
      argument: dirname,
      name: "dirname",
    }, options);
  }

  /**
   * Deletes a file (`DELE`, RFC 959 section 4.1.3).
   *
   * @param filename The file
   * @param options A signal
   * @returns The reply, 250 or 200
   * @throws {FTPReplyError} For another code below 400
   * @throws {FTPError} If the server refuses
   */
  async delete(filename: Path, options: SignalOptions = {}): Promise<Reply> {
    checkPath(this.#connection.session, filename, "filename");
    const session = this.#connection.session;
    return await session.shared(
      (turn) => deleteFile(turn, filename, options),
      options,
    );
  }

  /**
   * Renames a file or a directory (`RNFR`, `RNTO`, RFC 959 section 4.1.3). Most
   * servers replace a file that has the new name. A server that answers `RNFR`
   * with 2yz and `RNTO` too has renamed; ftplib throws there.
   *
   * @param fromname The old path
   * @param toname The new path
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses either
   */
  async rename(
    fromname: Path,
    toname: Path,
    options: SignalOptions = {},
  ): Promise<Reply> {
    checkPath(this.#connection.session, fromname, "fromname");
    checkPath(this.#connection.session, toname, "toname");
    const session = this.#connection.session;
    return await session.exclusive(
      (turn) => rename(turn, fromname, toname, options),
      options,
    );
  }

  /**
   * The size of a file (`SIZE`, RFC 3659 section 4), in the current type; in
   * `TYPE I`, which stays, where the server refuses in ASCII.
   *
   * @param filename The file
   * @param options A signal
   * @returns Bytes; `null` unless the reply is 213 with a number, of up to 2^53
   * so that it is not rounded
   * @throws {FTPError} If the server refuses
   */
  async size(
    filename: Path,
    options: SignalOptions = {},
  ): Promise<number | null> {
    checkPath(this.#connection.session, filename, "filename");
    const session = this.#connection.session;
    return await session.shared(
      (turn) => requestSize(turn, filename, options),
      options,
    );
  }

  /** Sends a command that a server may refuse for good, beside others. */
  async #request(command: Command, options: SignalOptions): Promise<void> {
    try {
      await this.#perform(command, options);
    } catch (error) {
      if (!(error instanceof FTPPermanentError)) throw error;
    }
  }

  /** Sends a command that must be answered with 2yz, beside others. */
  async #perform(command: Command, options: SignalOptions): Promise<Reply> {
    const { session } = this.#connection;
    return await session.shared(
      (turn) => turn.perform(command, options),
      options,
    );
  }
}

/** What a server sends must not drive the terminal. */
function printLine(line: string): void {
  console.log(printableText(line));
}

/** A number is an offset; a text may be any marker (RFC 959 section 3.5). */
function checkRest(rest: number | string | undefined): void {
  if (rest === undefined || typeof rest === "string") return;
  if (Number.isSafeInteger(rest) && rest >= 0) return;
  throw new RangeError(
    `Cannot start at offset ${
      showValue(rest)
    }: rest must be a non-negative integer`,
  );
}

/** A fact is a word (RFC 3659 section 7.1). */
function checkFacts(facts: readonly string[]): void {
  const areFacts = Array.isArray(facts) &&
    facts.every((fact) => typeof fact === "string" && /^[^\s;=]+$/.test(fact));
  if (areFacts) return;
  throw new TypeError(
    'Cannot use "facts": it must be an array of facts, such as ["size", "modify"]',
  );
}

function listCommand(
  verb: string,
  args: readonly (string | SignalOptions)[],
): { cmd: string; options: SignalOptions } {
  for (const arg of args) {
    if (typeof arg === "string") continue;
    checkNames(verb, arg, { signal: true });
  }
  const words = args.filter((arg) => typeof arg === "string");
  const options = args.find((arg) => typeof arg === "object") ?? {};
  // ftplib leaves an empty word out of LIST; NLST gets the same
  const given = words.filter((word) => word !== "");
  return { cmd: [verb, ...given].join(" "), options };
}
