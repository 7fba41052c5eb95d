/** Kills a program, checks both sides, and repeats its call. */

import { X509Certificate } from "node:crypto";
import { Proxy } from "../testing/proxy.ts";
import { certificates } from "../testing/servers/certificates.ts";
import { startServer } from "../testing/servers/mod.ts";
import type { RealServer, ServerName } from "../testing/servers/mod.ts";
import { ServedFolder } from "../model/served_folder.ts";
import { CALLS, type KillCase, makeKillCase } from "./kill_case.ts";
import { KillFiles } from "./kill_files.ts";
import { logInFor, obey, type Order, type Outcome } from "./program.ts";

/** A killed session keeps its port until the server has seen the end. */
const PASSIVE_PORTS = 40;

/** The result of a kill. */
export interface KillReport {
  readonly seed: number;
  /** Whether the program was killed before its end. */
  readonly wasKilled: boolean;
  readonly problems: readonly string[];
}

/** Duration of an undisturbed call. */
interface Measure {
  readonly duration: number;
  readonly events: number;
}

/** A server behind a proxy, for programs that are killed. */
export class KillTarget implements AsyncDisposable {
  readonly #server: RealServer;
  readonly #proxy: Proxy;
  readonly #served: ServedFolder;
  readonly #fingerprint: string | undefined;
  readonly #measures = new Map<Order["call"], Measure>();

  private constructor(
    server: RealServer,
    proxy: Proxy,
    served: ServedFolder,
    fingerprint: string | undefined,
  ) {
    this.#server = server;
    this.#proxy = proxy;
    this.#served = served;
    this.#fingerprint = fingerprint;
  }

  /** Starts the server and the proxy. */
  static async start(name: ServerName, tls: boolean): Promise<KillTarget> {
    const { good } = await certificates();
    const served = new ServedFolder();
    let server: RealServer | undefined;
    try {
      server = await startServer(name, {
        root: served.path,
        passivePorts: PASSIVE_PORTS,
        ...tls ? { tls: { mode: "explicit", ...good } } : {},
      });
      const proxy = await Proxy.start(server);
      const pem = Deno.readFileSync(good.certificate);
      const fingerprint = tls
        ? new X509Certificate(pem).fingerprint256
        : undefined;
      return new KillTarget(server, proxy, served, fingerprint);
    } catch (error) {
      await server?.stop();
      served[Symbol.dispose]();
      throw error;
    }
  }

  /** Runs a case. */
  async run(seed: number): Promise<KillReport> {
    const killCase = makeKillCase(seed);
    const { moment, call } = killCase;
    const measure = this.#measures.get(call) ?? await this.#measure(call);
    using files = new KillFiles(killCase, this.#served);
    const order = this.#orderFor(killCase, files);
    const problems: string[] = [];
    const outcome = moment.of === "time"
      ? await runProgram(order, moment.share * measure.duration)
      : await runProgram({
        ...order,
        ownKill: moment.of === "bytes"
          ? { bytes: Math.floor(moment.share * files.bytes) }
          : { event: 1 + Math.floor(moment.share * measure.events) },
      });
    problems.push(...files.afterKill().map((text) => `killed: ${text}`));
    await this.#proxy.idle();
    problems.push(...files.afterKill().map((text) => `then: ${text}`));
    try {
      const ftp = await logInFor(order);
      try {
        await obey(ftp, order);
      } finally {
        await ftp[Symbol.asyncDispose]();
      }
      problems.push(...files.afterNextRun().map((text) => `next: ${text}`));
    } catch (error) {
      problems.push(`the next run threw ${Deno.inspect(error)}`);
    }
    return { seed, wasKilled: outcome.wasKilled, problems };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#proxy[Symbol.asyncDispose]();
    await this.#server.stop();
    this.#served[Symbol.dispose]();
  }

  /** How long a call takes on this machine, under the load that there is. */
  async #measure(call: Order["call"]): Promise<Measure> {
    const killCase = makeKillCase(CALLS.indexOf(call));
    using files = new KillFiles(killCase, this.#served);
    const { events, duration, wasKilled } = await runProgram(
      this.#orderFor(killCase, files),
    );
    const problems = files.afterNextRun();
    if (wasKilled || problems.length > 0) {
      throw new Error(`Cannot measure ${call}: ${problems.join("; ")}`);
    }
    const measure = { duration, events };
    this.#measures.set(call, measure);
    return measure;
  }

  #orderFor({ call, options }: KillCase, files: KillFiles): Order {
    const { user, password } = this.#server;
    const { host, port } = this.#proxy;
    const { local, remote } = files;
    return {
      ...{ host, port, user, password, call, local, remote, options },
      fingerprint: this.#fingerprint,
    };
  }
}

/** Runs a program, and kills it some milliseconds after its login. */
async function runProgram(
  order: Order,
  delay?: number,
): Promise<Measure & { wasKilled: boolean }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--allow-all", "--no-check", "--no-remote", "--no-config"],
      new URL("program.ts", import.meta.url).href,
      JSON.stringify(order),
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let readyAt = 0;
  let doneAt = 0;
  let said = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    said += decoder.decode(chunk, { stream: true });
    if (readyAt === 0 && said.includes("ready\n")) {
      readyAt = performance.now();
      if (delay !== undefined) {
        timer = setTimeout(() => child.kill("SIGKILL"), delay);
      }
    }
    if (said.includes("}\n")) {
      doneAt = performance.now();
      clearTimeout(timer);
    }
  }
  const { signal, success } = await child.status;
  clearTimeout(timer);
  const wasKilled = signal === "SIGKILL";
  if (!success && !wasKilled) {
    throw new Error(`The program failed before it was killed: ${await errors}`);
  }
  await errors;
  const outcome: Outcome | undefined = said.includes("}\n")
    ? JSON.parse(said.slice(said.indexOf("{")))
    : undefined;
  const duration = doneAt - readyAt;
  return { duration, events: outcome?.events ?? 0, wasKilled };
}
