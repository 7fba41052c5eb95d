/**
 * An FTP server for tests, with a file tree in memory, users, TLS, and faults
 * on demand. Requires `allow-net` permission for loopback.
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
