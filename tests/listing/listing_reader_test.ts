import { assertEquals, assertThrows } from "@std/assert";
import type { Entry } from "../../lib/listing/entry.ts";
import type { ListingFormat } from "../../lib/listing/listing_format.ts";
import { MAX_LISTING_LINE } from "../../lib/listing/listing_options.ts";
import { ListingReader } from "../../lib/listing/listing_reader.ts";
import { FTPProtocolError } from "../../lib/protocol/errors.ts";
import {
  assertSplitProof,
  fromByteText,
  NOW,
  readListing,
  toBytes,
} from "../testing/listing_cases.ts";

const FILE = "-rw-r--r-- 1 u g 5 Jan  1  2000";
const FACTS = "type=file;size=5;";

function namesOf(entries: Iterable<Entry>): string[] {
  return Array.from(entries, (entry) => entry.name);
}

Deno.test("ListingReader gives no entries for empty listings", () => {
  for (
    const text of ["", "\r\n", "\n\n\r\n", "total 0\r\n", "total 0", "  \n"]
  ) {
    assertEquals(readListing(text), [], JSON.stringify(text));
  }
});

Deno.test("ListingReader passes over lines that are about the listing", () => {
  const text = [
    "213-Status of /x:",
    "total 112",
    `${FILE} a`,
    "",
    "./sub:",
    "total 4K",
    "insgesamt 4",
    `${FILE} b`,
    "ls: cannot open directory './x': Permission denied",
    "/bin/ls: x: No such file or directory",
    "sub/dir:",
    "213 End of status",
  ].join("\r\n");
  assertEquals(namesOf(readListing(text)), ["a", "b"]);
  assertSplitProof(text);
  const dos = [
    " Volume in drive C is SYSTEM",
    " Volume Serial Number is 1234-5678",
    " Directory of C:\\inetpub",
    "04-14-00  03:47PM                  589 readme.htm",
    "               1 File(s)            589 bytes",
    "               2 Dir(s)  12,345,678 bytes free",
  ].join("\r\n");
  assertEquals(namesOf(readListing(dos)), ["readme.htm"]);
});

Deno.test("ListingReader returns a line that no format reads as an unknown entry", () => {
  const text = `${FILE} first\r\nhello, world\r\n${FILE} a\r\n`;
  const [, entry, next] = readListing(text);
  assertEquals(entry?.kind, "unknown");
  assertEquals(entry?.format, "unknown");
  assertEquals(entry?.line, "hello, world");
  assertEquals(entry?.name, "hello, world");
  assertEquals(
    [entry?.isFile, entry?.isDirectory, entry?.isSymlink],
    [false, false, false],
  );
  assertEquals(entry?.hostile, true);
  assertEquals(next?.name, "a");
});

Deno.test("ListingReader takes line ends of every kind, and none at the end", () => {
  const text = `${FILE} a\r\n${FILE} b\n${FILE} c\r\r\n${FILE} d`;
  assertEquals(namesOf(readListing(text)), ["a", "b", "c", "d"]);
  assertSplitProof(text);
});

Deno.test("ListingReader holds entries back only until the format is known", () => {
  const reader = new ListingReader({ now: NOW });
  const push = (text: string): string[] => namesOf(reader.push(toBytes(text)));
  for (let i = 0; i < 9; i++) assertEquals(push(`${FILE} ${i}\n`), []);
  assertEquals(reader.format, undefined);
  assertEquals(push(`${FILE} 9\n`).length, 10);
  assertEquals(reader.format, "unix");
  assertEquals(push(`${FILE} 10`), []);
  assertEquals(push("\n"), ["10"]);
  assertEquals(push(`${FILE} 11\n${FILE} 12\n${FILE} 1`), ["11", "12"]);
  assertEquals(namesOf(reader.end()), ["1"]);
  assertEquals(reader.end(), []);
  assertEquals(push(`${FILE} late\n`), []);
});

