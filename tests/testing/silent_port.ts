/** A loopback port that never answers: its queue is full, so the system drops connection requests. */
export class SilentPort implements Disposable {
  readonly #listener: Deno.TcpListener;
  readonly #conns: Deno.TcpConn[] = [];

  private constructor(hostname: string, port: number) {
    this.#listener = Deno.listen({ hostname, port, tcpBacklog: QUEUE - 1 });
  }

  /**
   * Opens a port, and fills its queue.
   *
   * @param at The address; by default a free port of 127.0.0.1
   */
  static async open(
    at: { hostname?: string; port?: number } = {},
  ): Promise<SilentPort> {
    const silent = new SilentPort(at.hostname ?? "127.0.0.1", at.port ?? 0);
    const { hostname, port } = silent.#listener.addr;
    for (let i = 0; i < QUEUE; i++) {
      silent.#conns.push(await Deno.connect({ hostname, port }));
    }
    return silent;
  }

  /**
   * Whether this system has such ports: others refuse connections, or queue
   * more.
   */
  static readonly isPossible: boolean = Deno.build.os === "linux";

  /** Its number. */
  get port(): number {
    return this.#listener.addr.port;
  }

  [Symbol.dispose](): void {
    for (const conn of this.#conns) conn.close();
    this.#listener.close();
  }
}

/** Pending connections; Linux allows one more than the backlog. */
const QUEUE = 2;
