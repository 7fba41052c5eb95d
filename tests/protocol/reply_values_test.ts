import { assert, assertEquals, assertThrows } from "@std/assert";
import { FTPProtocolError, FTPReplyError } from "../../lib/protocol/errors.ts";
import { Reply } from "../../lib/protocol/reply.ts";
import {
  formatTime,
  parse150,
  parse257,
  parseDirectory,
  parseFeatures,
  parseModificationTime,
  parseSize,
  parseTime,
} from "../../lib/protocol/reply_values.ts";
import { worked } from "../testing/cpu_time.ts";

/** A 257 reply; what `parse257` and what `parseDirectory` make of it. */
const PATHS: [text: string, quoted: string | null, directory?: string][] = [
  ['257 "/path"', "/path"],
  ['257 "/path" is the current directory', "/path"],
  // commons-net
  ['257 "/a"" /b" with comment', '/a" /b'],
  ['257 "/a"" /b" and "more"', '/a" /b'],
  // CPython
  ['257 "/foo/b""ar"', '/foo/b"ar'],
  ['257 "/""hello"""', '/"hello"'],
  ['257 ""', ""],
  ['257 """"', '"'],
  ["257 /path/without/quotes", "", "/path/without/quotes"],
  ["257 /path with words behind it", "", "/path"],
  ["257 C:\\dir", "", "C:\\dir"],
  ["257 DISK$X:[DIR] is it", "", "DISK$X:[DIR]"],
  ["257 root is current directory.", "", ""],
  ["257 created", "", ""],
  ["257 ", "", ""],
  ["257", "", ""],
  ['257 "/path/without/trailing', null],
  // curl: words before the path
  ['257 Current dir "/x"', "/x"],
  // curl 3217, 3218
  ['257 "/x\u0001y"', null],
  ['257 "/x\u007Fy"', null],
  ['257 "/x\ty"', "/x\ty"],
  // Pure-FTPd does not double quotes
  ['257 "/a"b""c" is your current location', '/a"b""c'],
  ['257 "a"b" : The directory was successfully created', 'a"b'],
  // nor do LightFTP and many small servers
  ['257 "/a/q"uo"te" is a current directory.', '/a/q"uo"te'],
  ['257 "/"x"/y z"', '/"x"/y z'],
  ['257 "/a"is the current directory', "/a"],
  // VMS, DOS and OS/400 as they are
  ['257 "DISK$X:[DIR]"', "DISK$X:[DIR]"],
  ['257 "C:\\dir"', "C:\\dir"],
  ['257 "QGPL" is the current library.', "QGPL"],
  ['257 "relative" created', "relative"],
  ['257 "/ü/日本 x"', "/ü/日本 x"],
  // curl 1003, 1005: a very long directory
  [`257 "/${"d".repeat(17_000)}"`, `/${"d".repeat(17_000)}`],
];

for (const [text, quoted, directory = quoted] of PATHS) {
  Deno.test(`parse257 and parseDirectory read ${show(text)}`, () => {
    const reply = Reply.from(text);
    if (quoted === null) {
      assertThrows(() => parse257(reply), FTPProtocolError, "path");
      assertThrows(() => parseDirectory(reply), FTPProtocolError, "path");
      return;
    }
    assertEquals(parse257(text), quoted);
    assertEquals(parse257(reply), quoted);
    assertEquals(parseDirectory(reply), directory);
  });
}

Deno.test("parse257 refuses another code", () => {
  assertThrows(() => parse257('250 "/path"'), FTPReplyError, "257");
});

/** The size that a 150 reply tells. */
const SIZES_150: [text: string, expected: number | null][] = [
  ["150 Opening BINARY mode data connection for x (2241 bytes).", 2241],
  [
    "150 Opening ASCII mode data connection for x (0.0.0.0,0) (545 bytes).",
    545,
  ],
  [
    "150 Data connection accepted from 1.2.3.4:5; transfer starting for x (26 bytes)",
    26,
  ],
  ["150 x (0 bytes)", 0],
  ["150 x (1 BYTES)", 1],
  ["125 x (7 bytes)", 7],
  ["150-Accepted data connection\n150 1.2 seconds (7 bytes)", 7],
  ["150 Opening connection (ok, go)", null],
  ["150 Opening connection", null],
  ["150 2241 bytes", null],
  ["150 (-1 bytes)", null],
  ["150 (18446744073709551615 bytes)", null],
  ["150", null],
  // the name of the file comes before the size, and is the server's own choice
  [
    "150 Opening BINARY mode data connection for x (5 bytes) (2241 bytes).",
    2241,
  ],
  ["150 Opening (5 bytes) (9007199254740993 bytes)", null],
  ["150 (0x10 bytes)", null],
  ["150 (1e3 bytes)", null],
  ["150 (+5 bytes)", null],
  ["150 ( 5 bytes)", null],
  ["150 (1_000 bytes)", null],
  ["150 (1,000 bytes)", null],
  ["150 (٥ bytes)", null],
  ["150 (" + "0".repeat(100) + "5 bytes)", null],
];

