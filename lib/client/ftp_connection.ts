/**
 * The connection itself: dialled, secured, logged in, left.
 *
 * @module
 */

import type { TLSInfo } from "../connection/tls_info.ts";
import { checkNames, checkSignal } from "../protocol/check_names.ts";
import { checkNumber } from "../protocol/check_number.ts";
import type { Reply } from "../protocol/reply.ts";
import type { SignalOptions } from "../transfer/session.ts";
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
import {
  type ClientConnection,
  connectionOf,
  renewConnection,
} from "./client_connection.ts";
import { settingsOf } from "./session_settings.ts";
import { auth, ccc, protC, protP, withNewerTLS } from "./security.ts";
import { maybeSessionOf, sessionOf } from "./session_of.ts";

/**
 * One connection to an FTP server: the part of Python's `ftplib.FTP` and
 * `ftplib.FTP_TLS` that opens, secures and ends it.
 *
 * Errors are of two kinds. {@linkcode FTPError} and its subclasses carry a
 * `reply`: the server said no, and the connection can be used, but for 421.
 * `Deno.errors.*` and an {@linkcode FTPProtocolError} without a reply mean that
 * the connection failed: it is closed, and every later call throws
 * `Deno.errors.NotConnected` with the cause. Two are thrown before anything is
 * sent and change nothing: `Deno.errors.Busy` while a transfer is open, and
 * `TypeError` or `RangeError` for an argument that cannot be sent. An aborted `signal` rejects with its reason and leaves the
 * connection usable, unless the method says otherwise.
 */
export class FTPConnection implements AsyncDisposable {
  readonly #settings: Settings;
  #server: Server;
  #welcome: Reply | undefined;

  /**
   * Makes a client. Nothing is sent before {@linkcode connect}.
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
    return this.#settings.passive;
  }

  /**
   * Chooses who dials the data connection from here on.
   *
   * @param value `true`: the client; `false`: the server
   */
  setPasv(value: boolean): void {
    checkNames("setPasv", { passive: value }, { passive: true });
    this.#settings.passive = value;
    const session = maybeSessionOf(this);
    if (session !== undefined) session.options.passive = value;
  }

  /** The code of the last reply, as ftplib has it: three digits, or "". */
  get lastresp(): string {
    return `${maybeSessionOf(this)?.control.lastReply?.code ?? ""}`;
  }

  /** What is known of TLS on the control connection; `undefined` without. */
  get tls(): TLSInfo | undefined {
    return maybeSessionOf(this)?.control.stream.info;
  }

  /** Whether the connection is open, as far as is known. */
  get connected(): boolean {
    const session = maybeSessionOf(this);
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
    const link = renewConnection(this);
    return await withNewerTLS(
      { host: name, port, tls: this.#settings.tls },
      (server) => this.#open(link, server, options),
    );
  }

  /**
   * The welcome that {@linkcode connect} read.
   *
   * @returns The reply
   * @throws {Deno.errors.NotConnected} Before `connect`
   */
  getwelcome(): Reply {
    sessionOf(this);
    return this.#welcome!;
  }

  /**
   * Shows what is sent and received, on standard error, secrets masked. It may
   * be called before {@linkcode connect}.
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
   * `Deno.errors.NotConnected`, as at {@linkcode connect}.
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
    const session = sessionOf(this);
    checkCredentials(credentials, session.control.encoding);
    return await session.turns.alone(() => {
      const link = connectionOf(this).admit(session, credentials);
      const before = settingsOf(session);
      return withNewerTLS(this.#server, async (server) => {
        const identity = { server, settings, credentials };
        const isSame = server === this.#server;
        const welcome = isSame
          ? this.#welcome!
          : await this.#open(link, server, options);
        const reply = isSame
          ? await enter(session, welcome, identity, options)
          : await loginAs(link.session, welcome, identity, before, options);
        link.remember(identity);
        return reply;
      });
    }, options);
  }

  async #open(
    link: ClientConnection,
    server: Server,
    options: SignalOptions,
  ): Promise<Reply> {
    const welcome = await link.open(server, this.#settings, options);
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
    return await connectionOf(this).quit(options);
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
   * @throws {Deno.errors.NotConnected} If nobody is logged in, the directory is
   * not known, or this client is closed meanwhile
   * @throws {FTPError} If the server refuses
   * @throws {Error} `Deno.errors.*` if there is no connection to be had
   *
   * @example Fetch two files at once
   * ```ts
   * import { connect } from "../../mod.ts";
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
    const opened = await connectionOf(this).openFor(twin, settings, options);
    twin.#server = opened.server;
    twin.#welcome = opened.welcome;
    return twin;
  }

  /**
   * Closes the connections at once, without a word to the server. What is under
   * way ends with `Deno.errors.NotConnected`: calls, transfers and the waits
   * before they are tried again, {@linkcode connect} and `reconnect` too.
   */
  close(): void {
    connectionOf(this).end("close() was called");
  }

  /**
   * Takes leave if that is possible without waiting long, and closes as
   * {@linkcode close} does.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await connectionOf(this)[Symbol.asyncDispose]();
  }

  /**
   * Secures the control connection (`AUTH TLS`, RFC 4217). {@linkcode login}
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
    const session = sessionOf(this);
    return await session.turns.alone(() => {
      const link = connectionOf(this);
      const before = settingsOf(session);
      return withNewerTLS(this.#server, async (server) => {
        if (server === this.#server) {
          return await auth(session, server, options);
        }
        const welcome = await this.#open(link, server, options);
        return await authAs(link.session, welcome, server, before, options);
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
   * unless {@linkcode protC} is called
   * @throws {TypeError} If the control connection is not under TLS
   */
  async protP(options: SignalOptions = {}): Promise<Reply> {
    const session = sessionOf(this);
    return await session.turns.alone(() => protP(session, options), options);
  }

  /**
   * Leaves data connections in clear text from here on (`PROT C`, RFC 4217
   * section 9).
   *
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses; data stays protected
   */
  async protC(options: SignalOptions = {}): Promise<Reply> {
    const session = sessionOf(this);
    return await session.turns.alone(() => protC(session, options), options);
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
    const session = sessionOf(this);
    return await session.turns.alone(() => ccc(session, options), options);
  }
}
