/**
 * A command line: what is put on the control connection, and how it may be
 * shown to people.
 *
 * @module
 */

import type { Encoding } from "./encoding.ts";
import { printable } from "./printable.ts";

/** A path on the server: text in the session's encoding, or its raw bytes. */
export type Path = string | Uint8Array;

/** A command before it is encoded. */
export interface Command {
  /** The verb, as sent. */
  readonly verb: string;
  /** What follows the blank after the verb; left out where nothing does. */
  readonly argument?: Path;
  /** What the caller calls the argument; named when it is refused. */
  readonly name?: string | undefined;
}

/**
 * Insists on a path, where types are not checked.
 *
 * @param value What the caller gave
 * @param name What the caller calls it
 * @throws {TypeError} Unless it is a string or a `Uint8Array`
 */
export function checkPath(value: unknown, name: string): asserts value is Path {
  if (typeof value === "string" || value instanceof Uint8Array) return;
  throw new TypeError(
    `Cannot use "${name}": it must be a string or a Uint8Array, not ${
      value === undefined || value === null ? value : `of type ${typeof value}`
    }`,
  );
}

/**
 * A command that is about the current directory where it has no argument.
 *
 * @param verb The verb
 * @param path The path; "" for the current directory
 * @returns The command
 */
export function withPath(verb: string, path: Path): Command {
  return path.length === 0 ? { verb } : { verb, argument: path, name: "path" };
}

/**
 * Splits a whole command line, as `sendcmd` takes it.
 *
 * @param line "VERB" or "VERB argument"; what follows the first blank is kept
 * to the letter
 * @returns The command
 * @throws {TypeError} If it is no string
 */
export function parseCommand(line: string): Command {
  if (typeof line !== "string") {
    throw new TypeError(
      `Cannot send a command: "cmd" must be a string, not of type ${typeof line}`,
    );
  }
  if (line.trim() === "") {
    throw new TypeError('Cannot send a command: "cmd" is empty');
  }
  const blank = line.indexOf(" ");
  return blank < 0 ? { verb: line, name: "cmd" } : {
    verb: line.slice(0, blank),
    argument: line.slice(blank + 1),
    name: "cmd",
  };
}

const CR = 0x0D;
const LF = 0x0A;
const NUL = 0x00;
/** Telnet's "interpret as command" (RFC 854): doubled when it is data. */
const IAC = 0xFF;

/**
 * Encodes a command line with its CRLF: the one place where text becomes
 * bytes of the control connection.
 *
 * Nothing is rewritten; a carriage return, line feed or NUL is refused, since
 * it would end the line and start a second command.
 *
 * @param command The command
 * @param encoding The session's encoding
 * @returns The bytes to write
 * @throws {TypeError} If the verb or the argument has CR, LF or NUL, or does
 * not fit the encoding. The message names the argument, never its value
 */
export function encodeCommand(
  command: Command,
  encoding: Encoding,
): Uint8Array {
  const { verb, argument } = command;
  if (argument !== undefined || "argument" in command) {
    checkPath(argument, command.name ?? "argument");
  }
  if (typeof argument !== "object") {
    const line = argument === undefined ? verb : `${verb} ${argument}`;
    if (PLAIN_REGEXP.test(line)) return encodePlain(line);
  }
  const name = command.name ?? "argument";
  refuseLineEnds(encoding.encode(verb), verb, name);
  const head = encoding.encode(argument === undefined ? verb : verb + " ");
  const tail = argument === undefined
    ? new Uint8Array(0)
    : encodePath(argument, encoding, verb, name);
  const line = new Uint8Array(head.length + tail.length + 2);
  line.set(head);
  line.set(tail, head.length);
  line[line.length - 2] = CR;
  line[line.length - 1] = LF;
  return line;
}

/** What nearly all lines are made of: the same bytes in every encoding. */
const PLAIN_REGEXP = /^[ -~]*$/;

/** Much cheaper than a `TextEncoder` for a line of a few words. */
function encodePlain(line: string): Uint8Array {
  const bytes = new Uint8Array(line.length + 2);
  for (let i = 0; i < line.length; i++) bytes[i] = line.charCodeAt(i);
  bytes[line.length] = CR;
  bytes[line.length + 1] = LF;
  return bytes;
}

/**
 * Doubles the byte 0xFF, for servers that read commands as Telnet (RFC 854):
 * ProFTPD does; vsftpd and Pure-FTPd would take it for two characters of the
 * name. It occurs only in encodings other than UTF-8.
 *
 * @param line A command line
 * @returns The line to write
 */
export function doubleIAC(line: Uint8Array): Uint8Array {
  if (!line.includes(IAC)) return line;
  const doubled: number[] = [];
  for (const byte of line) {
    doubled.push(byte);
    if (byte === IAC) doubled.push(byte);
  }
  return Uint8Array.from(doubled);
}

