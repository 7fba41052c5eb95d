/**
 * Whom a certificate is for: the hosts and the addresses that it names.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import { type AlternativeNames, readAlternativeNames } from "./tls_der.ts";
import type { TLSFault } from "./tls_errors.ts";

/** What may stand for a host; what has any other character names nobody. */
const HOST_REGEXP = /^[\w*.-]+$/;

/**
 * Compares a certificate's names with the one that was dialled (RFC 6125, and
 * the common name of a certificate that has no host's name elsewhere).
 *
 * @param der The peer's certificate
 * @param name A host name or an address
 * @returns What is wrong, or `undefined`
 */
export function checkName(der: Uint8Array, name: string): TLSFault | undefined {
  let names: AlternativeNames;
  try {
    names = readAlternativeNames(der);
  } catch (error) {
    return {
      reason: "bad-certificate",
      detail: `the names in the server's certificate cannot be read: ${
        (error as Error).message
      }`,
    };
  }
  const isRight = isIP(name) > 0
    ? names.addresses.map(showAddress).includes(canonicalAddress(name))
    : isForHost(der, names, name);
  if (isRight) return undefined;
  const shown = show(names).join(", ") || "no host";
  return {
    reason: "wrong-name",
    detail:
      `the certificate is for ${shown}, not for "${name}": dial one of its names, or say which is right with \`serverName\``,
  };
}

/**
 * The names of a certificate, for showing.
 *
 * @param der The certificate
 * @returns Hosts, then addresses, without a character that could mislead; none
 * if they cannot be read
 */
export function shownNames(der: Uint8Array): string[] {
  try {
    return show(readAlternativeNames(der));
  } catch {
    return [];
  }
}

function show({ hosts, addresses }: AlternativeNames): string[] {
  return [
    ...hosts.map((host) => host.replace(/[^\w*.-]/g, "\uFFFD")),
    ...addresses.map(showAddress),
  ];
}

/** The platform compares the names, of which it gets only what can be one. */
function isForHost(
  der: Uint8Array,
  { hosts }: AlternativeNames,
  name: string,
): boolean {
  const certificate = new X509Certificate(der).toLegacyObject();
  const { subject } = certificate;
  return checkServerIdentity(name, {
    ...certificate,
    subject: hosts.length === 0 ? subject : { ...subject, CN: "" },
    subjectaltname: hosts.filter((host) => HOST_REGEXP.test(host))
      .map((host) => `DNS:${host}`).join(", "),
  }) === undefined;
}

function showAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) return "\uFFFD"; // no address
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const groups = Array.from(
    { length: 8 },
    (_, i) => view.getUint16(2 * i).toString(16),
  );
  return canonicalAddress(groups.join(":"));
}

/** One form for one address: a zone is no part of it. */
function canonicalAddress(address: string): string {
  if (!address.includes(":")) return address;
  const bare = address.replace(/%.*$/, "");
  return URL.parse(`http://[${bare}]`)?.hostname.slice(1, -1) ?? "no address";
}
