/**
 * Plays a recorded session: a server that replies as the recorded one did.
 *
 * @module
 */

import { maskCommand } from "../protocol/command.ts";
import { printable } from "../protocol/printable.ts";
import type { Peer } from "./peer.ts";
import { PeerGone } from "./peer.ts";
import {
  type Conversation,
  type Exchange,
  isPreliminary,
  readRecording,
  type SessionRecording,
} from "./recording.ts";
import type { TestSession, Turn } from "./session.ts";
import { TestServer, type TestServerOptions } from "./test_server.ts";

/** Options of {@linkcode replay}. */
export interface ReplayOptions extends Pick<TestServerOptions, "tls"> {
  /**
   * Data of transfers by command, such as `{ "RETR README": "text" }`. A
   * recording has no data.
   *
   * @default as many zeros as the 150 reply says, else nothing
   */
  data?: Readonly<Record<string, string | Uint8Array>> | undefined;
}

/** Commands that receive data from the client. */
const UPLOAD_REGEXP = /^(STOR|STOU|APPE)\b/;

/** Commands that set up TLS, which a recording cannot. */
const TLS_REGEXP = /^(AUTH|PBSZ|PROT)\b/;

/** Commands that name a port of the client. */
const PORT_REGEXP = /^(PORT|EPRT)\b/;

/** Largest number of zeros that stand for data. */
const MAX_ZEROS = 256 * 1024 * 1024;

/**
 * Starts a server on loopback that replies as the server of a recording did, so
 * that a bug report becomes a test. Each connection plays the next recorded one.
 * A command gets the replies of the first equal command that was not played
 * yet. A command that was not recorded gets 500. Ports in 227 and 229 replies
 * are those of this server. A command that got no reply closes the connection,
 * or gets none again if the client had waited in vain. The server's `url`
 * contains the recorded user; any password is accepted.
 *
 * The recording must be of one connection at a time: of a client without clones
 * and without a mirror of several connections. Requires `allow-net` permission
 * for 127.0.0.1.
 *
 * @tags allow-net
 * @param recording What {@linkcode record} recorded
 * @param options Data of transfers, and TLS
 * @returns The server; `await using` closes it
 * @throws {TypeError} If it is not a recording
 *
 * @example Play a session of a bug report
 * ```ts ignore
 * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
 * import { replay } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/testing.ts";
 *
 * const recording = JSON.parse(await Deno.readTextFile("session.json"));
 * await using server = await replay(recording, {
 *   data: { "RETR README": "Hello" },
 * });
 * await using ftp = await connect(server.url);
 * await ftp.download("README", "README");
 * ```
 */
export async function replay(
  recording: SessionRecording,
  options: ReplayOptions = {},
): Promise<TestServer> {
  const all = readRecording(recording);
  const conversations = all.values();
  const { data = {}, ...rest } = options;
  const user = recordedUser(all);
  const users = user === undefined ? undefined : { [user]: "****" };
  const server = await TestServer.start({ ...rest, users });
  const played = new WeakMap<TestSession, Conversation>();
  return server.on("*", async (turn) => {
    const { session, verb, line } = turn;
    session.isLoggedIn = true; // the recording has the replies to USER and PASS
    if (verb === "CONNECT") {
      const next = conversations.next().value;
      if (next === undefined) return await refuse(turn, 421, "connection");
      played.set(session, next);
      return await say(turn, takeExchange(next, "")!.replies);
    }
    const conversation = played.get(session);
    const command = printable(maskCommand(line));
    const exchange = conversation && takeExchange(conversation, command);
    if (conversation === undefined || exchange === undefined) {
      return await refuse(turn, 500, "command");
    }
    if (exchange.replies.length === 0) {
      const mayContinue = conversation.isSilent ||
        conversation.exchanges.some(({ replies }) => replies.length > 0);
      return mayContinue ? undefined : turn.reset();
    }
    await play(turn, exchange, data[line]);
  });
}

