/** A server on real sockets that says what a test tells it to. */

import { FTP, type FTPOptions } from "../../mod.ts";

const ENCODER = new TextEncoder();
// to browsers latin1 is windows-1252: good for ASCII and for 0xA0 to 0xFF
const DECODER = new TextDecoder("latin1");

/** What answers a command: replies to send, or a function that sends them. */
export type Answer =
  | string
  | ((peer: Peer, argument: string) => void | Promise<void>);

/** Answers by verb, in upper case; "greeting" answers the connection itself. */
export type Script = Record<string, Answer>;

/** A server that lets anybody in and keeps nothing. */
const POLITE: Script = {
  greeting: "220 Ready",
  USER: "331 Password",
  PASS: "230 Welcome",
  TYPE: "200 Type set",
  NOOP: "200 Still here",
  PWD: '257 "/"',
  EPSV: (peer) => peer.reply(`229 Here (|||${peer.listen()}|)`),
  PASV: (peer) => {
    const port = peer.listen();
    return peer.reply(`227 Here (127,0,0,1,${port >> 8},${port & 255})`);
  },
  QUIT: async (peer) => {
    await peer.reply("221 Bye");
    peer.close();
  },
};

/** Errors that mean no more than that the client has gone. */
const GONE = [
  Deno.errors.BadResource,
  Deno.errors.BrokenPipe,
  Deno.errors.ConnectionAborted,
  Deno.errors.ConnectionReset,
  Deno.errors.Interrupted,
  Deno.errors.NotConnected,
  Deno.errors.UnexpectedEof,
];

/** One server, for one test. */
export class ScriptedServer implements AsyncDisposable {
  /** Every command that came, in order, on any connection. */
  readonly commands: string[] = [];
  readonly #listener: Deno.TcpListener;
  readonly #script: Script;
  readonly #peers: Peer[] = [];
  readonly #runs: Promise<void>[] = [];
  readonly #faults: unknown[] = [];

  constructor(script: Script = {}, hostname = "127.0.0.1") {
    this.#script = { ...POLITE, ...script };
    this.#listener = Deno.listen({ hostname, port: 0 });
    this.#runs.push(this.#accept());
  }

