/**
 * The options of the command line.
 *
 * @module
 */

import { quote } from "../protocol/printable.ts";
import { parseArgs } from "node:util";
import { UsageError } from "./exit_code.ts";

/** One option. */
export interface FlagSpec {
  /** Whether it takes a value ("string"). */
  readonly type: "boolean" | "string";
  /** Its short form. */
  readonly short?: string;
  /** Whether it may be given more than once. */
  readonly multiple?: boolean;
  /** Name of the value in the help. */
  readonly value?: string;
  /** Its description in the help. */
  readonly help: string;
}

/** Every option by name. */
export const FLAGS = {
  // connection
  user: {
    type: "string",
    short: "u",
    value: "NAME",
    help: "user, if the URL has none (default: anonymous)",
  },
  "password-stdin": {
    type: "boolean",
    help: "read the password from the first line of standard input",
  },
  netrc: {
    type: "boolean",
    short: "n",
    help: "read user and password from ~/.netrc",
  },
  "netrc-file": {
    type: "string",
    value: "FILE",
    help: "read them from this file",
  },
  tls: { type: "boolean", help: "explicit TLS with ftp:// (as ftpes://)" },
  fingerprint: {
    type: "string",
    multiple: true,
    value: "SHA256",
    help: "trust only the certificate with this SHA-256; implies TLS",
  },
  cacert: {
    type: "string",
    value: "FILE",
    help: "trust only the authorities in this PEM file; implies TLS",
  },
  proxy: {
    type: "string",
    value: "URL",
    help: "connect through socks5://host:port or http://host:port",
  },
  active: {
    type: "boolean",
    help: "active mode: the server opens the data connections (PORT, EPRT)",
  },
  pasv: {
    type: "boolean",
    help: "passive mode with PASV, for firewalls that drop EPSV",
  },
  encoding: {
    type: "string",
    value: "NAME",
    help: "encoding of names (default: utf-8)",
  },
  "server-zone": {
    type: "string",
    value: "MINUTES",
    help: "zone of the server's times, in minutes east of UTC",
  },
  timeout: {
    type: "string",
    value: "SECONDS",
    help: "fail after this time without progress (default: 30)",
  },
  retries: {
    type: "string",
    value: "N",
    help: "attempts in a row without progress (default: 5)",
  },
  // output
  json: { type: "boolean", help: "print one JSON object per line" },
  quiet: { type: "boolean", short: "q", help: "print errors only" },
  verbose: {
    type: "boolean",
    short: "v",
    help: "print commands and replies, with secrets masked",
  },
  help: { type: "boolean", short: "h", help: "show the help of the command" },
  // transfers
  continue: {
    type: "boolean",
    short: "c",
    help: "continue unfinished files of an earlier run (the default)",
  },
  "no-continue": {
    type: "boolean",
    help: "start each file from its beginning, and keep no unfinished file",
  },
  connections: {
    type: "string",
    short: "P",
    value: "N",
    help:
      'number of connections (default: 1); sync also takes "auto", up to eight',
  },
  segments: {
    type: "string",
    value: "N",
    help: "number of parts of each file to download at once (default: 1)",
  },
  "limit-rate": {
    type: "string",
    value: "BYTES",
    help: "bytes per second of all connections together, such as 500k or 1.5M",
  },
  verify: {
    type: "string",
    value: "WHAT",
    help: "compare after a transfer: size, hash or none (default: size)",
  },
  output: {
    type: "string",
    short: "o",
    value: "PATH",
    help: "write to this file, or into this directory",
  },
  "create-dirs": {
    type: "boolean",
    help: "create missing directories of the target",
  },
  "no-glob": {
    type: "boolean",
    short: "g",
    help: "treat *, ?, [ and { in a URL as plain characters",
  },
  // what is changed
  "dry-run": {
    type: "boolean",
    help: "change nothing; print what would be done",
  },
  preview: {
    type: "boolean",
    help: "print what would be done, then ask",
  },
  delete: {
    type: "boolean",
    help: "remove entries that the source does not have",
  },
  "max-delete": {
    type: "string",
    value: "N",
    help:
      "with --delete: remove nothing if it would be more than N entries, or N%",
  },
  "remove-source": {
    type: "boolean",
    help:
      "remove each file from the server after it was downloaded and verified",
  },
  compare: {
    type: "string",
    value: "WHAT",
    help: "how changed files are detected: size-and-time, size, hash or always",
  },
  exclude: {
    type: "string",
    multiple: true,
    value: "GLOB",
    help: "ignore matching names or paths on both sides",
  },
  recursive: {
    type: "boolean",
    short: "r",
    help: "include the contents of directories",
  },
  force: { type: "boolean", short: "f", help: "replace an existing target" },
  long: { type: "boolean", short: "l", help: "print kind, size and time" },
  read: {
    type: "boolean",
    help: "if the server has no hash, download the file and compute SHA-256",
  },
  write: {
    type: "string",
    value: "FOLDER",
    help: "upload a file to this directory of the server, and remove it",
  },
} as const satisfies Record<string, FlagSpec>;

