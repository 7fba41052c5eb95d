/**
 * A TCP proxy between a client and a real server that adds a round-trip time, and does on order what networks
 * do by accident.
 *
 *     await using server = await startServer("vsftpd", { passivePorts: 20 });
 *     await using proxy = await Proxy.start(server, { delay: 20, plan: ({ channel }) =>
 *       channel === "data" ? [{ direction: "down", offset: 1000, fault: "reset" }] : [] });
 *     ... let the client connect to proxy.host, proxy.port
 *
 * The proxy listens on another address with the very port numbers of the server: EPSV, and PASV whose host is
 * not trusted, lead the client back to the proxy, though nothing is rewritten. So it works under TLS.
 * The server has to confine its passive ports. Active mode goes past the proxy.
 *
 * @module
 */

import { connect, createServer, type Server, type Socket } from "node:net";
import { Peer } from "../../lib/testing/peer.ts";
import { PROXY_HOST } from "./servers/loopback.ts";

/** Direction of bytes: "up" from the client to the server, or "down". */
export type Direction = "up" | "down";

/**
 * What happens to a connection at some byte:
 *
 * - `"close"`: both ends see an orderly end (FIN), as if the peer had closed;
 * - `"reset"`: both ends see a reset (RST);
 * - `"cut"`: the receiver sees an orderly end (FIN), and the sender nothing: what it goes on to send is dropped;
 * - `"unclosed"`: as `"cut"`, where TLS's close_notify begins, whatever the offset;
 * - `"abrupt"`: the receiver sees a reset (RST) where the sender ends, after every byte, whatever the offset;
 * - `"abruptTLS"`: as `"abrupt"`, where TLS's close_notify begins;
 * - `"stall"`: nothing more passes in this direction, though the connection stays;
 * - `"corrupt"`: one byte is changed, and all goes on;
 * - `"pause"`: nothing passes for `duration` milliseconds, then all goes on.
 */
export type Fault =
  | "close"
  | "reset"
  | "cut"
  | "unclosed"
  | "abrupt"
  | "abruptTLS"
  | "stall"
  | "corrupt"
  | "pause";

/** A fault and its position. */
export interface PlannedFault {
  direction: Direction;
  /** Bytes that pass in that direction before the fault. */
  offset: number;
  fault: Fault;
  /** For `"pause"`. @default {100} */
  duration?: number;
}

/** A connection through the proxy, for which faults are planned. */
export interface ProxiedConnection {
  readonly channel: "control" | "data";
  /** Number of the connection in its channel, from 0. */
  readonly index: number;
}

/**
 * Stops the bytes of a connection at a position that is chosen while they flow.
 */
export interface Gate {
  /**
   * Counts the bytes of a chunk.
   *
   * @returns Bytes that may pass before {@linkcode reached} is called;
   * `undefined` for all
   */
  count(
    connection: ProxiedConnection,
    direction: Direction,
    length: number,
  ): number | undefined;
  /**
   * Called when the earlier bytes have passed; later ones wait.
   *
   * @returns What happens next: "truncate" ends the receiver's stream in order
   * (FIN), while the sender's bytes are discarded
   */
  reached(): Promise<"pass" | "truncate">;
}

/** Options of a proxy. */
export interface ProxyOptions {
  /** Added round-trip time in milliseconds, half of it each way. */
  delay?: number;
  /** Returns the faults of a connection; called when it is opened. */
  plan?: (connection: ProxiedConnection) => readonly PlannedFault[];
  /** Called while bytes are transferred. @default {none} */
  gate?: Gate;
}

/** The proxied server: a `RealServer`, or another object with an address. */
export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
  readonly passivePorts?: readonly [number, number] | undefined;
}

/** Both ends of a connection through the proxy. */
interface Pair {
  readonly client: Peer;
  readonly server: Peer;
  /** Settles when the client has ended and the server was told. */
  readonly sent: Promise<void>;
}

/** The proxy. */
export class Proxy implements AsyncDisposable {
  readonly host = PROXY_HOST;
  readonly port: number;
  /** Number of bytes that have passed. */
  readonly bytes: Record<Direction, number> = { up: 0, down: 0 };
  /** Number of faults that have happened. */
  readonly faults: PlannedFault[] = [];
  readonly #target: ProxyTarget;
  readonly #delay: number;
  readonly #plan: NonNullable<ProxyOptions["plan"]>;
  readonly #gate: Gate | undefined;
  readonly #servers: Server[] = [];
  readonly #peers = new Set<Peer>();
  readonly #pairs = new Set<Pair>();
  readonly #lines: DelayLine[] = [];
  readonly #counts = { control: 0, data: 0 };
  #stopped = false;

