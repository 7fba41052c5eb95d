import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { checkName, shownNames } from "../../lib/tls/certificate_names.ts";
import { secureControl } from "../../lib/tls/secure.ts";
import { describeCertificate } from "../../lib/tls/certificate.ts";
import { TLSError } from "../../lib/tls/errors.ts";
import {
  TestAuthority,
  type TestCertificate,
} from "../testing/servers/test_authority.ts";
import { startTLSServer } from "../testing/echo_server.ts";

using authority = await TestAuthority.make();

function derOf({ pem }: TestCertificate): Uint8Array {
  return new Uint8Array(new X509Certificate(pem.cert).raw);
}

/** Names as OpenSSL's settings have them, in a section of their own: `DNS.1 = ...`. */
function section(...names: readonly string[]): string[] {
  return ["subjectAltName=@names", "[names]", ...names];
}

/** Names as they are encoded. */
function encoded(
  ...names: readonly [tag: number, content: string][]
): string[] {
  const content = names.map(([tag, text]) => {
    const bytes = new TextEncoder().encode(text);
    return [tag, bytes.length, ...bytes];
  }).flat();
  const der = [0x30, content.length, ...content];
  const hex = der.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
  return [`subjectAltName=DER:${hex}`];
}

interface Naming {
  title: string;
  subject?: string;
  extensions: readonly string[];
  isFor?: readonly string[];
  isNotFor?: readonly string[];
  shown?: readonly string[];
}

const NAMINGS: readonly Naming[] = [
  {
    title: "a mail address that reads like a host's name",
    extensions: section('email.1 = "a@b, DNS:localhost"'),
    isNotFor: ["localhost"],
    shown: [],
  },
  {
    title: "a URI that reads like a host's name",
    extensions: section('URI.1 = "http://a/, DNS:localhost"'),
    isNotFor: ["localhost"],
    shown: [],
  },
  {
    title: "a URI that reads like an address",
    extensions: section('URI.1 = "http://a/, IP Address:127.0.0.1"'),
    isNotFor: ["127.0.0.1", "localhost"],
    shown: [],
  },
  {
    title: "one host's name that reads like two",
    extensions: section('DNS.1 = "a, DNS:localhost"', "DNS.2 = other.test"),
    isFor: ["other.test"],
    isNotFor: ["localhost", "a"],
    shown: ["a\uFFFD\uFFFDDNS\uFFFDlocalhost", "other.test"],
  },
  {
    title: "a host's name in quotes",
    extensions: encoded([0x82, 'DNS:"localhost"'], [0x82, '"localhost"']),
    isNotFor: ["localhost"],
  },
  {
    title: "a host's name with a NUL, and control characters",
    extensions: encoded([0x82, "localhost\0.evil.test"], [0x82, "\x1b[2J\n"]),
    isNotFor: ["localhost", "localhost\0.evil.test"],
    shown: ["localhost\uFFFD.evil.test", "\uFFFD\uFFFD2J\uFFFD"],
  },
  {
    title: "a host's name that is no name, and a common name",
    subject: "localhost",
    extensions: section('DNS.1 = "a, b"'),
    isNotFor: ["localhost"],
  },
  {
    title: "another host's name and a common name",
    subject: "localhost",
    extensions: section("DNS.1 = other.test"),
    isFor: ["other.test", "OTHER.test", "other.test."],
    isNotFor: ["localhost"],
  },
  {
    title: "a common name only",
    subject: "localhost",
    extensions: ["basicConstraints=CA:FALSE"],
    isFor: ["localhost", "LOCALHOST"],
    isNotFor: ["127.0.0.1"],
    shown: [],
  },
  {
    title: "a common name that is an address",
    subject: "127.0.0.1",
    extensions: ["basicConstraints=CA:FALSE"],
    isNotFor: ["127.0.0.1"],
  },
  {
    title: "a host's name that is an address",
    extensions: section("DNS.1 = 127.0.0.1"),
    isNotFor: ["127.0.0.1", "127.0.0.1."],
  },
  {
    title: "addresses",
    extensions: ["subjectAltName=IP:127.0.0.1,IP:::1,IP:2001:db8::1"],
    isFor: ["127.0.0.1", "::1", "0:0:0:0:0:0:0:1", "2001:DB8::1", "::1%lo"],
    isNotFor: ["127.0.0.2", "::2", "::ffff:127.0.0.1", "localhost"],
    shown: ["127.0.0.1", "::1", "2001:db8::1"],
  },
  {
    title: "an address of a length that there is not",
    extensions: encoded([0x87, "\x7f\0\0\x01\x7f"]),
    isNotFor: ["127.0.0.1"],
    shown: ["\uFFFD"],
  },
  {
    title: "wildcards",
    extensions: ["subjectAltName=DNS:*.example.test,DNS:*.com,DNS:*"],
    isFor: ["a.example.test", "A.EXAMPLE.test"],
    isNotFor: ["a.b.example.test", "example.test", "a.com", "localhost"],
    shown: ["*.example.test", "*.com", "*"],
  },
  {
    title: "a wildcard that is a part of a label",
    extensions: [
      "subjectAltName=DNS:f*.example.test,DNS:*f.example.test,DNS:f*o.example.test,DNS:xn--*.example.test",
    ],
    isNotFor: ["foo.example.test", "oof.example.test", "xn--a.example.test"],
  },
  {
    title: "a wildcard that is not the first label, or not the only one",
    extensions: [
      "subjectAltName=DNS:a.*.test,DNS:*.*.test,DNS:*.test,DNS:**.b.test",
    ],
    isNotFor: ["a.b.test", "b.test", "test", "x.b.test"],
  },
  {
    title: "a wildcard and dots",
    extensions: ["subjectAltName=DNS:*.example.test"],
    isFor: ["a.example.test."],
    isNotFor: [".example.test", "a..example.test", "*.b.example.test", ""],
  },
  {
    title: "a wildcard and hosts that are none",
    extensions: ["subjectAltName=DNS:*.example.test"],
    isFor: ["_a-1.example.test"],
    isNotFor: [
      "*.example.test",
      "a\0.example.test",
      "a/b.example.test",
      "a b.example.test",
      "a%2e.example.test",
    ],
  },
  {
    title: "a common name and names of other kinds",
    subject: "localhost",
    extensions: section("email.1 = a@b.test", "IP.1 = 127.0.0.1"),
    isFor: ["127.0.0.1"],
    isNotFor: ["localhost"],
  },
  {
    title: "a common name with a wildcard",
    subject: "*.example.test",
    extensions: ["basicConstraints=CA:FALSE"],
    isFor: ["a.example.test"],
    isNotFor: ["example.test", "a.b.example.test"],
  },
  {
    title: "two common names",
    subject: "localhost/CN=other.test",
    extensions: ["basicConstraints=CA:FALSE"],
    isNotFor: ["localhost", "other.test"],
  },
  {
    title: "a name beyond ASCII",
    extensions: ["subjectAltName=DNS:xn--bcher-kva.example"],
    isFor: ["xn--bcher-kva.example", "bücher.example"],
  },
];

