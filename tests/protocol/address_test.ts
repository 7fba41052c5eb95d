import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  formatEprt,
  formatPort,
  isSameHost,
  parse227,
  parse229,
  parsePassive,
} from "../../lib/protocol/address.ts";
import { FTPProtocolError, FTPReplyError } from "../../lib/protocol/errors.ts";
import { Reply } from "../../lib/protocol/reply.ts";
import { worked } from "../testing/cpu_time.ts";

const PEER = ["192.0.2.1", 21] as const;

/** Text of a 227 reply, and the address in it; `null` where none can be read. */
const CASES_227: [text: string, expected: [string, number] | null][] = [
  // basic-ftp
  ["227 Entering Passive Mode (192,168,1,100,10,229)", ["192.168.1.100", 2789]],
  ["227 Entering Passive Mode (192,168,1,100,229)", null],
  // commons-net: a full stop behind it
  ["227 Entering Passive Mode (172,16,204,138,192,22).", [
    "172.16.204.138",
    49174,
  ]],
  // curl's tests, RFC 1123: no parentheses
  ["227 Entering passive mode. 127,0,0,1,4,51", ["127.0.0.1", 1075]],
  ["227 Entering passive mode, listen to 127,0,0,1,4,51", ["127.0.0.1", 1075]],
  ["227 =127,0,0,1,4,51", ["127.0.0.1", 1075]],
  ["227 127,0,0,1,4,51", ["127.0.0.1", 1075]],
  ["227 Entering Passive Mode (10, 0, 0, 1, 4, 5)", ["10.0.0.1", 1029]],
  ["227 Entering Passive Mode (0,0,0,0,4,5)", ["0.0.0.0", 1029]],
  ["227 Entering Passive Mode (255,255,255,255,255,255)", [
    "255.255.255.255",
    65535,
  ]],
  // curl 237: bytes past 255 are refused, not wrapped
  ["227 Entering Passive Mode (1216,256,2,127,127,127)", null],
  ["227 Entering Passive Mode (127,0,0,256,1,1)", null],
  ["227 Entering Passive Mode (127,0,0,1,256,1)", null],
  ["227 Entering Passive Mode (127,0,0,1,1,256)", null],
  ["227 Entering Passive Mode (99999999999999999999,0,0,1,1,1)", null],
  ["227 Entering Passive Mode (127,0,0,1,0,0)", null],
  // no decimal numbers, or more than six
  ["227 Entering Passive Mode (0x7f,0,0,1,4,51)", null],
  ["227 Entering Passive Mode (-127,0,0,1,4,51)", null],
  ["227 Entering Passive Mode (+127,0,0,1,4,51)", null],
  ["227 Entering Passive Mode (127,0,0,1,4,5e1)", null],
  ["227 Entering Passive Mode (127,0,0,1,4,51.5)", null],
  ["227 Entering Passive Mode (1.127,0,0,1,4,51)", null],
  ["227 Entering Passive Mode (127,0,0,1,4,51,6)", null],
  ["227 Entering Passive Mode (6,127,0,0,1,4,51)", null],
  ["227 Entering Passive Mode (127,0,0,1,4,5_1)", null],
  ["227 Entering Passive Mode", null],
  ["227 ", null],
  ["227", null],
  // lftp: the numbers may stand in any line
  ["227-Entering (127,0,0,1,4,51)\nmore\n227 ok", ["127.0.0.1", 1075]],
  ["227-Entering\n (127,0,0,1,4,51)\n227 ok", ["127.0.0.1", 1075]],
];

for (const [text, expected] of CASES_227) {
  Deno.test(`parse227 reads ${JSON.stringify(text)}`, () => {
    for (const reply of [text, Reply.from(text)]) {
      if (expected === null) {
        assertThrows(() => parse227(reply), FTPProtocolError, "address");
      } else {
        assertEquals(parse227(reply), expected);
      }
    }
  });
}

