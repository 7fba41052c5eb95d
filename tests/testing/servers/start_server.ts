/** Starts a server, and controls it while it runs. */

import { SERVER_HOST, SERVER_HOST_IPV6, takePorts } from "./loopback.ts";
import { ServerProcess } from "./process.ts";
import { PROFTPD } from "./proftpd.ts";
import { PURE_FTPD } from "./pure_ftpd.ts";
import { PYFTPDLIB } from "./pyftpdlib.ts";
import {
  handOver,
  type Launch,
  type LaunchContext,
  type ServerFeatures,
  type ServerKind,
  type ServerName,
  type ServerOptions,
} from "./real_server.ts";
import { VSFTPD } from "./vsftpd.ts";

export type {
  ServerFeatures,
  ServerName,
  ServerOptions,
  ServerTLS,
} from "./real_server.ts";

/** The user that servers accept. */
export const USER = "tester";

/**
 * Its password, with characters that are special in configuration files and
 * shells.
 */
export const PASSWORD = "s3cret w0rd";

/** The servers, in the order in which tests run against them. */
export const SERVERS: readonly ServerKind[] = [
  VSFTPD,
  PROFTPD,
  PURE_FTPD,
  PYFTPDLIB,
];

// Servers that gave up their rights read what tests write, whatever the umask of whoever runs them.
if (Deno.build.os !== "windows") Deno.umask(0o022);

/** A running server. */
export class RealServer implements AsyncDisposable {
  readonly name: ServerName;
  readonly features: ServerFeatures;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The folder on disk that the user sees as `/`. */
  readonly root: string;
  /** First and last passive port, if they were confined. */
  readonly passivePorts: readonly [number, number] | undefined;
  readonly #context: LaunchContext;
  readonly #launch: Launch;
  readonly #process: ServerProcess;
  #stopped = false;

  /** Use {@linkcode startServer}. */
  constructor(
    kind: ServerKind,
    context: LaunchContext,
    launch: Launch,
    process: ServerProcess,
  ) {
    this.name = kind.name;
    this.features = kind.features;
    this.host = context.host;
    this.port = context.port;
    this.user = context.user;
    this.password = context.password;
    this.root = context.root;
    this.passivePorts = context.passivePorts;
    this.#context = context;
    this.#launch = launch;
    this.#process = process;
  }

