/** Any reply is read in time that is linear in its length. */

import { assert, assertEquals } from "@std/assert";
import { parseNetrc } from "../../lib/client/netrc.ts";
import { isNoDirectory } from "../../lib/directories/change_directory.ts";
import { saysEmpty } from "../../lib/directories/listing_transfer.ts";
import { checkWhole } from "../../lib/directories/partial_listing_error.ts";
import { readHash } from "../../lib/files/hash.ts";
import { factsEnd, parseFacts } from "../../lib/listing/facts.ts";
import { FactsReader } from "../../lib/listing/facts_reader.ts";
import { isNoise } from "../../lib/listing/noise.ts";
import { collisionKey, Snapshot } from "../../lib/mirror/snapshot.ts";
import { isSameHost, parse227, parse229 } from "../../lib/protocol/address.ts";
import { maskCommand, maskURLs } from "../../lib/protocol/command.ts";
import { makeEncoding } from "../../lib/protocol/encoding.ts";
import { FTPError, replyError } from "../../lib/protocol/errors.ts";
import { printableText, quote } from "../../lib/protocol/printable.ts";
import { Secrets } from "../../lib/protocol/redaction.ts";
import { Reply, ReplyReader } from "../../lib/protocol/reply.ts";
import {
  parse150,
  parse257,
  parseDirectory,
  parseFeatures,
  parseModificationTime,
  parseRestart,
  parseSize,
} from "../../lib/protocol/reply_values.ts";
import { Authorities } from "../../lib/tls/certificate.ts";
import { readCertificate } from "../../lib/tls/der.ts";
import { readHandshakeError } from "../../lib/tls/errors.ts";
import { ShownCertificate } from "../../lib/tls/shown_certificate.ts";
import { fromByteText } from "../testing/listing_cases.ts";
import {
  assertLinear,
  LONG,
  MAX_RATIO,
  ratioOf,
  UNITS,
  workOf,
} from "../testing/linear.ts";

/** A regular expression in the source of the library. */
interface Found {
  readonly file: string;
  readonly pattern: string;
  readonly flags: string;
}

function findExpressions(directory: URL): Found[] {
  const found: Found[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    const url = new URL(isDirectory ? `${name}/` : name, directory);
    if (isDirectory) found.push(...findExpressions(url));
    else if (name.endsWith(".ts")) {
      const note: Deno.lint.Plugin = {
        name: "linear",
        rules: {
          expressions: {
            create: () => ({
              Literal(node) {
                if (!("regex" in node) || node.regex === undefined) return;
                const { pattern, flags } = node.regex;
                found.push({ file: name, pattern, flags });
              },
            }),
          },
        },
      };
      Deno.lint.runPlugin(note, name, Deno.readTextFileSync(url));
    }
  }
  return found;
}

/** Each sign and each word of an expression, alone and with a blank. */
function unitsOf(pattern: string): Set<string> {
  const words = pattern.match(/[a-z][a-z ]*/gi) ?? [];
  const signs = pattern.match(/[^\\a-z0-9\s]/gi) ?? [];
  return new Set([
    ...UNITS,
    ...words,
    ...words.map((word) => `${word} `),
    ...signs.map((sign) => ` ${sign}`),
    ...signs.map((sign) => `${sign}a`),
  ]);
}

Deno.test("Every regular expression of the library takes linear time", async (context) => {
  const expressions = findExpressions(new URL("../../lib/", import.meta.url));
  assert(expressions.length > 150, `${expressions.length} were found`);
  const done = new Set<string>();
  for (const { file, pattern, flags } of expressions) {
    const key = `/${pattern}/${flags}`;
    if (done.has(key)) continue;
    done.add(key);
    await context.step(`${file}: ${key}`, () => {
      const regexp = new RegExp(pattern, flags);
      const count = assertLinear(
        key,
        (text) => {
          regexp.lastIndex = 0;
          return text.replace(regexp, "");
        },
        [["", ""], ["", "\0!\n"]],
        unitsOf(pattern),
      );
      assert(count >= 2 * UNITS.length);
    });
  }
});

function reply(text: string): Reply {
  return Reply.from(text);
}

const factsReader = new FactsReader(makeEncoding("utf-8").decode);

/** Functions that read a text of a server, and beginnings of such texts. */
const READERS: Record<
  string,
  { heads: string[]; tails?: string[]; run: (text: string) => unknown }
