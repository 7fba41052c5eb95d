/**
 * Reads the values in replies: sizes, paths, times and features.
 *
 * @module
 */

import { FTPProtocolError, FTPReplyError } from "./errors.ts";
import { isFileTime, readDecimal } from "./numbers.ts";
import type { Reply } from "./reply.ts";

/**
 * Returns the text of a reply, with its code.
 *
 * @throws {FTPReplyError} If the code is not one of `codes`
 */
export function expectCode(
  reply: Reply | string,
  ...codes: readonly number[]
): string {
  const text = textOf(reply);
  if (codes.includes(Number(text.slice(0, 3)))) return text;
  throw new FTPReplyError(
    `Cannot read a reply: expected code ${codes.join(" or ")}, got "${text}"`,
    typeof reply === "string" ? {} : { reply },
  );
}

/**
 * Creates the error for a reply that belongs to its command but cannot be read.
 */
export function unreadableReply(
  reply: Reply | string,
  what: string,
  why: string,
): FTPProtocolError {
  return new FTPProtocolError(
    `Cannot read ${what} in "${textOf(reply)}": ${why}`,
    typeof reply === "string" ? {} : { reply },
  );
}

function textOf(reply: Reply | string): string {
  return typeof reply === "string" ? reply : reply.text;
}

// bounded, so that 60 KB of digits are not searched once from each digit
const SIZE_150_REGEXP = /\(([0-9]{1,40}) bytes\)/gi;

/**
 * Reads the size estimate in the reply that opens a transfer, such as
 * `(2241 bytes)`. The last one counts, because the file's name comes before it.
 * No RFC defines it; vsftpd, ProFTPD, Pure-FTPd and pyftpdlib differ.
 *
 * @param reply A 150 or 125 reply, or its text
 * @returns Bytes, or `null` if the reply has no size
 * @throws {FTPReplyError} If the code is neither 150 nor 125
 *
 * @example Read the estimate of a 150 reply
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   parse150("150 Opening BINARY mode data connection for x (2241 bytes)."),
 *   2241,
 * );
 * ```
 */
export function parse150(reply: Reply | string): number | null {
  const text = expectCode(reply, 150, 125);
  if (!text.includes("(")) return null;
  let digits: string | undefined;
  for (const match of text.matchAll(SIZE_150_REGEXP)) digits = match[1];
  return readDecimal(digits) ?? null;
}

/**
 * Reads the path in a 257 reply to `PWD` or `MKD` (RFC 959 appendix II): the
 * text between the quotes, with doubled quotes made single.
 *
 * @param reply The reply, or its text
 * @returns The path; "" if the reply has no quotes, as in ftplib
 * @throws {FTPReplyError} If the code is not 257
 * @throws {FTPProtocolError} If the closing quote is missing, or the path has
 * control characters other than a tab
 *
 * @example Read a path with quotes in it
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parse257('257 "/a"" /b" is the directory'), '/a" /b');
 * ```
 */
export function parse257(reply: Reply | string): string {
  const text = expectCode(reply, 257);
  const open = text.indexOf('"');
  if (open < 0) return "";
  const undoubled = PURE_FTPD_REGEXP.exec(text) ?? UNDOUBLED_REGEXP.exec(text);
  if (undoubled !== null) return cleanPath(reply, undoubled[1]!);
  const match = /^"((?:[^"]|"")*)"/.exec(text.slice(open));
  if (match === null) {
    throw unreadableReply(reply, "a path", "its closing quote is missing");
  }
  return cleanPath(reply, match[1]!.replaceAll('""', '"'));
}

// Pure-FTPd does not double quotes; its wording identifies it
const PURE_FTPD_REGEXP =
  /^257 "(.*)"(?: is your current location| : The directory was successfully created)$/;

// LightFTP and many small servers do not double quotes: a quote inside a word
// does not close the path
const UNDOUBLED_REGEXP = /^257[ -]"((?:[^"]|"")*"[^"\s.,;:)].*)"(?:\s|$)/;

/**
 * Reads the path in a 257 reply, also if the server omits the quotes. Then it
 * is the first word, if that is an absolute path (`/x`, `C:\x`, `DISK:[DIR]`).
 *
 * @returns The path, or "" if there is none
 * @throws {FTPReplyError} If the code is not 257
 * @throws {FTPProtocolError} As {@linkcode parse257}
 */
export function parseDirectory(reply: Reply): string {
  const quoted = parse257(reply);
  if (quoted !== "" || reply.text.includes('"')) return quoted;
  const word = /^257[ -](\/\S*|[A-Za-z]:[\\/]\S*|[^\s[]+:\[[^\s\]]+\])/.exec(
    reply.text,
  );
  return word === null ? "" : cleanPath(reply, word[1]!);
}

function cleanPath(reply: Reply | string, path: string): string {
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u0008\u000A-\u001F\u007F]/.test(path)) {
    throw unreadableReply(reply, "a path", "it has control characters");
  }
  return path;
}

/**
 * Returns the text of a 213 reply. Of several lines, which `STAT` may send,
 * only the last one counts, if it is a single word.
 */
function statusOf(reply: Reply): string {
  const lines = reply.lines;
  const last = lines.at(-1)!.slice(4);
  return lines.length === 1 || /^ *\S+ *$/.test(last) ? last : "";
}

