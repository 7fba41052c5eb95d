/**
 * Real FTP servers for tests, on loopback, each in a temporary folder of its own.
 *
 *     import { serverTest, startServer } from "./mod.ts";
 *
 *     serverTest("FTP.size is null for a directory", async (server) => {
 *       await server.write("pub/a.txt", "hello");   // a file that the server's user owns
 *       ... connect to server.host, server.port; log in with server.user, server.password
 *     });
 *
 * `serverTest` registers one test for each server that can do what `needs` asks for; `startServer` starts
 * one by hand (`await using server = await startServer("proftpd", { tls: ... })`). The servers come from
 * `deno task servers`. A missing server's tests are ignored, or fail when `FTP_REQUIRE_SERVERS=1`.
 *
 * Every server serves files as `daemon`: what a test makes in `server.root` itself belongs to whoever runs
 * the test and is read-only to the server, which is how "permission denied" is provoked. `server.log()` is
 * what the server says about it all; `server.kill()` ends it in the middle of its work.
 *
 * @module
 */

export type {
  ServerFeatures,
  ServerName,
  ServerOptions,
  ServerTLS,
} from "./real_server.ts";
export {
  isIgnored,
  reportServers,
  serverTest,
  type ServerTestOptions,
} from "./register.ts";
export {
  PASSWORD,
  RealServer,
  SERVERS,
  startServer,
  USER,
} from "./start_server.ts";
