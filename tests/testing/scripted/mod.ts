/**
 * The public test server, by the name that it has in the tests here.
 *
 * @module
 */

export { PeerGone } from "../../../lib/testing/peer.ts";
export type {
  Handler,
  TestSession as ScriptedSession,
  Turn,
} from "../../../lib/testing/session.ts";
export {
  TestServer as ScriptedServer,
  type TestServerOptions as ScriptedServerOptions,
} from "../../../lib/testing/test_server.ts";