Deno.test("ListingReader gives entries at once when the format is forced", () => {
  const reader = new ListingReader({ format: "mlsd" });
  assertEquals(namesOf(reader.push(toBytes(`${FACTS} a\r\n`))), ["a"]);
});

Deno.test("ListingReader reads nothing but the format that is forced", () => {
  const text = `${FACTS} a\r\n${FILE} b\r\n`;
  const kinds = (format: string): string[] =>
    readListing(text, { format }).map((entry) => entry.kind);
  assertEquals(kinds("mlsd"), ["file", "unknown"]);
  assertEquals(kinds("unix"), ["unknown", "file"]);
  assertEquals(kinds("vms"), ["unknown", "unknown"]);
  assertSplitProof(text, { format: "unix" });
});

Deno.test("ListingReader takes a format of the user's own", () => {
  const format: ListingFormat = {
    name: "colon",
    read(line) {
      if (line.startsWith("#")) return "frame";
      const [name, size] = line.split(":");
      if (size === undefined) return undefined;
      return { name: name!, kind: "file", size: Number(size) };
    },
  };
  const text = "# header\r\ncafé:12\r\nodd\r\n";
  const entries = readListing(text, { format });
  assertEquals(
    entries.map(({ name, size, format }) => [name, size, format]),
    [["café", 12, "colon"], ["odd", undefined, "unknown"]],
  );
  assertEquals([...entries[0]!.rawName], [0x63, 0x61, 0x66, 0xc3, 0xa9]);
  assertSplitProof(text, { format });
});

Deno.test("ListingReader changes the format when it stops fitting", () => {
  const netware = "d [RWCEAFMS] root  512  Jan 16 18:53    n";
  const dos = "04-14-00  03:47PM                  589 d";
  const lines = [
    ...Array.from({ length: 12 }, (_, i) => `${FILE} u${i}`),
    ...Array.from({ length: 6 }, (_, i) => `${netware}${i}`),
    ...Array.from({ length: 6 }, (_, i) => `${dos}${i}`),
    ...Array.from({ length: 6 }, (_, i) => `${FACTS} m${i}`),
    // A name without facts is one only where MLSD is in use.
    " bare",
    `${FILE} last`,
  ];
  const text = lines.join("\r\n");
  const entries = readListing(text);
  assertEquals(entries.length, lines.length);
  assertEquals(entries.some((entry) => entry.format === "unknown"), false);
  assertEquals(entries.at(-2)?.name, "bare");
  assertSplitProof(text);
});

Deno.test("ListingReader takes the format that reads most of the first lines", () => {
  // A member of a data set has the look of nothing at all.
  const text =
    " Name     VV.MM   Created       Changed      Size\n A\n B\n C\n";
  assertEquals(readListing(text).map((entry) => entry.format), [
    "zos-members",
    "zos-members",
    "zos-members",
  ]);
});

Deno.test("ListingReader reads a million bytes in pieces of any size", () => {
  const lines = Array.from(
    { length: 12_000 },
    (_, i) =>
      i % 7 === 3 ? `odd line ${i}` : `${FILE} ${i} ${"x".repeat(i % 90)}`,
  );
  const bytes = toBytes(lines.join("\r\n"));
  const expected = namesOf(readListing(bytes));
  assertEquals(expected.length, lines.length);
  for (const size of [1000, 4096, 65_535, 65_536, 65_537, 200_000]) {
    assertEquals(namesOf(readListing(bytes, {}, size)), expected, `${size}`);
  }
});

Deno.test("ListingReader stops at a line over the cap", () => {
  const maxLine = 100;
  const fits = `${FILE} `.padEnd(maxLine, "x");
  const long = `${FILE} `.padEnd(maxLine + 1, "x");
  const text = `${fits}\r\n${long}\r\n${FILE} after\r\n`;
  const bytes = toBytes(text);
  for (const size of [1, 7, 64, 1000]) {
    const reader = new ListingReader({ maxLine, now: NOW });
    const entries: Entry[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      entries.push(...reader.push(bytes.slice(at, at + size)));
    }
    entries.push(...reader.end());
    assertEquals(entries.map((entry) => entry.line), [fits]);
    assertEquals(reader.error instanceof FTPProtocolError, true);
    assertEquals(
      reader.error?.message,
      "Cannot read the listing: a line has more than 100 bytes",
    );
  }
});

