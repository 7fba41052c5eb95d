/**
 * Addresses on the wire: 227 and 229 replies, `PORT` and `EPRT` arguments.
 *
 * @module
 */

import type { FTPProtocolError } from "./errors.ts";
import type { Reply } from "./reply.ts";
import { expectCode, unreadableReply } from "./reply_values.ts";

/** A host and a TCP port, as ftplib's functions return them. */
export type HostPort = [host: string, port: number];

// both are bounded at every repetition: a server's 64 KB of digits or bars must
// not make the search quadratic
const SIX_NUMBERS_REGEXP =
  /(?<![\w.+-])(?<![\d,]\s{0,9},\s{0,9})\d{1,9}(?:\s{0,9},\s{0,9}\d{1,9}){5}(?!\w|\.\d|\s{0,9},\s{0,9}\d)/;
// delimiter: any printable character but a digit, the same one each time
const EXTENDED_REGEXP =
  /\(([\x21-\x2F\x3A-\x7E])(\d{0,3})\1([\dA-Za-z:.%]{0,64}?)\1(\d{1,9})\1\)/;

/**
 * Reads the address in a 227 reply to `PASV` (RFC 959, RFC 1123 section
 * 4.1.2.6: the six numbers may stand anywhere in the reply).
 *
 * @param reply The reply, or its text
 * @returns Host and port, as the server claims them
 * @throws {FTPReplyError} If the code is not 227
 * @throws {FTPProtocolError} If there are no six numbers, one is over 255, or
 * the port is 0
 *
 * @example Read a 227 reply
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   parse227("227 Entering Passive Mode (192,168,1,100,10,229)"),
 *   ["192.168.1.100", 2789],
 * );
 * ```
 */
export function parse227(reply: Reply | string): HostPort {
  const text = expectCode(reply, 227);
  const match = SIX_NUMBERS_REGEXP.exec(text.replace(/^227[ -]?/, ""));
  const numbers = match?.[0].split(",").map(Number);
  if (numbers === undefined || numbers.some((number) => number > 255)) {
    throw unreadable(reply, "no address h1,h2,h3,h4,p1,p2 of bytes");
  }
  const [h1, h2, h3, h4, p1, p2] = numbers;
  const port = p1! * 256 + p2!;
  if (port === 0) throw unreadable(reply, "its port is 0");
  return [`${h1}.${h2}.${h3}.${h4}`, port];
}

/**
 * Reads the port in a 229 reply to `EPSV` (RFC 2428 section 3). An address in
 * the reply is ignored: the data connection goes to the control peer.
 *
 * @param reply The reply, or its text
 * @param peer Host and port of the control connection's peer
 * @returns The peer's host and the reply's port
 * @throws {FTPReplyError} If the code is not 229
 * @throws {FTPProtocolError} If there is no `(|||port|)`, with any delimiter,
 * or the port is not 1 to 65535
 *
 * @example Read a 229 reply
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   parse229("229 Entering Extended Passive Mode (|||6446|)", ["::1", 21]),
 *   ["::1", 6446],
 * );
 * ```
 */
export function parse229(
  reply: Reply | string,
  peer: readonly [host: string, port: number],
): HostPort {
  const text = expectCode(reply, 229);
  const match = EXTENDED_REGEXP.exec(text);
  if (match === null) throw unreadable(reply, "no (|||port|)");
  const port = Number(match[4]);
  if (port < 1 || port > 65535) {
    throw unreadable(reply, "its port is not 1 to 65535");
  }
  return [peer[0], port];
}

/**
 * Reads a reply to `PASV` or `EPSV` by what it says, not by what was asked:
 * translators (464XLAT) answer the one with the other's reply.
 *
 * @param reply A 227 or 229 reply
 * @param peer Host and port of the control connection's peer
 * @returns Host and port, the host as the server claims it
 * @throws {FTPReplyError} If the code is neither
 * @throws {FTPProtocolError} If the text cannot be read
 */
export function parsePassive(
  reply: Reply,
  peer: readonly [host: string, port: number],
): HostPort {
  return reply.code === 229 ? parse229(reply, peer) : parse227(reply);
}

/**
 * Formats the argument of `PORT` (RFC 959 section 4.1.2).
 *
 * @param host An IPv4 address
 * @param port A TCP port
 * @returns "h1,h2,h3,h4,p1,p2"
 * @throws {TypeError} If the host is no IPv4 address
 * @throws {RangeError} If the port is not 1 to 65535
 */
export function formatPort(host: string, port: number): string {
  if (!isIPv4(host)) {
    throw new TypeError(
      'Cannot send "PORT": "host" is no IPv4 address; EPRT takes any',
    );
  }
  checkPort("PORT", port);
  return `${host.replaceAll(".", ",")},${port >> 8},${port & 255}`;
}

/**
 * Formats the argument of `EPRT` (RFC 2428 section 2).
 *
 * @param host An IPv4 or IPv6 address
 * @param port A TCP port
 * @returns "|1|a.b.c.d|port|" or "|2|a:b::c|port|"
 * @throws {TypeError} If the host is no address
 * @throws {RangeError} If the port is not 1 to 65535
 */
export function formatEprt(host: string, port: number): string {
  const bare = host.replace(/%.*/s, ""); // a zone means nothing to the server
  const isAddress = isIPv4(bare) || /^[\dA-Fa-f.]*:[\dA-Fa-f.:]*$/.test(bare);
  if (!isAddress) {
    throw new TypeError('Cannot send "EPRT": "host" is no address');
  }
  checkPort("EPRT", port);
  return `|${isIPv6(bare) ? 2 : 1}|${bare}|${port}|`;
}

function isIPv4(host: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(host) &&
    host.split(".").every((byte) => Number(byte) <= 255);
}

function checkPort(verb: string, port: number): void {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return;
  throw new RangeError(
    `Cannot send "${verb}" for port ${port}: it must be an integer from 1 to 65535`,
  );
}

/**
 * Tells an IPv6 address by its colons.
 *
 * @param host An address
 * @returns Whether it is IPv6
 */
export function isIPv6(host: string): boolean {
  return host.includes(":");
}

/**
 * Whether two literal addresses name one host. An IPv4-mapped IPv6 address
 * (`::ffff:a.b.c.d`) equals its IPv4 form.
 *
 * @param a An address
 * @param b Another
 * @returns Whether they are the same
 */
export function isSameHost(a: string, b: string): boolean {
  return canonicalHost(a) === canonicalHost(b);
}

function canonicalHost(host: string): string {
  const bare = host.toLowerCase().replace(/%.*/s, "");
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare);
  if (mapped !== null) return mapped[1]!;
  if (!isIPv6(bare)) return bare;
  return URL.parse(`http://[${bare}]`)?.hostname ?? bare;
}

function unreadable(reply: Reply | string, why: string): FTPProtocolError {
  return unreadableReply(reply, "the data address", why);
}
