import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Command,
  describeCommand,
  doubleIAC,
  encodeCommand,
  maskCommand,
  parseCommand,
} from "../../lib/protocol/command.ts";
import { printable } from "../../lib/protocol/printable.ts";
import { makeEncoding } from "../../lib/protocol/encoding.ts";
import { worked } from "../testing/cpu_time.ts";

const UTF8 = makeEncoding("utf-8");
const LATIN1 = makeEncoding("latin-1");

/** A command and its bytes, one character a byte. */
const ENCODED: [command: Command, bytes: string][] = [
  [{ verb: "NOOP" }, "NOOP\r\n"],
  [{ verb: "CWD", argument: "/a b" }, "CWD /a b\r\n"],
  [{ verb: "CWD", argument: "" }, "CWD \r\n"],
  [{ verb: "CWD", argument: "  x ; | %20 .. " }, "CWD   x ; | %20 .. \r\n"],
  [{ verb: "CWD", argument: "\t" }, "CWD \t\r\n"],
  [{ verb: "CWD", argument: Uint8Array.of(0x61, 0xE9) }, "CWD a\xE9\r\n"],
  [{ verb: "CWD", argument: Uint8Array.of(0x61, 0xFF) }, "CWD a\xFF\r\n"],
];

for (const [command, expected] of ENCODED) {
  Deno.test(`encodeCommand writes ${JSON.stringify(expected)}`, () => {
    assertEquals(latin1(encodeCommand(command, UTF8)), expected);
  });
}

Deno.test("encodeCommand writes names in the session's encoding", () => {
  const command = { verb: "CWD", argument: "é" };
  assertEquals(latin1(encodeCommand(command, UTF8)), "CWD \xC3\xA9\r\n");
  assertEquals(latin1(encodeCommand(command, LATIN1)), "CWD \xE9\r\n");
});

Deno.test("doubleIAC doubles every 0xFF", () => {
  for (
    const [line, doubled] of [
      ["CWD ÿ", "CWD \xFF\xFF\r\n"],
      ["Xÿ", "X\xFF\xFF\r\n"],
      ["CWD aÿbÿÿ", "CWD a\xFF\xFFb\xFF\xFF\xFF\xFF\r\n"],
      ["CWD plain", "CWD plain\r\n"],
    ] as const
  ) {
    const bytes = encodeCommand(parseCommand(line), LATIN1);
    assertEquals(latin1(doubleIAC(bytes)), doubled);
  }
});

Deno.test("encodeCommand gives bytes back that were decoded as surrogates", () => {
  const bytes = Uint8Array.of(0x61, 0x80, 0xFE);
  const command = { verb: "RETR", argument: UTF8.decode(bytes) };
  assertEquals(latin1(encodeCommand(command, UTF8)), "RETR a\x80\xFE\r\n");
});

for (
  const [what, end] of [
    ["a carriage return, which would start another command", "\r"],
    ["a line feed, which would start another command", "\n"],
    ["a NUL, at which many servers end it", "\0"],
  ] as const
) {
  Deno.test(`encodeCommand refuses ${what} and names the argument, never its value`, () => {
    const secret = `hunter2${end}DELE x`;
    for (const argument of [secret, new TextEncoder().encode(secret)]) {
      const error = assertThrows(
        () => encodeCommand({ verb: "PASS", argument, name: "passwd" }, UTF8),
        TypeError,
        what,
      ) as TypeError;
      assert(error.message.includes('"passwd"'));
      assert(error.message.includes('"PASS"'));
      assert(!error.message.includes("hunter2"));
      assert(!error.message.includes("DELE"));
    }
  });

  Deno.test(`encodeCommand refuses ${what} in a verb and does not repeat it`, () => {
    const error = assertThrows(
      () => encodeCommand(parseCommand(`PASS${end}hunter2`), UTF8),
      TypeError,
      what,
    ) as TypeError;
    assert(!error.message.includes("hunter2"));
  });
}

Deno.test("encodeCommand refuses line ends after encoding", () => {
  // no character but LF becomes the byte 0x0A in these; a surrogate must not
  for (const label of ["utf-8", "latin-1", "shift_jis", "gbk"]) {
    const encoding = makeEncoding(label);
    for (const text of ["\uDC0A", "\uDC0D", "\uDC00", "\u010A", "\u0A0D"]) {
      let bytes: Uint8Array;
      try {
        bytes = encodeCommand({ verb: "CWD", argument: text }, encoding);
      } catch (error) {
        assert(error instanceof TypeError);
        continue;
      }
      assertEquals(bytes.indexOf(0x0A), bytes.length - 1);
      assertEquals(bytes.indexOf(0x0D), bytes.length - 2);
      assertEquals(bytes.indexOf(0x00), -1);
    }
  }
});

