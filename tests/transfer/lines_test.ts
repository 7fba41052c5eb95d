import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { makeEncoding } from "../../lib/protocol/encoding.ts";
import { FTPProtocolError } from "../../lib/protocol/errors.ts";
import { linesOf } from "../../lib/protocol/lines_of.ts";
import { LineDecoder, toNetworkLines } from "../../lib/transfer/lines.ts";
import { worked } from "../testing/cpu_time.ts";

const NO_LIMIT = 1 << 20;
const ENCODER = new TextEncoder();

/** A text, its lines, and the same with network line ends. */
const TEXTS: [text: string, lines: string[], network: string][] = [
  ["", [], ""],
  ["a\r\nb\r\n", ["a", "b"], "a\r\nb\r\n"],
  ["a\nb\n", ["a", "b"], "a\r\nb\r\n"],
  ["a\r\nb\nc\r\n", ["a", "b", "c"], "a\r\nb\r\nc\r\n"],
  ["a\nb", ["a", "b"], "a\r\nb\r\n"],
  ["a", ["a"], "a\r\n"],
  ["\n", [""], "\r\n"],
  ["\r\n", [""], "\r\n"],
  ["\n\n\r\n\n", ["", "", "", ""], "\r\n\r\n\r\n\r\n"],
  ["a\n\nb\n", ["a", "", "b"], "a\r\n\r\nb\r\n"],
  // a CR alone is no line end
  ["a\rb\r\n", ["a\rb"], "a\rb\r\n"],
  ["a\r\r\n", ["a\r"], "a\r\r\n"],
  ["\ra\n", ["\ra"], "\ra\r\n"],
  ["a\r", ["a"], "a\r\n"],
  // nor are the other characters that some count among line ends
  [
    "a\u0085b\u2028c\vd\fe\n",
    ["a\u0085b\u2028c\vd\fe"],
    "a\u0085b\u2028c\vd\fe\r\n",
  ],
  ["é\r\n日本\r\n", ["é", "日本"], "é\r\n日本\r\n"],
];

for (const [text, lines, network] of TEXTS) {
  const bytes = ENCODER.encode(text);

  Deno.test(`LineDecoder reads ${JSON.stringify(text)} cut anywhere`, () => {
    for (const pieces of cuts(bytes)) {
      assertEquals(decode(pieces), lines);
    }
  });

  Deno.test(`toNetworkLines writes ${JSON.stringify(text)} cut anywhere`, async () => {
    for (const pieces of cuts(bytes)) {
      const written = await toText(toNetworkLines(each(pieces), NO_LIMIT));
      assertEquals(written, network);
    }
  });
}

Deno.test("LineDecoder does not keep the memory of a piece", () => {
  const decoder = makeDecoder(NO_LIMIT);
  const piece = ENCODER.encode("one\ntw");
  assertEquals(decoder.push(piece), ["one"]);
  piece.fill(0x78);
  assertEquals(decoder.push(ENCODER.encode("o\n")), ["two"]);
});

Deno.test("LineDecoder keeps bytes that are no text", () => {
  const encoding = makeEncoding("utf-8");
  const decoder = new LineDecoder((bytes) => encoding.decode(bytes), NO_LIMIT);
  const lines = decoder.push(Uint8Array.of(0x61, 0xE9, 0x0A, 0xC3, 0xA9, 0x0A));
  assertEquals(lines, ["a\uDCE9", "é"]);
});

Deno.test("LineDecoder and toNetworkLines refuse a long line, cut anywhere", async () => {
  const texts = ["ok\n12345678\n", "12345678\nok\n", "ok\n12345678"];
  for (const text of texts) {
    for (const pieces of cuts(ENCODER.encode(text))) {
      assertThrows(
        () => decode(pieces, 7),
        FTPProtocolError,
        "longer than maxLine, 7 bytes",
      );
      await assertRejects(
        () => toText(toNetworkLines(each(pieces), 7)),
        FTPProtocolError,
        "longer than maxLine, 7 bytes",
      );
      // the line end does not count
      assertEquals(decode(pieces, 8).includes("12345678"), true);
    }
  }
});

Deno.test("LineDecoder counts the CR of a line, not its LF", () => {
  for (const pieces of cuts(ENCODER.encode("1234\r\n5678\n"))) {
    assertEquals(decode(pieces, 5), ["1234", "5678"]);
  }
});

Deno.test("LineDecoder is linear in a long line that comes byte by byte", () => {
  const decoder = makeDecoder(NO_LIMIT);
  const byte = ENCODER.encode("x");
  const start = worked();
  for (let i = 0; i < 200_000; i++) decoder.push(byte);
  const time = worked() - start;
  assertEquals(decoder.end()[0]?.length, 200_000);
  assert(time < 1000, `took ${time} ms`);
});

Deno.test("linesOf cuts a block into lines with their ends", () => {
  const cut = (text: string) =>
    [...linesOf(ENCODER.encode(text))].map((line) =>
      new TextDecoder().decode(line)
    );
  assertEquals(cut("a\r\n\r\nb\r\n"), ["a\r\n", "\r\n", "b\r\n"]);
  assertEquals(cut("a"), ["a"]);
  assertEquals(cut(""), []);
});

/** The whole, each cut in two, and byte by byte. */
function* cuts(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [bytes];
  for (let at = 1; at < bytes.length; at++) {
    yield [bytes.subarray(0, at), bytes.subarray(at)];
  }
  yield [...bytes].map((byte) => Uint8Array.of(byte));
}

function makeDecoder(maxLine: number): LineDecoder {
  return new LineDecoder((bytes) => new TextDecoder().decode(bytes), maxLine);
}

function decode(pieces: Uint8Array[], maxLine = NO_LIMIT): string[] {
  const decoder = makeDecoder(maxLine);
  const lines: string[] = [];
  for (const piece of pieces) lines.push(...decoder.push(piece));
  return [...lines, ...decoder.end()];
}

async function* each(pieces: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

async function toText(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: BlobPart[] = [];
  for await (const chunk of chunks) parts.push(chunk.slice());
  return await new Blob(parts).text();
}
