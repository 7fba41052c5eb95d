/** Runs random calls on one server, and compares each result with the model. */

import { X509Certificate } from "node:crypto";
import { FTP, type FTPOptions, type TraceEvent } from "../../mod.ts";
import { type LeakTracker, OpenResources } from "../faults/leak_tracker.ts";
import { Random } from "../faults/random.ts";
import { Proxy } from "../testing/proxy.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { certificates } from "../testing/servers/certificates.ts";
import {
  type RealServer,
  type ServerName,
  startServer,
} from "../testing/servers/mod.ts";
import {
  ByteGate,
  ByteStop,
  choosePlace,
  describePlace,
  type Place,
} from "./byte_gate.ts";
import type { Call, Draw, Kind } from "./call.ts";
import { CHANGING_CALLS } from "./changing_calls.ts";
import { LISTING_CALLS } from "./listing_calls.ts";
import { ModelTree } from "./model_tree.ts";
import { ServedFolder } from "./served_folder.ts";
import { question, READING_CALLS } from "./reading_calls.ts";
import { Stop } from "./stop.ts";

const READING_KINDS = [...LISTING_CALLS, ...READING_CALLS];
const KINDS = [...READING_KINDS, ...CHANGING_CALLS];

/** Enough for connections that are still being closed. */
const PASSIVE_PORTS = 30;

/** Calls between two checks of the leftovers of aborted calls. */
const CALLS_A_LOOK = 40;

/** For ProFTPD, which may loop without end after an aborted listing. */
const ENDING_HUNG_SESSIONS = ["TimeoutStalled 20"];

/** Time-out of the client, in milliseconds, longer than any server needs. */
const TIMEOUT = 60_000;

/** Longest wait for one call, in milliseconds. */
const TIME_LIMIT = 4 * TIMEOUT;

/**
 * Largest number of connections and workers of a client: control and data, and
 * an old one of each that is being closed.
 */
const MAX_RESOURCES = 8;

/**
 * Longest wait until a closed client has released everything, in milliseconds.
 */
const RELEASE = 10_000;

/** Latest calls, and lines of the trace, in a report. */
const CALLS_TOLD = 8;
const TRACE_TOLD = 40;

/** The plan of a run. */
export interface ModelPlan {
  readonly server: ServerName;
  readonly tls: boolean;
  readonly seed: number;
  readonly calls: number;
  /** Share of the calls that is disturbed. */
  readonly stops: number;
  /**
   * Kind of disturbance: at a random moment in any way; by the signal, after
   * some bytes; or by a FIN on the data connection without close_notify, after
   * some bytes (only calls that read data).
   */
  readonly disturbance: "stop" | "byte stop" | "truncation";
  /**
   * The server's name in the pinned certificate, so that simultaneous clients
   * share no sessions.
   */
  readonly name: string;
}

/** Something that must never happen. */
export interface Finding {
  readonly kind: "wrong" | "error" | "hang" | "leak" | "left";
  /** The seed, the call and the calls before it. */
  readonly text: string;
}

/** The result of a run. */
export interface ModelReport {
  calls: number;
  stops: number;
  /** Stopped calls that rejected for this reason. */
  interrupted: number;
  /** Connections lost by an abort, as reported by a call of ftplib. */
  reconnections: number;
  readonly findings: Finding[];
}

/** Runs a plan. */
export async function runModel(
  plan: ModelPlan,
  tracker: LeakTracker,
  tell: (finding: Finding) => void,
): Promise<ModelReport> {
  const { good } = await certificates();
  using served = new ServedFolder();
  const isProxied = plan.disturbance !== "stop";
  await using server = await startServer(plan.server, {
    root: served.path,
    extra: plan.server === "proftpd" ? ENDING_HUNG_SESSIONS : [],
    ...isProxied ? { passivePorts: PASSIVE_PORTS } : {},
    ...plan.tls ? { tls: { mode: "explicit", ...good } } : {},
  });
  using folder = new LocalFolder();
  const resources = new OpenResources();
  const gate = new ByteGate();
  await using proxy = isProxied
    ? await Proxy.start(server, { gate })
    : undefined;
  const { host } = proxy ?? server;
  const run = new ModelRun(
    plan,
    { server, host, gate, folder },
    resources,
    tell,
  );
  return await tracker.run(resources, () => run.all());
}

/** Environment of a plan. */
interface Scene {
  readonly server: RealServer;
  /** Host of the server or of the proxy. */
  readonly host: string;
  readonly gate: ByteGate;
  readonly folder: LocalFolder;
}

