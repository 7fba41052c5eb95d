import { assertEquals, assertThrows } from "@std/assert";
import { makeEncoding } from "../../lib/protocol/encoding.ts";
import { chooseSeed, Random } from "../testing/random.ts";
import { worked } from "../testing/cpu_time.ts";

/** A label, bytes and the text that they are, both ways. */
const PAIRS: [label: string, bytes: number[], text: string][] = [
  ["utf-8", [0x61, 0xC3, 0xA9], "aé"],
  ["UTF-8", [0xF0, 0x9F, 0x98, 0x80], "😀"],
  ["utf8", [0xEF, 0xBB, 0xBF, 0x61], "\uFEFFa"], // a BOM is part of a name
  ["utf8", [0xEF, 0xBF, 0xBD, 0x61], "\uFFFDa"], // U+FFFD that was sent
  ["utf8", [0xEF, 0xBF, 0xBD, 0xFF], "\uFFFD\uDCFF"],
  ["utf-8", [0x61, 0xE9, 0x62], "a\uDCE9b"],
  ["utf-8", [0xC3], "\uDCC3"],
  ["utf-8", [0xC3, 0x28], "\uDCC3("],
  ["utf-8", [0xC0, 0xAF], "\uDCC0\uDCAF"], // overlong
  ["utf-8", [0xED, 0xA0, 0x80], "\uDCED\uDCA0\uDC80"], // a surrogate
  ["utf-8", [0xF4, 0x90, 0x80, 0x80], "\uDCF4\uDC90\uDC80\uDC80"],
  ["utf-8", [0xF0, 0x9F, 0x98, 0x80, 0x80], "😀\uDC80"],
  ["latin-1", [0x80, 0x9F, 0xE9, 0xFF], "\x80\x9Féÿ"],
  ["ISO-8859-1", [0x80, 0xA0], "\x80\xA0"],
  ["windows-1252", [0x80, 0x9F], "€Ÿ"],
  ["windows-1251", [0xCF, 0xF0, 0xE8], "При"],
  ["koi8-r", [0xF0, 0xD2, 0xC9], "При"],
  ["shift_jis", [0x93, 0xFA, 0x96, 0x7B, 0xB1], "日本ｱ"],
  ["shift_jis", [0x95, 0x5C], "表"], // its second byte is a backslash
  ["shift_jis", [0x61, 0xFF], "a\uDCFF"],
  // everyday surnames: IBM's extensions, not NEC's selection of them
  ["shift_jis", [0xFB, 0xFC, 0xFA, 0xB1], "髙﨑"],
  ["shift_jis", [0xEE, 0xE0, 0x8B, 0xB4], "\uDCEE\uDCE0橋"],
  ["shift_jis", [0xED, 0x40], "\uDCED@"],
  ["euc-jp", [0x8F, 0xB0, 0xA1, 0xC6, 0xFC], "丂日"],
  ["big5", [0xF9, 0xF9, 0xA4, 0x51], "═十"],
  ["big5", [0x88, 0x62, 0x88, 0x66], "\uDC88bÊ"], // two characters, and one
  ["big5", [0x87, 0x45], "𧉧"],
  ["gb18030", [0x81, 0x39, 0xEF, 0x30, 0x94, 0x39, 0xFC, 0x36], "㐁😀"],
  ["gb18030", [0xA2, 0xE3, 0x80], "€\uDC80"],
  ["gb18030", [0x84, 0x31, 0xA4, 0x37], "\uDC841\uDCA47"], // U+FFFD
  ["gbk", [0x80, 0xA2, 0xE3], "€\uDCA2\uDCE3"],
  ["gbk", [0x81, 0x30, 0x81, 0x30], "\uDC810\uDC810"], // not of GBK
  ["gbk", [0xD6, 0xD0, 0xCE, 0xC4, 0x61], "中文a"],
  ["gbk", [0xD6], "\uDCD6"],
  ["big5", [0xA4, 0xA4], "中"],
  ["euc-kr", [0xC7, 0xD1], "한"],
  ["euc-jp", [0xC6, 0xFC, 0xCB, 0xDC], "日本"],
];

for (const [label, bytes, text] of PAIRS) {
  Deno.test(`makeEncoding("${label}") has ${JSON.stringify(text)} for ${bytes}`, () => {
    const encoding = makeEncoding(label);
    assertEquals(encoding.decode(Uint8Array.from(bytes)), text);
    assertEquals([...encoding.encode(text)], bytes);
  });
}

Deno.test("makeEncoding rejects an unknown label", () => {
  assertThrows(() => makeEncoding("klingon"), RangeError, '"klingon"');
  assertThrows(() => makeEncoding(""), RangeError);
});

