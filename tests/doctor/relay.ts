/**
 * A relay between client and server that drops commands, like some firewalls.
 */

import { PROXY_HOST } from "../testing/servers/loopback.ts";
import type { RealServer } from "../testing/servers/mod.ts";

/** Passes everything on but the commands that it swallows. */
export class Relay implements AsyncDisposable {
  readonly host = PROXY_HOST;
  readonly port: number;
  readonly #server: RealServer;
  readonly #swallow: RegExp;
  readonly #listeners: Deno.TcpListener[] = [];
  readonly #conns = new Set<Deno.TcpConn>();
  readonly #work: Promise<void>[] = [];

  private constructor(server: RealServer, swallow: RegExp) {
    this.#server = server;
    this.port = server.port;
    this.#swallow = swallow;
  }

  /** Listens on the ports of a server whose passive ports are confined. */
  static start(server: RealServer, swallow: RegExp): Relay {
    const relay = new Relay(server, swallow);
    relay.#listen(server.port, true);
    const [first, last] = server.passivePorts!;
    for (let port = first; port <= last; port++) relay.#listen(port, false);
    return relay;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    for (const conn of this.#conns) close(conn);
    await Promise.allSettled(this.#work);
  }

  #listen(port: number, isControl: boolean): void {
    const listener = Deno.listen({ hostname: this.host, port });
    this.#listeners.push(listener);
    this.#work.push((async () => {
      for await (const client of listener) {
        this.#conns.add(client);
        this.#work.push(this.#serve(client, port, isControl));
      }
    })());
  }

  async #serve(
    client: Deno.TcpConn,
    port: number,
    isControl: boolean,
  ): Promise<void> {
    const server = await Deno.connect({ hostname: this.#server.host, port })
      .catch(() => undefined);
    if (server === undefined) return close(client);
    this.#conns.add(server);
    await Promise.allSettled([
      pass(client, server, isControl ? this.#swallow : undefined),
      pass(server, client),
    ]);
    close(client);
    close(server);
  }
}

/** A command comes in one piece here: the client waits for each reply. */
async function pass(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  swallow?: RegExp,
): Promise<void> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64 * 1024);
  while (true) {
    const n = await from.read(buffer);
    if (n === null) break;
    const bytes = buffer.subarray(0, n);
    if (swallow?.test(decoder.decode(bytes))) continue;
    for (let at = 0; at < n;) at += await to.write(bytes.subarray(at));
  }
  await to.closeWrite();
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // closed before
  }
}
