import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { FTPProtocolError } from "../../lib/protocol/errors.ts";
import {
  Reply,
  ReplyReader,
  type ReplyReaderOptions,
} from "../../lib/protocol/reply.ts";

/** The replies that a reader returns for a stream. */
interface Outcome {
  replies: [code: number, ...lines: string[]][];
  error?: string;
  hasPartial?: boolean;
  hint?: string;
}

interface Case extends Outcome {
  name: string;
  /** The stream, a character a byte. */
  input: string;
  options?: Partial<ReplyReaderOptions>;
}

const NO_CODE = "Cannot read the reply: expected a code from 100 to 599, got ";

const CASES: Case[] = [
  // Framing, RFC 959, 4.2.
  { name: "one line", input: "220 Hello\r\n", replies: [[220, "220 Hello"]] },
  { name: "a code alone", input: "200\r\n", replies: [[200, "200"]] },
  { name: "a code and a space", input: "200 \r\n", replies: [[200, "200 "]] },
  {
    name: "an inner line without a code",
    input: "150-A\r\nB\r\n150 C\r\n",
    replies: [[150, "150-A", "B", "150 C"]],
  },
  {
    name: "an inner line that looks like another reply's first",
    input: "150-A\r\n160-B\r\n150 C\r\n",
    replies: [[150, "150-A", "160-B", "150 C"]],
  },
  {
    name: "an indented last line, which is none",
    input: "150-A\r\n 150 B\r\n150 C\r\n",
    replies: [[150, "150-A", " 150 B", "150 C"]],
  },
  {
    name: "a bare code as last line",
    input: "200-A\r\n200-B\r\n200-C\r\n200\r\n",
    replies: [[200, "200-A", "200-B", "200-C", "200"]],
  },
  {
    name: "two multi-line replies",
    input: "150-A\r\nB\r\n150 C\r\n200-D\r\n200 Done\r\n",
    replies: [[150, "150-A", "B", "150 C"], [200, "200-D", "200 Done"]],
  },
  {
    name: "a reply and the beginning of another",
    input: "150-A\r\n150 C\r\n200-D\r\n",
    replies: [[150, "150-A", "150 C"]],
    hasPartial: true,
  },
  {
    name: "an inner line that begins with another code",
    input: "230-Hi\r\n211 users\r\n230 ok\r\n",
    replies: [[230, "230-Hi", "211 users", "230 ok"]],
  },
  {
    name: "another code as the end, when lenient",
    input: "230-Hi\r\n211 users\r\n230 ok\r\n",
    options: { multiline: "lenient" },
    replies: [[211, "230-Hi", "211 users"], [230, "230 ok"]],
  },
  {
    name: "another bare code as the end, when lenient",
    input: "426-Aborted\r\n226\r\n",
    options: { multiline: "lenient" },
    replies: [[226, "426-Aborted", "226"]],
  },
  {
    name: "a number that is no code, when lenient",
    input: "226-Done\r\n999 bytes\r\n226 ok\r\n",
    options: { multiline: "lenient" },
    replies: [[226, "226-Done", "999 bytes", "226 ok"]],
  },
  {
    name: "glFTPd's end under another code, which only hints",
    input: "553-Cannot\r\n150 Opening\r\n",
    replies: [],
    hasPartial: true,
    hint: "150 Opening",
  },
  {
    name: "a hint with a cut line after it",
    input: "553-Cannot\r\n150 Opening\r\r\nand",
    replies: [],
    hasPartial: true,
    hint: "150 Opening",
  },
  {
    name: "a hint that the next line takes back",
    input: "553-Cannot\r\n150 Opening\r\nmore\r\n",
    replies: [],
    hasPartial: true,
  },
  {
    name: "an inner line of digits after the code",
    input: "230-211 x\r\n230-230 y\r\n230 ok\r\n",
    replies: [[230, "230-211 x", "230-230 y", "230 ok"]],
  },
  {
    name: "a banner with the code on each line",
    input: "220-a\r\n220-b\r\n220-c\r\n220 d\r\n",
    replies: [[220, "220-a", "220-b", "220-c", "220 d"]],
  },
  {
    name: "more digits than a code in an inner line",
    input: "220-a\r\n2200\r\n220\tb\r\n220 c\r\n",
    replies: [[220, "220-a", "2200", "220\tb", "220 c"]],
  },
  {
    name: "the replies that come in two segments",
    input: '226 Transfer complete\r\n257 "/a/b" created\r\n',
    replies: [[226, "226 Transfer complete"], [257, '257 "/a/b" created']],
  },
  {
    name: "features",
    input: "211-Features:\r\n MLST size*;modify*;\r\n SIZE\r\n211 End\r\n",
    replies: [[
      211,
      "211-Features:",
      " MLST size*;modify*;",
      " SIZE",
      "211 End",
    ]],
  },
  // Line ends.
  {
    name: "bare LFs",
    input: "220 x\n200-a\nb\n200 c\n",
    replies: [[220, "220 x"], [200, "200-a", "b", "200 c"]],
  },
  {
    name: "CR NUL, and a NUL of its own",
    input: "220 a\r\0b\r\n221 a\0b\r\n",
    replies: [[220, "220 a\rb"], [221, "221 a\0b"]],
  },
  {
    name: "CRs inside a line",
    input: "220 a\rb\r\n200-\rc\r\r\n200 d\r\n",
    replies: [[220, "220 a\rb"], [200, "200-\rc", "200 d"]],
  },
  {
    name: "several CRs before LF",
    input: "220 a\r\r\n200\r\r\r\n150-b\r\r\nc\r\r\r\n150\r\r\n",
    replies: [[220, "220 a"], [200, "200"], [150, "150-b", "c", "150"]],
  },
  {
    name: "empty lines before and between replies",
    input: "\r\n\n\r\r\n220 hi\r\n\r\n221 bye\r\n\r\n",
    replies: [[220, "220 hi"], [221, "221 bye"]],
  },
  {
    name: "empty lines in a reply",
    input: "220-a\r\n\r\n\n220 b\r\n",
    replies: [[220, "220-a", "", "", "220 b"]],
  },
  // Telnet, RFC 854.
  {
    name: "Telnet commands",
    input:
      "\xff\xfb\x012\xff\xf120\xff\xfd\n hi\xff\xfa\x18220 x\r\n\xff\xff\xff\xf0!\xff\xfe\xff\r\n",
    replies: [[220, "220 hi!"]],
  },
  {
    name: "a doubled IAC",
    input: '257 "/\xff\xff\xff\xff"\r\n',
    replies: [[257, '257 "/\xff\xff"']],
  },
  {
    name: "an IAC that is none",
    input: '257 "/\xffa\xff"\xff\r\n',
    replies: [[257, '257 "/\xffa\xff"\xff']],
  },
  {
    name: "a Telnet command between replies",
    input: "220 a\r\n\xff\xfb\x01",
    replies: [[220, "220 a"]],
  },
  {
    name: "a Telnet subnegotiation longer than a line may be",
    input: "220 a\r\n\xff\xfa123456789220 b\r\n",
    options: { maxReplyLine: 8 },
    replies: [[220, "220 a"]],
    error: "Cannot read the reply: a line is longer than 8 bytes",
  },
  // No FTP.
  {
    name: "a line without a code",
    input: "220 a\r\nSSH-2.0-OpenSSH\r\n220 b\r\n",
    replies: [[220, "220 a"]],
    error:
      `${NO_CODE}"SSH-2.0-OpenSSH"; this is an SSH server, and SFTP is not FTP`,
  },
  {
    name: "a short line",
    input: "22\r\n",
    replies: [],
    error: `${NO_CODE}"22"`,
  },
  {
    name: "digits that no mark follows",
    input: "2201 x\r\n",
    replies: [],
    error: `${NO_CODE}"2201 x"`,
  },
  {
    name: "a code over 599",
    input: "633 x\r\n",
    replies: [],
    error: `${NO_CODE}"633 x"`,
  },
  {
    name: "a code under 100",
    input: "099 x\r\n",
    replies: [],
    error: `${NO_CODE}"099 x"`,
  },
  {
    name: "control characters, quoted",
    input: "\x1b[2J\0\r\n",
    replies: [],
    error: `${NO_CODE}"\\u001b[2J\\u0000"`,
  },
  {
    name:
      "DEL and the control characters of Latin-1, which JSON does not quote",
    input: "\x7f\x9b2J\r\n",
    replies: [],
    error: `${NO_CODE}"\uFFFD\uFFFD2J"`,
  },
  {
    name: "a long line without a code, cut in the message",
    input: `${"x".repeat(100)}\n`,
    replies: [],
    error: `${NO_CODE}"${"x".repeat(80)}..."`,
  },
  // Caps.
  {
    name: "a line as long as it may be",
    input: "220 5678\n",
    options: { maxReplyLine: 8 },
    replies: [[220, "220 5678"]],
  },
  {
    name: "a line longer than it may be",
    input: "220 5678\n220 56789\n",
    options: { maxReplyLine: 8 },
    replies: [[220, "220 5678"]],
    error: "Cannot read the reply: a line is longer than 8 bytes",
  },
  {
    name: "a line longer than it may be that does not end",
    input: "220 5678\n220 56789",
    options: { maxReplyLine: 8 },
    replies: [[220, "220 5678"]],
    error: "Cannot read the reply: a line is longer than 8 bytes",
  },
  {
    name: "a reply as long as it may be",
    input: "220-a\n220 b\n".repeat(3),
    options: { maxReply: 12 },
    replies: [[220, "220-a", "220 b"], [220, "220-a", "220 b"], [
      220,
      "220-a",
      "220 b",
    ]],
  },
  {
    name: "a reply longer than it may be",
    input: "220-a\n220 b\n220-a\n220 bc\n",
    options: { maxReply: 12 },
    replies: [[220, "220-a", "220 b"]],
    error: "Cannot read the reply: it is longer than 12 bytes",
  },
  {
    name: "blank lines without end",
    input: "\r\n".repeat(7),
    options: { maxReply: 12 },
    replies: [],
    error: "Cannot read the reply: it is longer than 12 bytes",
  },
  // Cut off.
  { name: "nothing", input: "", replies: [] },
  { name: "a cut code", input: "22", replies: [], hasPartial: true },
  { name: "a cut line end", input: "220 a\r", replies: [], hasPartial: true },
  {
    name: "a cut multi-line reply",
    input: "220-a\r\nb\r\n",
    replies: [],
    hasPartial: true,
  },
];

