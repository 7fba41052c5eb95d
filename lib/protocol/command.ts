/**
 * Commands: encoding, and masking of secrets.
 *
 * @module
 */

import { joinBytes } from "./bytes.ts";
import type { Encoding } from "./encoding.ts";
import { printable } from "./printable.ts";

/** A path on the server: text in the session's encoding, or its raw bytes. */
export type Path = string | Uint8Array;

/** A command before encoding. */
export interface Command {
  /** The verb, as sent. */
  readonly verb: string;
  /** The text after the blank; left out if there is none. */
  readonly argument?: Path;
  /** The argument's name in messages. */
  readonly name?: string | undefined;
  /** Whether the user wrote the command, so that any 2yz reply completes it. */
  readonly isLiteral?: boolean | undefined;
}

/**
 * Rejects a path that is neither a string nor a `Uint8Array`.
 *
 * @throws {TypeError} If it is of another type
 */
export function checkPath(value: unknown, name: string): asserts value is Path {
  if (typeof value === "string" || value instanceof Uint8Array) return;
  throw new TypeError(
    `Cannot use "${name}": it must be a string or a Uint8Array, not ${
      value === undefined || value === null ? value : `of type ${typeof value}`
    }`,
  );
}

/** Whether a path is the current directory: "" or ".". */
export function isCurrentDirectory(path: Path): boolean {
  return path.length === 0 || path === ".";
}

/**
 * Makes a command whose argument is a path; "" stands for the current directory
 * and sends none.
 */
export function withPath(verb: string, path: Path): Command {
  return path.length === 0 ? { verb } : { verb, argument: path, name: "path" };
}

/**
 * Splits a command line, as `sendcmd` takes it.
 *
 * @param line "VERB" or "VERB argument"; the text after the first blank is kept
 * exactly
 * @throws {TypeError} If it is not a string or is blank
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
const CRLF = Uint8Array.of(CR, LF);
const NUL = 0x00;
/** Telnet's "interpret as command" (RFC 854): doubled in data. */
const IAC = 0xFF;

/**
 * Encodes a command line with its CRLF. This is the only place where text
 * becomes bytes of the control connection.
 *
 * The text is not changed. CR, LF and NUL are rejected, because they would end
 * the line and start another command.
 *
 * @throws {TypeError} If the verb or the argument has CR, LF or NUL, or does
 * not fit the encoding. The message has the argument's name, never its value
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
  return joinBytes([head, tail, CRLF]);
}

/** Nearly all lines: the same bytes in every encoding. */
const PLAIN_REGEXP = /^[ -~]*$/;

/** Much faster than a `TextEncoder` for a short line. */
function encodePlain(line: string): Uint8Array {
  const bytes = new Uint8Array(line.length + 2);
  for (let i = 0; i < line.length; i++) bytes[i] = line.charCodeAt(i);
  bytes[line.length] = CR;
  bytes[line.length + 1] = LF;
  return bytes;
}

/**
 * Doubles the byte 0xFF, for servers that read commands as Telnet (RFC 854).
 * ProFTPD does; vsftpd and Pure-FTPd would read two characters of a name. The
 * byte occurs only in encodings other than UTF-8.
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
      ? "at which many servers end it" // such servers use C strings
      : "which would start another command";
    throw new TypeError(
      `Cannot send ${showVerb(verb)}: "${name}" contains ${what}, ${danger}`,
    );
  }
}

/**
 * Formats a verb. Text that is not a verb may be a whole line with a secret in
 * it.
 */
function showVerb(verb: string): string {
  return /^[A-Za-z]{1,8}$/.test(verb) ? `"${verb}"` : "a command";
}

// commands with secrets; servers accept other white space than a blank. MIC,
// CONF and ENC contain a whole command in base64, PASS too (RFC 2228)
const SECRET_REGEXP =
  /^\s*(X?PASS|PASSWD|PASSWORD|PSWD|ACCT|ADAT|MIC|CONF|ENC|SITE\s+(?:\w*PASS|PASSWD|PASSWORD|PSWD|ADDUSER|USERADD|GADDUSER|LOGIN|AUTH))(?!\w)/i;

/** Frequent commands without a secret. */
const OPEN_VERBS: ReadonlySet<string> = new Set([
  "EPSV",
  "PASV",
  "RETR",
  "STOR",
  "SIZE",
  "MDTM",
]);

// user names come first: glFTPd's and ioFTPD's SITE ADDUSER user password, SITE
// CHPASS user password, SITE GADDUSER group user password
const NAMES_REGEXP = /(ADDUSER|USERADD|CHPASS|LOGIN)$/i;

// login through a proxy: USER user:password@host, OPEN user:password@host
const PROXY_REGEXP = /^\s*(?:USER|OPEN|SITE)\s/i;

/**
 * Lists the secrets in a command: the text after `PASS`, `ACCT`, `ADAT` and the
 * like, and each password after `SITE PSWD`, `SITE CHPASS user`,
 * `SITE ADDUSER user`.
 */
export function secretsOf({ verb, argument }: Command): string[] {
  if (typeof argument === "object" || OPEN_VERBS.has(verb)) return [];
  const line = argument === undefined ? verb : `${verb} ${argument}`;
  const [start, name = ""] = SECRET_REGEXP.exec(line) ?? [];
  if (start === undefined) return [];
  const secret = line.slice(start.length).trim();
  if (!/^SITE/i.test(name)) {
    // a "-" before a password asks for short replies, and is not repeated in
    // them
    const bare = secret.startsWith("-") ? [secret.slice(1)] : [];
    return [secret, ...bare].filter((secret) => secret !== "");
  }
  const words = secret.split(/\s+/).filter((word) => word !== "");
  const names = /GADDUSER$/i.test(name) ? 2 : NAMES_REGEXP.test(name) ? 1 : 0;
  // a single word may be a name or a password
  return words.length > names ? words.slice(names) : words.slice(-1);
}

/**
 * Masks the secrets in a command line without CRLF: the text after `PASS`,
 * `ACCT`, `ADAT`, `SITE PSWD` and the like, in any case, and passwords in URLs
 * become `****`.
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

/** Replaces passwords in URLs by `****`. */
export function maskURLs(text: string): string {
  return text.includes("://") ? text.replace(/\S+/g, maskURL) : text;
}

/** A password may contain "/" and "@": it ends at the last "@" of the word. */
function maskURL(word: string): string {
  const start = word.indexOf("://");
  const colon = word.indexOf(":", start + 3);
  const end = word.lastIndexOf("@");
  return start < 0 || colon < 0 || end < colon
    ? word
    : `${word.slice(0, colon)}:****${word.slice(end)}`;
}

/** Formats a command for messages: masked, on one printable line. */
export function describeCommand(command: Command, encoding: Encoding): string {
  const { verb, argument } = command;
  if (argument === undefined) return printable(maskCommand(verb));
  const text = typeof argument === "string"
    ? argument
    : encoding.decode(argument);
  return printable(maskCommand(`${verb} ${text}`));
}