Deno.test("ListingReader stops at a line of 10 MB without keeping it", () => {
  const reader = new ListingReader();
  const chunk = new Uint8Array(65_536).fill(0x61);
  const first = reader.push(toBytes(`${FACTS} a\r\n`));
  for (let i = 0; i < 160; i++) first.push(...reader.push(chunk));
  first.push(...reader.end());
  assertEquals(namesOf(first), ["a"]);
  assertEquals(reader.error instanceof FTPProtocolError, true);
});

Deno.test("ListingReader reads a line as long as the cap allows", () => {
  const head = `${FILE} `;
  const line = head + "x".repeat(MAX_LISTING_LINE - head.length);
  for (const end of ["\n", ""]) {
    assertEquals(readListing(line + end).map((entry) => entry.kind), ["file"]);
    assertEquals(readListing(line + end, {}, 1000).length, 1);
  }
  const reader = new ListingReader();
  reader.push(toBytes("\r".repeat(70_000)));
  assertEquals(reader.error instanceof FTPProtocolError, true);
});

Deno.test("ListingReader refuses options that make no sense", () => {
  for (const maxLine of [0, -1, NaN, MAX_LISTING_LINE + 1]) {
    assertThrows(() => new ListingReader({ maxLine }), RangeError, "maxLine");
  }
  assertThrows(() => new ListingReader({ zone: NaN }), RangeError, "zone");
  assertThrows(
    () => new ListingReader({ format: "cobol" }),
    TypeError,
    'Cannot use format "cobol": it must be "auto", "mlsd", "unix", "dos", "vms"',
  );
});

Deno.test("ListingReader keeps readers apart", () => {
  const one = new ListingReader({ format: "unix", now: NOW, zone: 60 });
  const two = new ListingReader({ format: "mlsd" });
  one.push(toBytes("-rw-r--r-- 1 u g 5 Jan  1"));
  two.push(toBytes("type=fi"));
  const [a] = one.push(toBytes(" 2000 a\n"));
  const [b] = two.push(toBytes("le; b\n"));
  assertEquals([a?.name, b?.name], ["a", "b"]);
  assertEquals(a?.mtime, new Date("1999-12-31T23:00:00Z"));
});

Deno.test("ListingReader reads encodings in which ASCII is not ASCII", () => {
  const decode = (bytes: Uint8Array): string =>
    new TextDecoder("iso-2022-jp").decode(bytes);
  const bytes = fromByteText(`${FACTS} \x1b$B4A\x1b(B\r\n`);
  const [entry] = readListing(bytes, { decode });
  assertEquals(entry?.name, "漢");
  assertEquals(entry?.size, 5);
});

Deno.test("Entry is a Deno.DirEntry whose fields are its own after toJSON", () => {
  const [entry] = readListing(`${FACTS} a`);
  const dirEntry: Deno.DirEntry = entry!;
  assertEquals(dirEntry.isFile, true);
  assertEquals(JSON.parse(JSON.stringify(entry)), {
    name: "a",
    kind: "file",
    size: 5,
    facts: { type: "file", size: "5" },
    line: `${FACTS} a`,
    format: "mlsd",
  });
  assertEquals(Deno.inspect(entry).startsWith('Entry {\n  name: "a"'), true);
});

Deno.test("Entry gives dates and bytes that the caller may change", () => {
  const [entry] = readListing("type=file;modify=20200101000000; a");
  entry!.mtime!.setTime(0);
  entry!.rawName.fill(0);
  assertEquals(entry!.mtime, new Date("2020-01-01T00:00:00Z"));
  assertEquals(entry!.name, "a");
});
