/**
 * An FTP server for tests, with a file tree in memory, users, TLS, and faults
 * on demand. It listens on loopback, so programs can be tested unchanged.
 *
 * `on` and `once` set the reply to any command, down to the bytes. The verb
 * `"connect"` stands for the greeting, `"*"` for every verb without its own
 * script. A handler can call `turn.default()`, the reply without a script.
 *
 * @module
 */

import { createServer, type Server, type Socket } from "node:net";
import type { TestFault } from "./faults.ts";
import { Peer, PeerGone, type TestIdentity, toBytes } from "./peer.ts";
import { defaultFor, type Handler, TestSession } from "./session.ts";

/** TLS of a {@linkcode TestServer}. */
export interface TestTLS extends TestIdentity {
  /**
   * "explicit" for `AUTH TLS`, "implicit" for TLS from the first byte.
   *
   * @default "explicit"
   */
  mode?: "explicit" | "implicit" | undefined;
  /**
   * Whether logins in clear text are refused.
   *
   * @default false
   */
  required?: boolean | undefined;
}

/** Options of {@linkcode TestServer.start}. */
export interface TestServerOptions {
  /**
   * The address to listen on.
   *
   * @default "127.0.0.1"
   */
  hostname?: string;
  /** Files by absolute path. Their directories are created. */
  files?: Record<string, string | Uint8Array>;
  /**
   * Passwords by user.
   *
   * @default any user and password
   */
  users?: Readonly<Record<string, string>> | undefined;
  /**
   * TLS of the server.
   *
   * @default no TLS
   */
  tls?: TestTLS | undefined;
  /**
   * Encoding of command lines. With "latin1", every byte is one character.
   *
   * @default "utf8"
   */
  charset?: "utf8" | "latin1";
}

/**
 * An FTP server on loopback, for tests.
 *
 * @example Test a program against a server that cuts the first download
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
 * import { TestServer } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/testing.ts";
 *
 * Deno.test("the report is downloaded in spite of a broken connection", async () => {
 *   await using server = await TestServer.start({
 *     files: { "/out/report.csv": "1,2,3\n" },
 *     users: { ann: "secret" },
 *   });
 *   server.fail("RETR", { kind: "cut", after: 3 });
 *   await using ftp = await connect(server.url);
 *   await ftp.download("out/report.csv", "report.csv", { retry: { delay: 10 } });
 *   assertEquals(await Deno.readTextFile("report.csv"), "1,2,3\n");
 *   assertEquals(server.verbs.filter((verb) => verb === "RETR").length, 2);
 * });
 * ```
 */
export class TestServer implements AsyncDisposable {
  /** The address of the server. */
  readonly host: string;
  /** The port of the server. */
  readonly port: number;
  /** Passwords by user; `undefined` if any user can log in. */
  readonly users: Readonly<Record<string, string>> | undefined;
  /** Certificate and key, if the server has TLS. */
  readonly tls: TestTLS | undefined;
  /** Encoding of command lines. */
  readonly charset: "utf8" | "latin1";
  /**
   * How commands that arrive in one packet are read. "each": all of them.
   * "first": only the first. "joined": as one command, like old versions of
   * LightFTP. "none": the connection is closed, like newer ones.
   */
  perPacket: "each" | "first" | "joined" | "none" = "each";
  /** Files by absolute path. */
  readonly files: Map<string, Uint8Array> = new Map();
  /** Directories by absolute path. */
  readonly folders: Set<string> = new Set(["/"]);
  /** All received command lines of all connections, in order. */
  readonly commands: string[] = [];
  /** All control connections. */
  readonly sessions: TestSession[] = [];
  readonly #server: Server;
  readonly #handlers = new Map<string, Handler>();
  readonly #onceHandlers = new Map<string, Handler[]>();
  readonly #faults = new Map<string, OrderedFault[]>();
  readonly #awaited = new Map<string, Awaited[]>();
  readonly #errors: unknown[] = [];
  readonly #serving: Promise<void>[] = [];

  /** @ignore */
  private constructor(server: Server, options: TestServerOptions) {
    this.#server = server;
    const address = server.address() as { address: string; port: number };
    this.host = address.address;
    this.port = address.port;
    this.charset = options.charset ?? "utf8";
    this.users = options.users;
    this.tls = options.tls;
    for (const [path, content] of Object.entries(options.files ?? {})) {
      this.put(path, content);
    }
  }