/** Returns the first user who logged in, if it was not an anonymous one. */
function recordedUser(all: readonly Conversation[]): string | undefined {
  const users = all.flatMap(({ exchanges }) => exchanges).flatMap((exchange) =>
    /^USER (.+)$/.exec(exchange.command)?.[1] ?? []
  );
  return users.find((user) => user !== "anonymous");
}

async function refuse(turn: Turn, code: number, what: string): Promise<void> {
  await turn.reply(code, `The recording has no further ${what} like this`);
  if (code === 421) turn.close();
}

/** Takes the first exchange with a command that was not played. */
function takeExchange(
  { exchanges }: Conversation,
  command: string,
): Exchange | undefined {
  const at = exchanges.findIndex((exchange) => exchange.command === command);
  return at < 0 ? undefined : exchanges.splice(at, 1)[0];
}

async function play(
  turn: Turn,
  { command, replies }: Exchange,
  content: string | Uint8Array | undefined,
): Promise<void> {
  const { session, server } = turn;
  const isAccepted = replies.at(-1)!.startsWith("2");
  const isOurs = PORT_REGEXP.test(command) ||
    (TLS_REGEXP.test(command) && server.tls !== undefined);
  if (isAccepted && isOurs) return await turn.default();
  if (isAccepted && /^AUTH\b/.test(command)) {
    // the client would wait for a handshake
    return await turn.reply(502, "The recording has TLS: give replay() a tls");
  }
  if (/^REST \d+$/.test(command)) session.restart = Number(command.slice(5));
  const first = replies[0]!;
  if (!isPreliminary(first)) return await say(turn, replies);
  await say(turn, [first]);
  await transfer(turn, { first, command, content });
  // a transfer without a final reply ended the connection
  if (replies.length === 1) turn.reset();
  else await say(turn, replies.slice(1));
}

/** Sends or receives the data of a transfer. */
async function transfer(
  turn: Turn,
  { first, command, content }: {
    first: string;
    command: string;
    content: string | Uint8Array | undefined;
  },
): Promise<void> {
  const { session } = turn;
  if (!session.dataPort.isReady) return; // no port was recorded
  const offset = session.restart;
  session.restart = 0;
  session.transferring = true;
  let data: Peer | undefined;
  try {
    data = await turn.openData();
    if (UPLOAD_REGEXP.test(command)) await data.readAll();
    else await data.write(dataOf(first, content).subarray(offset));
  } catch (error) {
    if (!(error instanceof PeerGone)) throw error; // the client has aborted
  } finally {
    session.transferring = false;
    data?.close();
    await data?.closed;
  }
}

/** The data of a transfer, or zeros as the 150 reply says. */
function dataOf(
  first: string,
  content: string | Uint8Array | undefined,
): Uint8Array {
  if (typeof content === "string") return new TextEncoder().encode(content);
  if (content !== undefined) return content;
  const size = Number(/\((\d+) bytes/i.exec(first)?.[1] ?? 0);
  return new Uint8Array(Math.min(size, MAX_ZEROS));
}

/** Sends replies as they were recorded, with ports of this server. */
async function say(turn: Turn, replies: readonly string[]): Promise<void> {
  for (const reply of replies) {
    const text = /^22[79] .*\d/s.test(reply)
      ? withPort(reply, turn.server.host, await turn.session.dataPort.listen())
      : reply;
    await turn.raw(text.split("\n").map((line) => `${line}\r\n`).join(""));
  }
}

/** Puts another address into a 227 or 229 reply. */
function withPort(reply: string, host: string, port: number): string {
  const numbers = [...host.split("."), port >> 8, port & 255].join(",");
  return reply.startsWith("229")
    ? reply.replace(/(\D)\d+\1?\)/, (tail) => tail.replace(/\d+/, String(port)))
    : reply.replace(/\d{1,3}(,\d{1,3}){5}/, numbers);
}