Deno.test("parse227 refuses another code", () => {
  const error = assertThrows(
    () => parse227(Reply.from("500 127,0,0,1,4,51")),
    FTPReplyError,
  );
  assertEquals((error as FTPReplyError).reply?.code, 500);
});

/** Text of a 229 reply, and the port in it; `null` where none can be read. */
const CASES_229: [text: string, expected: number | null][] = [
  ["229 Entering Extended Passive Mode (|||6446|)", 6446],
  ["229 Entering Extended Passive Mode (!!!6446!)", 6446], // IBM i
  ["229 Entering Extended Passive Mode ($$$6446$)", 6446],
  ["229 Entering Extended Passive Mode (:::6446:)", 6446],
  ["229 Entering Extended Passive Mode (|||6446|).", 6446], // aioftp 69
  ["229 (|||6446|) is where I listen (really)", 6446],
  ["229 Passive (extended) mode (|||6446|)", 6446],
  ["229 Entering Extended Passive Mode (|1|10.0.0.1|6446|)", 6446],
  ["229 Entering Extended Passive Mode (|2|2001:db8::1|6446|)", 6446],
  ["229-Entering\n (|||6446|)\n229 ok", 6446],
  ["229 Entering Extended Passive Mode (|||1|)", 1],
  ["229 Entering Extended Passive Mode (|||65535|)", 65535],
  ["229 Entering Extended Passive Mode (||||)", null],
  ["229 Entering Extended Passive Mode (|||4242|", 4242],
  ["229 Entering Extended Passive Mode (|||4242)", 4242],
  ["229 Entering Extended Passive Mode (||4242|)", 4242],
  ["229 Entering Extended Passive Mode (!!6446!)", 6446],
  ["229 Entering Extended Passive Mode (5000)", 5000],
  ["229 Entering Extended Passive Mode (5000).", 5000],
  ["229 Entering Extended Passive Mode |||5000|", 5000],
  ["229 Entering Extended Passive Mode |||5000", 5000],
  ["229 Entering Extended Passive Mode (|5000|)", 5000],
  ["229-Passive (|||5000)\n229 ok (|||5000)", 5000],
  // of two, either may be meant
  ["229 Passive (||5000|) (||5001|)", null],
  ["229 Passive (5000), user (7)", null],
  ["229 Passive |||5000| or |||5001|", null],
  ["229 Passive on 5000", null],
  ["229 Passive (||70000|)", null],
  ["229 Passive (0)", null],
  ["229 Passive ()", null],
  ["229 Entering Extended Passive Mode (|!|6446|)", null],
  ["229 Entering Extended Passive Mode (11164461)", null],
  ["229 Entering Extended Passive Mode (|||70000|)", null],
  ["229 Entering Extended Passive Mode (|||65536|)", null],
  ["229 Entering Extended Passive Mode (|||0|)", null],
  ["229 Entering Extended Passive Mode (|||-1|)", null],
  ["229 Entering Extended Passive Mode (|||99999999999999999999|)", null],
  ["229 Entering Extended Passive Mode |||6446|", 6446],
  ["229", null],
];

for (const [text, expected] of CASES_229) {
  Deno.test(`parse229 reads ${JSON.stringify(text)}`, () => {
    for (const reply of [text, Reply.from(text)]) {
      if (expected === null) {
        assertThrows(() => parse229(reply, PEER), FTPProtocolError, "address");
      } else {
        assertEquals(parse229(reply, PEER), [PEER[0], expected]);
      }
    }
  });
}

Deno.test("parse229 refuses another code", () => {
  assertThrows(() => parse229("227 (|||6446|)", PEER), FTPReplyError);
});

Deno.test("parsePassive goes by the reply, not by the command", () => {
  assertEquals(
    parsePassive(Reply.from("227 ok (10,0,0,1,4,51)"), PEER),
    ["10.0.0.1", 1075],
  );
  assertEquals(
    parsePassive(Reply.from("229 ok (|||1075|)"), PEER),
    ["192.0.2.1", 1075],
  );
  assertThrows(
    () => parsePassive(Reply.from("200 ok (|||1075|)"), PEER),
    FTPReplyError,
  );
});