> = {
  "Reply.from": { heads: ["250 ", "250-", ""], run: reply },
  "ReplyReader.push": {
    heads: ["220 ", "220-", "SSH-"],
    run: (text) => {
      const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      const reader = new ReplyReader({ decode });
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length; at += 7) {
        reader.push(bytes.subarray(at, at + 7));
      }
      return reader.hint;
    },
  },
  parse150: { heads: ["150 ", "150 ("], run: parse150 },
  parse227: { heads: ["227 ", "227 (", "227 1,"], run: parse227 },
  parse229: {
    heads: ["229 ", "229 (|||", "229 (|"],
    run: (text) => parse229(text, ["::1", 21]),
  },
  parse257: {
    heads: ["257 ", '257 "', '257 "/', '257 "a""'],
    tails: ["", '" x', '"x', '" is your current location'],
    run: parse257,
  },
  parseDirectory: {
    heads: ["257 ", "257 /", "257 C:\\", "257 A:[", "257 A:"],
    run: (text) => parseDirectory(reply(text)),
  },
  parseRestart: {
    heads: ["350 at ", "350 at 1"],
    run: (text) => parseRestart(reply(text)),
  },
  parseSize: {
    heads: ["213 ", "213 1", "213-x\n213 "],
    run: (text) => parseSize(reply(text)),
  },
  parseModificationTime: {
    heads: ["213 ", "213 20240101000000.", "213 19100"],
    run: (text) => parseModificationTime(reply(text)),
  },
  parseFeatures: {
    heads: ["211-x\n ", "211-x\n211-", "211-x\n MLST "],
    tails: ["\n211 End"],
    run: (text) => parseFeatures(reply(text)),
  },
  parseFacts: {
    heads: ["", "type=file;", "a=b ", "type=file;x=y z", "UNIX.groupname=a b"],
    tails: ["", "; x", " x"],
    run: (text) => {
      const block = new TextEncoder().encode(`${text}\n${text}\n`);
      return [factsEnd(text), parseFacts(text), factsReader.read(block)];
    },
  },
  isNoise: {
    heads: ["", "total ", ".", "./", "-", " ", "a/", "a: ", "---"],
    tails: ["", ":", ": permission denied"],
    run: isNoise,
  },
  checkWhole: {
    heads: ["226 ", '226 "', "226-beschr"],
    run: (text) => checkWhole(reply(text), "LIST"),
  },
  saysNothing: {
    heads: ["550 ", "550 no ", "550-no\n550 "],
    run: (text) => saysEmpty(reply(text)),
  },
  isNoDirectory: {
    heads: ["451 ", "451 no such "],
    run: (text) => isNoDirectory(replyError(reply(text), "CWD x")),
  },
  readHash: {
    heads: ["213 ", "213 SHA-256 0-1 ", "213 a", "250 SHA-"],
    run: (text) =>
      readHash(reply(text), { name: "SHA-256", digits: 64 }, "a/b"),
  },
  maskCommand: {
    heads: ["", "SITE ", "USER ", "SITE PASS", "SITE CHPASS a ", "OPEN a:"],
    run: maskCommand,
  },
  maskURLs: { heads: ["", "://", "a://b:"], tails: ["", "@"], run: maskURLs },
  "Secrets.mask": {
    heads: ["", "hunter", "://"],
    run: (text) => {
      const secrets = new Secrets();
      for (const argument of ["aaaaaaaab", "ab", "no ", '""', "0 0", "....;"]) {
        secrets.note({ verb: "PASS", argument });
      }
      return secrets.mask(text);
    },
  },
  FTPError: {
    heads: ["550 ", "550 a://b:", "550-"],
    run: (text) => {
      const secrets = new Secrets();
      secrets.note({ verb: "PASS", argument: "aaaaaaaab" });
      const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      const mask = (text: string) => secrets.mask(text);
      const reader = new ReplyReader({ decode, mask });
      const bytes = new TextEncoder().encode(`${text}\n550 x\r\n`);
      const errors = reader.push(bytes).map((reply) =>
        replyError(reply, "DELE x", new FTPError(text))
      );
      return errors.map((error) => Deno.inspect(error));
    },
  },
  quote: { heads: ["", "\u200C"], run: quote },
  printableText: { heads: ["", "\u200C"], run: printableText },
  "Encoding.decode": {
    heads: ["", "a"],
    run: (text) => {
      const bytes = new TextEncoder().encode(text);
      return [
        makeEncoding("utf-8").decode(bytes),
        makeEncoding("latin1").decode(bytes),
      ];
    },
  },
  isSameHost: {
    heads: ["", "::ffff:", "fe80::1%"],
    run: (text) => isSameHost(text, "::1"),
  },
  parseNetrc: {
    heads: ["", 'machine "', "machine a login ", "macdef a\n", "# "],
    run: (text) => parseNetrc(text, "host"),
  },
  "collisionKey of each name": {
    heads: ["", "a"],
    run: (text) => text.match(/[^]{1,4000}/g)!.map(collisionKey),
  },
  "Snapshot.twinOf of each name": {
    heads: ["", "a"],
    run: (text) => {
      const names = text.match(/[^]{1,4000}/g)!;
      return names.map((name) => new Snapshot().caseVariantOf(name));
    },
  },
  readHandshakeError: {
    heads: ["", "peer is incompatible "],
    run: (text) => readHandshakeError(text, ""),
  },
  Authorities: {
    heads: ["", "-----BEGIN CERTIFICATE-----"],
    run: (text) => new Authorities([text]),
  },
  ShownCertificate: {
    heads: ["\x16\x03\x03", "\x16\x03\x03\0\x20\x0b\0\0\0"],
    run: (text) => {
      const shown = new ShownCertificate();
      const bytes = fromByteText(text);
      for (let at = 0; at < bytes.length; at += 64) {
        shown.take(bytes.subarray(at, at + 64));
      }
      return shown.fingerprint;
    },
  },
};

