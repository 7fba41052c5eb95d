/**
 * Reads and formats data addresses: 227 and 229 replies, `PORT` and `EPRT`
 * arguments.
 *
 * @module
 */

import type { FTPProtocolError } from "./errors.ts";
import type { Reply } from "./reply.ts";
import { expectCode, unreadableReply } from "./reply_values.ts";

/** Host and TCP port, as ftplib's functions return them. */
export type HostPort = [host: string, port: number];

// every repetition is bounded, so that 64 KB of digits or bars from a server do
// not make the search quadratic
const SIX_NUMBERS_REGEXP =
  /(?<![\w.+-])(?<![\d,]\s{0,9},\s{0,9})\d{1,9}(?:\s{0,9},\s{0,9}\d{1,9}){5}(?!\w|\.\d|\s{0,9},\s{0,9}\d)/;
// the delimiter is any printable character except a digit
const EXTENDED_REGEXP =
  /\(([\x21-\x2F\x3A-\x7E])(\d{0,3})\1([\dA-Za-z:.%]{0,64}?)\1(\d{1,9})\1\)/;
// "(||5000|)", "(5000)", "(|||5000)": delimiters are missing
const BRACKETED_PORT_REGEXP =
  /\(([\x21-\x27\x2A-\x2F\x3A-\x7E]?)\1{0,2}(\d{1,9})\1?(?:\)|$)/gm;
// "|||5000|": the brackets are missing
const BARE_PORT_REGEXP = /([!#-&*+/:;=@\\^|~])\1{1,2}(\d{1,9})(?!\d)\1?/g;

/**
 * Reads the address in a 227 reply to `PASV`. The six numbers may stand
 * anywhere in the reply (RFC 959, RFC 1123 section 4.1.2.6).
 *
 * @param reply The reply, or its text
 * @returns Host and port as the server states them
 * @throws {FTPReplyError} If the code is not 227
 * @throws {FTPProtocolError} If there are no six numbers, a number is over 255,
 * or the port is 0
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
export function parse227(
  reply: Reply | string,
): [host: string, port: number] {
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
 * the reply is ignored: the data connection uses the control connection's host.
 * If delimiters or brackets are missing, a single number is accepted as the
 * port, unlike in ftplib.
 *
 * @param reply The reply, or its text
 * @param peer Host and port of the server
 * @returns The server's host and the reply's port
 * @throws {FTPReplyError} If the code is not 229
 * @throws {FTPProtocolError} If there is no `(|||port|)`, with any delimiter,
 * and no single other port, or the port is not 1 to 65535
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
): [host: string, port: number] {
  const text = expectCode(reply, 229);
  const digits = EXTENDED_REGEXP.exec(text)?.[4] ?? onlyPort(text);
  if (digits === undefined) throw unreadable(reply, "no (|||port|)");
  const port = Number(digits);
  if (port < 1 || port > 65535) {
    throw unreadable(reply, "its port is not 1 to 65535");
  }
  return [peer[0], port];
}

/** The port of a 229 that lacks delimiters or brackets; `undefined` if several may be it. */
function onlyPort(text: string): string | undefined {
  for (const regexp of [BRACKETED_PORT_REGEXP, BARE_PORT_REGEXP]) {
    const found = new Set(text.matchAll(regexp).map((match) => match[2]!));
    if (found.size > 0) return found.size === 1 ? [...found][0] : undefined;
  }
  return undefined;
}

/**
 * Reads the reply to `PASV` or `EPSV` by its code, not by the command: 464XLAT
 * translators answer one command with the other's reply.
 */
export function parsePassive(
  reply: Reply,
  peer: readonly [host: string, port: number],
): HostPort {
  return reply.code === 229 ? parse229(reply, peer) : parse227(reply);
}

/**
 * Formats the argument of `PORT` (RFC 959 section 4.1.2): "h1,h2,h3,h4,p1,p2".
 *
 * @throws {TypeError} If the host is not an IPv4 address
 * @throws {RangeError} If the port is not 1 to 65535
 */
export function formatPort(host: string, port: number): string {
  if (!isIPv4(host)) {
    throw new TypeError(
      'Cannot send "PORT": "host" is not an IPv4 address; use EPRT',
    );
  }
  checkPort("PORT", port);
  return `${host.replaceAll(".", ",")},${port >> 8},${port & 255}`;
}

/**
 * Formats the argument of `EPRT` (RFC 2428 section 2): "|1|a.b.c.d|port|" or
 * "|2|a:b::c|port|".
 *
 * @throws {TypeError} If the host is not an address
 * @throws {RangeError} If the port is not 1 to 65535
 */
export function formatEprt(host: string, port: number): string {
  const bare = host.replace(/%.*/s, ""); // a zone has no meaning on the server
  const isAddress = isIPv4(bare) || /^[\dA-Fa-f.]*:[\dA-Fa-f.:]*$/.test(bare);
  if (!isAddress) {
    throw new TypeError('Cannot send "EPRT": "host" is not an address');
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

/** Whether an address is IPv6: it contains a colon. */
export function isIPv6(host: string): boolean {
  return host.includes(":");
}

/**
 * Whether two literal addresses are the same host. An IPv4-mapped IPv6 address
 * (`::ffff:a.b.c.d`) equals its IPv4 form.
 */
export function isSameHost(a: string, b: string): boolean {
  return canonicalHost(a) === canonicalHost(b);
}

/** Returns the IPv4 form of an IPv4-mapped address; others as they are. */
export function withoutMapping(host: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host)?.[1] ?? host;
}

function canonicalHost(host: string): string {
  const bare = withoutMapping(host.toLowerCase().replace(/%.*/s, ""));
  if (!isIPv6(bare)) return bare;
  return URL.parse(`http://[${bare}]`)?.hostname ?? bare;
}

/**
 * The bytes of a literal address, in network order.
 *
 * @param host An address, or something else
 * @returns 4 bytes, or 16; `undefined` if it is no address
 */
export function addressBytes(host: string): Uint8Array | undefined {
  if (isIPv4(host)) return Uint8Array.from(host.split("."), Number);
  if (!isIPv6(host)) return undefined;
  const hostname = URL.parse(`http://[${host}]`)?.hostname;
  if (hostname === undefined) return undefined;
  // the URL has written an embedded IPv4 address in groups
  const [head, tail] = hostname.slice(1, -1).split("::").map((part) =>
    part.split(":").filter((group) => group !== "")
  );
  const groups = [
    ...head!,
    ...tail === undefined
      ? []
      : [...Array(8 - head!.length - tail.length).fill("0"), ...tail],
  ].map((group) => parseInt(group, 16));
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]));
}

function unreadable(reply: Reply | string, why: string): FTPProtocolError {
  return unreadableReply(reply, "the data address", why);
}