for (
  const { name, input, options, replies, error, hasPartial, hint } of CASES
) {
  Deno.test(`ReplyReader reads ${name}`, () => {
    const expected = { replies, error, hasPartial: hasPartial ?? false, hint };
    const stream = latin1(input);
    assertEquals(read([stream], options), expected);
    const bytes = Array.from(stream, (byte) => Uint8Array.of(byte));
    assertEquals(read(bytes, options), expected, "byte by byte");
    for (let at = 1; at < stream.length; at++) {
      const halves = [stream.subarray(0, at), stream.subarray(at)];
      assertEquals(read(halves, options), expected, `split at ${at}`);
    }
  });
}

Deno.test("ReplyReader throws an FTPProtocolError for a stream that is not FTP", () => {
  const reader = makeReader();
  assertEquals(reader.push(latin1("220 a\r\nHTTP/1.1 400\r\n")).length, 1);
  assertStrictEquals(reader.error instanceof FTPProtocolError, true);
  assertEquals(reader.push(latin1("220 b\r\n")), []);
  assertStrictEquals(reader.hasPartial, false);
});

Deno.test("ReplyReader reads long lines and replies below its default caps", () => {
  const path = "d".repeat(17_000);
  const text = `226-a\r\n${"one of many lines\r\n".repeat(900)}226 b`;
  const replies = makeReader().push(latin1(`257 "${path}"\r\n${text}\r\n`));
  assertEquals(replies.map(String), [
    `257 "${path}"`,
    text.replaceAll("\r", ""),
  ]);
});

