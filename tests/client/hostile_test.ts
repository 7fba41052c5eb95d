import { assert, assertEquals } from "@std/assert";
import { FTP, FTPError } from "../../mod.ts";
import { chooseCount, chooseSeed, Random } from "../testing/random.ts";
import { ReplyOracle } from "../parser/reply_oracle.ts";
import { ScriptedServer, type Turn } from "../testing/scripted/mod.ts";

/** Conversations in one run; FTP_HOSTILE asks for more. */
const CONVERSATIONS = 60;

/** Conversations at once. */
const WORKERS = 6;

/** Calls of one conversation. */
const CALLS = 6;

/**
 * Longest time of a call, in milliseconds: its time-outs and five seconds for
 * an abort.
 */
const MAX_WAIT = 20_000;

const CAPS = { maxReplyLine: 65_536, maxReply: 65_536, lenient: false };

/** Calls of a client. */
const OPERATIONS: [name: string, run: (ftp: FTP) => Promise<unknown>][] = [
  ["voidcmd", (f) => f.voidcmd("NOOP")],
  ["pwd", (f) => f.pwd()],
  ["cwd", (f) => f.cwd("..")],
  ["size", (f) => f.size("/data")],
  ["mtime", (f) => f.mtime("/data")],
  ["rename", (f) => f.rename("/data", "/data")],
  ["setMtime", (f) => f.setMtime("/data", new Date(0))],
  ["features", (f) => f.features()],
  ["nlst", (f) => f.nlst()],
  ["mlsd", (f) => Array.fromAsync(f.mlsd())],
  ["list", (f) => Array.fromAsync(f.list("/folder", { all: true }))],
  ["stat", (f) => f.stat("/data")],
  ["walk", (f) => Array.fromAsync(f.walk("", { maxDepth: 2, retry: false }))],
  ["retrbinary", (f) => f.retrbinary("RETR /data", () => {}, { rest: 1 })],
  ["retrieve", async (f) => await (await f.retrieve("/data")).cancel()],
  ["store", (f) => f.store("/new", new Uint8Array(9))],
  ["ensureDir", (f) => f.ensureDir("/folder/a")],
  ["remove", (f) => f.remove("/folder", { recursive: true })],
  ["pipeline", (f) => Array.fromAsync(f.pipeline(Array(20).fill("NOOP")))],
  ["abort", (f) => f.abort()],
];

/** Control characters in a reply. */
const RUBBISH = [
  ...'\r\n\0\xff\x1b\x9b-( "',
  "\r\n",
  "\xff\xfb\x01",
  "226 Done\r\n",
  "150 Here\r\n",
  "421 Bye\r\n",
  "550-",
];

/**
 * Returns the bytes that a server sends instead of a reply, and whether it
 * closes then.
 */
function spoil(
  random: Random,
  reply: string,
): [bytes: string, closes: boolean] {
  const at = random.below(reply.length + 1);
  const kind = random.below(20);
  switch (kind) {
    case 0:
      return [
        reply.slice(0, at) + random.pick(RUBBISH) + reply.slice(at),
        false,
      ];
    case 1:
      return [reply.slice(0, at) + reply.slice(at + 2), false];
    case 2:
      return [`${100 + random.below(500)} At random\r\n`, false];
    case 3:
      return [
        `${reply}${random.pick(["200", "226", "150", "421"])} More\r\n`,
        false,
      ];
    case 4:
      return [reply.slice(0, at), true];
    case 5:
      return [random.below(3) > 0 ? "421 Going\r\n" : "", false];
    case 6:
      return [
        `200${random.pick([" ", "-\r\n"])}${"x\r".repeat(40_000)}\r\n`,
        false,
      ];
    case 7:
      return [
        String.fromCharCode(
          ...Array.from({ length: 60 }, () => random.below(256)),
        ) + "\r\n",
        false,
      ];
    default:
      return [reply, false];
  }
}

/** A server that usually answers correctly. */
function misbehave(random: Random, sent: Map<object, ReplyOracle>) {
  return async (turn: Turn): Promise<void> => {
    const send = turn.raw.bind(turn);
    const { session } = turn;
    turn.raw = async (content) => {
      const [text, closes] = spoil(random, String(content));
      const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
      const oracle = sent.get(session) ?? new ReplyOracle(CAPS);
      sent.set(session, oracle);
      oracle.push(bytes);
      await send(bytes);
      if (closes) turn.close();
    };
    await turn.default();
  };
}

/** Runs one conversation; throws if the client made an error. */
async function converse(seed: number): Promise<void> {
  const random = new Random(seed);
  const sent = new Map<object, ReplyOracle>();
  await using server = await ScriptedServer.start({
    charset: "latin1",
    files: { "/data": "content", "/folder/a": "x", "/folder/b": "y" },
  });
  server.on("*", misbehave(random, sent));
  const received: string[] = [];
  await using ftp = new FTP({
    timeout: 150,
    encoding: "latin-1",
    maxReply: CAPS.maxReply,
    trace: ({ direction, text }) => {
      if (direction === "received") received.push(text);
    },
  });
  const calls: [string, (ftp: FTP) => Promise<unknown>][] = [
    ["connect", (ftp) => ftp.connect(server.host, server.port)],
    ["login", (ftp) => ftp.login()],
    ...Array.from({ length: CALLS }, () => random.pick(OPERATIONS)),
  ];
  for (const [name, call] of calls) {
    const error = await inTime(name, () => call(ftp));
    if (error !== undefined) checkError(name, error);
    if (name === "connect" && error !== undefined) break;
  }
  // every reply that the client saw is one that the server sent, in order; the
  // last of a connection that was given up may not have been read
  let ends = new Set([0]);
  for (const { replies } of sent.values()) {
    const before = ends;
    ends = new Set(before);
    for (let at of before) {
      for (const { text } of replies) {
        if (received[at] !== printable(text)) break;
        ends.add(++at);
      }
    }
  }
  const all = [...sent.values()].map(({ replies }) => replies.map(String));
  assert(ends.has(received.length), JSON.stringify({ received, all }));
}

/** Returns the error of a call, if it fails. */
async function inTime(
  name: string,
  call: () => Promise<unknown>,
): Promise<unknown> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`${name} takes too long`)),
    MAX_WAIT,
  );
  try {
    return await Promise.race([call().then(() => undefined, (e) => e), late]);
  } finally {
    clearTimeout(timer);
  }
}

const PLATFORM = Object.values(Deno.errors);

function checkError(name: string, error: unknown): void {
  assert(
    error instanceof FTPError || PLATFORM.some((C) => error instanceof C),
    `${name} throws ${error instanceof Error ? error.stack : error}`,
  );
  const { message } = error as Error;
  assertEquals(printable(message), message, `message of ${name}`);
}

function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x09\x0B-\x1F\x7F-\x9F]/g, "\uFFFD");
}

Deno.test("FTP bears a server that mutates its replies, adds to them and hangs up", async () => {
  const seed = chooseSeed();
  const count = chooseCount(CONVERSATIONS, "FTP_HOSTILE");
  console.log(`${count} conversations, FTP_SEED=${seed}`);
  let next = 0;
  await Promise.all(Array.from({ length: WORKERS }, async () => {
    while (next < count) {
      const index = next++;
      try {
        await converse(seed + index);
      } catch (error) {
        throw new Error(`Conversation ${index} of FTP_SEED=${seed} failed`, {
          cause: error,
        });
      }
    }
  }));
});