for (const [text, expected] of SIZES_150) {
  Deno.test(`parse150 reads ${show(text)}`, () => {
    assertEquals(parse150(text), expected);
    assertEquals(parse150(Reply.from(text)), expected);
  });
}

Deno.test("parse150 refuses another code", () => {
  assertThrows(() => parse150("226 (5 bytes)"), FTPReplyError, "150");
});

/** The size that a 213 reply tells. */
const SIZES_213: [text: string, expected: number | null][] = [
  ["213 5555", 5555],
  ["213 0", 0],
  ["213   5555  ", 5555],
  ["213 5555, commentary", 5555],
  ["213 file: 213, Size =51", 51],
  ["213 9007199254740991", 9007199254740991],
  ["213 9007199254740992", null],
  ["213 18446744073709551615", null],
  ["213 -1", null],
  ["213 unknown", null],
  ["213 ", null],
  ["213", null],
  ["213 007", 7],
  ["213 Size=51", 51],
  ["213 51; commentary", 51],
  // what is no decimal number is not taken for the digits that it begins with
  ["213 0x10", null],
  ["213 1e3", null],
  ["213 +5", null],
  ["213 1_000", null],
  ["213 1,000", null],
  ["213 1.000", null],
  ["213 1.5", null],
  ["213 1 000", null],
  ["213 Size: 1 000", null],
  ["213 Infinity", null],
  ["213 NaN", null],
  ["213 5 6", null],
  ["213 12K", null],
  ["213 ٥", null],
  ["213  5", null],
  ["213 10h", null],
  ["213 Size =-51", null],
  ["213 " + "0".repeat(100) + "5", null],
  ["213-Size\n of it\n213 42", 42],
  // a reply of several lines is one to STAT
  ["213-Status\n 5\n213 End of 51", null],
];

for (const [text, expected] of SIZES_213) {
  Deno.test(`parseSize reads ${show(text)}`, () => {
    assertEquals(parseSize(Reply.from(text)), expected);
  });
}

/** The time in a 213 reply to MDTM. */
const TIMES: [text: string, expected: string | null][] = [
  ["213 20230201111632", "2023-02-01T11:16:32.000Z"],
  ["213 20230201111632.1", "2023-02-01T11:16:32.100Z"],
  ["213 20230201111632.12", "2023-02-01T11:16:32.120Z"],
  ["213 20230201111632.123", "2023-02-01T11:16:32.123Z"],
  ["213 20230201111632.1239", "2023-02-01T11:16:32.123Z"],
  ["213 time is 20230201111632 here", "2023-02-01T11:16:32.000Z"],
  // lftp: a year-2000 fault
  ["213 191000229123456", "2000-02-29T12:34:56.000Z"],
  ["213 191230101000000", "2023-01-01T00:00:00.000Z"],
  // a leap second, and leap days
  ["213 20161231235960", "2017-01-01T00:00:00.000Z"],
  ["213 20240229000000", "2024-02-29T00:00:00.000Z"],
  ["213 20230229000000", null],
  ["213 20231301000000", null],
  ["213 20230001000000", null],
  ["213 20230100000000", null],
  ["213 20230132000000", null],
  ["213 20230431000000", null],
  ["213 20230101240000", null],
  ["213 20230101250000", null],
  ["213 20230101006000", null],
  ["213 20230101000061", null],
  ["213 2023010100000", null],
  ["213 2023010100000x", null],
  ["213 20230101000000x", null],
  ["213 never", null],
  ["213", null],
  ["213 19991", null],
  ["213 +20230201111632", null],
  ["213-20230201111632\n213 End", null],
  // zeros of other clocks: .NET, VMS, OLE, NTP, Windows; and .NET's last moment
  ["213 00010101000000", null],
  ["213 00000101000000", null],
  ["213 18581117000000", null],
  ["213 18991230000000", null],
  ["213 19000101000000", null],
  ["213 16010101000000", null],
  ["213 99991231235959", null],
  // before 1970 there are files, and servers that tell their times
  ["213 19700101000000", "1970-01-01T00:00:00.000Z"],
  ["213 19691231235959", "1969-12-31T23:59:59.000Z"],
  ["213 19020101000000", "1902-01-01T00:00:00.000Z"],
  ["213 19011231235959", null],
  ["213 24991231235959", "2499-12-31T23:59:59.000Z"],
  ["213 25000101000000", null],
];