  get hostname(): string {
    return this.#listener.addr.hostname;
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** How many control connections were made. */
  get connections(): number {
    return this.#peers.length;
  }

  /** The verbs of the commands that came. */
  get verbs(): string[] {
    return this.commands.map((command) => command.split(" ")[0]!);
  }

  /** A client that is connected and not logged in. */
  async connect(options: FTPOptions = {}): Promise<FTP> {
    const ftp = new FTP({ timeout: 5000, ...options });
    await ftp.connect(this.hostname, this.port);
    return ftp;
  }

  /** Closes everything; throws what went wrong in the script. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const peer of this.#peers) peer.close();
    await Promise.all(this.#runs);
    if (this.#faults.length > 0) throw this.#faults[0];
  }

  async #accept(): Promise<void> {
    try {
      for await (const conn of this.#listener) {
        const peer = new Peer(conn, this.commands);
        this.#peers.push(peer);
        this.#runs.push(this.#serve(peer));
      }
    } catch (error) {
      this.#note(error);
    }
  }

  async #serve(peer: Peer): Promise<void> {
    try {
      await answer(peer, this.#script["greeting"]!, "");
      for (let line; (line = await peer.next()) !== null;) {
        const blank = line.indexOf(" ");
        const verb = blank < 0 ? line : line.slice(0, blank);
        const argument = blank < 0 ? "" : line.slice(blank + 1);
        const known = this.#script[verb.toUpperCase()];
        await answer(peer, known ?? `502 No ${verb} in this script`, argument);
      }
    } catch (error) {
      this.#note(error);
    } finally {
      peer.close();
    }
  }

  #note(error: unknown): void {
    if (!GONE.some((Class) => error instanceof Class)) this.#faults.push(error);
  }
}

async function answer(
  peer: Peer,
  known: Answer,
  argument: string,
): Promise<void> {
  if (typeof known === "string") await peer.reply(known);
  else await known(peer, argument);
}

/** The server's end of one control connection. */
export class Peer {
  readonly #conn: Deno.TcpConn;
  readonly #commands: string[];
  readonly #buffer = new Uint8Array(65_536);
  readonly #waiting: string[] = [];
  readonly #listeners: Deno.TcpListener[] = [];
  readonly #data: Deno.TcpConn[] = [];
  #rest = "";
  #isClosed = false;
  readonly #closed = Promise.withResolvers<void>();

  constructor(conn: Deno.TcpConn, commands: string[]) {
    this.#conn = conn;
    this.#commands = commands;
    conn.setNoDelay(true);
  }

  /** The next command line; `null` when the client has left. */
  async next(): Promise<string | null> {
    while (this.#waiting.length === 0) {
      const n = await this.#conn.read(this.#buffer);
      if (n === null) return null;
      const text = this.#rest + DECODER.decode(this.#buffer.subarray(0, n));
      const lines = text.split("\r\n");
      this.#rest = lines.pop()!;
      this.#waiting.push(...lines);
    }
    const line = this.#waiting.shift()!;
    this.#commands.push(line);
    return line;
  }

  /** Sends replies, one a line; the line ends become CRLF. */
  async reply(text: string): Promise<void> {
    await this.raw(`${text}\n`.replaceAll("\n", "\r\n"));
  }

  /** Sends bytes, or text as it is. */
  async raw(data: string | Uint8Array): Promise<void> {
    await writeTo(this.#conn, data);
  }

  /** Closes the control connection and what belongs to it. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closed.resolve();
    for (const it of [this.#conn, ...this.#listeners, ...this.#data]) {
      closeQuietly(it);
    }
  }

  /** Closes the control connection, and leaves the data connections open. */
  hangUp(): void {
    closeQuietly(this.#conn);
  }

  /** Waits until the connection is closed here: reads nothing meanwhile. */
  get deaf(): Promise<void> {
    return this.#closed.promise;
  }

  /** Listens for a data connection on a port of its own. */
  listen(): number {
    const { hostname } = this.#conn.localAddr as Deno.NetAddr;
    const listener = Deno.listen({ hostname, port: 0 });
    this.#listeners.push(listener);
    return listener.addr.port;
  }

  /** A port on which nobody listens. */
  deadPort(): number {
    const port = this.listen();
    this.#listeners.pop()!.close();
    return port;
  }

  /** The data connection to the listener that was made last. */
  async accept(): Promise<Deno.TcpConn> {
    const conn = await this.#listeners.at(-1)!.accept();
    this.#data.push(conn);
    return conn;
  }

  /** Dials the client for data. */
  async dial(hostname: string, port: number): Promise<Deno.TcpConn> {
    const conn = await Deno.connect({ hostname, port });
    this.#data.push(conn);
    return conn;
  }

  /** Opens the data connection, sends the data, and says so: 150 and 226. */
  async send(data: string | Uint8Array): Promise<void> {
    await this.reply("150 Here it comes");
    const conn = await this.accept();
    await writeTo(conn, data);
    closeQuietly(conn);
    await this.reply("226 Done");
  }

  /** Opens the data connection and takes what comes, as latin-1. */
  async take(): Promise<string> {
    await this.reply("150 Send it");
    const text = await readAll(await this.accept());
    await this.reply("226 Done");
    return text;
  }
}

/** Writes all of the data. */
export async function writeTo(
  conn: Deno.TcpConn,
  data: string | Uint8Array,
): Promise<void> {
  const bytes = typeof data === "string" ? ENCODER.encode(data) : data;
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(bytes.subarray(at));
  }
}

/** Reads to the end and closes; the bytes as latin-1. */
export async function readAll(conn: Deno.TcpConn): Promise<string> {
  const buffer = new Uint8Array(65_536);
  let text = "";
  for (let n; (n = await conn.read(buffer)) !== null;) {
    text += DECODER.decode(buffer.subarray(0, n));
  }
  closeQuietly(conn);
  return text;
}

/** Closes what may be closed already. */
export function closeQuietly(it: { close(): void }): void {
  try {
    it.close();
  } catch {
    // closed before
  }
}

/** Waits until a condition holds, without a clock: the loop goes round. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((done) => setTimeout(done, 1));
}
