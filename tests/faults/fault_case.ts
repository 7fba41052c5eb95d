/** A case: everything that it does, derived from its seed. */

import type {
  DownloadOptions,
  FTPOptions,
  RetryOptions,
  UploadOptions,
} from "../../mod.ts";
import type { Direction, Fault } from "../testing/proxy.ts";
import type { ServerName } from "../testing/servers/mod.ts";
import { Random } from "./random.ts";

/** A server, with TLS or without. */
export interface Configuration {
  readonly server: ServerName;
  readonly tls: boolean;
}

/** Seed 0 is a case of the first, seed 1 of the second, and so on. */
export const CONFIGURATIONS: readonly Configuration[] =
  (["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib"] as const)
    .flatMap((server) => [{ server, tls: false }, { server, tls: true }]);

/**
 * Returns the seeds of a configuration's cases.
 *
 * @param index Index of the configuration
 * @param start The smallest seed
 */
export function* seedsOf(
  index: number,
  start: number,
): Generator<number, never> {
  if (!Number.isSafeInteger(start) || start < 0) {
    throw new RangeError(
      `Cannot start at the seed ${start}: it must be an integer from 0`,
    );
  }
  const { length } = CONFIGURATIONS;
  const first = start + (index - start % length + length) % length;
  for (let seed = first;; seed += length) yield seed;
}

/** A fault on one of the case's connections. */
export interface CaseFault {
  readonly channel: "control" | "data";
  /** Index of the connection in its channel. */
  readonly index: number;
  /**
   * Offset from the start of the connection. On the first control connection,
   * `"login"` stands for the end of the login.
   */
  readonly from: "start" | "login";
  readonly direction: Direction;
  readonly offset: number;
  readonly fault: Fault;
  readonly duration: number;
}

/** The server's processes are killed. */
export interface Kill {
  /** Number of the line of the client's trace, from the start of the call. */
  readonly event: number;
  /** Milliseconds after this line. */
  readonly wait: number;
  /** Whether the server is started again at once. */
  readonly restart: boolean;
}

/** One transfer, and what happens to it. */
export interface FaultCase extends Configuration {
  readonly seed: number;
  readonly direction: "download" | "upload";
  readonly size: number;
  /** Size of the target's old file, or `null` for none. */
  readonly oldSize: number | null;
  /** The source of the upload. */
  readonly source: "path" | "bytes" | "blob" | "stream";
  /**
   * Whether the client is in a subdirectory, and decoys of the same name are
   * outside.
   */
  readonly inDirectory: boolean;
  readonly timeout: number;
  /** Whether TLS sessions share a name, so that clients need workers. */
  readonly sharesName: boolean;
  readonly options: {
    readonly retry: RetryOptions | false;
    readonly resume: boolean;
    readonly atomic: boolean;
    readonly verify: NonNullable<DownloadOptions["verify"]>;
    readonly mtime: boolean;
    readonly keepAlive: number;
  };
  readonly faults: readonly CaseFault[];
  readonly kill: Kill | undefined;
  /** Milliseconds until the caller's signal is aborted. */
  readonly abort: number | undefined;
  /** Whether commands may be sent together. */
  readonly pipelining: boolean;
  /** Factor of all times: 1 as the seed has it, more on a slow machine. */
  readonly timeScale: number;
}

/** Options that both transfers take. */
export type CaseOptions = DownloadOptions & UploadOptions & FTPOptions;

/** The shortest time-out of a usual case as its seed has it, in milliseconds. */
const SHORTEST_TIMEOUT = 300;

/** ProFTPD does not greet for 400 ms after another session has ended. */
const PROFTPD_PAUSE = 400;

/** Milliseconds to start the worker of a client, between two steps. */
const WORKER_START = 400;

/**
 * Returns the shortest time-out of similar cases, in milliseconds, for a time
 * scale of 1.
 */
export function shortestTimeout(
  { server, tls, sharesName }: Pick<FaultCase, "server" | "tls" | "sharesName">,
): number {
  return SHORTEST_TIMEOUT + (server === "proftpd" ? PROFTPD_PAUSE : 0) +
    (tls && sharesName ? WORKER_START : 0);
}

/** The longest file. */
export const MAX_SIZE = 50 * 1024 * 1024;

/**
 * Approximate bytes of the dialogue of a transfer. Later faults never happen.
 */
const CALL_BYTES = { plain: 400, tls: 1100 };
const LOGIN_BYTES = { plain: 220, tls: 2600 };

/** Makes the case of a seed. */
export function makeCase(seed: number): FaultCase {
  const random = new Random(seed);
  const { server, tls } = CONFIGURATIONS[seed % CONFIGURATIONS.length]!;
  const direction = random.pick([[1, "download"], [1, "upload"]]);
  const size = makeSize(random);
  const verify = random.pick<NonNullable<DownloadOptions["verify"]>>([
    [server === "proftpd" ? 3 : 1, "hash"],
    [3, "size"],
  ]);
  const options: FaultCase["options"] = {
    retry: random.chance(0.4) ? false : {
      attempts: random.between(1, 6),
      delay: random.between(1, 60),
      maxDelay: 200,
    },
    resume: random.chance(0.4),
    atomic: random.chance(0.85),
    verify,
    mtime: random.chance(0.5),
    keepAlive: random.chance(0.15) ? random.between(5, 40) : 0,
  };
  const { atomic } = options;
  const what = { server, tls, direction, size, verify, atomic };
  const faults = makeFaults(random, what, options.retry !== false);
  return {
    seed,
    server,
    tls,
    direction,
    size,
    options,
    oldSize: random.pick([
      [2, null],
      [2, size],
      [4, makeSize(random, 200_000)],
    ]),
    source: random.pick([
      [6, "path"],
      [2, "bytes"],
      [1, "blob"],
      [2, "stream"],
    ]),
    inDirectory: random.chance(0.4),
    ...makeTimeout(random, { server, tls }),
    faults,
    kill: faults.length === 0
      ? {
        event: random.between(0, 24),
        wait: random.between(0, 8),
        restart: random.chance(0.7),
      }
      : undefined,
    abort: random.chance(0.04) ? random.magnitude(1, 400) : undefined,
    pipelining: random.chance(0.75),
    timeScale: 1,
  };
}

