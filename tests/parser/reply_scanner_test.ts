import { assertEquals } from "@std/assert";
import { PIECE_SIZE, ReplyScanner } from "../../parser/mod.ts";

const OPTIONS = { maxReplyLine: 65_536, maxReply: 1_048_576, lenient: false };

Deno.test("ReplyScanner finds the codes of chunks of any length", () => {
  const expected = Array.from(
    { length: 50_000 },
    (_, index) => 100 + index % 500,
  );
  const stream = encode(expected.map((code) => `${code} x\r\n`).join(""));
  for (const length of [7, 1000, PIECE_SIZE, PIECE_SIZE + 1, stream.length]) {
    const scanner = new ReplyScanner(OPTIONS);
    const codes: number[] = [];
    for (let at = 0; at < stream.length; at += length) {
      codes.push(...scanner.scanCodes(stream.subarray(at, at + length)));
    }
    assertEquals(codes, expected, `pieces of ${length} bytes`);
    assertEquals(scanner.status, "good");
  }
});

Deno.test("ReplyScanner has room for the shortest replies there are", () => {
  const scanner = new ReplyScanner(OPTIONS);
  assertEquals(scanner.scan(encode("200")), 0);
  const piece = encode(`\n${"599\n".repeat(PIECE_SIZE / 4)}`);
  assertEquals(scanner.scan(piece.subarray(0, PIECE_SIZE)), PIECE_SIZE / 4);
  assertEquals([scanner.code(0), scanner.start(0), scanner.end(0)], [
    200,
    -1,
    0,
  ]);
  const last = PIECE_SIZE / 4 - 1;
  assertEquals(
    [scanner.code(last), scanner.start(last), scanner.end(last)],
    [599, PIECE_SIZE - 7, PIECE_SIZE - 4],
  );
  assertEquals(scanner.keep, PIECE_SIZE - 3);
});

Deno.test("ReplyScanner returns the very piece unless Telnet was in it", () => {
  const scanner = new ReplyScanner(OPTIONS);
  const plain = encode("220 a\r\n");
  scanner.scan(plain);
  assertEquals(scanner.text(plain) === plain, true);
  const telnet = Uint8Array.of(0xff, 0xf1, ...plain);
  scanner.scan(telnet);
  assertEquals(scanner.text(telnet), plain);
});

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
