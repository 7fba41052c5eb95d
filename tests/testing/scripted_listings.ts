/**
 * Shared by the tests of listings: a client on a scripted server, and listings
 * that it sends.
 */

import { type Entry, FTP, type FTPOptions } from "../../mod.ts";
import { type Handler, ScriptedServer, type Turn } from "./scripted/mod.ts";
import { concat, toBytes } from "../../lib/testing/peer.ts";

/** Replies to unknown commands. */
export const UNKNOWN = "502 Command not implemented";

/** A server, and a client that is logged in to it. */
export class Pair implements AsyncDisposable {
  readonly server: ScriptedServer;
  readonly ftp: FTP;

  private constructor(server: ScriptedServer, ftp: FTP) {
    this.server = server;
    this.ftp = ftp;
  }

  static async make(
    files: Record<string, string> = {},
    options: FTPOptions = {},
    isClean = false,
  ): Promise<Pair> {
    const server = await ScriptedServer.start({ files });
    if (isClean) server.on("CONNECT", "220 (vsFTPd 3.0.3)");
    const ftp = new FTP({ timeout: 5000, ...options });
    await ftp.connect(server.host, server.port);
    await ftp.login();
    return new Pair(server, ftp);
  }

  /** The commands so far, without those that open a data connection. */
  get commands(): string[] {
    return this.server.commands.filter((line) =>
      !/^(USER|PASS|EPSV|TYPE|QUIT)/.test(line)
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.ftp[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

/** Sends lines as a listing, and confirms it. */
export function sends(...lines: (string | Uint8Array)[]): Handler {
  return (turn) => sendLines(turn, lines);
}

/** Sends lines as a listing: 150, the lines, 226. */
export async function sendLines(
  turn: Turn,
  lines: readonly (string | Uint8Array)[],
): Promise<void> {
  await turn.send(
    concat(lines.flatMap((line) => [toBytes(line), toBytes("\r\n")])),
  );
}

/** Opens a listing, sends a part, and then nothing until it is aborted. */
export function hangsAfter(content: string): Handler {
  return async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    if (content !== "") await data.write(content);
    await turn.server.received("ABOR");
    data.drop();
    await data.closed;
    await turn.reply(426, "Aborted");
  };
}

/** The names of all entries, in order. */
export async function namesOf(
  entries: AsyncIterable<Entry>,
): Promise<string[]> {
  return (await Array.fromAsync(entries)).map(({ name }) => name);
}

/** A line of MLSD. */
export function fact(name: string, type = "file", more = "size=1;"): string {
  return `type=${type};${more}modify=20240101000000; ${name}`;
}

/** A line of a Unix LIST. */
export function unix(name: string, kind = "-", time = "Jan  1  2024"): string {
  return `${kind}rw-r--r--   1 owner group           1 ${time} ${name}`;
}

/** Makes a server list by `LIST` only, without names with a leading dot. */
export function hideDots(pair: Pair, ...lines: string[]): void {
  pair.server.on("MLSD", UNKNOWN);
  pair.server.on(
    "LIST",
    (turn) =>
      turn.argument === "-a"
        ? turn.reply(550, "No such file")
        : sendLines(turn, lines),
  );
}
