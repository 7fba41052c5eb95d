/**
 * An FTP server that does what a test tells it, on real sockets, for what no real server does on demand.
 *
 *     await using server = await ScriptedServer.start({ files: { "/a.txt": "hello" } });
 *     server.on("SIZE", "550 No such file");                     // a fixed answer; "\n" separates lines
 *     server.once("RETR", async (turn) => {                      // the first RETR; then the default again
 *       await turn.reply(150, "Here it comes");
 *       const data = await turn.openData();
 *       await data.write("hel");
 *       data.reset();
 *       await turn.stall();                                    // never sends 226
 *     });
 *     server.on("NOOP", (turn) => turn.raw("200 o\r\n200 unasked\r\n"));
 *     ... let a client connect to server.host, server.port
 *     await server.received("RETR");                            // an event to await
 *     server.commands                                          // ["USER anonymous", "PASS ...", ...]
 *
 * The pseudo-verb `"connect"` stands for the greeting, `"*"` for every verb that has no script of its own.
 * What is not scripted is answered by the defaults in
 * commands.ts, over the files in memory. A handler can call `turn.default()` and do more around it.
 *
 * @module
 */

import { createServer, type Server, type Socket } from "node:net";
import { Peer, PeerGone, toBytes } from "./peer.ts";
import { defaultFor, type Handler, ScriptedSession } from "./session.ts";

export { PeerGone } from "./peer.ts";
export type { Handler, ScriptedSession, Turn } from "./session.ts";

/** How a server is started. */
export interface ScriptedServerOptions {
  /** Where it listens. @default {"127.0.0.1"} */
  hostname?: string;
  /** Files by absolute path, as they travel. Their folders exist too. */
  files?: Record<string, string | Uint8Array>;
  /** How lines are decoded; latin-1 shows every byte. @default {"utf8"} */
  charset?: "utf8" | "latin1";
}

/** The server. */
export class ScriptedServer implements AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** How lines are decoded. */
  readonly charset: "utf8" | "latin1";
  /**
   * What is made of commands that come in one packet: each of them, the first
   * and nothing of the others, or one of them all, as LightFTP did, or the end
   * of the connection, as it does now.
   */
  perPacket: "each" | "first" | "joined" | "none" = "each";
  /** Files by absolute path. */
  readonly files = new Map<string, Uint8Array>();
  /** Folders by absolute path. */
  readonly folders = new Set(["/"]);
  /** Every line received, on whichever connection, in order. */
  readonly commands: string[] = [];
  /** Every control connection so far. */
  readonly sessions: ScriptedSession[] = [];
  readonly #server: Server;
  readonly #handlers = new Map<string, Handler>();
  readonly #onceHandlers = new Map<string, Handler[]>();
  readonly #awaited = new Map<string, Awaited[]>();
  readonly #errors: unknown[] = [];
  readonly #serving: Promise<void>[] = [];

  /** Use {@linkcode ScriptedServer.start}. */
  private constructor(server: Server, options: ScriptedServerOptions) {
    this.#server = server;
    const address = server.address() as { address: string; port: number };
    this.host = address.address;
    this.port = address.port;
    this.charset = options.charset ?? "utf8";
    for (const [path, content] of Object.entries(options.files ?? {})) {
      this.put(path, content);
    }
  }

  /** Listens on a port of its own. */
  static async start(
    options: ScriptedServerOptions = {},
  ): Promise<ScriptedServer> {
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, options.hostname ?? "127.0.0.1", resolve);
    });
    const scripted = new ScriptedServer(server, options);
    server.on("connection", (socket: Socket) => scripted.#accept(socket));
    return scripted;
  }

  /** The verbs of the lines received. */
  get verbs(): string[] {
    return this.commands.map((line) => line.split(" ", 1)[0]!);
  }

  /** Scripts a verb: every time it comes. A text is a whole reply, its lines separated by LF. */
  on(verb: string, handler: Handler | string): this {
    this.#handlers.set(verb.toUpperCase(), toHandler(handler));
    return this;
  }

  /** Scripts a verb for one time; several queue up. */
  once(verb: string, handler: Handler | string): this {
    getOrMake(this.#onceHandlers, verb.toUpperCase()).push(toHandler(handler));
    return this;
  }

  /** Waits for a command: each call takes the next one that no call took before. */
  async received(verb: string): Promise<string> {
    const waiting = getOrMake(this.#awaited, verb.toUpperCase());
    const taken = waiting.find((entry) => !entry.taken) ?? addAwaited(waiting);
    taken.taken = true;
    return await taken.promise;
  }

  /** Adds or replaces a file, with its folders. */
  put(path: string, content: string | Uint8Array): void {
    this.files.set(path, toBytes(content));
    const parts = path.split("/").slice(1, -1);
    for (let i = 1; i <= parts.length; i++) {
      this.folders.add(`/${parts.slice(0, i).join("/")}`);
    }
  }

  /** A file's text. */
  text(path: string): string | undefined {
    const bytes = this.files.get(path);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  }

  /** Ends every connection and the server; a handler's error that is not the peer's going surfaces here. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const session of this.sessions) await session.dispose();
    for (const entry of [...this.#awaited.values()].flat()) entry.giveUp();
    await Promise.all([closed, ...this.#serving]);
    if (this.#errors.length > 0) throw this.#errors[0];
  }

  /** The handler for a verb: scripted for one time, scripted, or the default. Used by the session. */
  handlerFor(verb: string): Handler {
    return this.#onceHandlers.get(verb)?.shift() ?? this.#handlers.get(verb) ??
      this.#handlers.get("*") ?? defaultFor(verb);
  }

  /** Notes a line that came in. Used by the session. */
  note(line: string, verb: string): void {
    this.commands.push(line);
    const waiting = getOrMake(this.#awaited, verb);
    (waiting.find((entry) => !entry.arrived) ?? addAwaited(waiting)).arrive(
      line,
    );
  }

  #accept(socket: Socket): void {
    const session = new ScriptedSession(this, new Peer(socket));
    this.sessions.push(session);
    this.#serving.push(
      session.serve().catch((error) => {
        if (!(error instanceof PeerGone)) this.#errors.push(error);
        session.peer.close();
      }),
    );
  }
}

/** A command that somebody waits for, or that came before anybody did. */
interface Awaited {
  promise: Promise<string>;
  arrive(line: string): void;
  /** It will not come any more. */
  giveUp(): void;
  arrived: boolean;
  taken: boolean;
}

function addAwaited(list: Awaited[]): Awaited {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  promise.catch(() => {}); // nobody may ever ask for it
  const entry: Awaited = {
    promise,
    arrived: false,
    taken: false,
    arrive(line: string): void {
      entry.arrived = true;
      resolve(line);
    },
    giveUp(): void {
      reject(new PeerGone("The server ended before the command came"));
    },
  };
  list.push(entry);
  return entry;
}

function toHandler(handler: Handler | string): Handler {
  if (typeof handler !== "string") return handler;
  return (turn) =>
    turn.raw(handler.split("\n").map((line) => `${line}\r\n`).join(""));
}

function getOrMake<T>(map: Map<string, T[]>, key: string): T[] {
  let list = map.get(key);
  if (list === undefined) map.set(key, list = []);
  return list;
}