for (const [name, { heads, tails = [""], run }] of Object.entries(READERS)) {
  Deno.test(`${name} takes linear time for any input`, () => {
    const ends = heads.flatMap((head) =>
      [...tails, "\0!"].map((tail): [string, string] => [head, tail])
    );
    assert(assertLinear(name, run, ends) >= UNITS.length);
  });
}

Deno.test("Encoding.decode does not slow down for bytes that are no UTF-8", () => {
  const { decode } = makeEncoding("utf-8");
  for (const unit of [[0xFF], [0xE0, 0x80], [0xC3], [0xF0, 0x9F, 0x98]]) {
    const bytes = Uint8Array.from(
      { length: LONG },
      (_, i) => unit[i % unit.length]!,
    );
    assertEquals(decode(bytes).length, LONG);
    // 2 ms here; by an exception for each byte it is 2 seconds
    assert(workOf(() => decode(bytes), 3) < 100, `${unit}`);
  }
});

/** A value of DER with its tag and length. */
function der(tag: number, ...parts: (number[] | Uint8Array)[]): Uint8Array {
  const content = parts.flatMap((part) => [...part]);
  const { length } = content;
  const size = length < 0x80
    ? [length]
    : length < 0x100
    ? [0x81, length]
    : length < 0x10000
    ? [0x82, length >> 8, length & 0xFF]
    : [0x83, length >> 16, length >> 8 & 0xFF, length & 0xFF];
  return Uint8Array.from([tag, ...size, ...content]);
}

/** A certificate with many extensions. */
function certificate(count: number): Uint8Array {
  const extensions: number[] = [];
  for (let i = 0; i < count; i++) {
    const id = der(6, [
      0x55,
      0x2A,
      0x80 | i >> 14,
      0x80 | i >> 7 & 0x7F,
      i & 0x7F,
    ]);
    extensions.push(...der(0x30, id, der(4, [])));
  }
  const empty = der(0x30);
  const body = der(
    0x30,
    der(0xA0, der(2, [2])),
    der(2, [1]),
    empty,
    empty,
    empty,
    empty,
    empty,
    der(0xA3, der(0x30, extensions)),
  );
  return der(0x30, body, empty, der(3, [0]));
}

Deno.test("readCertificate takes linear time for a certificate of many extensions", () => {
  const long = certificate(16_000);
  const short = certificate(4000);
  const ratio = ratioOf(
    (length) => readCertificate(length === LONG ? long : short),
    { length: LONG },
  );
  assert(ratio <= MAX_RATIO, `${ratio} times as long`);
  readCertificate(short);
});
