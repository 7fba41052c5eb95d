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
import { checkActive } from "../connection/route.ts";
import type { TLSInfo } from "../connection/tls_info.ts";
import { FactsReader, type NamedFacts } from "../listing/facts_reader.ts";
import { BatchIterator } from "../transfer/batch_iterator.ts";
import { formatEprt, formatPort } from "../protocol/address.ts";
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
  iterateLineBlocks,
  receiveBlocks,
  receiveLines,
} from "../transfer/receive.ts";
import { sendBlocks, sendLines } from "../transfer/send.ts";
import { expectSuccess, type SignalOptions } from "../transfer/session.ts";
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

/** The connection of a client, for other files of this folder. */
export let connectionOf: (client: FTPProtocol) => ClientConnection;

/** Default block size in bytes, as in ftplib. */
const BLOCKSIZE = 8192;

/** Options of `retrbinary`. */
export interface RetrbinaryOptions {
  /**
   * Largest block, in bytes.
   *
   * @default 8192
   */
  blocksize?: number | undefined;
  /**
   * Whether all blocks share one buffer. This is faster, and memory stays
   * constant for files of any size, but a block is valid only until the
   * callback returns or its promise settles. Otherwise each block belongs to
   * the callback. Blocks that it does not keep are garbage until they are
   * collected: some tens of megabytes in a transfer of many gigabytes.
   *
   * @default false
   */
  reuse?: boolean | undefined;
  /** Start offset in bytes (`REST`). */
  rest?: number | string | undefined;
  /** Aborts the transfer. */
  signal?: AbortSignal | undefined;
}

const RETRBINARY_OPTIONS: NamesOf<RetrbinaryOptions> = {
  blocksize: true,
  reuse: true,
  rest: true,
  signal: true,
};

const STORBINARY_OPTIONS: NamesOf<
  NonNullable<Parameters<FTPProtocol["storbinary"]>[2]>
> = {
  blocksize: true,
  callback: true,
  rest: true,
  signal: true,
};