for (const naming of NAMINGS) {
  const { title, subject = "x", extensions, isFor = [], isNotFor = [], shown } =
    naming;
  const der = derOf(await authority.issue(subject, { extensions }));
  Deno.test(`checkName compares ${title}`, () => {
    for (const name of isFor) {
      assertEquals(checkName(der, name), undefined, name);
    }
    for (const name of isNotFor) {
      assertEquals(checkName(der, name)?.reason, "wrong-name", name);
    }
    if (shown !== undefined) {
      assertEquals(shownNames(der), shown);
      assertEquals(describeCertificate(der).names, shown);
    }
  });
}

const DISORDERS: readonly [title: string, extensions: string[]][] = [
  ["an integer", encoded([0x82, "localhost"], [0x02, "localhost"])],
  ["a long tag", encoded([0x82, "localhost"], [0x9f, "localhost"])],
  ["no such kind", encoded([0x82, "localhost"], [0x89, "localhost"])],
  ["a cut off name", ["subjectAltName=DER:30:05:82:09:6c:6f:63"]],
  ["something behind them", ["subjectAltName=DER:30:03:82:01:61:05:00"]],
  ["a length not in DER", ["subjectAltName=DER:30:04:82:81:01:61"]],
];

for (const [title, extensions] of DISORDERS) {
  const der = derOf(await authority.issue("localhost", { extensions }));
  Deno.test(`checkName refuses names with ${title}`, () => {
    const fault = checkName(der, "localhost");
    assertEquals(fault?.reason, "bad-certificate");
    assertMatch(fault!.detail, /^the names in /);
    assertEquals(shownNames(der), []);
  });
}

const misleading = await authority.issue("x", {
  extensions: section('URI.1 = "http://a/, DNS:localhost"'),
});

Deno.test("secureControl refuses a certificate for a URI that reads like the host's name", async () => {
  const { message, reason } = await assertRefused(misleading);
  assertEquals(reason, "wrong-name");
  assertMatch(message, /is for no host, not for/);
});

using evilAuthority = await TestAuthority.make("\x1b[2JEvil\x07");
const evil = await evilAuthority.issue("\x1b[31mEvil", {
  extensions: encoded([0x82, "\x1b[31mb\n"]),
});

Deno.test("TLSError shows no control characters of a certificate", async () => {
  for (const trusted of [evilAuthority, authority]) {
    const { message } = await assertRefused(evil, trusted.certificate);
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x1f\x7f-\x9f]/.test(message), JSON.stringify(message));
  }
  const { subject, issuer } = describeCertificate(derOf(evil));
  assertEquals(subject, "CN=\uFFFD[31mEvil");
  assertEquals(issuer, "CN=\uFFFD[2JEvil\uFFFD");
});

Deno.test("TLSError makes its message printable", () => {
  const error = new TLSError("a\x1bb", { reason: "broken" });
  assertEquals(error.message, "a\uFFFDb");
});

async function assertRefused(
  certificate: TestCertificate,
  { pem }: TestCertificate = authority.certificate,
): Promise<TLSError> {
  await using server = await startTLSServer(certificate.pem);
  const { port } = server;
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const options = { caCerts: [pem.cert] };
  return await assertRejects(
    () =>
      secureControl(conn, { host: "localhost", port, options, timeout: 5000 }),
    TLSError,
  );
}