Deno.test("ReplyReader ends a line of 10 MB at its default cap", () => {
  const reader = makeReader();
  const chunk = new Uint8Array(10_000_000).fill(0x61);
  assertEquals(reader.push(chunk), []);
  assertEquals(
    reader.error?.message,
    "Cannot read the reply: a line is longer than 65536 bytes",
  );
});

Deno.test("ReplyReader ends an endless reply at its default cap", () => {
  const reader = makeReader();
  reader.push(latin1("220-a\r\n"));
  let bytes = 0;
  const chunk = latin1("once more\r\n".repeat(1000));
  while (reader.error === undefined && bytes < 2_000_000) {
    reader.push(chunk);
    bytes += chunk.length;
  }
  assertEquals(
    reader.error?.message,
    "Cannot read the reply: it is longer than 1048576 bytes",
  );
});

Deno.test("ReplyReader reads chunks longer than the parser takes at once", () => {
  const text = `${
    "220 0123456789abcdef\r\n".repeat(10_000)
  }226-\xff\xf1x\n226 y\n`;
  const replies = makeReader().push(latin1(text));
  assertEquals(replies.length, 10_001);
  assertEquals(replies[9_999]?.text, "220 0123456789abcdef");
  assertEquals(replies[10_000]?.lines, ["226-x", "226 y"]);
});