function encodePath(
  argument: Path,
  encoding: Encoding,
  verb: string,
  name: string,
): Uint8Array {
  let bytes: Uint8Array;
  if (typeof argument === "string") {
    try {
      bytes = encoding.encode(argument);
    } catch {
      throw new TypeError(
        `Cannot send ${
          showVerb(verb)
        }: "${name}" has a character that the encoding "${encoding.label}" lacks`,
      );
    }
  } else {
    bytes = argument;
  }
  refuseLineEnds(bytes, verb, name);
  return bytes;
}

function refuseLineEnds(bytes: Uint8Array, verb: string, name: string): void {
  for (const byte of bytes) {
    if (byte !== CR && byte !== LF && byte !== NUL) continue;
    const what = byte === CR
      ? "a carriage return"
      : byte === LF
      ? "a line feed"
      : "a NUL";
    const danger = byte === NUL
      ? "at which many servers end it" // they take it for a text of C
      : "which would start another command";
    throw new TypeError(
      `Cannot send ${showVerb(verb)}: "${name}" contains ${what}, ${danger}`,
    );
  }
}

/** What is no word may be a whole line, with a secret in it. */
function showVerb(verb: string): string {
  return /^[A-Za-z]{1,8}$/.test(verb) ? `"${verb}"` : "a command";
}

// what is followed by secrets; servers take other white space than a blank, too.
// MIC, CONF and ENC hold a whole command, PASS too, in base64 (RFC 2228)
const SECRET_REGEXP =
  /^\s*(X?PASS|PASSWD|PASSWORD|PSWD|ACCT|ADAT|MIC|CONF|ENC|SITE\s+(?:\w*PASS|PASSWD|PASSWORD|PSWD|ADDUSER|USERADD|GADDUSER|LOGIN|AUTH))(?!\w)/i;

// names of users come first: glFTPd's and ioFTPD's SITE ADDUSER user password,
// SITE CHPASS user password, SITE GADDUSER group user password
const NAMES_REGEXP = /(ADDUSER|USERADD|CHPASS|LOGIN)$/i;

// a login by proxy: USER user:password@host, OPEN user:password@host
const PROXY_REGEXP = /^\s*(?:USER|OPEN|SITE)\s/i;

/**
 * The secrets that a command holds.
 *
 * @param command The command
 * @returns What follows `PASS`, `ACCT`, `ADAT` and their like; each of the
 * passwords that follow `SITE PSWD`, `SITE CHPASS user`, `SITE ADDUSER user`
 */
export function secretsOf({ verb, argument }: Command): string[] {
  if (typeof argument === "object") return [];
  const line = argument === undefined ? verb : `${verb} ${argument}`;
  const [start, name = ""] = SECRET_REGEXP.exec(line) ?? [];
  if (start === undefined) return [];
  const secret = line.slice(start.length).trim();
  if (!/^SITE/i.test(name)) {
    // "-" in front of a password asks for few words, and is not repeated
    const bare = secret.startsWith("-") ? [secret.slice(1)] : [];
    return [secret, ...bare].filter((secret) => secret !== "");
  }
  const words = secret.split(/\s+/).filter((word) => word !== "");
  const names = /GADDUSER$/i.test(name) ? 2 : NAMES_REGEXP.test(name) ? 1 : 0;
  // a word alone may be either
  return words.length > names ? words.slice(names) : words.slice(-1);
}

/**
 * Shows a command line without its secrets.
 *
 * @param line The line, without CRLF
 * @returns The line; what follows `PASS`, `ACCT`, `ADAT`, `SITE PSWD` and their
 * like (in any case) and a password in a URL replaced by `****`
 */
export function maskCommand(line: string): string {
  const secret = SECRET_REGEXP.exec(line);
  if (secret !== null) return `${secret[1]} ****`;
  const masked = maskURLs(line);
  if (!PROXY_REGEXP.test(line)) return masked;
  return masked.replace(/\S+/g, (word) => {
    const colon = word.indexOf(":");
    const end = word.lastIndexOf("@");
    return colon < 0 || end < colon || word.includes("://")
      ? word
      : `${word.slice(0, colon)}:****${word.slice(end)}`;
  });
}

/**
 * Masks passwords in URLs.
 *
 * @param text Any text
 * @returns The text, each password replaced by `****`
 */
export function maskURLs(text: string): string {
  return text.includes("://") ? text.replace(/\S+/g, maskURL) : text;
}

/** A password may hold "/" and "@" itself: it goes up to the word's last "@". */
function maskURL(word: string): string {
  const start = word.indexOf("://");
  const colon = word.indexOf(":", start + 3);
  const end = word.lastIndexOf("@");
  return start < 0 || colon < 0 || end < colon
    ? word
    : `${word.slice(0, colon)}:****${word.slice(end)}`;
}

/**
 * Shows a command to people: masked, control characters replaced.
 *
 * @param command The command
 * @param encoding Decodes an argument given as bytes
 * @returns One printable line
 */
export function describeCommand(command: Command, encoding: Encoding): string {
  const { verb, argument } = command;
  if (argument === undefined) return printable(maskCommand(verb));
  const text = typeof argument === "string"
    ? argument
    : encoding.decode(argument);
  return printable(maskCommand(`${verb} ${text}`));
}