/**
 * Reads the number in a 213 reply to `SIZE` (RFC 3659 section 4): the first or
 * the last word, because some servers add words.
 *
 * @returns Bytes; `null` if no decimal number is found, several are possible,
 * or it exceeds 2^53
 */
export function parseSize(reply: Reply): number | null {
  const words = statusOf(reply).split(/[ \t]+/).filter((word) => word !== "");
  const [first = "", ...others] = words;
  const digits = first.replace(/[,;]$/, "");
  if (/^[0-9]/.test(first)) {
    const isAlone = !others.some((word) => /[0-9]/.test(word));
    return isAlone ? readDecimal(digits) ?? null : null;
  }
  const last = words.at(-1) ?? "";
  // "1 000" is a thousand
  if (/[0-9]$/.test(words.at(-2) ?? "")) return null;
  return readDecimal(last.slice(last.indexOf("=") + 1)) ?? null;
}

// bounded, so that long runs of digits are searched once
const RESTART_REGEXP =
  /\b(?:at|to|from|byte|position|offset|marker|accepted)[ :=(]{1,3}(-?[0-9]{1,20})(?![0-9.,]{0,3}[0-9])/gi;

/**
 * Reads the offset in a 350 reply to `REST`, such as `Restarting at 500` or
 * `Restart position accepted (500)`. No RFC defines it.
 *
 * @returns Bytes; `null` if the reply tells none or several
 */
export function parseRestart(reply: Reply): number | null {
  const found = reply.text.matchAll(RESTART_REGEXP);
  const offsets = new Set(Array.from(found, ([, digits]) => Number(digits)));
  const [offset = null] = offsets;
  return offsets.size === 1 ? offset : null;
}

const TIME_REGEXP =
  /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(?:\.(\d+))?Z?$/;

/**
 * Reads the time in a 213 reply to `MDTM` (RFC 3659 section 2.3), in UTC.
 *
 * @returns The time, to the millisecond, or `null` if there is none
 */
export function parseModificationTime(reply: Reply): Date | null {
  const word = statusOf(reply).split(/[\s;]/).find((part) =>
    /^\d{14}/.test(part)
  );
  return word === undefined ? null : parseTime(word);
}

/**
 * Reads a time value of RFC 3659 section 2.3, `YYYYMMDDHHMMSS[.sss]`, in UTC.
 *
 * Servers with a year-2000 fault send "19" and the years since 1900, such as
 * `19100...` for 2000. Values for "unknown" (0001, 1601, 9999) are not times.
 *
 * @returns The time, or `null` if the text is not one
 */
export function parseTime(word: string): Date | null {
  const y2k = /^19(1\d\d)(\d{10})$/.exec(word);
  const digits = y2k === null ? word : `${1900 + Number(y2k[1])}${y2k[2]}`;
  const match = TIME_REGEXP.exec(digits);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(
    Number,
  ) as [number, number, number, number, number, number];
  const milliseconds = Number((match[7] ?? "").padEnd(3, "0").slice(0, 3));
  // 60 is a leap second, which Date.UTC carries over
  if (hour > 23 || minute > 59 || second > 60) return null;
  const midnight = new Date(Date.UTC(year, month - 1, day));
  const isReal = midnight.getUTCMonth() === month - 1 &&
    midnight.getUTCDate() === day;
  if (!isReal) return null;
  const time = Date.UTC(year, month - 1, day, hour, minute, second) +
    milliseconds;
  return isFileTime(time) ? new Date(time) : null;
}

/**
 * Formats a time for `MFMT` and `MDTM` (RFC 3659 section 2.3):
 * "YYYYMMDDHHMMSS", in UTC.
 */
export function formatTime(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "").replace(/\D/g, "");
}

/**
 * Reads the 211 reply to `FEAT` (RFC 2389 section 3.2).
 *
 * @returns Names in upper case with their parameters. The parameters of a
 * feature that is listed more than once are joined with ";"
 */
export function parseFeatures(reply: Reply): Map<string, string> {
  const features = new Map<string, string>();
  for (const line of reply.lines.slice(1)) {
    // some servers repeat the code on every line
    const feature = line.replace(/^211[ -]/, "").trim();
    if (/^(end\b.*)?$/i.test(feature)) continue;
    const blank = feature.indexOf(" ");
    const name = (blank < 0 ? feature : feature.slice(0, blank)).toUpperCase();
    const parameters = blank < 0 ? "" : feature.slice(blank + 1).trim();
    const before = features.get(name);
    features.set(
      name,
      before && parameters ? `${before};${parameters}` : before || parameters,
    );
  }
  return features;
}

/** How servers name the file of `STOU`: RFC 1123 section 4.1.2.9, wu-ftpd. */
const UNIQUE_REGEXPS = [
  /\bFILE: ?([^\r\n]{0,4096})/i,
  /\bunique file ?name: ?([^\s()]{1,4096})/i,
];

/**
 * Reads the name that a server gave to the file of `STOU`.
 *
 * @param replies Its replies: 125 or 150, and the final one
 * @returns The name; `undefined` if none of them has one
 */
export function parseUniqueName(
  replies: readonly (Reply | undefined)[],
): string | undefined {
  for (const reply of replies) {
    for (const regexp of UNIQUE_REGEXPS) {
      const name = regexp.exec(reply?.text ?? "")?.[1]?.trim();
      if (name) return name.replace(/^(["'])(.*)\1$/, "$2");
    }
  }
  return undefined;
}
