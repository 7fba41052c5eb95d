/**
 * A session of the test server, and its turns: one for each command.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { DEFAULTS } from "./commands.ts";
import { DataPort } from "./data.ts";
import type { TestServer } from "./test_server.ts";
import { failTurn, type TestFault } from "./faults.ts";
import type { Peer, TestIdentity } from "./peer.ts";

/** Replies to a command. */
export type Handler = (turn: Turn) => void | Promise<void>;

const CRLF = "\r\n";

/** Telnet's interrupt and synch, which some clients send before ABOR. */
const TELNET_REGEXP = /^(?:\xff[\xf0-\xff])+/;

/** A received command. */
export interface TestCommand {
  /** The line as bytes, without its end. */
  readonly bytes: Uint8Array;
  /** The line as text. */
  readonly line: string;
  /** The verb, in upper case. */
  readonly verb: string;
  /** The text after the verb and one space. */
  readonly argument: string;
}

/** A control connection, and its state. */
export class TestSession {
  /** The server. */
  readonly server: TestServer;
  /** The control connection. */
  peer: Peer;
  /** The argument of `USER`. */
  user = "";
  /** Whether the user is logged in. */
  isLoggedIn = false;
  /** Whether data connections use TLS (`PROT P`). */
  isProtected = false;
  /** The fault of the current transfer. */
  fault: TestFault | undefined;
  /** Opens the data connections. */
  readonly dataPort: DataPort;
  /** The current directory. */
  folder = "/";
  /** The offset of `REST`, for the next transfer. */
  restart = 0;
  /** The argument of `RNFR`. */
  renameFrom: string | undefined;
  /** Whether `ABOR` arrived during a transfer. */
  aborted = false;
  /** Whether a transfer is running. */
  transferring = false;
  readonly #waiting: TestCommand[] = [];
  #wake = Promise.withResolvers<void>();
  #ended = false;
  #isSecured = false;

  /**
   * Creates a session.
   *
   * @param server The server
   * @param peer The control connection
   * @ignore
   */
  constructor(server: TestServer, peer: Peer) {
    this.server = server;
    this.peer = peer;
    this.dataPort = new DataPort(server.host);
  }

  /** Whether the control connection uses TLS. */
  get isSecured(): boolean {
    return this.#isSecured;
  }

  /**
   * Starts TLS on the control connection.
   *
   * @param identity Certificate and key
   */
  secure(identity: TestIdentity): void {
    this.#isSecured = true;
    this.peer.secure({ cert: identity.cert, key: identity.key });
  }

  /** Sends the greeting, then replies to one command after another. */
  async serve(): Promise<void> {
    const { tls } = this.server;
    if (tls?.mode === "implicit") this.secure(tls);
    const reading = this.readLines(this.peer);
    await this.#handle({
      bytes: new Uint8Array(),
      line: "connect",
      verb: "CONNECT",
      argument: "",
    });
    for (let command; (command = await this.next()) !== null;) {
      await this.#handle(command);
    }
    await reading;
    this.peer.close();
  }

  /** Returns the next command; `null` if the client has disconnected. */
  async next(): Promise<TestCommand | null> {
    while (this.#waiting.length === 0) {
      if (this.#ended) return null;
      await this.#wake.promise;
    }
    return this.#waiting.shift()!;
  }

  /** Reads lines until the connection ends. */
  async readLines(peer: Peer): Promise<void> {
    let rest = Buffer.alloc(0);
    for (let chunk; (chunk = await peer.read()) !== null;) {
      if (this.server.perPacket !== "each") {
        const isFirst = this.server.perPacket === "first";
        const packet = Buffer.from(chunk);
        const isOne = packet.indexOf(CRLF) === packet.lastIndexOf(CRLF);
        if (this.server.perPacket === "none" && !isOne) break;
        const end = isFirst ? packet.indexOf(CRLF) : packet.lastIndexOf(CRLF);
        this.#arrive(packet.subarray(0, end));
        continue;
      }
      rest = Buffer.concat([rest, chunk]);
      // a single LF is part of the line, so that tests can see it
      for (let end; (end = rest.indexOf(CRLF)) >= 0;) {
        this.#arrive(rest.subarray(0, end));
        rest = rest.subarray(end + CRLF.length);
      }
    }
    this.#ended = true;
    this.#wake.resolve();
  }

  /** Closes the control and data connections. */
  async dispose(): Promise<void> {
    this.peer.drop();
    await this.peer.closed;
    await this.dataPort.close();
  }

  #arrive(bytes: Buffer): void {
    const text = bytes.toString("latin1");
    const skipped = text.match(TELNET_REGEXP)?.[0].length ?? 0;
    const command = bytes.toString(this.server.charset, skipped);
    const line = bytes.toString(this.server.charset);
    const [first = ""] = command.split(" ", 1);
    const verb = first.toUpperCase();
    const argument = command.slice(first.length + 1);
    this.#waiting.push({ bytes, line, verb, argument });
    this.server.note(line, verb);
    // ABOR acts at once; its reply waits for its turn.
    if (verb === "ABOR" && this.transferring) {
      this.aborted = true;
      this.dataPort.peer?.drop();
    }
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  async #handle(command: TestCommand): Promise<void> {
    const turn = new Turn(this, command);
    const fault = this.server.takeFault(command.verb);
    if (fault !== undefined && await failTurn(turn, fault)) return;
    await this.server.handlerFor(command.verb)(turn);
  }
}

