import { assertEquals } from "@std/assert";
import { ReplyReader } from "../../lib/protocol/reply.ts";
import { chooseCount, chooseSeed, Random } from "../testing/random.ts";
import {
  type OracleError,
  type OracleOptions,
  type OracleReply,
  ReplyOracle,
} from "./reply_oracle.ts";

/** A million takes two minutes: FTP_PROPERTY_CASES=1000000. */
const STREAMS = chooseCount(20_000);
const MAX_STREAM = 512;

/** Parts of the streams: valid ones, fragments, and invalid ones. */
const TOKENS = [
  "220 ",
  "220-",
  "220",
  "226 Done",
  "150-",
  "150 x",
  "553-",
  "599",
  "600",
  "099",
  "22/ ",
  "2:0 ",
  "/20 x\n",
  ":20 x\n",
  "1",
  "2",
  "0",
  "22",
  "9",
  " ",
  "-",
  "\r\n",
  "\r\n",
  "\r\n",
  "\n",
  "\n",
  "\n",
  "\r",
  "\r\r\n",
  "\0",
  "\r\0",
  "a",
  "text",
  " 220 ",
  "220-\r\n",
  "220 x\r\n",
  "150 Opening\r\n",
  "220\n",
  "\u00e4",
  "\u00ff",
  "\u00ff",
  "\u00ff\u00ff",
  "\u00ff\u00f1",
  "\u00ff\u00fb\u0001",
  "\u00ff\u00fd",
  "\u00ff\u00fa",
  "\u00ff\u00f0",
  "\u00ff\u00fax\u00ff\u00ffy\u00ff\u00f0",
  "\u00ff\u00fb\n",
].map((token) => Uint8Array.from(token, (char) => char.charCodeAt(0)));

const VALID = [
  "220 hi\r\n",
  "200\r\n",
  "150-a\r\n",
  "150 b\r\n",
  "\r\n",
  "226-x\n",
  "226 y\n",
  "b\r\n",
  "150",
  "-long enough to cross a block of sixteen bytes\r\n",
  " and another of the kind, for the same reason\r\n",
].map((token) => Uint8Array.from(token, (char) => char.charCodeAt(0)));

const ERRORS: [RegExp, OracleError][] = [
  [/expected a code from 100 to 599, got "/, "malformed"],
  [/a line is longer than \d+ bytes/, "line too long"],
  [/it is longer than \d+ bytes/, "reply too long"],
];

interface Outcome {
  replies: OracleReply[];
  error: OracleError | undefined;
  hasPartial: boolean;
  hint: string | undefined;
}

Deno.test("ReplyReader agrees with the oracle on random streams in random pieces", () => {
  const seed = chooseSeed();
  console.log(`${STREAMS} random streams, FTP_SEED=${seed}`);
  const random = new Random(seed);
  const buffer = new Uint8Array(MAX_STREAM);
  const seen = {
    replies: 0,
    malformed: 0,
    "line too long": 0,
    "reply too long": 0,
    partial: 0,
    hint: 0,
  };

  for (let index = 0; index < STREAMS; index++) {
    const stream = buffer.subarray(0, fillStream(random, buffer));
    const options: OracleOptions = {
      maxReplyLine: random.below(4) > 0 ? 1000 : random.below(24),
      maxReply: random.below(4) > 0 ? 1000 : random.below(60),
      lenient: random.below(3) === 0,
    };
    const expected = runOracle(stream, options);
    const cuts: number[] = [];
    const step = random.pick([1, 8, 16, 32]);
    for (let at = 0; at < stream.length; at += 1 + random.below(step)) {
      cuts.push(at);
    }
    for (const at of [[], cuts]) {
      const actual = runReader(stream, at, options);
      if (!isSame(actual, expected)) {
        assertEquals(
          actual,
          expected,
          `FTP_SEED=${seed}, stream ${index}, ${
            JSON.stringify(options)
          }, cut at [${at}]: [${stream}]`,
        );
      }
    }
    seen.replies += expected.replies.length;
    if (expected.error !== undefined) seen[expected.error]++;
    if (expected.hasPartial) seen.partial++;
    if (expected.hint !== undefined) seen.hint++;
  }

  // A generator that no longer reaches an outcome proves nothing about it.
  for (const [outcome, count] of Object.entries(seen)) {
    if (count < STREAMS / 1000) throw new Error(`Too few streams: ${outcome}`);
  }
});

/** Fills the buffer with tokens and gives the length. */
function fillStream(random: Random, buffer: Uint8Array): number {
  const tokens = random.below(3) > 0 ? VALID : TOKENS;
  const poison = random.pick([0, 0, 8, 30]);
  const target = 1 + random.below(random.below(16) === 0 ? 300 : 40);
  let length = 0;
  while (length < target) {
    if (poison > 0 && random.below(poison) === 0) {
      buffer[length++] = random.below(256);
      continue;
    }
    const token = random.pick(
      poison > 0 && random.below(poison) === 0 ? TOKENS : tokens,
    );
    buffer.set(token, length);
    length += token.length;
  }
  return length;
}

function runOracle(stream: Uint8Array, options: OracleOptions): Outcome {
  const oracle = new ReplyOracle(options);
  oracle.push(stream);
  const { replies, error, hasPartial } = oracle;
  return {
    replies,
    error,
    hasPartial,
    hint: error === undefined ? oracle.hint : undefined,
  };
}

function runReader(
  stream: Uint8Array,
  cuts: number[],
  options: OracleOptions,
): Outcome {
  const reader = new ReplyReader({
    decode: decodeLatin1,
    maxReplyLine: options.maxReplyLine,
    maxReply: options.maxReply,
    multiline: options.lenient ? "lenient" : "strict",
  });
  const replies: OracleReply[] = [];
  let from = 0;
  for (const to of [...cuts, stream.length]) {
    // The reader has to copy what it keeps: the buffer is wiped after each push.
    const chunk = stream.slice(from, to);
    const found = reader.push(chunk);
    chunk.fill(0x21);
    for (const { code, text } of found) replies.push({ code, text });
    from = to;
  }
  const message = reader.error?.message;
  return {
    replies,
    error: message === undefined
      ? undefined
      : ERRORS.find(([regexp]) => regexp.test(message))?.[1],
    hasPartial: reader.hasPartial,
    hint: reader.hint,
  };
}

function decodeLatin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at++) {
    text += String.fromCharCode(bytes[at]!);
  }
  return text;
}

function isSame(actual: Outcome, expected: Outcome): boolean {
  return actual.error === expected.error &&
    actual.hasPartial === expected.hasPartial &&
    actual.hint === expected.hint &&
    actual.replies.length === expected.replies.length &&
    actual.replies.every((reply, index) => {
      const other = expected.replies[index]!;
      return reply.code === other.code && reply.text === other.text;
    });
}
