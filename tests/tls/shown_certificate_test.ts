import { assertEquals } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { ShownCertificate } from "../../lib/tls/shown_certificate.ts";
import { TestAuthority } from "../testing/servers/test_authority.ts";

using authority = await TestAuthority.make();
const certificate = new X509Certificate(authority.certificate.pem.cert);
const der = new Uint8Array(certificate.raw);

/** A number of some bytes, the highest first. */
function number(value: number, size: number): number[] {
  return Array.from(
    { length: size },
    (_, i) => value >> 8 * (size - 1 - i) & 255,
  );
}

/** ServerHello, then a chain of one certificate twice, in records of a size. */
function flight(size: number): Uint8Array {
  const one = [...number(der.length, 3), ...der];
  const chain = [...number(2 * one.length, 3), ...one, ...one];
  const messages = [
    2,
    ...number(3, 3),
    1,
    2,
    3,
    11,
    ...number(chain.length, 3),
    ...chain,
  ];
  const records: number[] = [];
  for (let at = 0; at < messages.length; at += size) {
    const part = messages.slice(at, at + size);
    records.push(22, 3, 3, ...number(part.length, 2), ...part);
  }
  return Uint8Array.from(records);
}

function fingerprintIn(...pieces: Uint8Array[]): string | undefined {
  const shown = new ShownCertificate();
  for (const piece of pieces) shown.take(piece);
  return shown.fingerprint;
}

Deno.test("ShownCertificate finds the server's certificate in any pieces", () => {
  for (const size of [1, 7, 100, 16_384]) {
    const bytes = flight(size);
    for (const at of [0, 1, 5, 6, 12, 20, bytes.length - 1]) {
      assertEquals(
        fingerprintIn(bytes.subarray(0, at), bytes.subarray(at)),
        certificate.fingerprint256,
      );
    }
  }
});

Deno.test("ShownCertificate finds none in anything else", () => {
  const bytes = flight(16_384);
  for (const size of [0, 4, 10, 20, 200]) {
    assertEquals(fingerprintIn(bytes.subarray(0, size)), undefined);
  }
  assertEquals(fingerprintIn(new Uint8Array(100)), undefined);
  assertEquals(fingerprintIn(new Uint8Array(200_000).fill(22)), undefined);
  const random = new Uint8Array(2000);
  for (let i = 0; i < 2000; i++) {
    crypto.getRandomValues(random);
    random.set([22, 3, 3, 7, 0, 11]);
    assertEquals(fingerprintIn(random), undefined);
  }
});