/** Replies that make a careless expression backtrack for minutes. */
const HOSTILE: [what: string, text: string][] = [
  ["digits", "1".repeat(60_000)],
  ["numbers and commas", "1,2,3,4,5 ".repeat(6000)],
  ["blanks", "1,2,3,4,5," + " ".repeat(60_000)],
  ["blanks between digits", "1 ".repeat(30_000)],
  ["bars", "(" + "|".repeat(60_000)],
  ["parentheses", "(".repeat(60_000)],
  ["parentheses and bars", "(|".repeat(30_000)],
  ["openings", "(|||".repeat(15_000)],
];

for (const [what, text] of HOSTILE) {
  Deno.test(`parse227 and parse229 are quick on 60 KB of ${what}`, () => {
    const start = worked();
    assertThrows(() => parse227(`227 ${text}`), FTPProtocolError);
    assertThrows(() => parse229(`229 ${text}`, PEER), FTPProtocolError);
    const time = worked() - start;
    assert(time < 250, `took ${time} ms`);
  });
}

Deno.test("formatPort writes six numbers", () => {
  assertEquals(formatPort("1.2.3.4", 5001), "1,2,3,4,19,137");
  assertEquals(formatPort("127.0.0.1", 255), "127,0,0,1,0,255");
  assertEquals(formatPort("127.0.0.1", 256), "127,0,0,1,1,0");
  assertEquals(formatPort("127.0.0.1", 65535), "127,0,0,1,255,255");
});

Deno.test("formatPort refuses hosts that are not IPv4 addresses", () => {
  for (
    const host of [
      "::1",
      "localhost",
      "1.2.3",
      "1.2.3.256",
      "1.2.3.4.5",
      "1.2.3.4\r\nDELE x",
      "",
    ]
  ) {
    assertThrows(() => formatPort(host, 1), TypeError, "IPv4");
  }
});

Deno.test("formatEprt refuses hosts that are not addresses", () => {
  for (
    const host of ["localhost", "1.2.3.4|1|", "::1|9|", "::1\r\nX", "", "x"]
  ) {
    assertThrows(() => formatEprt(host, 1), TypeError, "is not an address");
  }
});

Deno.test("formatPort and formatEprt reject invalid ports", () => {
  for (const port of [0, -1, 65536, 1.5, NaN]) {
    assertThrows(() => formatPort("1.2.3.4", port), RangeError, `${port}`);
    assertThrows(() => formatEprt("1.2.3.4", port), RangeError, `${port}`);
  }
});

Deno.test("formatEprt writes protocol, host and port", () => {
  assertEquals(formatEprt("::1", 5001), "|2|::1|5001|");
  assertEquals(formatEprt("132.235.1.2", 6275), "|1|132.235.1.2|6275|");
  assertEquals(formatEprt("::ffff:1.2.3.4", 1), "|2|::ffff:1.2.3.4|1|");
  assertEquals(formatEprt("fe80::1%eth0", 1), "|2|fe80::1|1|");
});

/** Pairs of addresses and whether they are one host. */
const HOSTS: [a: string, b: string, isSame: boolean][] = [
  ["127.0.0.1", "127.0.0.1", true],
  ["127.0.0.1", "127.0.0.2", false],
  ["::ffff:127.0.0.1", "127.0.0.1", true],
  ["::FFFF:127.0.0.1", "::ffff:127.0.0.1", true],
  ["::1", "0:0:0:0:0:0:0:1", true],
  ["2001:DB8::1", "2001:db8:0::1", true],
  ["2001:db8::1", "2001:db8::2", false],
  ["fe80::1%eth0", "fe80::1", true],
  ["::1", "127.0.0.1", false],
];

for (const [a, b, isSame] of HOSTS) {
  Deno.test(`isSameHost of ${a} and ${b} is ${isSame}`, () => {
    assertEquals(isSameHost(a, b), isSame);
    assertEquals(isSameHost(b, a), isSame);
  });
}
