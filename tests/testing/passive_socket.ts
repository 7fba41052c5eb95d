/** A passive port of a small server of its own process. */

import { createServer, type Socket } from "node:net";

/**
 * Listens for one data connection.
 *
 * @param announce Called with the port
 * @returns The connection
 */
export function acceptOne(announce: (port: number) => void): Promise<Socket> {
  const server = createServer();
  server.listen(0, "127.0.0.1", () => {
    announce((server.address() as { port: number }).port);
  });
  return new Promise((resolve) =>
    server.once("connection", (socket) => {
      server.close();
      resolve(socket);
    })
  );
}