/** The name of an option. */
export type FlagName = keyof typeof FLAGS;

/** Options that every command has. */
export const COMMON_FLAGS: readonly FlagName[] = [
  "user",
  "password-stdin",
  "netrc",
  "netrc-file",
  "tls",
  "fingerprint",
  "cacert",
  "proxy",
  "active",
  "pasv",
  "encoding",
  "server-zone",
  "timeout",
  "retries",
  "json",
  "quiet",
  "verbose",
  "help",
];

/** The values of the options. */
export class Flags {
  readonly #values: Readonly<
    Record<string, string | boolean | readonly string[] | undefined>
  >;

  /** Wraps the values that `parseArgs` returns. */
  constructor(
    values: Readonly<
      Record<string, string | boolean | readonly string[] | undefined>
    >,
  ) {
    this.#values = values;
  }

  /** Whether an option was given. */
  has(name: FlagName): boolean {
    return this.#values[name] !== undefined;
  }

  /** Returns the text of an option. */
  text(name: FlagName): string | undefined {
    const value = this.#values[name];
    return typeof value === "string" ? value : undefined;
  }

  /** Returns all texts of an option. */
  texts(name: FlagName): readonly string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value : [];
  }

  /**
   * Returns an option that is one of some words.
   *
   * @throws {UsageError} If it is another word
   */
  word<Word extends string>(
    name: FlagName,
    words: readonly Word[],
  ): Word | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const word = words.find((word) => word === text);
    if (word !== undefined) return word;
    throw new UsageError(
      `Cannot use ${quote(text)} for --${name}: use one of ${words.join(", ")}`,
    );
  }

  /**
   * Returns a number.
   *
   * @throws {UsageError} If it is none
   */
  number(
    name: FlagName,
    { least, isInteger = false }: { least: number; isInteger?: boolean },
  ): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
    if (value >= least && (!isInteger || Number.isInteger(value))) return value;
    throw new UsageError(
      `Cannot use ${quote(text)} for --${name}: it must be a ${
        isInteger ? "whole " : ""
      }number, ${least} or more`,
    );
  }

  /**
   * Returns `--limit-rate` in bytes per second.
   *
   * @throws {UsageError} If it is none
   */
  rate(): number | undefined {
    const text = this.text("limit-rate");
    if (text === undefined) return undefined;
    const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)([kmg]?)b?$/i.exec(text) ??
      [];
    const factor = 1024 ** ["", "k", "m", "g"].indexOf(unit.toLowerCase());
    const rate = Number(digits) * factor;
    if (rate > 0) return rate;
    throw new UsageError(
      `Cannot use ${
        quote(text)
      } for --limit-rate: it must be bytes per second, such as 500k or 1.5M`,
    );
  }

  /** Whether unfinished files are kept and continued. */
  get isContinuing(): boolean {
    if (this.has("continue") && this.has("no-continue")) {
      throw new UsageError("Cannot use --continue with --no-continue");
    }
    return !this.has("no-continue");
  }
}

/** The parts of a command line. */
export interface ParsedArguments {
  /** The options. */
  readonly flags: Flags;
  /** The arguments that are not options. */
  readonly operands: readonly string[];
}

/**
 * Reads the arguments of a command.
 *
 * @throws {UsageError} If an option is unknown, or a value is missing
 */
export function parseFlags(
  args: readonly string[],
  names: readonly FlagName[],
): ParsedArguments {
  const all: FlagName[] = [...COMMON_FLAGS, ...names];
  const options = Object.fromEntries(all.map((name) => {
    const { type, short, multiple }: FlagSpec = FLAGS[name];
    return [name, {
      type,
      ...(short === undefined ? {} : { short }),
      ...(multiple === undefined ? {} : { multiple }),
    }];
  }));
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options,
      allowPositionals: true,
      strict: true,
    });
    return {
      flags: new Flags(
        values as Record<string, string | boolean | string[] | undefined>,
      ),
      operands: positionals,
    };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // node's second sentence explains how to pass such an argument
    throw new UsageError(error.message.split(". ", 1)[0]!, { cause: error });
  }
}
