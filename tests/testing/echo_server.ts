/** TLS servers on loopback, and a way to alter the bytes in between. */

import { createServer, type TlsOptions, type TLSSocket } from "node:tls";
import type { AddressInfo } from "node:net";

/** A server that runs until it is disposed of. */
export interface TLSTestServer extends AsyncDisposable {
  readonly port: number;
}

/**
 * Starts a TLS server.
 *
 * @param options The server's, with certificate and key.
 * @param serve What to do with a connection; echoes if left out.
 * @returns The server.
 */
export async function startTLSServer(
  options: TlsOptions,
  serve: (socket: TLSSocket) => void = (socket) => socket.pipe(socket),
): Promise<TLSTestServer> {
  const sockets = new Set<TLSSocket>();
  const server = createServer(options, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    serve(socket);
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve())
  );
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose](): Promise<void> {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * Starts a plain TCP server that serves connections one after another.
 *
 * @param serve What to do with a connection; it is closed afterwards.
 * @returns The server.
 */
export function startTCPServer(
  serve: (conn: Deno.TcpConn) => Promise<void>,
): TLSTestServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served = new Set<Promise<void>>();
  const accepting = (async () => {
    for await (const conn of listener) {
      const done = serve(conn).catch(() => {}).finally(() => {
        try {
          conn.close();
        } catch {
          // closed by the test
        }
      });
      served.add(done);
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose](): Promise<void> {
      listener.close();
      await accepting;
      await Promise.all(served);
    },
  };
}
