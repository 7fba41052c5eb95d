/** A server behind a proxy, which runs one case after another. */

import { type PlannedFault, Proxy } from "../testing/proxy.ts";
import { certificates } from "../testing/servers/certificates.ts";
import { type RealServer, startServer } from "../testing/servers/mod.ts";
import { SERVER_HOST, takePorts } from "../testing/servers/loopback.ts";
import { handOver } from "../testing/servers/real_server.ts";
import type { CaseFault, Configuration, FaultCase } from "./fault_case.ts";

/** A stalled session keeps its port until the proxy is cut. */
const PASSIVE_PORTS = 12;

/** Settings for the passive ports, which must be the same after a restart. */
const PASSIVE_SETTINGS: Record<
  Configuration["server"],
  (first: number, last: number) => string[]
> = {
  vsftpd: (first, last) => [`pasv_min_port=${first}`, `pasv_max_port=${last}`],
  proftpd: (first, last) => [`PassivePorts ${first} ${last}`],
  "pure-ftpd": (first, last) => ["--passiveportrange", `${first}:${last}`],
  pyftpdlib: (
    first,
    last,
  ) => [`handler.passive_ports = range(${first}, ${last + 1})`],
};

/** A fault that happened, and its connection. */
export interface Incident {
  readonly fault: CaseFault;
  readonly planned: PlannedFault;
}

/** A server behind a proxy. */
export class ProxiedServer implements AsyncDisposable {
  readonly name: string;
  /** The server's root directory. */
  readonly root: string;
  /** The server and its TLS. */
  readonly configuration: Configuration;
  readonly #port: number;
  #server: RealServer;
  #proxy: Proxy;
  #plan: Incident[] = [];
  #counts = { control: 0, data: 0 };
  #seen = 0;
  #isKilled = false;
  #isServing = true;

  private constructor(
    name: string,
    configuration: Configuration,
    root: string,
    port: number,
    server: RealServer,
    proxy: Proxy,
  ) {
    this.name = name;
    this.configuration = configuration;
    this.root = root;
    this.#port = port;
    this.#server = server;
    this.#proxy = proxy;
  }

  /** Starts the server and the proxy. */
  static async start(
    name: string,
    configuration: Configuration,
  ): Promise<ProxiedServer> {
    const root = await Deno.makeTempDir({ prefix: "ftp_faults_" });
    await Deno.chmod(root, 0o755);
    handOver(root);
    const port = takePorts(SERVER_HOST, 1 + PASSIVE_PORTS);
    let server: RealServer | undefined;
    try {
      server = await serve(configuration, root, port);
      // the plan is requested for each connection, after the constructor
      const proxy = await Proxy.start({
        host: server.host,
        port,
        passivePorts: [port + 1, port + PASSIVE_PORTS],
      }, { plan: ({ channel }) => proxied.#planFor(channel) });
      const proxied = new ProxiedServer(
        name,
        configuration,
        root,
        port,
        server,
        proxy,
      );
      return proxied;
    } catch (error) {
      await server?.stop();
      await Deno.remove(root, { recursive: true });
      throw error;
    }
  }

  get host(): string {
    return this.#proxy.host;
  }

  get port(): number {
    return this.#port;
  }

  get user(): string {
    return this.#server.user;
  }

  get password(): string {
    return this.#server.password;
  }

  /** Whether the server was killed since the case began. */
  get isKilled(): boolean {
    return this.#isKilled;
  }

  /**
   * Whether the server is running: after a kill it may not have started again.
   */
  get isServing(): boolean {
    return this.#isServing;
  }

  /** Control connections since the case began. */
  get controlConnections(): number {
    return this.#counts.control;
  }

  /** Faults since the start of the case. */
  get happened(): Incident[] {
    const faults = new Set(this.#proxy.faults.slice(this.#seen));
    return this.#plan.filter(({ planned }) => faults.has(planned));
  }

  /** Whether the current control connection had a fault. */
  get isControlHurt(): boolean {
    const index = this.#counts.control - 1;
    return this.#isKilled ||
      this.happened.some(({ fault }) =>
        fault.channel === "control" && fault.index === index
      );
  }

  /** Plans a case's faults for later connections. */
  arm({ faults }: Pick<FaultCase, "faults">): void {
    this.#seen = this.#proxy.faults.length;
    this.#proxy.bytes.up = this.#proxy.bytes.down = 0;
    this.#counts = { control: 0, data: 0 };
    this.#isKilled = false;
    this.#plan = faults.map((fault) => {
      const { direction, duration } = fault;
      const offset = fault.from === "login" ? Infinity : fault.offset;
      const planned = { direction, offset, fault: fault.fault, duration };
      return { fault, planned };
    });
  }

  /** Sets the positions of faults that count from the end of the login. */
  loggedIn(): void {
    if (this.#counts.control > 1) return; // it took more than one attempt
    for (const { fault, planned } of this.#plan) {
      if (fault.from !== "login") continue;
      planned.offset = this.#proxy.bytes[fault.direction] + fault.offset;
    }
  }

  /** Cancels the faults that have not begun. */
  disarm(): void {
    for (const { planned } of this.#plan) planned.offset = Infinity;
  }

  /** Ends the remaining connections. */
  cut(): void {
    this.#proxy.cut();
  }

  /** Kills the server and every session of it. */
  kill(): void {
    if (this.#isKilled) return;
    this.#isKilled = true;
    this.#isServing = false;
    this.#server.kill();
  }

  /** Starts the server again after a kill. */
  async restart(): Promise<void> {
    this.#isServing = false;
    await this.#server.stop();
    this.#server = await serve(this.configuration, this.root, this.#port);
    this.#isServing = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#proxy[Symbol.asyncDispose]();
    await this.#server.stop();
    await Deno.remove(this.root, { recursive: true });
  }

  #planFor(channel: "control" | "data"): PlannedFault[] {
    const index = this.#counts[channel]++;
    return this.#plan.filter(({ fault }) =>
      fault.channel === channel && fault.index === index
    ).map(({ planned }) => planned);
  }
}

async function serve(
  { server, tls }: Configuration,
  root: string,
  port: number,
): Promise<RealServer> {
  const { good } = await certificates();
  return await startServer(server, {
    root,
    port,
    extra: PASSIVE_SETTINGS[server](port + 1, port + PASSIVE_PORTS),
    ...(tls ? { tls: { mode: "explicit", ...good } } : {}),
  });
}
