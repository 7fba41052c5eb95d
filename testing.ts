/**
 * An FTP server for tests, with a file tree in memory, users, TLS, and faults
 * on demand. Requires `allow-net` permission for loopback.
 *
 * | task                     | call |
 * | ------------------------ | ---- |
 * | start a server           | {@linkcode TestServer.start}, {@linkcode TestServerOptions} |
 * | add and read files       | {@linkcode TestServer.prototype.put put}, {@linkcode TestServer.prototype.text text}, {@linkcode TestServer.prototype.files files}, {@linkcode TestServer.prototype.folders folders} |
 * | make a command fail      | {@linkcode TestServer.prototype.fail fail}, {@linkcode TestFault} |
 * | choose replies           | {@linkcode TestServer.prototype.on on}, {@linkcode TestServer.prototype.once once}, {@linkcode Handler}, {@linkcode Turn} |
 * | see received commands    | {@linkcode TestServer.prototype.commands commands}, {@linkcode TestServer.prototype.verbs verbs}, {@linkcode TestServer.prototype.received received} |
 * | record, replay a session | {@linkcode record}, {@linkcode replay} |
 *
 * @example Test a program against a server that cuts the first download
 * ```ts
 * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
 * import { TestServer } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/testing.ts";
 *
 * await using server = await TestServer.start({
 *   files: { "/out/report.csv": "1,2,3\n" },
 * });
 * server.fail("RETR", { kind: "cut", after: 3 });
 * await using ftp = await connect(server.url);
 * await ftp.download("out/report.csv", "report.csv");
 * ```
 *
 * @module
 */

export type { TestFault } from "./lib/testing/faults.ts";
export { Peer, PeerGone, type TestIdentity } from "./lib/testing/peer.ts";
export { DataPort } from "./lib/testing/data.ts";
export {
  type Handler,
  type TestCommand,
  TestSession,
  Turn,
} from "./lib/testing/session.ts";
export {
  TestServer,
  type TestServerOptions,
  type TestTLS,
} from "./lib/testing/test_server.ts";
export {
  record,
  type RecordOptions,
  type SessionRecorder,
  type SessionRecording,
} from "./lib/testing/recording.ts";
export { replay, type ReplayOptions } from "./lib/testing/replay.ts";