for (const [text, expected] of TIMES) {
  Deno.test(`parseModificationTime reads ${show(text)}`, () => {
    const time = parseModificationTime(Reply.from(text));
    assertEquals(time?.toISOString() ?? null, expected);
  });
}

Deno.test("parseTime reads what formatTime writes", () => {
  const time = new Date(Date.UTC(1999, 11, 31, 23, 59, 58));
  assertEquals(formatTime(time), "19991231235958");
  assertEquals(parseTime(formatTime(time)), time);
});

/** A reply to FEAT, and the features in it. */
const FEATURES: [text: string, expected: Record<string, string>][] = [
  [
    "211-Features:\n MLST size*;create;modify*;perm;media-type\n SIZE\n211 END",
    { MLST: "size*;create;modify*;perm;media-type", SIZE: "" },
  ],
  ["211 No features available", {}],
  ["211-Features\n211 End", {}],
  ["211-Features\n211 ", {}],
  ["211-Extensions supported\nEPSV\nREST STREAM\n211 end", {
    EPSV: "",
    REST: "STREAM",
  }],
  // the code before every line
  ["211-Features:\n211-MDTM\n211-utf8\n211 End", { MDTM: "", UTF8: "" }],
  ["211-Features:\n AUTH TLS\n AUTH SSL\n211 End", { AUTH: "TLS;SSL" }],
  ["211-Features:\n AUTH TLS;SSL;TLS-P;\n211 End", { AUTH: "TLS;SSL;TLS-P;" }],
  ["211-Features:\n AUTH\n AUTH TLS\n211 End", { AUTH: "TLS" }],
  ["211-Features:\n\tPBSZ \n\n PROT\n211 End", { PBSZ: "", PROT: "" }],
];

for (const [text, expected] of FEATURES) {
  Deno.test(`parseFeatures reads ${show(text)}`, () => {
    assertEquals(
      Object.fromEntries(parseFeatures(Reply.from(text))),
      expected,
    );
  });
}

/** Replies that make a careless expression backtrack for minutes. */
const HOSTILE: [what: string, text: string][] = [
  ["quotes", '"'.repeat(60_001)],
  ["one open quote", '"' + "a".repeat(60_000)],
  ["digits", "1".repeat(60_000)],
  ["digits apart", "-1x".repeat(20_000)],
  ["parentheses", "(1".repeat(30_000)],
  ["VMS directories", "x:[".repeat(20_000)],
  ["blanks", " ".repeat(60_000) + "x"],
  ["digits and blanks", "1 ".repeat(30_000)],
  ["sizes", "(1 bytes)".repeat(7000)],
  ["half a size", "(1 bytes".repeat(7000)],
];

for (const [what, text] of HOSTILE) {
  Deno.test(`readers of texts are quick on 60 KB of ${what}`, () => {
    const start = worked();
    parse150(`150 ${text}`);
    parseSize(Reply.from(`213 ${text}`));
    parseModificationTime(Reply.from(`213 ${text}`));
    parseFeatures(Reply.from(`211-x\n${text}\n211 End`));
    try {
      parseDirectory(Reply.from(`257 ${text}`));
    } catch (error) {
      assert(error instanceof FTPProtocolError);
    }
    const time = worked() - start;
    assert(time < 250, `took ${time} ms`);
  });
}

function show(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}

Deno.test("parse257 shows what it cannot read, be it a reply or its text", () => {
  for (const reply of ['257 "/a', Reply.from('257 "/a')]) {
    const error = assertThrows(
      () => parse257(reply),
      FTPProtocolError,
      'in "257 "/a"',
    );
    assertEquals(error.reply, reply instanceof Reply ? reply : undefined);
  }
});
