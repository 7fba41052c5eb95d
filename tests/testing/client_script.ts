/**
 * The scripted server for tests of the client: a table of replies, and a
 * client.
 */

import { FTP, type FTPOptions } from "../../mod.ts";
import { type Handler, ScriptedServer } from "./scripted/mod.ts";

/** Answers by verb, in upper case; "connect" is the greeting. */
export type Script = Record<string, Handler | string>;

/** A class of errors, for tables. */
// deno-lint-ignore no-explicit-any
export type ErrorClass = abstract new (...args: any[]) => Error;

/** A server that creates its clients. */
export interface ClientServer extends ScriptedServer {
  /** Returns a client that is connected and not logged in. */
  connect(options?: FTPOptions): Promise<FTP>;
}

/**
 * Greeting of the server that leaves nothing behind when a transfer is aborted.
 */
export const CLEAN_GREETING = "220 (vsFTPd 3.0.3)";

/** Replies without a script. */
const POLITE = [
  "USER",
  "PASS",
  "TYPE",
  "NOOP",
  "PWD",
  "EPSV",
  "PASV",
  "QUIT",
];

/** Starts a server that follows the script, accepts any login, and refuses other commands. */
export async function startScript(
  script: Script = {},
  hostname = "127.0.0.1",
): Promise<ClientServer> {
  const server = await ScriptedServer.start({ hostname, charset: "latin1" });
  server.on("*", refuse);
  for (const verb of POLITE) server.on(verb, byDefault);
  server.on("CONNECT", CLEAN_GREETING);
  for (const [verb, answer] of Object.entries(script)) server.on(verb, answer);
  return Object.assign(server, {
    async connect(options: FTPOptions = {}): Promise<FTP> {
      const ftp = new FTP({ timeout: 5000, ...options });
      await ftp.connect(server.host, server.port);
      return ftp;
    },
  });
}

/** Replies like the server without a script. */
export const byDefault: Handler = (turn) => turn.default();

/** Acts like a server that answers nothing. */
export const stall: Handler = (turn) => turn.stall();

/** Reads nothing of an upload until it is aborted. */
export const untilAborted: Handler = async (turn) => {
  await turn.reply(150, "Send");
  await turn.confirmAbort(await turn.openData());
};

const refuse: Handler = (turn) =>
  turn.reply(502, `No ${turn.verb} in this script`);
