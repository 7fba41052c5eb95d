/**
 * The settings that commands have made on a connection. Another connection that
 * replaces it gets the same.
 *
 * @module
 */

import type { Command } from "../protocol/command.ts";
import type { Reply } from "../protocol/reply.ts";

/** The chosen virtual host. */
export interface VirtualHost {
  /** The `HOST` command. */
  readonly command: Command;
  /**
   * Whether it was sent under TLS. Otherwise it may determine the certificate.
   */
  readonly isSecured: boolean;
}

/** Frequent commands that change nothing. */
const QUERIES: ReadonlySet<string> = new Set([
  "SIZE",
  "MDTM",
  "PWD",
  "EPSV",
  "PASV",
  "NOOP",
  "REST",
]);

/** Commands that change the directory. */
const MOVE_REGEXP = /^(X?CWD|CDUP|XCUP|SMNT)$/i;

/** Reply to a command that was not executed (RFC 959 section 4.2.2). */
export const SUPERFLUOUS = 202;

/** The reply of a server that closes the connection. */
export const CLOSING = 421;

/** Largest number of steps that are repeated to return to a directory. */
const MAX_MOVES = 100;

/** The settings that commands have made on one connection. */
export class SessionState {
  /** The representation type that was set last. */
  type: string | undefined;
  /** The current directory, if it is known. */
  directory: string | undefined;
  /**
   * Commands that lead there from the login directory; `undefined` if unknown.
   */
  moves: readonly Command[] | undefined = [];
  /** The latest accepted `MODE`, `STRU`, `LANG`, and `OPTS` of each feature. */
  readonly settings: Map<string, Command> = new Map();
  /** The latest accepted `HOST` (RFC 7151). */
  virtualHost: VirtualHost | undefined;
  /** The `AUTH` and `USER` that were sent, on which the features depend. */
  identity = "";

  /**
   * Discards what a command may change, because its reply may not be read.
   *
   * @param command The command, which was sent
   */
  forget(command: Command): void {
    const word = command.verb.toUpperCase();
    if (QUERIES.has(word)) return;
    const isAfresh = /^(REIN|USER|AUTH)$/.test(word);
    if (isAfresh) this.#noteIdentity(word, String(command.argument ?? ""));
    if (word === "REIN") {
      this.settings.clear();
      this.virtualHost = undefined;
    }
    if (isAfresh || word === "TYPE") this.type = undefined;
    if (isAfresh || isMove(command)) {
      this.directory = undefined;
      this.moves = isAfresh ? [] : undefined;
    }
  }

  /**
   * Notes what a command has changed.
   *
   * @param command The command
   * @param reply Its first reply
   * @param context The `moves` before it was sent; whether it was sent under TLS
   */
  note(
    command: Command,
    { code }: Reply,
    { moves, isSecured }: {
      moves: readonly Command[] | undefined;
      isSecured: boolean;
    },
  ): void {
    const word = command.verb.toUpperCase();
    if (QUERIES.has(word)) return;
    const isDone = code < 300;
    const argument = String(command.argument);
    if (isDone && word === "TYPE") this.type = typeOf(argument);
    const setting = settingOf(word, argument);
    const isSet = isDone && code !== SUPERFLUOUS;
    if (isSet && setting !== undefined) this.settings.set(setting, command);
    if (isDone && word === "HOST") this.virtualHost = { command, isSecured };
    if (!isMove(command)) return;
    if (!isDone || code === SUPERFLUOUS) this.moves = moves;
    else if (word === "SITE") this.moves = undefined; // the server uses other names now
    else if (argument.startsWith("/")) this.moves = [command];
    else if (moves !== undefined && moves.length < MAX_MOVES) {
      this.moves = [...moves, command];
    }
  }

  /** Notes the user: another one may be shown other features. */
  #noteIdentity(word: string, argument: string): void {
    const others = this.identity.replace(/^USER .*\n/m, "");
    this.identity = word === "REIN" ? "" : `${others}${word} ${argument}\n`;
  }
}

/** Returns a representation type; "L 8" is the same as "I". */
function typeOf(argument: string): string {
  const type = argument.toUpperCase();
  return type === "L 8" ? "I" : type;
}

/** Returns the name of a setting that lasts, apart from the type. */
function settingOf(word: string, argument: string): string | undefined {
  if (/^(MODE|STRU|LANG)$/.test(word)) return word;
  const [feature] = argument.toUpperCase().split(" ", 1);
  // IBM i: the format of names
  const isKept = word === "OPTS" ||
    (word === "SITE" && /^(NAMEFMT|UMASK|IDLE)$/.test(feature!));
  return isKept ? `${word} ${feature}` : undefined;
}

function isMove({ verb, argument }: Command): boolean {
  return MOVE_REGEXP.test(verb) ||
    settingOf(verb.toUpperCase(), String(argument)) === "SITE NAMEFMT";
}

/** Commands without a lasting effect on the session. */
const STATELESS_REGEXP =
  /^(NOOP|X?PWD|SIZE|MDTM|STAT|HELP|SYST|FEAT|ABOR|LIST|NLST|MLSD|MLST|RETR|STO[RU]|APPE|DELE|X?RMD|X?MKD|RNFR|RNTO|MFMT|MFCT|MFF|AVBL|HASH|MD5|X(CRC|MD5|SHA1?|SHA256|SHA512)|ALLO|REST|QUIT|PASV|EPSV|PORT|EPRT|HOST)$/;

/** Commands of `SITE` that change a file only. */
const STATELESS_SITE_REGEXP =
  /^(CHMOD|CHOWN|CHGRP|UTIME|HELP|SYMLINK|CPFR|CPTO|MKDIR|RMDIR)\b/i;

/**
 * Whether another connection can be set as this one after a command.
 *
 * @param word Verb of the command, in upper case
 * @param argument Its argument
 */
export function isRepeatable(word: string, argument: string): boolean {
  if (word === "TYPE") return /^[AI]$/i.test(argument);
  if (word === "SITE" && STATELESS_SITE_REGEXP.test(argument)) return true;
  return STATELESS_REGEXP.test(word) || MOVE_REGEXP.test(word) ||
    settingOf(word, argument) !== undefined;
}
