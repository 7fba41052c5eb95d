/**
 * What single replies carry in their text: sizes, paths, times, features.
 *
 * @module
 */

import { FTPProtocolError, FTPReplyError } from "./errors.ts";
import { isFileTime, readDecimal } from "./numbers.ts";
import type { Reply } from "./reply.ts";

/**
 * The text of a reply that must have a certain code.
 *
 * @param reply The reply, or its text
 * @param codes The codes that will do
 * @returns The text, with the code
 * @throws {FTPReplyError} If the code is another
 */
export function expectCode(
  reply: Reply | string,
  ...codes: readonly number[]
): string {
  const text = textOf(reply);
  if (codes.includes(Number(text.slice(0, 3)))) return text;
  throw new FTPReplyError(
    `Cannot read a reply: code ${codes.join(" or ")} was due, got "${text}"`,
    typeof reply === "string" ? {} : { reply },
  );
}

/**
 * The error for a reply that came in step but cannot be read.
 *
 * @param reply The reply, or its text
 * @param what What was looked for in it
 * @param why What is wrong with it
 * @returns The error, to be thrown
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

// bounded: 60 KB of digits must not be read once from each
const SIZE_150_REGEXP = /\(([0-9]{1,40}) bytes\)/gi;

/**
 * Reads the size estimate in the reply that opens a transfer: `(2241 bytes)`,
 * the last one, since the name of the file comes before it. No RFC asks for it;
 * vsftpd, ProFTPD, Pure-FTPd and pyftpdlib differ.
 *
 * @param reply A 150 or 125 reply, or its text
 * @returns Bytes, or `null` where the reply names none
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
  const [, digits] = [...text.matchAll(SIZE_150_REGEXP)].at(-1) ?? [];
  return readDecimal(digits) ?? null;
}

/**
 * Reads the path in a 257 reply to `PWD` or `MKD` (RFC 959 appendix II): what
 * stands between the quotes, doubled quotes made single.
 *
 * @param reply The reply, or its text
 * @returns The path; "" where the reply has no quotes, as ftplib has it
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

// Pure-FTPd does not double quotes; its words tell it from others
const PURE_FTPD_REGEXP =
  /^257 "(.*)"(?: is your current location| : The directory was successfully created)$/;

// a quote in the midst of a word closes nothing: LightFTP and many small servers
const UNDOUBLED_REGEXP = /^257[ -]"((?:[^"]|"")*"[^"\s.,;:)].*)"(?:\s|$)/;

/**
 * Reads the path in a 257 reply also where a server forgets the quotes: the
 * first word, if it is an absolute path (`/x`, `C:\x`, `DISK:[DIR]`).
 *
 * @param reply The reply
 * @returns The path, or ""
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
 * What a 213 reply says: of several lines, as `STAT` has them too, the last one
 * if it is a word alone.
 */
function statusOf(reply: Reply): string {
  const lines = reply.lines;
  const last = lines.at(-1)!.slice(4);
  return lines.length === 1 || /^ *\S+ *$/.test(last) ? last : "";
}

/**
 * Reads the number in a 213 reply to `SIZE` (RFC 3659 section 4): the first or
 * the last word of the text, since some servers put words round it.
 *
 * @param reply A 213 reply
 * @returns Bytes, or `null` where there is no decimal number, more than one that
 * it could be, or one past 2^53, which would be rounded
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

const TIME_REGEXP =
  /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(?:\.(\d+))?Z?$/;

/**
 * Reads the time in a 213 reply to `MDTM` (RFC 3659 section 2.3): UTC.
 *
 * @param reply A 213 reply
 * @returns The time, to the millisecond, or `null` where there is none
 */
export function parseModificationTime(reply: Reply): Date | null {
  const word = statusOf(reply).split(/[\s;]/).find((part) =>
    /^\d{14}/.test(part)
  );
  return word === undefined ? null : parseTime(word);
}

/**
 * Reads a time value of RFC 3659 section 2.3, `YYYYMMDDHHMMSS[.sss]`, UTC.
 *
 * Servers with a year-2000 fault send "19" and the years since 1900
 * (`19100...` for 2000): fifteen digits, read as meant. What stands for "not
 * known" on the clock of some system (0001, 1601, 9999) is no time of a file.
 *
 * @param word The digits
 * @returns The time, or `null` if it is none
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
  // second 60 is a leap second; Date.UTC carries it over
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
 * Formats a time value for `MFMT` and `MDTM` (RFC 3659 section 2.3).
 *
 * @param date The time
 * @returns "YYYYMMDDHHMMSS", UTC
 */
export function formatTime(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "").replace(/\D/g, "");
}

/**
 * Reads the reply to `FEAT` (RFC 2389 section 3.2).
 *
 * @param reply A 211 reply
 * @returns Names in upper case with their parameters; a feature that is
 * listed more than once has its parameters joined with ";"
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