Deno.test("ReplyReader keeps two streams apart", () => {
  const [one, other] = [makeReader(), makeReader({ multiline: "lenient" })];
  assertEquals(one.push(latin1("220-a\r\n221 b\xff")), []);
  assertEquals(other.push(latin1("150-c\r\n22")), []);
  assertEquals(one.push(latin1("\xf1\r\n220")), []);
  assertEquals(other.push(latin1("6 d\r")), []);
  assertEquals(one.push(latin1(" e\r\n")).map(String), ["220-a\n221 b\n220 e"]);
  assertEquals(other.push(latin1("\n")).map(String), ["150-c\n226 d"]);
});

Deno.test("ReplyReader copies what it needs of a chunk", () => {
  const reader = makeReader();
  const chunk = latin1("220 a\r\n221-b\r\n");
  const [first] = reader.push(chunk);
  chunk.fill(0x21);
  const [second] = reader.push(latin1("221 c\r\n"));
  assertEquals([first?.text, second?.text], ["220 a", "221-b\n221 c"]);
});

Deno.test("ReplyReader decodes text where bytes and characters differ", () => {
  const decoder = new TextDecoder();
  const reader = makeReader({ decode: (bytes) => decoder.decode(bytes) });
  const input = "220 ä€😀\r\n221 plain\r\n222-ö\r\nü\r\r\n222 ß\r\n";
  const replies = reader.push(new TextEncoder().encode(input));
  assertEquals(replies.map((reply) => reply.lines), [
    ["220 ä€😀"],
    ["221 plain"],
    ["222-ö", "ü", "222 ß"],
  ]);
});

Deno.test("ReplyReader splits lines before it decodes them", () => {
  // In GBK 0x81 begins a character of two bytes, and LF cannot be the second.
  const decoder = new TextDecoder("gbk");
  const reader = makeReader({ decode: (bytes) => decoder.decode(bytes) });
  const [reply] = reader.push(latin1("220-\xc4\xe3\x81\r\n220 x\x81\n"));
  assertEquals(reply?.lines, ["220-你\ufffd", "220 x\ufffd"]);
});

Deno.test("ReplyReader decodes a batch of replies once, and only when read", () => {
  let calls = 0;
  const reader = makeReader({
    decode(bytes) {
      calls++;
      return decodeLatin1(bytes);
    },
  });
  const replies = reader.push(latin1("200 a\r\n".repeat(1000)));
  assertEquals(replies.map((reply) => reply.code), Array(1000).fill(200));
  assertEquals(calls, 0);
  assertEquals(replies.map(String), Array(1000).fill("200 a"));
  assertEquals(calls, 1);
});

Deno.test("Reply has its code, lines and text", () => {
  const reply = Reply.from("250-File data\r\n Type=dir; x\r\n250 End");
  assertEquals(reply.code, 250);
  assertEquals(reply.lines, ["250-File data", " Type=dir; x", "250 End"]);
  assertEquals(reply.text, "250-File data\n Type=dir; x\n250 End");
  assertEquals(`${reply}`, reply.text);
  assertEquals(
    Deno.inspect(Reply.from("200 ok")),
    'Reply { code: 200, text: "200 ok" }',
  );
});

for (const text of ["", "ok", "200 a\n200 b", "200-a"]) {
  Deno.test(`Reply.from() refuses ${JSON.stringify(text)}`, () => {
    assertThrows(() => Reply.from(text), SyntaxError, "expected one reply");
  });
}

function makeReader(options: Partial<ReplyReaderOptions> = {}): ReplyReader {
  return new ReplyReader({ decode: decodeLatin1, ...options });
}

/** Feeds the chunks and gives what came of them. */
function read(
  chunks: Uint8Array[],
  options?: Partial<ReplyReaderOptions>,
): unknown {
  const reader = makeReader(options);
  const replies = chunks.flatMap((chunk) => reader.push(chunk));
  return {
    replies: replies.map((reply) => [reply.code, ...reply.lines]),
    error: reader.error?.message,
    hasPartial: reader.hasPartial,
    hint: reader.hint,
  };
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

function decodeLatin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