  /**
   * Starts a server on a free port.
   *
   * @param options Files, users, TLS
   * @returns The server; `await using` stops it
   */
  static async start(
    options: TestServerOptions = {},
  ): Promise<TestServer> {
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, options.hostname ?? "127.0.0.1", resolve);
    });
    const scripted = new TestServer(server, options);
    server.on("connection", (socket: Socket) => scripted.#accept(socket));
    return scripted;
  }

  /** URL of the server, with the first user and password if there are users. */
  get url(): string {
    const { host, port, tls, users } = this;
    const [first] = Object.entries(users ?? {});
    const login = first === undefined
      ? ""
      : `${first.map(encodeURIComponent).join(":")}@`;
    const scheme = tls === undefined
      ? "ftp"
      : tls.mode === "implicit"
      ? "ftps"
      : "ftpes";
    const name = host.includes(":") ? `[${host}]` : host;
    return `${scheme}://${login}${name}:${port}`;
  }

  /** The verbs of the received command lines. */
  get verbs(): string[] {
    return this.commands.map((line) => line.split(" ", 1)[0]!);
  }

  /**
   * Makes a command fail the next time it arrives.
   *
   * @param verb The command, such as "RETR"; "connect" for the greeting
   * @param fault The fault
   * @param options Number of times; `Infinity` for always
   * @returns The server
   */
  fail(
    verb: string,
    fault: TestFault,
    { times = 1 }: { times?: number } = {},
  ): this {
    getOrMake(this.#faults, verb.toUpperCase()).push({ fault, left: times });
    return this;
  }

  /**
   * Takes the next fault of a command. Used by the session.
   *
   * @param verb The command
   * @returns The fault, or `undefined`
   * @ignore
   */
  takeFault(verb: string): TestFault | undefined {
    const queue = this.#faults.get(verb);
    const [first] = queue ?? [];
    if (first === undefined) return undefined;
    if (--first.left <= 0) queue!.shift();
    return first.fault;
  }

  /**
   * Sets the reply to a verb.
   *
   * @param verb The verb
   * @param handler Function that replies, or the text of the reply, with its
   * lines separated by LF
   * @returns The server
   */
  on(verb: string, handler: Handler | string): this {
    this.#handlers.set(verb.toUpperCase(), toHandler(handler));
    return this;
  }

  /**
   * Sets the reply to a verb for one time. Several calls form a queue.
   *
   * @param verb The verb
   * @param handler Function that replies, or the text of the reply
   * @returns The server
   */
  once(verb: string, handler: Handler | string): this {
    getOrMake(this.#onceHandlers, verb.toUpperCase()).push(toHandler(handler));
    return this;
  }

  /**
   * Waits for a command. Each call returns the next one.
   *
   * @param verb The verb
   * @returns The command line
   */
  async received(verb: string): Promise<string> {
    const waiting = getOrMake(this.#awaited, verb.toUpperCase());
    const taken = waiting.find((entry) => !entry.taken) ?? addAwaited(waiting);
    taken.taken = true;
    return await taken.promise;
  }

  /**
   * Adds or replaces a file, and creates its directories.
   *
   * @param path An absolute path
   * @param content Bytes, or text, which is encoded in UTF-8
   */
  put(path: string, content: string | Uint8Array): void {
    this.files.set(path, toBytes(content));
    const parts = path.split("/").slice(1, -1);
    for (let i = 1; i <= parts.length; i++) {
      this.folders.add(`/${parts.slice(0, i).join("/")}`);
    }
  }

  /**
   * Returns a file as text.
   *
   * @param path An absolute path
   * @returns The text, or `undefined` if there is no such file
   */
  text(path: string): string | undefined {
    const bytes = this.files.get(path);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  }

  /**
   * Closes all connections and stops the server. Throws the first error of a
   * handler.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const session of this.sessions) await session.dispose();
    for (const entry of [...this.#awaited.values()].flat()) entry.giveUp();
    await Promise.all([closed, ...this.#serving]);
    if (this.#errors.length > 0) throw this.#errors[0];
  }

  /**
   * Returns the handler of a verb: of `once`, of `on`, or the default. Used by
   * the session.
   *
   * @param verb The verb
   * @returns The handler
   * @ignore
   */
  handlerFor(verb: string): Handler {
    return this.#onceHandlers.get(verb)?.shift() ?? this.#handlers.get(verb) ??
      this.#handlers.get("*") ?? defaultFor(verb);
  }

  /**
   * Records a received line. Used by the session.
   *
   * @param line The line
   * @param verb Its verb
   * @ignore
   */
  note(line: string, verb: string): void {
    this.commands.push(line);
    const waiting = getOrMake(this.#awaited, verb);
    (waiting.find((entry) => !entry.arrived) ?? addAwaited(waiting)).arrive(
      line,
    );
  }

  #accept(socket: Socket): void {
    const session = new TestSession(this, new Peer(socket));
    this.sessions.push(session);
    this.#serving.push(
      session.serve().catch((error) => {
        if (!(error instanceof PeerGone)) this.#errors.push(error);
        session.peer.close();
      }),
    );
  }
}

/** A fault, and its remaining number of times. */
interface OrderedFault {
  readonly fault: TestFault;
  left: number;
}

/** A command that is awaited, or that has arrived. */
interface Awaited {
  promise: Promise<string>;
  arrive(line: string): void;
  /** Rejects, because the command will not arrive. */
  giveUp(): void;
  arrived: boolean;
  taken: boolean;
}

function addAwaited(list: Awaited[]): Awaited {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  promise.catch(() => {}); // it may never be awaited
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