Deno.test("makeEncoding refuses encodings in which commands are not ASCII", () => {
  for (
    const label of [
      "utf-16",
      "utf-16le",
      "utf-16be",
      "iso-2022-kr",
      "iso-2022-jp",
    ]
  ) {
    assertThrows(() => makeEncoding(label), RangeError, `"${label}"`);
  }
});

/** A text with a character that the encoding has no bytes for. */
const MISFITS: [label: string, text: string, code: string][] = [
  ["latin-1", "Ā", "U+0100"],
  ["latin-1", "😀", "U+1F600"],
  ["windows-1252", "\x81日", "U+65E5"],
  ["windows-1251", "é", "U+00E9"],
  ["shift_jis", "é", "U+00E9"],
  ["gbk", "😀", "U+1F600"],
  ["utf-8", "\uD800", "U+D800"],
  ["utf-8", "\uDC7F", "U+DC7F"],
  ["utf-8", "\uDD00", "U+DD00"],
];

for (const [label, text, code] of MISFITS) {
  Deno.test(`makeEncoding("${label}") refuses to encode ${code}`, () => {
    assertThrows(() => makeEncoding(label).encode(text), TypeError, code);
  });
}

Deno.test("makeEncoding keeps every single byte", () => {
  for (
    const label of ["utf-8", "latin-1", "windows-1252", "windows-1251", "gbk"]
  ) {
    const encoding = makeEncoding(label);
    for (let byte = 0; byte < 256; byte++) {
      const bytes = Uint8Array.of(byte);
      assertEquals(encoding.encode(encoding.decode(bytes)), bytes, label);
    }
  }
});

for (
  const label of [
    "shift_jis",
    "euc-jp",
    "big5",
    "gbk",
    "gb18030",
    "euc-kr",
    "windows-874",
  ]
) {
  Deno.test(`makeEncoding("${label}") keeps every two bytes, and longer ones`, () => {
    const seed = chooseSeed();
    const random = new Random(seed);
    const { decode, encode } = makeEncoding(label);
    const keeps = (bytes: Uint8Array) => {
      const kept = encode(decode(bytes));
      const isKept = kept.length === bytes.length &&
        kept.every((byte, i) => byte === bytes[i]);
      if (!isKept) throw new Error(`${label} ${bytes}, FTP_SEED=${seed}`);
    };
    for (let lead = 0x80; lead < 256; lead++) {
      for (let trail = 0x30; trail < 256; trail++) {
        keeps(Uint8Array.of(lead, trail));
      }
    }
    for (let round = 0; round < 1000; round++) {
      keeps(
        Uint8Array.from({ length: 1 + random.below(8) }, () =>
          random.pick([
            random.below(256),
            0x0A,
            0x30 + random.below(10),
            0x8F,
            0x81 + random.below(4),
          ])),
      );
      keeps(
        Uint8Array.of(
          0x81 + random.below(126),
          0x30 + random.below(10),
          0x81 + random.below(126),
          0x30 + random.below(10),
        ),
      );
      keeps(
        Uint8Array.of(0x8F, 0xA1 + random.below(94), 0xA1 + random.below(94)),
      );
    }
  });
}

Deno.test("makeEncoding keeps random bytes, and lines of them", () => {
  const seed = chooseSeed();
  const random = new Random(seed);
  const encodings = ["utf-8", "latin-1", "windows-1251", "koi8-r"].map(
    makeEncoding,
  );
  for (let round = 0; round < 5000; round++) {
    const bytes = Uint8Array.from(
      { length: random.below(24) },
      () =>
        random.pick([
          random.below(256),
          random.below(128),
          0x0A,
          0xC3 + random.below(8),
          0x80 + random.below(64),
          0xF0,
        ]),
    );
    const encoding = random.pick(encodings);
    assertEquals(
      encoding.encode(encoding.decode(bytes)),
      bytes,
      `${encoding.label}, FTP_SEED=${seed}`,
    );
  }
});

Deno.test("makeEncoding decodes a megabyte with one bad name in it quickly", () => {
  const good = new TextEncoder().encode("-rw-r--r-- 1 é é 0 Jan 1 00:00 x\n");
  const bytes = new Uint8Array(good.length * 30_000);
  for (let at = 0; at < bytes.length; at += good.length) bytes.set(good, at);
  bytes[bytes.length - 2] = 0xFF;
  const encoding = makeEncoding("utf-8");
  const start = worked();
  const text = encoding.decode(bytes);
  const time = worked() - start;
  assertEquals(text.slice(-2), "\uDCFF\n");
  assertEquals(time < 2000, true, `took ${time} ms`);
});
