/** One conversation of the scripted server, and the turns it consists of. */

import { concat, type Peer } from "./peer.ts";
import { DEFAULTS } from "./commands.ts";
import { DataPort } from "./data.ts";
import type { ScriptedServer } from "./mod.ts";

/** What is done about one command. */
export type Handler = (turn: Turn) => void | Promise<void>;

const LF = 10;

/** Telnet's interrupt and synch, which some clients send before ABOR. */
const TELNET_REGEXP = /^(?:\xff[\xf0-\xff])+/;

/** One control connection. */
export class ScriptedSession {
  readonly server: ScriptedServer;
  /** The connection; replace it to put TLS on it. */
  peer: Peer;
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
  readonly #lines: Uint8Array[] = [];
  #wake = Promise.withResolvers<void>();
  #ended = false;

  constructor(server: ScriptedServer, peer: Peer) {
    this.server = server;
    this.peer = peer;
    this.dataPort = new DataPort(server.host);
  }

  /** Greets, then answers one command after the other. */
  async serve(): Promise<void> {
    const reading = this.readLines(this.peer);
    await this.#handle(new Uint8Array(), "connect", "CONNECT");
    for (;;) {
      const bytes = this.#lines.shift();
      if (bytes !== undefined) await this.#handle(bytes, ...parseLine(bytes));
      else if (this.#ended) break;
      else await this.#wake.promise;
    }
    await reading;
    this.peer.close();
  }

  /** Takes lines from a connection until it ends; call it again for a peer that TLS was put on. */
  async readLines(peer: Peer): Promise<void> {
    let rest = new Uint8Array();
    for (let chunk; (chunk = await peer.read()) !== null;) {
      rest = concat([rest, chunk]) as Uint8Array<ArrayBuffer>;
      for (let end; (end = rest.indexOf(LF)) >= 0; rest = rest.slice(end + 1)) {
        this.#arrive(rest.slice(0, end));
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

  #arrive(bytes: Uint8Array): void {
    const [line, verb] = parseLine(bytes);
    this.server.note(line, verb);
    // ABOR acts at once; its reply waits for its turn.
    if (verb === "ABOR" && this.transferring) {
      this.aborted = true;
      this.dataPort.peer?.drop();
    }
    this.#lines.push(bytes);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  async #handle(bytes: Uint8Array, line: string, verb: string): Promise<void> {
    await this.server.handlerFor(verb)(new Turn(this, bytes, line, verb));
  }
}

/** The server's turn: one command, and every way to answer it. */
export class Turn {
  readonly session: ScriptedSession;
  readonly server: ScriptedServer;
  /** The line's bytes, without its end. */
  readonly bytes: Uint8Array;
  /** The line's text. */
  readonly line: string;
  /** The command's verb, in upper case. */
  readonly verb: string;
  /** What follows the verb and one space. */
  readonly argument: string;

  constructor(
    session: ScriptedSession,
    bytes: Uint8Array,
    line: string,
    verb: string,
  ) {
    this.session = session;
    this.server = session.server;
    this.bytes = bytes;
    this.line = line;
    this.verb = verb;
    this.argument = line.slice(verb.length + 1);
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

  /** Opens the data connection: waits for the client's, or dials it in active mode. */
  async openData(): Promise<Peer> {
    return await this.session.dataPort.open();
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

/** What the server does about a verb unless told otherwise. */
export function defaultFor(verb: string): Handler {
  return DEFAULTS[verb] ?? ((turn) => turn.reply(502, "Not implemented"));
}

function parseLine(bytes: Uint8Array): [line: string, verb: string] {
  const text = new TextDecoder("latin1").decode(bytes);
  const skipped = text.match(TELNET_REGEXP)?.[0].length ?? 0;
  const line = new TextDecoder().decode(bytes.subarray(skipped)).replace(
    /\r$/,
    "",
  );
  return [line, line.split(" ", 1)[0]!.toUpperCase()];
}