/**
 * Returns the same case for a slower machine: all times are longer.
 *
 * @param timeScale The factor, 1 or more
 */
export function slowedDown(faultCase: FaultCase, timeScale: number): FaultCase {
  const { timeout, faults, abort } = faultCase;
  return {
    ...faultCase,
    timeScale: faultCase.timeScale * timeScale,
    timeout: Math.ceil(timeout * timeScale),
    faults: faults.map((fault) => ({
      ...fault,
      duration: Math.ceil(fault.duration * timeScale),
    })),
    abort: abort === undefined ? undefined : Math.ceil(abort * timeScale),
  };
}

function makeTimeout(
  random: Random,
  configuration: Configuration,
): Pick<FaultCase, "timeout" | "sharesName"> {
  const longer = random.between(0, 200);
  const sharesName = random.chance(0.1);
  const shortest = shortestTimeout({ ...configuration, sharesName });
  return { timeout: shortest + longer, sharesName };
}

function makeSize(random: Random, most = MAX_SIZE): number {
  const size = random.pick<() => number>([
    [8, () => 0],
    [8, () => random.between(1, 10)],
    [50, () => random.magnitude(10, 65_536)],
    [26, () => random.magnitude(65_536, 1_000_000)],
    [6, () => random.magnitude(1_000_000, 5_000_000)],
    [1, () => random.between(5_000_000, MAX_SIZE)],
  ])();
  return Math.min(size, most);
}

/** The inputs of a fault's position. */
type What =
  & Pick<FaultCase, "server" | "tls" | "direction" | "size">
  & Pick<FaultCase["options"], "verify" | "atomic">;

/** Makes the faults of the connections; none if the server is killed. */
function makeFaults(
  random: Random,
  what: What,
  isRetried: boolean,
): CaseFault[] {
  if (random.chance(0.02)) return [];
  const faults = [makeFault(random, what, 0)];
  // a flipped bit is the only fault, because two faults may hide each other
  if (faults[0]!.fault === "corrupt") return faults;
  if (random.chance(0.15)) faults.push(makeFault(random, what, 0, false));
  for (let index = 1; isRetried && index < 6 && random.chance(0.5); index++) {
    faults.push(makeFault(random, what, index, false));
  }
  // one fault a direction of a connection
  return faults.filter((fault, at) =>
    faults.findIndex((other) =>
      other.channel === fault.channel && other.index === fault.index &&
      other.direction === fault.direction
    ) === at
  );
}

function makeFault(
  random: Random,
  what: What,
  index: number,
  mayCorrupt = true,
): CaseFault {
  const channel = random.pick([[3, "data"], [2, "control"]]);
  const forward = what.direction === "upload" ? "up" : "down";
  const direction = random.pick<Direction>(
    channel === "control"
      ? [[1, "up"], [1, "down"]]
      : [[9, forward], [what.tls ? 2 : 0, forward === "up" ? "down" : "up"]],
  );
  const fault = random.pick<Fault>([
    [25, "close"],
    [25, "reset"],
    [20, "stall"],
    [20, "pause"],
    [mayCorrupt && isTold(channel, direction, what) ? 20 : 0, "corrupt"],
  ]);
  const from = channel === "control" && index === 0 && random.chance(0.8)
    ? "login"
    : "start";
  return {
    channel,
    index,
    from,
    direction,
    offset: channel === "control"
      ? makeControlOffset(random, what.tls, from)
      : makeDataOffset(random, what),
    fault,
    duration: random.between(5, longestPause(channel, direction, what)),
  };
}

/** Whether an altered byte can be detected. */
function isTold(
  channel: CaseFault["channel"],
  direction: Direction,
  what: What,
): boolean {
  if (what.tls) return true;
  if (channel === "data") {
    return what.server === "proftpd" && what.verify === "hash";
  }
  // not in the commands of an upload: the server would confirm another name
  return direction === "down" || what.direction === "download";
}

/**
 * Returns the longest pause. Some are longer than the time-out, so that the
 * bytes come too late. A command that writes to the target itself must not be
 * late: the server would execute it after the call.
 */
function longestPause(
  channel: CaseFault["channel"],
  direction: Direction,
  what: What,
): number {
  if (channel === "data") return 700;
  const mayWrite = what.direction === "upload" && direction === "up";
  return mayWrite && !what.atomic ? 250 : 1300;
}

function makeControlOffset(
  random: Random,
  tls: boolean,
  from: CaseFault["from"],
): number {
  const kind = tls ? "tls" : "plain";
  const login = LOGIN_BYTES[kind];
  return from === "login"
    ? random.between(0, CALL_BYTES[kind])
    : random.between(0, random.chance(0.5) ? login : login + CALL_BYTES[kind]);
}

function makeDataOffset(random: Random, { size, tls }: What): number {
  const wire = tls ? size + Math.ceil(size / 16_384) * 29 + 300 : size;
  return random.pick<() => number>([
    [tls ? 3 : 1, () => random.between(0, Math.min(600, wire))],
    [6, () => random.between(0, wire)],
    [2, () => Math.max(0, wire - random.between(1, 200))],
    [1, () => Math.max(0, wire - 1)],
  ])();
}
