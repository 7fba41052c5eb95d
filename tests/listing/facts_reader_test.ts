import { assertEquals } from "@std/assert";
import { parseFacts } from "../../lib/listing/facts.ts";
import { FactsReader } from "../../lib/listing/facts_reader.ts";
import { makeEncoding } from "../../lib/protocol/encoding.ts";
import { PIECE_SIZE } from "../../parser/mod.ts";
import { chooseCount, chooseSeed, Random } from "../testing/random.ts";

/** Lines, one character for each byte. */
const LINES = [
  "type=file;size=5; a b",
  "type=file;size=6; c",
  "type=file;size=66; c",
  "Type=dir;size=; d;e",
  "type=dir;size=7;\tf",
  "type=file;size=8;x=1; g",
  "type=file;size=9;x=1; h",
  "type=file; i",
  "type=file;size=5;size=6; twice",
  "type=file;size=7;Size=8; twice",
  "type=file;UNIX.groupname=domain users;size=1; j",
  "type=file;UNIX.groupname=domain;size=1; k",
  "type=file;UNIX.groupname=a\tb;size=1; l",
  "type=file;\xc3\xa4=1;size=1; fact of umlauts",
  "type=file;x=\xc3\xa4;size=1; value of umlauts",
  "type=file;size=1; name of \xc3\xa4\xc3\xb6",
  "type=file;size=1; \xff\xfe",
  "type=file;size=1; \xef\xbb\xbfmark",
  "__proto__=1;size=2; m",
  "__proto__=3;size=4; n",
  "constructor=1; o",
  "1=a;0=b; numbers",
  "1=a;0=c; numbers",
  "a==b=;c=d; equals",
  "=x; no key",
  ";;type=file;; empty facts",
  "flag;size=4; o",
  "type=file;size=5 p",
  " no facts",
  "nothing",
  "",
  "type=file;size=5;",
  "type=file;size=5; ",
  "type=file;size=5; q\r",
  "type=file;size=5; r\rs",
  "size=5;modify=20240101000000.123;perm=adfrw;type=file;unique=1U2; t",
  "size=6;modify=20240101000001.123;perm=adfrw;type=file;unique=1U3; u",
  Array.from({ length: 32 }, (_, i) => `f${i}=${i};`).join("") + " many",
  Array.from({ length: 33 }, (_, i) => `f${i}=${i};`).join("") + " too many",
  ...Array.from({ length: 10 }, (_, i) => `shape${i}=${i};size=1; shape`),
];

function toBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Reads a block, and compares each line with `parseFacts`. */
function check(reader: FactsReader, decode: Decode, block: string): void {
  const lines = block.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const expected = lines.map((line) => {
    const text = decode(toBytes(line.replace(/\r$/, "")));
    const { name, facts } = parseFacts(text);
    return [name, Object.entries(facts)];
  });
  const found = reader.read(toBytes(block))
    .map(([name, facts]) => [name, Object.entries(facts)]);
  assertEquals(found, expected, JSON.stringify(block.slice(0, 1000)));
}

type Decode = (bytes: Uint8Array) => string;

const { decode } = makeEncoding("utf-8");

Deno.test("FactsReader returns the same as parseFacts, after any line", () => {
  const reader = new FactsReader(decode);
  for (const first of LINES) {
    for (const second of LINES) {
      check(reader, decode, `${first}\r\n${second}\n${first}\r\n${second}`);
    }
  }
});

for (const label of ["utf-8", "latin1", "gb18030", "shift_jis", "big5"]) {
  Deno.test(`FactsReader returns the same as parseFacts for random blocks in ${label}`, () => {
    const { decode } = makeEncoding(label);
    const reader = new FactsReader(decode);
    const random = new Random(chooseSeed());
    for (let round = 0; round < chooseCount(300); round++) {
      let block = "";
      for (let count = random.below(30); count >= 0; count--) {
        let line = random.pick(LINES);
        for (let changes = random.below(3); changes > 0; changes--) {
          const at = random.below(line.length + 1);
          const byte = random.pick(["", ";", "=", " ", "x", "\r", "\xe4", "9"]);
          line = line.slice(0, at) + byte + line.slice(at + random.below(2));
        }
        block += line + random.pick(["\n", "\r\n"]);
      }
      check(reader, decode, block);
    }
  });
}

Deno.test("FactsReader reads lines around the size of a piece", () => {
  const reader = new FactsReader(decode);
  for (const length of [-40, -20, -12, -11, -10, 0, 1, 20, PIECE_SIZE]) {
    const long = "x".repeat(PIECE_SIZE + length);
    check(reader, decode, `size=1; ${long}\r\nsize=2; a\r\n`);
    check(reader, decode, `size=3; b\r\nsize=${long}; a\r\nsize=4; c\r\n`);
  }
  const many = Array.from({ length: 20_000 }, (_, i) => `a=${i};b=${i}; ${i}`);
  check(reader, decode, many.join("\r\n"));
  check(reader, decode, "\n".repeat(100_000));
});

Deno.test("FactsReader gives facts of their own for each line", () => {
  const reader = new FactsReader(decode);
  const block = toBytes("type=file;size=5; a\r\ntype=file;size=5; b\r\n");
  const [first, second] = reader.read(block);
  first![1].size = "changed";
  first![1].more = "more";
  assertEquals(second, ["b", { type: "file", size: "5" }]);
  assertEquals(reader.read(block)[1], second);
});