  /** Writes a file below the served folder, with its folders, owned by the server's user. */
  async write(path: string, content: string | Uint8Array): Promise<void> {
    const bytes = typeof content === "string"
      ? new TextEncoder().encode(content)
      : content;
    const parent = path.split("/").slice(0, -1).join("/");
    if (parent !== "") await this.mkdir(parent);
    // not a thread's work each: directories have thousands of files
    Deno.writeFileSync(`${this.root}/${path}`, bytes);
    own(this.#context, `${this.root}/${path}`);
  }

  /** Makes a folder below the served folder, with its parents, owned by the server's user. */
  mkdir(path: string): Promise<void> {
    let current = this.root;
    for (const name of path.split("/").filter((part) => part !== "")) {
      current += `/${name}`;
      Deno.mkdirSync(current, { recursive: true });
      own(this.#context, current);
    }
    return Promise.resolve();
  }

  /** Reads a file below the served folder. */
  async read(path: string): Promise<Uint8Array> {
    return await Deno.readFile(`${this.root}/${path}`);
  }

  /** Log and output of the server so far. */
  async log(): Promise<string> {
    const files = this.#launch.logs.map((path) =>
      Deno.readTextFile(path).catch(() => "")
    );
    return (await Promise.all([...files, this.#process.printed()])).join("");
  }

  /** Sends a signal to the server and to every session it serves. */
  kill(signal: Deno.Signal = "SIGKILL"): void {
    this.#process.kill(signal);
  }

  /** Ends the server, and removes its files. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.#process.stop();
    await cleanUp(this.#context, this.#launch);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/**
 * Starts a server and waits for its greeting.
 *
 * @param name Which one.
 * @param options How.
 * @returns The server; dispose of it, or call `stop()`.
 */
export async function startServer(
  name: ServerName,
  options: ServerOptions = {},
): Promise<RealServer> {
  const kind = serverKind(name);
  const reason = kind.missing();
  if (reason !== undefined) {
    throw new Error(
      `Cannot start ${name}: ${reason} (see "deno task servers")`,
    );
  }
  refuseWhatItCannot(kind, options);
  return await start(kind, options);
}

function refuseWhatItCannot(
  { name, features }: ServerKind,
  { tls, anonymous }: ServerOptions,
): void {
  const lacks = [
    ["implicit TLS", tls?.mode === "implicit" && !features.implicitTLS],
    ["session reuse", tls?.sessionReuse === true && !features.sessionReuse],
    [
      "client certificates",
      tls?.clientAuthority && !features.clientCertificates,
    ],
    ["anonymous users", anonymous === true && !features.anonymous],
  ].find(([_what, lacking]) => lacking)?.[0];
  if (lacks !== undefined) {
    throw new Error(`Cannot start ${name}: it has no ${lacks}`);
  }
}

async function start(
  kind: ServerKind,
  options: ServerOptions,
): Promise<RealServer> {
  const context = await makeContext(options);
  let launch: Launch | undefined;
  let process: ServerProcess | undefined;
  try {
    launch = await kind.prepare(context);
    process = new ServerProcess({
      command: [...inNamespace(options), launch.program, ...launch.args],
      env: {
        ...launch.env,
        ...options.zone !== undefined && { TZ: options.zone },
      },
      folder: context.folder,
      outside: launch.outside,
      maxFileSize: options.maxFileSize,
    });
    await process.ready(
      context.host,
      context.port,
      options.tls?.mode === "implicit",
    );
    return new RealServer(kind, context, launch, process);
  } catch (error) {
    await process?.stop();
    const logs = await Promise.all(
      (launch?.logs ?? []).map((path) =>
        Deno.readTextFile(path).catch(() => "")
      ),
    );
    await cleanUp(context, launch);
    throw new Error(
      `Cannot start ${kind.name}: ${
        error instanceof Error ? error.message : error
      } ${logs.join("")}`,
      {
        cause: error,
      },
    );
  }
}

/** Arguments that run a program in the network namespace, if one is named. */
function inNamespace({ network }: ServerOptions): string[] {
  return network === undefined
    ? []
    : ["ip", "netns", "exec", network.namespace];
}

async function makeContext(options: ServerOptions): Promise<LaunchContext> {
  const host = options.network?.host ??
    (options.ipv6 ? SERVER_HOST_IPV6 : SERVER_HOST);
  const folder = await Deno.makeTempDir({ prefix: "ftp_server_" });
  const root = options.root ?? `${folder}/root`;
  // Session processes that run as another user pass through both.
  await Deno.chmod(folder, 0o711);
  if (options.root === undefined) {
    await Deno.mkdir(root);
    // vsftpd rejects anonymous logins to a writable directory.
    if (!options.anonymous) own({ options }, root);
  }
  const { passivePorts } = options;
  const firstPort = passivePorts === undefined
    ? undefined
    : takePorts(host, passivePorts);
  return {
    folder,
    root,
    host,
    port: options.port ?? takePorts(options.network ? SERVER_HOST : host, 1),
    user: USER,
    password: PASSWORD,
    passivePorts: firstPort === undefined
      ? undefined
      : [firstPort, firstPort + passivePorts! - 1],
    options,
  };
}

async function cleanUp(
  context: LaunchContext,
  launch: Launch | undefined,
): Promise<void> {
  if (launch?.outside !== undefined) await Deno.remove(launch.outside);
  await Deno.remove(context.folder, { recursive: true });
}

/** Gives a path to the server's user, unless that user may not write. */
function own(
  { options }: Pick<LaunchContext, "options">,
  path: string,
): void {
  if (options.writable !== false) handOver(path);
}

/** Returns a server by its name. */
export function serverKind(name: ServerName): ServerKind {
  return SERVERS.find((kind) => kind.name === name)!;
}