class ModelRun {
  readonly report: ModelReport = {
    calls: 0,
    stops: 0,
    interrupted: 0,
    reconnections: 0,
    findings: [],
  };
  readonly #plan: ModelPlan;
  readonly #scene: Scene;
  readonly #resources: OpenResources;
  readonly #tell: (finding: Finding) => void;
  readonly #tree: ModelTree;
  /** Kinds that had no turn: each has one before chance decides. */
  readonly #untried = new Set<Kind>(KINDS.map(([, kind]) => kind));
  readonly #told: string[] = [];
  #trace: TraceEvent[] = [];
  #ftp!: FTP;
  /**
   * Whether a call was stopped on this connection, and no transfer has
   * succeeded since then.
   */
  #isInDoubt = false;

  constructor(
    plan: ModelPlan,
    scene: Scene,
    resources: OpenResources,
    tell: (finding: Finding) => void,
  ) {
    this.#plan = plan;
    this.#scene = scene;
    this.#resources = resources;
    this.#tell = tell;
    this.#tree = new ModelTree(scene.server, new Random(plan.seed));
  }

  async all(): Promise<ModelReport> {
    const { calls } = this.#plan;
    await this.#renew();
    for (let index = 0; index < calls; index++) {
      await this.#step(index);
      this.report.calls++;
      if (index % CALLS_A_LOOK === CALLS_A_LOOK - 1) await this.#look();
    }
    await this.#look();
    await this.#end();
    for (const what of await this.#resources.left(RELEASE)) {
      this.#find("leak", `${what} is open at the end`);
    }
    return this.report;
  }

  async #step(index: number): Promise<void> {
    const { seed, stops, disturbance } = this.#plan;
    const { server, folder, gate } = this.#scene;
    const random = new Random(Math.imul(seed, 1_000_003) + index);
    const isDisturbed = random.chance(stops);
    if (isDisturbed) this.report.stops++;
    const isTruncated = isDisturbed && disturbance === "truncation";
    using stop = isDisturbed && !isTruncated
      ? this.#newStop(random)
      : undefined;
    const tree = this.#tree;
    const draw: Draw = { random, stop, tree, server, folder };
    const kind = this.#chooseKind(random, isTruncated ? READING_KINDS : KINDS);
    const call = kind(draw) ?? question(draw)!;
    this.#told.push(`${index}: ${call.text}`);
    if (this.#told.length > CALLS_TOLD) this.#told.shift();
    if (isTruncated) {
      const place = choosePlace(random, this.report.stops + seed, "data");
      this.#told.push(`   cut ${describePlace(place)}`);
      await this.#makeTruncated(call, place);
      gate.disarm();
      return;
    }
    const isDone = await this.#make(call, stop);
    if (isDone && stop === undefined) call.apply?.();
    else for (const doubt of call.doubts ?? []) this.#tree.doubt(doubt);
    if (stop !== undefined || !isDone) this.#isInDoubt = true;
    if (call.isMove && (stop !== undefined || !isDone)) await this.#goBack();
    if (this.#resources.count > MAX_RESOURCES) {
      this.#find("leak", `${this.#resources.count} things are open`);
      await this.#renew();
    }
  }

