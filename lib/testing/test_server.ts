/**
 * An FTP server for tests: a tree in memory, users, TLS, and faults on order. It
 * is a real server on loopback, so that what is tested is the program as it is,
 * and no mock.
 *
 * What is not scripted is answered over the files in memory. Any command can be
 * scripted by `on` and `once`, down to the bytes: the pseudo-verb `"connect"`
 * stands for the greeting, `"*"` for every verb that has no script of its own. A
 * handler can call `turn.default()` and do more around it.
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
   * `AUTH TLS`, or TLS from the first byte.
   *
   * @default {"explicit"}
   */
  mode?: "explicit" | "implicit" | undefined;
  /**
   * Whether logins in clear text are refused.
   *
   * @default {false}
   */
  required?: boolean | undefined;
}

/** Options of {@linkcode TestServer.start}. */
export interface TestServerOptions {
  /**
   * Where it listens.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string;
  /** Files by absolute path, as they travel. Their folders exist too. */
  files?: Record<string, string | Uint8Array>;
  /**
   * Passwords by user.
   *
   * @default {anybody is let in}
   */
  users?: Readonly<Record<string, string>> | undefined;
  /**
   * Certificate and key of the server.
   *
   * @default {no TLS}
   */
  tls?: TestTLS | undefined;
  /**
   * How lines are decoded; latin-1 shows every byte.
   *
   * @default {"utf8"}
   */
  charset?: "utf8" | "latin1";
}

/**
 * An FTP server on loopback, for tests.
 *
 * @example Test a program against a server that cuts the first download
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { connect } from "../../mod.ts";
 * import { TestServer } from "../../testing.ts";
 *
 * Deno.test("the report is fetched, though the connection breaks", async () => {
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
  /** The address it listens on. */
  readonly host: string;
  /** The port it listens on. */
  readonly port: number;
  /** Passwords by user, if users are told apart. */
  readonly users: Readonly<Record<string, string>> | undefined;
  /** Certificate and key, if it has TLS. */
  readonly tls: TestTLS | undefined;
  /** How lines are decoded. */
  readonly charset: "utf8" | "latin1";
  /**
   * What is made of commands that come in one packet: each of them, the first
   * and nothing of the others, or one of them all, as LightFTP did, or the end
   * of the connection, as it does now.
   */
  perPacket: "each" | "first" | "joined" | "none" = "each";
  /** Files by absolute path. */
  readonly files: Map<string, Uint8Array> = new Map();
  /** Folders by absolute path. */
  readonly folders: Set<string> = new Set(["/"]);
  /** Every line received, on whichever connection, in order. */
  readonly commands: string[] = [];
  /** Every control connection so far. */
  readonly sessions: TestSession[] = [];
  readonly #server: Server;
  readonly #handlers = new Map<string, Handler>();
  readonly #onceHandlers = new Map<string, Handler[]>();
  readonly #faults = new Map<string, OrderedFault[]>();
  readonly #awaited = new Map<string, Awaited[]>();
  readonly #errors: unknown[] = [];
  readonly #serving: Promise<void>[] = [];

  /** Use {@linkcode TestServer.start}. */
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
   * Listens on a port of its own.
   *
   * @param options Files, users, TLS
   * @returns The server; `await using` ends it
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

  /** Its URL, with the first user and the password, if it has users. */
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

  /** The verbs of the lines received. */
  get verbs(): string[] {
    return this.commands.map((line) => line.split(" ", 1)[0]!);
  }

  /**
   * Makes a command go wrong, the next time it comes.
   *
   * @param verb The command, such as "RETR"; "connect" for the greeting
   * @param fault What goes wrong
   * @param options How many times
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
   * The fault that a command meets. Used by the session.
   *
   * @param verb The command
   * @returns The fault, or `undefined`
   */
  takeFault(verb: string): TestFault | undefined {
    const queue = this.#faults.get(verb);
    const [first] = queue ?? [];
    if (first === undefined) return undefined;
    if (--first.left <= 0) queue!.shift();
    return first.fault;
  }

  /**
   * Scripts a verb: every time it comes.
   *
   * @param verb The verb
   * @param handler What answers it; a text is a whole reply, its lines
   * separated by LF
   * @returns The server
   */
  on(verb: string, handler: Handler | string): this {
    this.#handlers.set(verb.toUpperCase(), toHandler(handler));
    return this;
  }

  /**
   * Scripts a verb for one time; several queue up.
   *
   * @param verb The verb
   * @param handler What answers it
   * @returns The server
   */
  once(verb: string, handler: Handler | string): this {
    getOrMake(this.#onceHandlers, verb.toUpperCase()).push(toHandler(handler));
    return this;
  }

  /**
   * Waits for a command: each call takes the next one that no call took before.
   *
   * @param verb The verb
   * @returns Its line
   */
  async received(verb: string): Promise<string> {
    const waiting = getOrMake(this.#awaited, verb.toUpperCase());
    const taken = waiting.find((entry) => !entry.taken) ?? addAwaited(waiting);
    taken.taken = true;
    return await taken.promise;
  }

  /**
   * Adds or replaces a file, with its folders.
   *
   * @param path An absolute path
   * @param content Bytes, or a text in UTF-8
   */
  put(path: string, content: string | Uint8Array): void {
    this.files.set(path, toBytes(content));
    const parts = path.split("/").slice(1, -1);
    for (let i = 1; i <= parts.length; i++) {
      this.folders.add(`/${parts.slice(0, i).join("/")}`);
    }
  }

  /**
   * A file's text.
   *
   * @param path An absolute path
   * @returns The text, or `undefined` if there is no such file
   */
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

  /**
   * The handler for a verb: scripted for one time, scripted, or the default.
   * Used by the session.
   *
   * @param verb The verb
   * @returns What answers it
   */
  handlerFor(verb: string): Handler {
    return this.#onceHandlers.get(verb)?.shift() ?? this.#handlers.get(verb) ??
      this.#handlers.get("*") ?? defaultFor(verb);
  }

  /**
   * Notes a line that came in. Used by the session.
   *
   * @param line The line
   * @param verb Its verb
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

/** A fault, and how many times it is still to happen. */
interface OrderedFault {
  readonly fault: TestFault;
  left: number;
}

/** A command that is awaited, or that came before it was awaited. */
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