Deno.test("encodeCommand names the argument that does not fit the encoding", () => {
  const error = assertThrows(
    () =>
      encodeCommand(
        { verb: "PASS", argument: "日本", name: "passwd" },
        LATIN1,
      ),
    TypeError,
    '"passwd" has a character that the encoding "latin-1" lacks',
  ) as TypeError;
  assert(!error.message.includes("日"));
});

/** A command line, and as it may be shown. */
const MASKED: [line: string, shown: string][] = [
  ["PASS secret", "PASS ****"],
  ["pass secret", "pass ****"],
  ["PaSs secret", "PaSs ****"],
  ["PASS  a b", "PASS ****"],
  ["PASS\tsecret", "PASS ****"],
  [" PASS secret", "PASS ****"],
  ["PASS ", "PASS ****"],
  ["ACCT x", "ACCT ****"],
  ["acct x", "acct ****"],
  ["ADAT x", "ADAT ****"],
  ["SITE PSWD old new", "SITE PSWD ****"],
  ["site  passwd x", "site  passwd ****"],
  ["USER ftp://u:p@h", "USER ftp://u:****@h"],
  ["USER ftp://u:p@ss@h", "USER ftp://u:****@h"],
  ["USER ftp://u:p/w@h/x", "USER ftp://u:****@h/x"],
  ["USER ftp://u:p:q@h", "USER ftp://u:****@h"],
  ["USER ftp://:p@h", "USER ftp://:****@h"],
  ["USER ftps+x://u:p@h", "USER ftps+x://u:****@h"],
  [
    "SITE GET ftp://a:b@h/x ftp://c:d@h/y",
    "SITE GET ftp://a:****@h/x ftp://c:****@h/y",
  ],
  ["USER ftp://h/x", "USER ftp://h/x"],
  ["USER ftp://u@h:21/x", "USER ftp://u@h:21/x"],
  ["PASSWORD x", "PASSWORD ****"],
  ["PASV", "PASV"],
  ["USER me", "USER me"],
  ["RETR PASS x", "RETR PASS x"],
];

for (const [line, shown] of MASKED) {
  Deno.test(`maskCommand shows ${JSON.stringify(line)}`, () => {
    assertEquals(maskCommand(line), shown);
  });
}

Deno.test("maskCommand is quick on a long line", () => {
  const start = worked();
  maskCommand("RETR " + "a".repeat(60_000));
  maskCommand("RETR " + "a:".repeat(30_000));
  maskCommand("RETR " + "a://".repeat(15_000));
  const time = worked() - start;
  assert(time < 250, `took ${time} ms`);
});

Deno.test("describeCommand masks, and replaces control characters", () => {
  assertEquals(
    describeCommand({ verb: "PASS", argument: "x" }, UTF8),
    "PASS ****",
  );
  assertEquals(describeCommand({ verb: "NOOP" }, UTF8), "NOOP");
  assertEquals(
    describeCommand({ verb: "CWD", argument: "\x1B[2Jx" }, UTF8),
    "CWD \uFFFD[2Jx",
  );
  assertEquals(
    describeCommand(
      { verb: "CWD", argument: new TextEncoder().encode("é") },
      UTF8,
    ),
    "CWD é",
  );
});

Deno.test("printable replaces control characters and keeps LF", () => {
  assertEquals(
    printable("a\0b\tc\nd\re\x1Bf\x7Fg\x9Bh é 日"),
    "a\uFFFDb\uFFFDc\nd\uFFFDe\uFFFDf\uFFFDg\uFFFDh é 日",
  );
});

/** A whole line, its verb and its argument. */
const PARSED: [line: string, verb: string, argument: string | undefined][] = [
  ["NOOP", "NOOP", undefined],
  ["CWD /a b", "CWD", "/a b"],
  ["CWD  /a", "CWD", " /a"],
  ["CWD ", "CWD", ""],
];

for (const [line, verb, argument] of PARSED) {
  Deno.test(`parseCommand splits ${JSON.stringify(line)}`, () => {
    assertEquals(parseCommand(line).verb, verb);
    assertEquals(parseCommand(line).argument, argument);
    assertEquals(
      latin1(encodeCommand(parseCommand(line), UTF8)),
      `${line}\r\n`,
    );
  });
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