  #chooseKind(
    random: Random,
    kinds: readonly (readonly [number, Kind])[],
  ): Kind {
    const first = kinds.find(([, kind]) => this.#untried.has(kind));
    if (first === undefined) return random.pick(kinds);
    this.#untried.delete(first[1]);
    return first[1];
  }

  #newStop(random: Random): Stop {
    const { disturbance, seed } = this.#plan;
    if (disturbance === "stop") return new Stop(random);
    // parallel runs start at different bytes
    const place = choosePlace(random, this.report.stops + 37 * seed);
    return new ByteStop(random, this.#scene.gate, place);
  }

  /**
   * Makes a call whose data is cut off: it may fail, but not succeed with
   * incomplete data.
   */
  async #makeTruncated(call: Call, place: Place): Promise<void> {
    this.#isInDoubt = true;
    this.#scene.gate.arm(place, () => Promise.resolve("truncate"));
    const before = this.#scene.gate.reachedCount;
    try {
      const problem = await bounded(call.run(this.#ftp));
      if (problem === undefined) return;
      this.#find("wrong", `${call.text} gave ${problem}`);
    } catch (error) {
      const isCut = this.#scene.gate.reachedCount > before;
      if (isCut) this.report.interrupted++;
      const isLate = error instanceof Deno.errors.NotConnected;
      const isExpected = isCut || isLate;
      if (isExpected && !(error instanceof Hang)) {
        if (isLate) await this.#reconnect();
        return;
      }
      const kind = error instanceof Hang ? "hang" : "error";
      this.#find(kind, `${call.text} threw ${Deno.inspect(error)}`);
    }
    await this.#renew();
  }

  /** Makes a call; returns whether the result was right. */
  async #make(call: Call, stop: Stop | undefined): Promise<boolean> {
    for (let attempt = 0;; attempt++) {
      try {
        const problem = await bounded(call.run(this.#ftp));
        if (problem === undefined) return true;
        this.#find("wrong", `${call.text} gave ${problem}`);
      } catch (error) {
        if (stop !== undefined && error === stop.reason) {
          this.report.interrupted++;
          return true;
        }
        // The cut may also have broken the control connection, which every
        // later call may report.
        const mayTell = call.level === "ftplib" ||
          this.#plan.disturbance === "truncation";
        const isLost = error instanceof Deno.errors.NotConnected &&
          this.#isInDoubt;
        const mayReconnect = mayTell && attempt === 0 &&
          (isLost || this.#isHung(error));
        if (mayReconnect) {
          this.report.reconnections++;
          if (await this.#reconnect() && stop === undefined) continue;
          return true;
        }
        const kind = error instanceof Hang ? "hang" : "error";
        this.#find(kind, `${call.text} threw ${Deno.inspect(error)}`);
      }
      await this.#renew();
      return false;
    }
  }

  /** Whether an ABOR was never answered: ProFTPD may hang in a listing that is aborted. */
  #isHung(error: unknown): boolean {
    return this.#plan.server === "proftpd" &&
      error instanceof Deno.errors.TimedOut &&
      /^Cannot abort "(NLST|LIST|MLSD)\b/.test(error.message);
  }

  /** Returns to the directory after a call that may have changed it. */
  async #goBack(): Promise<void> {
    const { directory } = this.#tree;
    await this.#make({
      text: `cwd(${directory}), after a move that was stopped`,
      level: "ftplib",
      run: async (ftp) => {
        await ftp.cwd(directory);
        const found = await ftp.pwd();
        return found === directory ? undefined : `the directory ${found}`;
      },
    }, undefined);
  }

  /** Checks the leftovers of aborted calls while the server is idle. */
  async #look(): Promise<void> {
    await this.#make({
      text: "pwd(), before a look at the disk",
      level: "ftplib",
      run: async (ftp) => {
        const found = await ftp.pwd();
        const { directory } = this.#tree;
        return found === directory ? undefined : `${found} for ${directory}`;
      },
    }, undefined);
    for (const problem of this.#tree.settle()) this.#find("left", problem);
  }

  async #reconnect(): Promise<boolean> {
    this.#isInDoubt = false;
    try {
      await bounded(this.#ftp.reconnect());
      return true;
    } catch (error) {
      this.#find("error", `reconnect() threw ${Deno.inspect(error)}`);
      await this.#renew();
      return false;
    }
  }

  /** Creates another client if the state of this one is unknown. */
  async #renew(): Promise<void> {
    await this.#end();
    this.#isInDoubt = false;
    const { server, host } = this.#scene;
    const { port, user, password } = server;
    const ftp = new FTP(await this.#options());
    this.#ftp = ftp;
    await ftp.connect(host, port);
    await ftp.login(user, password);
    await ftp.cwd(this.#tree.directory);
  }

  async #end(): Promise<void> {
    const ftp: FTP | undefined = this.#ftp;
    if (ftp === undefined) return;
    try {
      await bounded(ftp[Symbol.asyncDispose]());
    } catch (error) {
      this.#find("hang", `the end threw ${Deno.inspect(error)}`);
    }
  }

  async #options(): Promise<FTPOptions> {
    const { seed, tls, name } = this.#plan;
    this.#trace = [];
    const options: FTPOptions = {
      timeout: TIMEOUT,
      pipelining: seed % 3 !== 0,
      trace: (event) => {
        this.#trace.push(event);
        if (this.#trace.length > 2 * TRACE_TOLD) {
          this.#trace = this.#trace.slice(-TRACE_TOLD);
        }
      },
    };
    if (!tls) return options;
    const { good } = await certificates();
    const pem = Deno.readFileSync(good.certificate);
    const fingerprint = new X509Certificate(pem).fingerprint256;
    return { ...options, tls: { serverName: name, fingerprint } };
  }

  #find(kind: Finding["kind"], text: string): void {
    const { seed, server, tls } = this.#plan;
    const finding = {
      kind,
      text: [
        `FTP_MODEL_SEED=${seed} (${server}, ${
          tls ? "TLS" : "plain"
        }): ${kind}: ${text}`,
        ...this.#told.map((call) => `  call ${call}`),
        ...this.#trace.slice(-TRACE_TOLD).map((event) =>
          `    ${Deno.inspect(event, { breakLength: Infinity })}`
        ),
      ].join("\n"),
    };
    this.report.findings.push(finding);
    this.#tell(finding);
  }
}

/** A call that does not end. */
class Hang extends Error {
  override name = "Hang";
}

async function bounded<T>(promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Hang(`no end within ${TIME_LIMIT} ms`)),
    TIME_LIMIT,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