/**
 * One connection to an FTP server, with the methods of Python's `ftplib.FTP`
 * and `ftplib.FTP_TLS`, name for name.
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
 * `Deno.errors.*`, and an {@linkcode FTPProtocolError} without a reply, mean
 * that the connection failed. It is closed, and every later call throws
 * `Deno.errors.NotConnected` with the cause.
 *
 * Two errors are thrown before anything is sent and change nothing:
 * `Deno.errors.Busy` while a transfer is open, and `TypeError` or `RangeError`
 * for an argument that cannot be sent. An aborted `signal` rejects with its
 * reason and leaves the connection usable, unless the method says otherwise.
 *
 * Commands that are not awaited one by one are pipelined: written at once,
 * replies matched in order. While a data transfer is open, any other command is
 * refused with `Deno.errors.Busy`, and the transfer continues.
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
   * Creates a client. Nothing is sent before
   * {@linkcode FTPProtocol.prototype.connect connect}.
   *
   * @param options Settings for the life of the client
   * @throws {RangeError} If a number is out of range, or the encoding unknown
   * @throws {TypeError} If an option is unknown or has an invalid value
   */
  constructor(options: FTPOptions = {}) {
    this.#settings = resolveOptions(options);
    this.#server = { host: "", port: 0, tls: this.#settings.tls };
  }

  /** Host of the server. */
  get host(): string {
    return this.#server.host;
  }

  /** Port of the server. */
  get port(): number {
    return this.#server.port;
  }

  /** Time limit of a wait without progress, in milliseconds. */
  get timeout(): number {
    return this.#settings.timeout;
  }

  /** The encoding of names and replies. */
  get encoding(): string {
    return this.#settings.encoding.label;
  }

  /** Whether the client uses passive mode. */
  get passiveserver(): boolean {
    return this.#settings.passive !== false;
  }

  /**
   * Sets the mode of later data connections.
   *
   * @param value As the option `passive`: `true` for passive mode, `false` for
   * active mode
   * @throws {TypeError} If it is `false` and the route is indirect (`dial`,
   * `proxy`): the server could not connect to this machine
   */
  setPasv(value: boolean | "auto" | "epsv" | "pasv"): void {
    checkNames("setPasv", { passive: value }, { passive: true });
    if (value === false) checkActive(this.#settings.route);
    this.#settings.passive = value;
    const session = this.#connection.sessionIfAny;
    if (session !== undefined) session.options.passive = value;
  }

  /** Code of the last reply, as in ftplib: three digits, or "". */
  get lastresp(): string {
    return `${this.#connection.sessionIfAny?.control.lastReply?.code ?? ""}`;
  }

  /** TLS properties of the control connection; `undefined` without TLS. */
  get tls(): TLSInfo | undefined {
    return this.#connection.sessionIfAny?.control.stream.info;
  }

  /** Whether the connection is open, as far as is known. */
  get connected(): boolean {
    const session = this.#connection.sessionIfAny;
    return session !== undefined && session.control.failure === undefined;
  }

  /**
   * Connects and reads the welcome. With implicit TLS, the handshake comes
   * first.
   *
   * An open or pending connection is closed first. Everything that was started
   * on it fails with `Deno.errors.NotConnected`: transfers, their retries, and
   * mirrors. Nothing of it continues on the new connection.
   *
   * Requires `allow-net` permission.
   *
   * @tags allow-net
   * @param host A name, also with letters beyond ASCII, or an address
   * @param port A TCP port; 990 is the default with implicit TLS
   * @param options A signal
   * @returns The welcome, 2yz
   * @throws {FTPError} If the welcome is 4yz or 5yz; the connection is closed
   * @throws {TypeError} If the host is empty or a URL
   * @throws {RangeError} If the port is not 1 to 65535
   * @throws {Deno.errors.NotConnected} If the client is closed, disposed of or
   * connected again meanwhile
   * @throws {Error} `Deno.errors.*` if the connection fails
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
   * Returns the welcome that {@linkcode FTPProtocol.prototype.connect connect}
   * read.
   *
   * @returns The reply
   * @throws {Deno.errors.NotConnected} Before `connect`
   */
  getwelcome(): Reply {
    if (this.#welcome !== undefined) return this.#welcome;
    throw new Deno.errors.NotConnected(
      "Cannot use the client: it is not connected; call connect() first",
    );
  }

  /**
   * Prints commands and replies on standard error, with secrets masked. May be
   * called before {@linkcode FTPProtocol.prototype.connect connect}.
   *
   * @param level 0 for nothing, 1 for commands and replies, 2 also for events
   */
  setDebuglevel(level: number): void {
    checkNumber("level", level);
    this.#settings.tracer.level = level;
  }

  /**
   * Logs in (RFC 959 section 4.1.1). With explicit TLS, the control connection
   * is secured first, and data connections afterwards (`PROT P`).
   *
   * If another user was logged in, operations of that user fail with
   * `Deno.errors.NotConnected`, as in
   * {@linkcode FTPProtocol.prototype.connect connect}.
   *
   * @param user The user; "" is "anonymous"
   * @param passwd The password, sent if the server asks for it (331); anonymous
   * users send "anonymous@"
   * @param acct The account, sent if the server asks for it (332)
   * @param options A signal; aborting it while the connection is being secured
   * closes the connection
   * @returns The 2yz reply
   * @throws {FTPPermanentError} If user or password are wrong (530)
   * @throws {FTPError} If the server refuses, also `AUTH` or `PROT`: with TLS,
   * no secret was sent in clear text then
   * @throws {TLSError} If TLS fails or the server is not trusted; the
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
   * Sends `QUIT` (RFC 959 section 4.1.1) and closes the connection, also if the
   * server refuses.
   *
   * @param options A signal; if it is aborted the connection stays open
   * @returns The 2yz reply
   * @throws {FTPError} If the reply is not 2yz
   * @throws {Deno.errors.Busy} If a transfer is open, which continues
   * @throws {Deno.errors.UnexpectedEof} If the server closes without a reply
   */
  async quit(options: SignalOptions = {}): Promise<Reply> {
    return await this.#connection.quit(options);
  }

  /**
   * Opens another connection with the same server, user, protection and
   * directory, and the same `TYPE`, `MODE`, `STRU` and `OPTS`. A connection
   * carries one transfer at a time, so simultaneous transfers need several. The
   * caller has to close the new client. Servers limit the number of connections
   * of a user.
   *
   * Requires `allow-net` permission.
   *
   * @tags allow-net
   * @param options A signal
   * @returns A new client, created by this client's class
   * @throws {Deno.errors.NotConnected} If no user is logged in, the directory
   * is unknown, or this client is closed meanwhile
   * @throws {FTPError} If the server refuses
   * @throws {Error} `Deno.errors.*` if the connection fails
   *
   * @example Fetch two files at once
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * await using clone = await ftp.clone();
   * await Promise.all([ftp.download("a", "a"), clone.download("b", "b")]);
   * ```
   */
  async clone(options: SignalOptions = {}): Promise<this> {
    const Class = this.constructor as new (options: FTPOptions) => this;
    const clone = new Class(optionsOf(this.#settings));
    const settings = clone.#settings;
    settings.tracer.level = this.#settings.tracer.level;
    const opened = await this.#connection.openFor(settings, options);
    clone.#connection = opened.connection;
    clone.#server = opened.server;
    clone.#welcome = opened.welcome;
    return clone;
  }

  /**
   * Closes the connections at once, without `QUIT`. Pending operations fail
   * with `Deno.errors.NotConnected`: calls, transfers and their retries,
   * {@linkcode FTPProtocol.prototype.connect connect} and `reconnect`.
   */
  close(): void {
    this.#connection.end("close() was called");
  }

  /**
   * Sends `QUIT` if that does not take long, and closes like
   * {@linkcode FTPProtocol.prototype.close close}.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]();
  }

  /**
   * Secures the control connection (`AUTH TLS`, RFC 4217). With the option
   * `tls`, {@linkcode FTPProtocol.prototype.login login} does this. If the
   * server only supports TLS 1.3, the client connects once more for it. Without
   * the option, only TLS 1.2 is used.
   *
   * @param options A signal; aborting it closes the connection
   * @returns The 234 reply
   * @throws {FTPError} If the server refuses; the connection is in clear text
   * @throws {TLSError} If TLS fails or the server is not trusted; the
   * connection is closed
   * @throws {TypeError} If the connection is secured already
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
   * Protects later data connections (`PBSZ 0`, `PROT P`, RFC 4217 section 9).
   *
   * @param options A signal
   * @returns The 2yz reply to `PROT`
   * @throws {FTPError} If the server refuses; then no data is sent in clear
   * text unless {@linkcode FTPProtocol.prototype.protC protC} is called
   * @throws {TypeError} If the control connection is not secured
   */
  async protP(options: SignalOptions = {}): Promise<Reply> {
    const session = this.#connection.session;
    return await session.exclusive((turn) => protP(turn, options), options);
  }

  /**
   * Sends later data in clear text (`PROT C`, RFC 4217 section 9).
   *
   * @param options A signal
   * @returns The 2yz reply. If no data was protected on this connection, the
   * refusal of a server without `PROT`, which sends data in clear text anyway
   * @throws {FTPError} If the server refuses; data stays protected
   */
  async protC(options: SignalOptions = {}): Promise<Reply> {
    const session = this.#connection.session;
    return await session.exclusive((turn) => protC(turn, options), options);
  }

  /**
   * Returns the control connection to clear text (`CCC`, RFC 4217 section
   * 12.3), for firewalls that must read it. Data connections stay protected.
   *
   * @param options A signal; aborting it closes the connection
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses
   * @throws {TypeError} If the control connection is not secured
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
   * @returns A reply of 1yz, 2yz or 3yz. After 1yz, the final reply is still
   * pending: see {@linkcode FTPProtocol.prototype.voidresp voidresp}
   * @throws {FTPTemporaryError} For 4yz
   * @throws {FTPPermanentError} For 5yz
   * @throws {TypeError} If the line has CR, LF or NUL; nothing is sent
   * @throws {Deno.errors.Busy} If a transfer is open, which continues
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
    const command = { ...parseCommand(cmd), isLiteral: true };
    return await session.shared((turn) => {
      session.noteByHand(command);
      return turn.perform(command, options);
    }, options);
  }

  /**
   * Sends a command without waiting.
   * {@linkcode FTPProtocol.prototype.getresp getresp} returns its reply.
   *
   * @param cmd The whole command line
   * @throws {TypeError} If the line has CR, LF or NUL; nothing is sent
   * @throws {Deno.errors.Busy} If a transfer is open, which continues
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
   * Waits for the next reply: of
   * {@linkcode FTPProtocol.prototype.putcmd putcmd}, or the final one of an
   * open transfer. A command that opens a transfer has two replies, 1yz and the
   * final one.
   *
   * @param options A signal
   * @returns A reply of 1yz, 2yz or 3yz
   * @throws {FTPError} For 4yz and 5yz
   * @throws {TypeError} If no reply is pending, or the data connection is open
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
   * Waits for the next reply, which must be 2yz. After `ntransfercmd`, it
   * confirms that the transfer is complete. Close the data connection first.
   *
   * @param options A signal
   * @returns The reply
   * @throws {FTPError} Unless it is 2yz
   * @throws {Deno.errors.Interrupted} If a download over TLS was closed by this
   * client before its end; the connection is usable
   * @throws {TypeError} If no reply is pending, or the data connection is open
   * @throws {Error} The failure of the data connection, or the reason it was
   * aborted, even if the reply is 2yz
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
   * @throws {TypeError} If the account is empty
   * @throws {FTPError} As {@linkcode FTPProtocol.prototype.voidcmd voidcmd}
   */
  async acct(password: string, options: SignalOptions = {}): Promise<Reply> {
    const command = { verb: "ACCT", argument: password, name: "password" };
    if (password === "") {
      throw new TypeError('Cannot send an account: "password" is empty');
    }
    this.#connection.session.noteByHand(command);
    return await this.#perform(command, options);
  }

  /**
   * Aborts the open transfer (`ABOR`, RFC 959 section 4.1.3): closes its data
   * connection, and reads all pending replies. `ABOR` is also sent if no
   * transfer is open.
   *
   * After an abort, a server may send the rest of the transfer in the next one,
   * whatever it replies. The connection is therefore closed, unless the server
   * is known to leave nothing behind (vsftpd), and
   * {@linkcode FTPProtocol.prototype.connected FTP.connected} is false. The
   * next call connects, logs in, and restores type, directory and options. That
   * call throws `Deno.errors.NotConnected` if a command sent by hand cannot be
   * repeated (`SITE`, `CLNT`, `ACCT`...), or if no user is logged in. Call
   * `reconnect()` then.
   *
   * @param options A signal
   * @returns The reply to `ABOR`: 225, 226 or 426
   * @throws {FTPError} For any other code
   * @throws {Deno.errors.TimedOut} If a pending reply does not come within five
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
   * Requests a port for a data connection (`EPSV`, RFC 2428, else `PASV`, RFC
   * 959). Over IPv6 there is only `EPSV`.
   *
   * @param options A signal
   * @returns Host and port to connect to; the host is that of the control
   * connection, unless `trustPasvHost` is set
   * @throws {FTPError} If the server refuses
   * @throws {FTPProtocolError} If the reply contains no port
   */
  async makepasv(
    options: SignalOptions = {},
  ): Promise<[host: string, port: number]> {
    const session = this.#connection.session;
    return await session.exclusive(
      (turn) => requestPassive(turn, options),
      options,
    );
  }

  /**
   * Listens, and tells the server where (`PORT`, `EPRT`). The caller has to
   * accept and to close.
   *
   * Requires `allow-net` permission.
   *
   * @tags allow-net
   * @param options A signal
   * @returns The listener. `addr` is the local address and port, which the
   * server was sent. `accept()` returns the server's connection, and closes
   * those from other addresses; it throws `Deno.errors.TimedOut` if the server
   * does not connect within `timeout`
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
  async makeport(options: SignalOptions = {}): Promise<{
    readonly addr: Deno.NetAddr;
    accept(
      options?: { signal?: AbortSignal | undefined },
    ): Promise<Deno.TcpConn>;
    close(): void;
  }> {
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
   * @throws {TypeError} If the host is not an IPv4 address
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
   * @throws {TypeError} If the host is not an address
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
   * Opens a transfer (RFC 959 section 5.1), and returns its data connection.
   * Read or write the data connection, close it, and then await `voidresp`.
   * Until then the transfer is not confirmed, and every other command fails
   * with `Deno.errors.Busy`. If a download is closed before its end, the next
   * call aborts it, and may use another connection; see
   * {@linkcode FTPProtocol.prototype.abort FTP.abort}.
   *
   * @param cmd `RETR path`, `STOR path`, `LIST`...
   * @param rest Start offset in bytes (`REST`)
   * @param options A signal, which also ends the data connection
   * @returns The data connection, and the server's estimate of the size in
   * bytes, or `null`
   * @throws {FTPError} If the server refuses
   * @throws {RangeError} If the offset is a number, but not a non-negative
   * integer
   * @throws {TypeError} If TLS was requested and the data is not protected
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
   * Like {@linkcode FTPProtocol.prototype.ntransfercmd ntransfercmd}, without
   * the size.
   *
   * @param cmd `RETR path`, `STOR path`, `LIST`...
   * @param rest Start offset in bytes
   * @param options A signal
   * @returns The data connection
   * @throws As {@linkcode FTPProtocol.prototype.ntransfercmd ntransfercmd}
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
   * Retrieves a file in binary (`RETR`, RFC 959 section 4.1.3, in `TYPE I`).
   *
   * An error of the callback aborts the transfer, and is thrown. The client
   * stays usable, perhaps with another connection; see
   * {@linkcode FTPProtocol.prototype.abort FTP.abort}.
   *
   * @param cmd `RETR path`
   * @param callback Called with each block, and awaited; it may keep the block,
   * unless `reuse` is set
   * @param options Block size, offset and signal
   * @returns The final 2yz reply
   * @throws {FTPError} If the server refuses or reports a failure
   * @throws {RangeError} If block size or offset are out of range
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
   * Retrieves a text or a listing line by line (`RETR`, `LIST`, `NLST`, RFC 959
   * section 4.1.3, in `TYPE A`). CRLF and LF end a
   * line. A single CR does not, unlike in ftplib.
   *
   * @param cmd `RETR path`, `LIST`, `NLST`...
   * @param callback Called with each line, without its end, and awaited. If
   * left out, lines are printed, with control characters replaced
   * @param options A signal
   * @returns The final 2yz reply
   * @throws {FTPError} If the server refuses or reports a failure
   * @throws {FTPProtocolError} If a line is longer than `maxLine`; the transfer
   * is aborted, and the connection stays usable
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
   * Stores a file in binary (`STOR`, `APPE`, RFC 959 section 4.1.3, in
   * `TYPE I`). The command is sent after the source has returned its first
   * chunk, because it may empty a file. As in ftplib, only the server's final
   * reply is checked. Compare with `size`, or use `upload`.
   *
   * @param cmd `STOR path`, `APPE path`, `STOU`
   * @param source The bytes
   * @param options Block size, offset and signal, as in
   * {@linkcode FTPProtocol.prototype.retrbinary retrbinary}. `callback`: called
   * with each block that was written, and awaited
   * @returns The final 2yz reply
   * @throws {FTPError} If the server refuses or reports a failure (552: disk
   * full)
   * @throws {RangeError} If block size or offset are out of range
   * @throws {TypeError} If the source returns no bytes, or was read before
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
    options: Omit<RetrbinaryOptions, "reuse"> & {
      callback?: ((block: Uint8Array) => unknown) | undefined;
    } = {},
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
   * Stores a text (`STOR`, RFC 959 section 4.1.3, in `TYPE A`). Every line is
   * ended with CRLF. As with
   * {@linkcode FTPProtocol.prototype.storbinary storbinary}, the source is read
   * first.
   *
   * @param cmd `STOR path`
   * @param source The bytes, with LF or CRLF
   * @param callback Called with each line that was written, and awaited
   * @param options A signal
   * @returns The final 2yz reply
   * @throws {FTPError} As
   * {@linkcode FTPProtocol.prototype.storbinary storbinary}
   * @throws {FTPProtocolError} If a line is longer than `maxLine`; the transfer
   * is aborted, and the connection stays usable
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
   * Lists the names in a directory (`NLST`, RFC 959 section 4.1.3). All of them
   * are kept.
   *
   * @param args Words of the command, usually one path; and a signal
   * @returns The names, as the server sends them
   * @throws {FTPError} If the server refuses; some send 550 or 450 for an empty
   * directory
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
   * Lists a directory as text (`LIST`, RFC 959 section 4.1.3).
   *
   * @param args Words of the command, usually one path; a callback for the
   * lines, which are otherwise printed; and a signal
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
   * Lists a directory in the standard format (`MLSD`, RFC 3659 section 7).
   * Stopping early aborts the transfer. The client stays usable, perhaps with
   * another connection; see {@linkcode FTPProtocol.prototype.abort FTP.abort}.
   *
   * @param path The directory; "" for the current one
   * @param facts The facts to request (`OPTS MLST`); empty for the server's
   * default
   * @param options A signal
   * @returns Name and facts of each entry, with the facts' names in lower case,
   * including the entries for the directory itself and its parent
   * @throws {FTPError} As
   * {@linkcode FTPProtocol.prototype.retrlines retrlines}; 500 or 502 if the
   * command is unknown
   */
  mlsd(
    path = "",
    facts: readonly string[] = [],
    options: SignalOptions = {},
  ): AsyncGenerator<[name: string, facts: Record<string, string>]> {
    const batches = this.#mlsdBatches(path, facts, options);
    return new BatchIterator(batches, (entry) => entry);
  }

  async *#mlsdBatches(
    path: string,
    facts: readonly string[],
    options: SignalOptions,
  ): AsyncGenerator<NamedFacts[]> {
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
    const { encoding } = session.control;
    const reader = new FactsReader((bytes) => encoding.decode(bytes));
    for await (const block of iterateLineBlocks(session, command, options)) {
      yield reader.read(block);
    }
  }

  /**
   * Changes the directory (`CWD`, RFC 959 section 4.1.1). ".." sends `CDUP`, or
   * `CWD ..` if that is unknown (500); "" stands for ".".
   *
   * @param dirname The directory
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses
   */
  async cwd(dirname: Path, options: SignalOptions = {}): Promise<Reply> {
    const session = this.#connection.session;
    const change = (turn: Turn) => changeDirectory(turn, dirname, options);
    return dirname === ".." // ".." may be two commands
      ? await session.exclusive(change, options)
      : await session.shared(change, options);
  }

  /**
   * Returns the current directory (`PWD`, RFC 959 section 4.1.3).
   *
   * @param options A signal
   * @returns The path, also one without quotes; "" if the server does not
   * answer 257
   * @throws {FTPError} If the server refuses
   * @throws {FTPProtocolError} As {@linkcode parse257}
   */
  async pwd(options: SignalOptions = {}): Promise<string> {
    const reply = await this.#perform({ verb: "PWD" }, options);
    return reply.code === 257 ? parseDirectory(reply) : "";
  }

  /**
   * Creates a directory (`MKD`, RFC 959 section 4.1.3).
   *
   * @param dirname The directory
   * @param options A signal
   * @returns The path in the server's reply; "" unless it is 257 with a path in
   * quotes
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
   * Renames a file or directory (`RNFR`, `RNTO`, RFC 959 section 4.1.3). Most
   * servers replace a file with the new name. If a server answers both commands
   * with 2yz, the rename is complete; ftplib throws in that case.
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
   * Returns the size of a file (`SIZE`, RFC 3659 section 4) in the current
   * type. If the server refuses in ASCII, `TYPE I` is set, and stays.
   *
   * @param filename The file
   * @param options A signal
   * @returns Bytes; `null` unless the reply is 213 with a number up to 2^53
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

  /** Sends a command that a server may refuse, together with others. */
  async #request(command: Command, options: SignalOptions): Promise<void> {
    try {
      await this.#perform(command, options);
    } catch (error) {
      if (!(error instanceof FTPPermanentError)) throw error;
    }
  }

  /** Sends a command that must be answered with 2yz, together with others. */
  async #perform(command: Command, options: SignalOptions): Promise<Reply> {
    const { session } = this.#connection;
    return await session.shared(
      (turn) => turn.perform(command, options),
      options,
    );
  }
}

/** Prints a line without characters that control the terminal. */
function printLine(line: string): void {
  console.log(printableText(line));
}

/** Checks an offset. A string may be any marker (RFC 959 section 3.5). */
function checkRest(rest: number | string | undefined): void {
  if (rest === undefined || (typeof rest === "string" && rest !== "")) return;
  if (Number.isSafeInteger(rest) && Number(rest) >= 0) return;
  throw new RangeError(
    `Cannot start at offset ${
      showValue(rest)
    }: "rest" must be a non-negative integer or a marker`,
  );
}

/** Checks facts, which are single words (RFC 3659 section 7.1). */
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
  // ftplib drops an empty word from LIST; NLST does the same here
  const given = words.filter((word) => word !== "");
  return { cmd: [verb, ...given].join(" "), options };
}
