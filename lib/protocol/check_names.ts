/**
 * Options that there are.
 *
 * @module
 */

import { showValue } from "./check_word.ts";
import { printable } from "./printable.ts";

/** The names of a type's options: the compiler sees that none is missing. */
export type NamesOf<Options> = Readonly<Record<keyof Options, true>>;

/** What an option must be, if it is set. */
interface Kind {
  /** Whether a value is one. */
  is(value: unknown): boolean;
  /** What it is, for people. */
  readonly words: string;
}

const FUNCTION: Kind = {
  is: (value) => typeof value === "function",
  words: "a function",
};
const BOOLEAN: Kind = {
  is: (value) => typeof value === "boolean",
  words: "true or false",
};
const SIGNAL: Kind = {
  is: (value) => value instanceof AbortSignal,
  words: "an AbortSignal",
};
const TEXT: Kind = {
  is: (value) => typeof value === "string",
  words: "a string",
};
const PATTERNS: Kind = {
  is: (value) =>
    Array.isArray(value) ? value.every(isPattern) : isPattern(value),
  words: "a glob, a regular expression, or an array of these",
};

function isPattern(value: unknown): boolean {
  return typeof value === "string" || value instanceof RegExp;
}

/** Options by name: one means the same wherever it is taken. */
const KINDS: Readonly<Record<string, Kind>> = {
  signal: SIGNAL,
  callback: FUNCTION,
  dial: FUNCTION,
  filter: FUNCTION,
  onEntry: FUNCTION,
  onError: FUNCTION,
  onProgress: FUNCTION,
  onRetry: FUNCTION,
  onUnknown: FUNCTION,
  temporaryName: FUNCTION,
  trace: FUNCTION,
  all: BOOLEAN,
  allVersions: BOOLEAN,
  allowAuthSSL: BOOLEAN,
  append: BOOLEAN,
  atomic: BOOLEAN,
  dangerouslyAcceptAnyCertificate: BOOLEAN,
  delete: BOOLEAN,
  dryRun: BOOLEAN,
  followSymlinks: BOOLEAN,
  includeDirs: BOOLEAN,
  includeFiles: BOOLEAN,
  includeSymlinks: BOOLEAN,
  isolate: BOOLEAN,
  mtime: BOOLEAN,
  passive: BOOLEAN,
  pipelining: BOOLEAN,
  recursive: BOOLEAN,
  resume: BOOLEAN,
  reuse: BOOLEAN,
  sync: BOOLEAN,
  trustPasvHost: BOOLEAN,
  account: TEXT,
  cert: TEXT,
  key: TEXT,
  localAddress: TEXT,
  password: TEXT,
  serverName: TEXT,
  user: TEXT,
  match: PATTERNS,
  skip: PATTERNS,
};

/**
 * Insists on names that options have, and on values of the kind that they take.
 * Without types a misspelt one would be passed over: the password in clear text
 * where `tls` was meant, or a mirror that deletes where it was to be tried only.
 *
 * @param where Whose options, for the message
 * @param options What was given
 * @param names The names that there are
 * @throws {TypeError} If it is no object, there is another name that is set to
 * something, or a value is of another kind
 */
export function checkNames(
  where: string,
  options: object,
  names: Readonly<Record<string, true>>,
): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `Cannot use ${
        showValue(options)
      } as the options of ${where}: give an object`,
    );
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(names, name)) {
      throw new TypeError(
        `Cannot use "${printable(name)}" as an option of ${where}: there are ${
          Object.keys(names).sort().join(", ")
        }`,
      );
    }
    const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
    if (kind !== undefined) checkKind(name, value, kind);
  }
}

/**
 * Insists on a function.
 *
 * @param name What the caller calls it
 * @param value What was given
 * @throws {TypeError} If it is something else
 */
export function checkFunction(name: string, value: unknown): void {
  checkKind(name, value, FUNCTION);
}

/**
 * Insists on a signal, or none.
 *
 * @param value What was given
 * @throws {TypeError} If it is something else
 */
export function checkSignal(value: unknown): void {
  if (value !== undefined) checkKind("signal", value, SIGNAL);
}

function checkKind(name: string, value: unknown, { is, words }: Kind): void {
  if (is(value)) return;
  // no text is shown: it may be a password in the wrong place
  const shown = typeof value === "string" ? "a string" : showValue(value);
  throw new TypeError(`Cannot use ${shown} as "${name}": it must be ${words}`);
}