  /** Use {@linkcode Proxy.start}. */
  private constructor(target: ProxyTarget, options: ProxyOptions) {
    this.#target = target;
    this.port = target.port;
    this.#delay = (options.delay ?? 0) / 2;
    this.#plan = options.plan ?? (() => []);
    this.#gate = options.gate;
  }

  /** Listens on the target's ports. */
  static async start(
    target: ProxyTarget,
    options: ProxyOptions = {},
  ): Promise<Proxy> {
    const proxy = new Proxy(target, options);
    const [first, last] = target.passivePorts ?? [0, -1];
    try {
      await proxy.#listen(target.port, "control");
      for (let port = first; port <= last; port++) {
        await proxy.#listen(port, "data");
      }
    } catch (error) {
      await proxy[Symbol.asyncDispose]();
      throw error;
    }
    return proxy;
  }

  /** Ends every connection at once, with a reset or in order. */
  cut(fault: "close" | "reset" = "reset"): void {
    for (const peer of this.#peers) end(peer, fault);
  }

  /**
   * Waits until no connection is open, and the server has received all bytes of
   * closed clients. A client that is killed closes both directions, although a
   * FIN shows only one.
   */
  async idle(): Promise<void> {
    await Promise.all([...this.#pairs].map(async ({ client, server, sent }) => {
      await sent;
      client.close();
      server.close();
      await Promise.all([client.closed, server.closed]);
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    for (const line of this.#lines) line.stop();
    const closed = this.#servers.map((server) =>
      new Promise((resolve) => server.close(resolve))
    );
    for (const peer of this.#peers) {
      peer.drop();
      await peer.closed;
    }
    await Promise.all(closed);
  }

  async #listen(
    port: number,
    channel: ProxiedConnection["channel"],
  ): Promise<void> {
    const server = createServer({ allowHalfOpen: true });
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, PROXY_HOST, resolve);
    });
    server.on(
      "connection",
      (socket: Socket) => this.#join(socket, port, channel),
    );
  }

  #join(
    socket: Socket,
    port: number,
    channel: ProxiedConnection["channel"],
  ): void {
    const client = this.#add(socket);
    if (this.#stopped) return client.drop();
    const server = this.#add(
      connect({ host: this.#target.host, port, allowHalfOpen: true }),
    );
    const connection = { channel, index: this.#counts[channel]++ };
    const plan = this.#plan(connection);
    const sent = this.#forward(client, server, "up", { plan, connection });
    this.#forward(server, client, "down", { plan, connection });
    const pair = { client, server, sent };
    this.#pairs.add(pair);
    Promise.all([client.closed, server.closed])
      .then(() => this.#pairs.delete(pair));
  }

  #add(socket: Socket): Peer {
    const peer = new Peer(socket);
    this.#peers.add(peer);
    peer.closed.then(() => this.#peers.delete(peer));
    return peer;
  }

  /**
   * Moves bytes in one direction. Each chunk is delayed separately, so delays
   * overlap and the order stays.
   */
  async #forward(
    from: Peer,
    to: Peer,
    direction: Direction,
    { plan, connection }: {
      plan: readonly PlannedFault[];
      connection: ProxiedConnection;
    },
  ): Promise<void> {
    const own = plan.filter((planned) => planned.direction === direction);
    const faults = own.filter(({ fault }) => !ENDS.has(fault))
      .sort((a, b) => a.offset - b.offset);
    const unclosed = own.find(({ fault }) =>
      /^(unclosed|abruptTLS)$/.test(fault)
    );
    const abrupt = own.find(({ fault }) => fault === "abrupt");
    const records = new RecordScanner();
    const line = new DelayLine(this.#delay);
    this.#lines.push(line);
    let passed = 0;
    for (let chunk; (chunk = await from.read()) !== null;) {
      const alert = unclosed && records.findAlert(chunk);
      if (alert !== undefined) {
        const fault = unclosed!.fault === "unclosed" ? "cut" : "abrupt";
        faults.push({ ...unclosed!, offset: passed + alert, fault });
      }
      let rest = chunk;
      for (
        let allowed;
        (allowed = this.#gate?.count(connection, direction, rest.length)) !==
          undefined;
      ) {
        const before = rest.subarray(0, allowed);
        rest = rest.subarray(allowed);
        passed += before.length;
        await line.send(() => this.#pass(to, before, direction));
        const { promise: decision, resolve } = Promise.withResolvers<
          "pass" | "truncate"
        >();
        await line.send(async () => resolve(await this.#gate!.reached()));
        if (await Promise.race([decision, to.closed]) !== "truncate") continue;
        to.end();
        while (await from.read() !== null);
        return;
      }
      for (
        let planned;
        (planned = faults[0]) !== undefined &&
        planned.offset < passed + rest.length;
      ) {
        faults.shift();
        this.faults.push(planned);
        const before = rest.subarray(0, planned.offset - passed);
        await line.send(() => this.#pass(to, before, direction));
        passed += before.length;
        rest = rest.subarray(before.length);
        const { fault, duration = 100 } = planned;
        if (fault === "stall") return;
        if (fault === "cut" || fault === "abrupt") {
          await line.send(() => fault === "cut" ? to.end() : to.reset());
          while (await from.read() !== null);
          return;
        }
        if (fault === "corrupt") rest = corrupted(rest);
        else if (fault === "pause") await line.hold(duration);
        else if (fault === "close" || fault === "reset") {
          return await line.send(() =>
            [from, to].forEach((peer) => end(peer, fault))
          );
        }
      }
      const last = rest;
      await line.send(() => this.#pass(to, last, direction));
      passed += last.length;
    }
    if (abrupt !== undefined) {
      this.faults.push(abrupt);
      return await line.send(() => to.reset());
    }
    // The other end sees the same event, after the bytes that precede it.
    const { promise: isPassed, resolve } = Promise.withResolvers<void>();
    await line.send(() => {
      if (from.wasReset) to.reset();
      else to.end();
      resolve();
    });
    await Promise.race([isPassed, to.closed]);
  }

  async #pass(
    to: Peer,
    bytes: Uint8Array,
    direction: Direction,
  ): Promise<void> {
    this.bytes[direction] += bytes.length;
    if (bytes.length > 0) await to.write(bytes).catch(() => {}); // the other direction reports its end
  }
}

/** Faults at the end of a sender. */
const ENDS: ReadonlySet<Fault> = new Set(["unclosed", "abrupt", "abruptTLS"]);

/** Size of the header of a TLS record, and of an encrypted alert of TLS 1.3. */
const HEAD_SIZE = 5;
const ALERT_SIZE = 19;

/** Follows the records of TLS in a stream, up to the first alert. */
class RecordScanner {
  #head: number[] = [];
  #left = 0;

  /** Reads the next bytes. Returns the position of the alert's body in them. */
  findAlert(bytes: Uint8Array): number | undefined {
    for (let at = 0; at < bytes.length;) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, bytes.length - at);
        this.#left -= skipped;
        at += skipped;
        continue;
      }
      this.#head.push(bytes[at]!);
      if (this.#head.length === HEAD_SIZE) {
        const [type, , , high, low] = this.#head;
        this.#head = [];
        this.#left = high! * 256 + low!;
        const isAlert = type === 0x15 ||
          (type === 0x17 && this.#left <= ALERT_SIZE);
        if (isAlert) return at;
      }
      at++;
    }
    return undefined;
  }
}

/** Largest number of delayed chunks: enough for 100 MB/s at 100 ms. */
const MAX_UNDERWAY = 256;

/** Runs actions in order, each after a fixed delay. */
class DelayLine {
  readonly #delay: number;
  readonly #underway: { due: number; action: () => void | Promise<void> }[] =
    [];
  #room = Promise.withResolvers<void>();
  #running = false;
  #stopped = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(delay: number) {
    this.#delay = delay;
  }

  /** Does `action` when its time has come; settles when there is room for more. */
  async send(action: () => void | Promise<void>): Promise<void> {
    this.#underway.push({ due: performance.now() + this.#delay, action });
    if (!this.#running) this.#run();
    while (this.#underway.length > MAX_UNDERWAY) await this.#room.promise;
  }

  /** Lets nothing pass for a while. */
  async hold(duration: number): Promise<void> {
    await this.send(() => this.#sleep(duration));
  }

  /** Drops all delayed actions. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (
      let next;
      !this.#stopped && (next = this.#underway[0]) !== undefined;
    ) {
      const wait = next.due - performance.now();
      if (wait > 0) await this.#sleep(wait);
      if (this.#stopped) return;
      await next.action();
      this.#underway.shift();
      this.#room.resolve();
      this.#room = Promise.withResolvers();
    }
    this.#running = false;
  }

  #sleep(duration: number): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#stopped) this.#timer = setTimeout(resolve, duration);
    });
  }
}

function end(peer: Peer, fault: "close" | "reset"): void {
  if (fault === "close") peer.close();
  else peer.reset();
}

/** Returns the same bytes with one bit of the first one changed. */
function corrupted(bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice();
  changed[0] = changed[0]! ^ 1;
  return changed;
}
