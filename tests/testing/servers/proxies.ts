/** Real proxies for tests: microsocks and Dante (SOCKS5), tinyproxy (HTTP). */

import { SERVER_HOST, takePorts } from "./loopback.ts";
import { ServerProcess } from "./process.ts";
import { findProgram, programEnvironment } from "./programs.ts";

/** The proxies that the tests know. */
export type ProxyName = "microsocks" | "danted" | "tinyproxy";

/** Options of a proxy. */
export interface RealProxyOptions {
  /** Required user and password; Dante would ask the system. @default {none} */
  login?: readonly [user: string, password: string];
  /** The only ports of servers that it leads to; microsocks has no such rule. @default {any} */
  ports?: readonly number[];
}

/** One of the proxies. */
interface ProxyKind {
  readonly name: ProxyName;
  readonly scheme: "socks5" | "http";
  /** Why the proxy cannot be started here, or `undefined`. */
  missing(): string | undefined;
  /** The text of its configuration file, if it has one. */
  configure?(port: number, options: RealProxyOptions): readonly string[];
  /** Its arguments. */
  args(config: string, port: number, options: RealProxyOptions): string[];
}

/** The proxies, in the order in which tests run through them. */
export const PROXIES: readonly ProxyKind[] = [
  {
    name: "microsocks",
    scheme: "socks5",
    missing: () => findProgram("microsocks") ? undefined : "not found",
    args: (_config, port, { login }) => [
      ...["-i", SERVER_HOST, "-p", `${port}`],
      ...login === undefined ? [] : ["-u", login[0], "-P", login[1]],
    ],
  },
  {
    name: "danted",
    scheme: "socks5",
    missing() {
      if (findProgram("danted") === undefined) return "not found";
      return Deno.uid() === 0 ? undefined : "has to be started as root";
    },
    configure: (port, { ports }) => [
      "logoutput: stderr",
      `internal: ${SERVER_HOST} port = ${port}`,
      "external: lo",
      "socksmethod: none",
      "clientmethod: none",
      "user.privileged: root",
      "user.unprivileged: daemon",
      "client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }",
      ...(ports ?? [undefined]).map((port) =>
        `socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 ${
          port === undefined ? "" : `port = ${port}`
        } }`
      ),
      "socks block { from: 0.0.0.0/0 to: 0.0.0.0/0 }",
    ],
    args: (config) => ["-f", config, "-p", `${config}.pid`],
  },
  {
    name: "tinyproxy",
    scheme: "http",
    missing: () => findProgram("tinyproxy") ? undefined : "not found",
    configure: (port, { login, ports = [] }) => [
      `Port ${port}`,
      `Listen ${SERVER_HOST}`,
      "Timeout 600",
      "MaxClients 100",
      ...login === undefined ? [] : [`BasicAuth ${login.join(" ")}`],
      ...ports.map((port) => `ConnectPort ${port}`),
    ],
    args: (config) => ["-d", "-c", config],
  },
];

/** A running proxy. */
export class RealProxy implements AsyncDisposable {
  /** Host and port. */
  readonly address: string;
  readonly scheme: "socks5" | "http";
  readonly #process: ServerProcess;
  readonly #folder: string;

  /** Use {@linkcode startProxy}. */
  constructor(
    { scheme }: ProxyKind,
    port: number,
    process: ServerProcess,
    folder: string,
  ) {
    this.scheme = scheme;
    this.address = `${SERVER_HOST}:${port}`;
    this.#process = process;
    this.#folder = folder;
  }

  /**
   * URL for the option `proxy`.
   *
   * @param login User and password, as in a URL
   */
  url(login?: string): string {
    return `${this.scheme}://${
      login === undefined ? "" : `${login}@`
    }${this.address}`;
  }

  /** Kills the proxy with all its connections. */
  kill(): void {
    this.#process.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/**
 * Starts a proxy, and waits until it listens.
 *
 * @returns The proxy, which the caller disposes of
 */
export async function startProxy(
  name: ProxyName,
  options: RealProxyOptions = {},
): Promise<RealProxy> {
  const kind = proxyKind(name);
  const reason = kind.missing();
  if (reason !== undefined) {
    throw new Error(
      `Cannot start ${name}: ${reason} (see "deno task servers")`,
    );
  }
  const folder = await Deno.makeTempDir({ prefix: "ftp_proxy_" });
  await Deno.chmod(folder, 0o711);
  const config = `${folder}/config`;
  const port = takePorts(SERVER_HOST, 1);
  const lines = kind.configure?.(port, options) ?? [];
  await Deno.writeTextFile(config, `${lines.join("\n")}\n`);
  const process = new ServerProcess({
    command: [findProgram(name)!, ...kind.args(config, port, options)],
    env: programEnvironment(),
    folder,
    outside: undefined,
    maxFileSize: undefined,
  });
  try {
    // a proxy says nothing before it is asked, as with implicit TLS
    await process.ready(SERVER_HOST, port, true);
  } catch (error) {
    await process.stop();
    await Deno.remove(folder, { recursive: true });
    throw error;
  }
  return new RealProxy(kind, port, process, folder);
}

/**
 * Whether tests that need a proxy are skipped: it is missing and not required,
 * or servers are disabled.
 */
export function isProxyIgnored(name: ProxyName): boolean {
  if (Deno.env.get("FTP_SERVERS") === "none") return true;
  return proxyKind(name).missing() !== undefined &&
    Deno.env.get("FTP_REQUIRE_SERVERS") !== "1";
}

function proxyKind(name: ProxyName): ProxyKind {
  return PROXIES.find((kind) => kind.name === name)!;
}
