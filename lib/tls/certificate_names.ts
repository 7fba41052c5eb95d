/**
 * Compares the names in a certificate with the host that was dialed.
 *
 * @module
 */

import { domainToASCII } from "node:url";
import { nodeModule } from "../connection/node_module.ts";
import { type AlternativeNames, readAlternativeNames } from "./der.ts";
import type { TLSProblem } from "./errors.ts";

const { isIP } = nodeModule("node:net");

/** Characters of a host name. A name with any other character matches none. */
const HOST_REGEXP = /^[\w.-]+$/;

/** Characters of a name in a certificate that can be for a host. */
const PATTERN_REGEXP = /^[\w*.-]+$/;

/**
 * Compares a certificate's names with the dialed name (RFC 9525). A wildcard
 * replaces the whole first label of a name with three labels or more. The
 * common name counts only if it is the only one, and the certificate has no
 * alternative names of any kind.
 *
 * @returns The problem, or `undefined`
 */
export function checkName(
  der: Uint8Array,
  name: string,
): TLSProblem | undefined {
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
    : isForHost(names, name);
  if (isRight) return undefined;
  const shown = show(names).join(", ") || "no host";
  return {
    reason: "wrong-name",
    detail:
      `the certificate is for ${shown}, not for "${name}": connect to one of its names, or set \`serverName\` to one of them`,
  };
}

/**
 * Lists the names of a certificate for display: hosts, then addresses, without
 * misleading characters; empty if they cannot be read.
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

function isForHost(
  { hosts, commonNames }: AlternativeNames,
  name: string,
): boolean {
  const host = canonicalHost(domainToASCII(name));
  // "127.0.0.1." is neither a host nor an address
  if (isIP(host) > 0 || !HOST_REGEXP.test(host)) return false;
  const named = commonNames.length === 1 ? commonNames : hosts;
  return named.some((pattern) =>
    PATTERN_REGEXP.test(pattern) && isMatch(canonicalHost(pattern), host)
  );
}

/** Normalizes a host name: lower case, without a final dot. */
function canonicalHost(host: string): string {
  return host.toLowerCase().replace(/\.$/, "");
}

/**
 * Fewest labels of a pattern with a wildcard, so that "*.com" matches nothing.
 */
const LEAST_LABELS = 3;

function isMatch(pattern: string, host: string): boolean {
  const labels = host.split(".");
  if (labels.includes("")) return false;
  if (!pattern.includes("*")) return pattern === host;
  const [first, ...rest] = pattern.split(".");
  return first === "*" && rest.length + 1 >= LEAST_LABELS &&
    rest.join(".") === labels.slice(1).join(".");
}

function showAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) return "\uFFFD"; // not an address
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const groups = Array.from(
    { length: 8 },
    (_, i) => view.getUint16(2 * i).toString(16),
  );
  return canonicalAddress(groups.join(":"));
}

/** Normalizes an address: without its zone. */
function canonicalAddress(address: string): string {
  if (!address.includes(":")) return address;
  const bare = address.replace(/%.*/s, "");
  return URL.parse(`http://[${bare}]`)?.hostname.slice(1, -1) ?? "no address";
}