/** One command, with methods to reply to it. */
export class Turn {
  /** The session. */
  readonly session: TestSession;
  /** The server. */
  readonly server: TestServer;
  /** The line as bytes, without its end. */
  readonly bytes: Uint8Array;
  /** The line as text, in the server's charset. */
  readonly line: string;
  /** The verb, in upper case. */
  readonly verb: string;
  /** The text after the verb and one space. */
  readonly argument: string;

  /**
   * Creates a turn.
   *
   * @param session The session
   * @param command The command
   * @ignore
   */
  constructor(session: TestSession, command: TestCommand) {
    this.session = session;
    this.server = session.server;
    this.bytes = command.bytes;
    this.line = command.line;
    this.verb = command.verb;
    this.argument = command.argument;
  }

  /** Sends a reply, with several lines as a multi-line reply. */
  async reply(code: number, ...lines: string[]): Promise<void> {
    const last = lines.length - 1;
    await this.raw(
      lines.map((line, i) => `${code}${i < last ? "-" : " "}${line}\r\n`).join(
        "",
      ),
    );
  }

  /** Sends bytes unchanged on the control connection. */
  async raw(content: string | Uint8Array): Promise<void> {
    await this.session.peer.write(content);
  }

  /** Sends bytes unchanged, in pieces. */
  async rawPieces(content: string | Uint8Array, size = 1): Promise<void> {
    await this.session.peer.writePieces(content, size);
  }

  /** Replies as the server does without a script. */
  async default(): Promise<void> {
    await defaultFor(this.verb)(this);
  }

  /**
   * Returns the next command line, to which the server then does not reply by
   * itself; `null` if the client has disconnected.
   */
  async next(): Promise<string | null> {
    return (await this.session.next())?.line ?? null;
  }

  /**
   * Waits for `ABOR`, closes a data connection, and replies with 426 and 226 in
   * one piece.
   */
  async confirmAbort(data?: Peer): Promise<void> {
    const command = await this.next();
    if (command !== "ABOR") throw new Error(`ABOR was due, got ${command}`);
    data?.drop();
    await this.raw("426 Cut\r\n226 Aborted\r\n");
  }

  /**
   * Opens the data connection: waits for the client, or connects to it in
   * active mode.
   */
  async openData(): Promise<Peer> {
    const peer = await this.session.dataPort.open();
    const { tls } = this.server;
    if (this.session.isProtected && tls !== undefined) {
      peer.secure({ cert: tls.cert, key: tls.key });
    }
    return peer;
  }

  /** Sends data, with the replies 150 and 226 even if it fails. */
  async send(content: string | Uint8Array): Promise<void> {
    await this.reply(150, "Here it comes");
    const data = await this.openData();
    await data.write(content);
    data.close();
    await data.closed;
    await this.reply(226, "Done");
  }

  /** Receives data, with the replies 150 and 226 even if it fails. */
  async take(): Promise<Uint8Array> {
    await this.reply(150, "Send it");
    const data = await this.openData();
    const bytes = await data.readAll();
    data.close();
    await this.reply(226, "Done");
    return bytes;
  }

  /** Stops reading from the control connection. */
  stopReading(): void {
    this.session.peer.stopReading();
  }

  /** Sends no reply until the client has disconnected. Always rejects. */
  async stall(): Promise<never> {
    return await this.session.peer.stall();
  }

  /** Closes the control connection. */
  close(): void {
    this.session.peer.close();
  }

  /**
   * Ends the writing side of the control connection; commands can still arrive.
   */
  end(): void {
    this.session.peer.end();
  }

  /** Resets the control connection. */
  reset(): void {
    this.session.peer.reset();
  }
}

/** Commands that are allowed before login. */
const BEFORE_LOGIN =
  /^(CONNECT|USER|PASS|ACCT|QUIT|AUTH|PBSZ|PROT|FEAT|SYST|NOOP|HOST|CLNT|OPTS|HELP)$/;

/**
 * Returns the reply to a verb without a script.
 *
 * @param verb The verb
 * @returns The handler
 */
export function defaultFor(verb: string): Handler {
  const handler = DEFAULTS[verb] ??
    ((turn) => turn.reply(502, "Not implemented"));
  if (BEFORE_LOGIN.test(verb)) return handler;
  return (turn) => {
    const mustLogIn = turn.server.users !== undefined &&
      !turn.session.isLoggedIn;
    return mustLogIn ? turn.reply(530, "Log in first") : handler(turn);
  };
}
