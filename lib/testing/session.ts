/**
 * One conversation of the server, and the turns it consists of.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { DEFAULTS } from "./commands.ts";
import { DataPort } from "./data.ts";
import type { TestServer } from "./test_server.ts";
import { failTurn, type TestFault } from "./faults.ts";
import type { Peer, TestIdentity } from "./peer.ts";

/** What is done about one command. */
export type Handler = (turn: Turn) => void | Promise<void>;

const CRLF = "\r\n";

/** Telnet's interrupt and synch, which some clients send before ABOR. */
const TELNET_REGEXP = /^(?:\xff[\xf0-\xff])+/;

/** A command as it came. */
export interface TestCommand {
  /** The line's bytes, without its end. */
  readonly bytes: Uint8Array;
  /** The line's text. */
  readonly line: string;
  /** The verb, in upper case. */
  readonly verb: string;
  /** What follows the verb and one space. */
  readonly argument: string;
}

/** One control connection. */
export class TestSession {
  /** The server. */
  readonly server: TestServer;
  /** The control connection. */
  peer: Peer;
  /** Whom `USER` named. */
  user = "";
  /** Whether the user may do anything. */
  isLoggedIn = false;
  /** Whether data connections are under TLS (`PROT P`). */
  isProtected = false;
  /** What goes wrong with the transfer that is under way. */
  fault: TestFault | undefined;
  /** Where the next data connection comes from. */
  readonly dataPort: DataPort;
  /** The current folder. */
  folder = "/";
  /** What REST said, until the next transfer takes it. */
  restart = 0;
  /** What RNFR named. */
  renameFrom: string | undefined;
  /** ABOR came while a transfer was going on. */
  aborted = false;
  /** A command that moves data is being handled. */
  transferring = false;
  readonly #waiting: TestCommand[] = [];
  #wake = Promise.withResolvers<void>();
  #ended = false;
  #isSecured = false;

  /**
   * Begins.
   *
   * @param server The server
   * @param peer The control connection
   */
  constructor(server: TestServer, peer: Peer) {
    this.server = server;
    this.peer = peer;
    this.dataPort = new DataPort(server.host);
  }

  /** Whether the control connection is under TLS. */
  get isSecured(): boolean {
    return this.#isSecured;
  }

  /**
   * Puts TLS on the control connection.
   *
   * @param identity Certificate and key
   */
  secure(identity: TestIdentity): void {
    this.#isSecured = true;
    this.peer.secure({ cert: identity.cert, key: identity.key });
  }

  /** Greets, then answers one command after the other. */
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

  /** Takes the next command; `null` when the client has left. */
  async next(): Promise<TestCommand | null> {
    while (this.#waiting.length === 0) {
      if (this.#ended) return null;
      await this.#wake.promise;
    }
    return this.#waiting.shift()!;
  }

  /** Takes lines from a connection until it ends; call it again for a peer that TLS was put on. */
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
      // A lone LF is part of the line, so that a test sees it.
      for (let end; (end = rest.indexOf(CRLF)) >= 0;) {
        this.#arrive(rest.subarray(0, end));
        rest = rest.subarray(end + CRLF.length);
      }
    }
    this.#ended = true;
    this.#wake.resolve();
  }

  /** Ends the connection and what belongs to it. */
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

/** The server's turn: one command, and every way to answer it. */
export class Turn {
  /** The conversation. */
  readonly session: TestSession;
  /** The server. */
  readonly server: TestServer;
  /** The line's bytes, without its end. */
  readonly bytes: Uint8Array;
  /** The line's text, in the server's charset. */
  readonly line: string;
  /** The command's verb, in upper case. */
  readonly verb: string;
  /** What follows the verb and one space. */
  readonly argument: string;

  /**
   * Begins.
   *
   * @param session The conversation
   * @param command What came
   */
  constructor(session: TestSession, command: TestCommand) {
    this.session = session;
    this.server = session.server;
    this.bytes = command.bytes;
    this.line = command.line;
    this.verb = command.verb;
    this.argument = command.argument;
  }

  /** Sends a reply; several lines make it a multi-line one. */
  async reply(code: number, ...lines: string[]): Promise<void> {
    const last = lines.length - 1;
    await this.raw(
      lines.map((line, i) => `${code}${i < last ? "-" : " "}${line}\r\n`).join(
        "",
      ),
    );
  }

  /** Sends bytes as they are on the control connection. */
  async raw(content: string | Uint8Array): Promise<void> {
    await this.session.peer.write(content);
  }

  /** Sends bytes as they are, in pieces. */
  async rawPieces(content: string | Uint8Array, size = 1): Promise<void> {
    await this.session.peer.writePieces(content, size);
  }

  /** Does what the server does unless told otherwise. */
  async default(): Promise<void> {
    await defaultFor(this.verb)(this);
  }

  /** Takes the next command, which is not answered then unless here; `null` when the client has left. */
  async next(): Promise<string | null> {
    return (await this.session.next())?.line ?? null;
  }

  /** Takes ABOR, cuts a data connection, and says so: 426 and 226, in one piece. */
  async confirmAbort(data?: Peer): Promise<void> {
    const command = await this.next();
    if (command !== "ABOR") throw new Error(`ABOR was due, got ${command}`);
    data?.drop();
    await this.raw("426 Cut\r\n226 Aborted\r\n");
  }

  /** Opens the data connection: waits for the client's, or dials it in active mode. */
  async openData(): Promise<Peer> {
    const peer = await this.session.dataPort.open();
    const { tls } = this.server;
    if (this.session.isProtected && tls !== undefined) {
      peer.secure({ cert: tls.cert, key: tls.key });
    }
    return peer;
  }

  /** Sends data, and says so: 150 and 226, whatever comes in between. */
  async send(content: string | Uint8Array): Promise<void> {
    await this.reply(150, "Here it comes");
    const data = await this.openData();
    await data.write(content);
    data.close();
    await data.closed;
    await this.reply(226, "Done");
  }

  /** Takes data, and says so: 150 and 226, whatever comes in between. */
  async take(): Promise<Uint8Array> {
    await this.reply(150, "Send it");
    const data = await this.openData();
    const bytes = await data.readAll();
    data.close();
    await this.reply(226, "Done");
    return bytes;
  }

  /** Reads nothing more from the control connection: what the client sends piles up. */
  deafen(): void {
    this.session.peer.deafen();
  }

  /** Answers nothing until the client is gone. */
  async stall(): Promise<never> {
    return await this.session.peer.stall();
  }

  /** Closes the control connection. */
  close(): void {
    this.session.peer.close();
  }

  /** Half-closes the control connection: commands can still arrive. */
  end(): void {
    this.session.peer.end();
  }

  /** Resets the control connection. */
  reset(): void {
    this.session.peer.reset();
  }
}

/** What is answered to a user who has not logged in. */
const BEFORE_LOGIN =
  /^(CONNECT|USER|PASS|ACCT|QUIT|AUTH|PBSZ|PROT|FEAT|SYST|NOOP|HOST|CLNT|OPTS|HELP)$/;

/**
 * What the server does about a verb unless told otherwise.
 *
 * @param verb The verb
 * @returns What answers it
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
