/**
 * The options of the command line.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { UsageError } from "./exit_code.ts";

/** One option. */
export interface FlagSpec {
  /** Whether a value follows. */
  readonly type: "boolean" | "string";
  /** Its letter. */
  readonly short?: string;
  /** Whether it may be given more than once. */
  readonly multiple?: boolean;
  /** What the value is, for the help. */
  readonly value?: string;
  /** What it does, for the help. */
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
    help: "look up user and password in ~/.netrc",
  },
  "netrc-file": {
    type: "string",
    value: "FILE",
    help: "look them up in this file",
  },
  tls: { type: "boolean", help: "explicit TLS with ftp:// (as ftpes://)" },
  fingerprint: {
    type: "string",
    multiple: true,
    value: "SHA256",
    help: "trust the certificate with this SHA-256, and no other; implies TLS",
  },
  cacert: {
    type: "string",
    value: "FILE",
    help: "trust the authorities in this PEM file, and no others; implies TLS",
  },
  proxy: {
    type: "string",
    value: "URL",
    help: "connect through socks5://host:port or http://host:port",
  },
  active: {
    type: "boolean",
    help: "let the server dial the data connections (PORT, EPRT)",
  },
  encoding: {
    type: "string",
    value: "NAME",
    help: "encoding of names (default: utf-8)",
  },
  "server-zone": {
    type: "string",
    value: "MINUTES",
    help: "zone of the times that the server shows, east of UTC",
  },
  timeout: {
    type: "string",
    value: "SECONDS",
    help: "give up after a wait without progress (default: 30)",
  },
  retries: {
    type: "string",
    value: "N",
    help: "times to try again without progress (default: 5)",
  },
  // output
  json: { type: "boolean", help: "print one JSON object a line" },
  quiet: { type: "boolean", short: "q", help: "print errors only" },
  verbose: {
    type: "boolean",
    short: "v",
    help: "show commands and replies, secrets masked",
  },
  help: { type: "boolean", short: "h", help: "show the help of the command" },
  // transfers
  continue: {
    type: "boolean",
    short: "c",
    help:
      "complete what an earlier run left half done (default for whole files)",
  },
  "no-continue": {
    type: "boolean",
    help: "begin each file anew, and leave nothing after Ctrl-C",
  },
  connections: {
    type: "string",
    short: "P",
    value: "N",
    help: "connections that work at once (default: 1)",
  },
  segments: {
    type: "string",
    value: "N",
    help: "parts of each file that are fetched at once (default: 1)",
  },
  "limit-rate": {
    type: "string",
    value: "BYTES",
    help: "bytes a second of all connections together: 500k, 1.5M",
  },
  verify: {
    type: "string",
    value: "WHAT",
    help: "compare size, hash or none after a transfer (default: size)",
  },
  output: {
    type: "string",
    short: "o",
    value: "PATH",
    help: "write to this file, or into this directory",
  },
  "create-dirs": {
    type: "boolean",
    help: "make the directories of the target where they are missing",
  },
  "no-glob": {
    type: "boolean",
    short: "g",
    help: "take *, ?, [ and { in a URL as they are",
  },
  // what is changed
  "dry-run": {
    type: "boolean",
    help: "change nothing, print what would be done",
  },
  preview: {
    type: "boolean",
    help: "print what would be done, and ask before doing it",
  },
  delete: {
    type: "boolean",
    help: "remove from the target what the source lacks",
  },
  "max-delete": {
    type: "string",
    value: "N",
    help: "with --delete: remove nothing if it were more than N entries, or N%",
  },
  compare: {
    type: "string",
    value: "WHAT",
    help: "what tells changed files: size-and-time, size, hash or always",
  },
  exclude: {
    type: "string",
    multiple: true,
    value: "GLOB",
    help: "leave these names or paths alone on both sides",
  },
  recursive: {
    type: "boolean",
    short: "r",
    help: "directories with all that is in them",
  },
  force: { type: "boolean", short: "f", help: "replace a target that exists" },
  long: { type: "boolean", short: "l", help: "with kind, size and time" },
  read: {
    type: "boolean",
    help: "if the server has no hash, read the file and make a SHA-256 here",
  },
  write: {
    type: "string",
    value: "FOLDER",
    help: "try an upload in this folder of the server, and remove it",
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
  "encoding",
  "server-zone",
  "timeout",
  "retries",
  "json",
  "quiet",
  "verbose",
  "help",
];

/** The values of the options, as they were given. */
export class Flags {
  readonly #values: Readonly<
    Record<string, string | boolean | readonly string[] | undefined>
  >;

  /**
   * Takes values.
   *
   * @param values As `parseArgs` gives them
   */
  constructor(
    values: Readonly<
      Record<string, string | boolean | readonly string[] | undefined>
    >,
  ) {
    this.#values = values;
  }

  /**
   * Whether an option was given.
   *
   * @param name The option
   * @returns Whether it was
   */
  has(name: FlagName): boolean {
    return this.#values[name] !== undefined;
  }

  /**
   * The text of an option.
   *
   * @param name The option
   * @returns The text, or `undefined`
   */
  text(name: FlagName): string | undefined {
    const value = this.#values[name];
    return typeof value === "string" ? value : undefined;
  }

  /**
   * All texts of an option.
   *
   * @param name The option
   * @returns The texts
   */
  texts(name: FlagName): readonly string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value : [];
  }

  /**
   * One of some words.
   *
   * @param name The option
   * @param words The words
   * @returns The word, or `undefined`
   * @throws {UsageError} If it is another one
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
      `Cannot use ${JSON.stringify(text)} for --${name}: there are ${
        words.join(", ")
      }`,
    );
  }

  /**
   * A number.
   *
   * @param name The option
   * @param options The least, and whether it is a whole number
   * @returns The number, or `undefined`
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
      `Cannot use ${JSON.stringify(text)} for --${name}: it must be a ${
        isInteger ? "whole " : ""
      }number, ${least} or more`,
    );
  }

  /**
   * Bytes in a second.
   *
   * @returns The rate, or `undefined`
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
        JSON.stringify(text)
      } for --limit-rate: it must be bytes a second, such as 500k or 1.5M`,
    );
  }

  /** Whether half-done files are kept and completed. */
  get isContinuing(): boolean {
    if (this.has("continue") && this.has("no-continue")) {
      throw new UsageError("Cannot use --continue with --no-continue");
    }
    return !this.has("no-continue");
  }
}

/** What a command line says. */
export interface ParsedArguments {
  /** The options. */
  readonly flags: Flags;
  /** What is no option. */
  readonly operands: readonly string[];
}

/**
 * Reads the arguments of a command.
 *
 * @param args What follows the command's name
 * @param names The options that the command has besides the common ones
 * @returns Options and operands
 * @throws {UsageError} If there is no such option, or a value is missing
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
