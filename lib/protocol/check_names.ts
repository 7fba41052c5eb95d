/**
 * Rejects unknown option names, and values of the wrong type.
 *
 * @module
 */

import { showValue } from "./check_word.ts";
import { quote } from "./printable.ts";

/** The names of a type's options. The compiler checks that none is missing. */
export type NamesOf<Options> = Readonly<Record<keyof Options, true>>;

/** The type of an option's value. */
interface Kind {
  /** Whether a value has the type. */
  is(value: unknown): boolean;
  /** Describes the type in messages. */
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
const PASSIVE: Kind = {
  is: (value) =>
    [true, false, "auto", "epsv", "pasv"].includes(value as string),
  words: 'true, false, "auto", "epsv" or "pasv"',
};
const SIGNAL: Kind = {
  is: (value) => value instanceof AbortSignal,
  words: "an AbortSignal",
};
const TEXT: Kind = {
  is: (value) => typeof value === "string",
  words: "a string",
};
const URL_TEXT: Kind = {
  is: (value) => typeof value === "string" || value instanceof URL,
  words: "a URL",
};
const STORE: Kind = {
  is: (value) =>
    isObject(value) && typeof value.load === "function" &&
    typeof value.save === "function",
  words: "an object with the functions load and save",
};
const PATTERNS: Kind = {
  is: (value) =>
    Array.isArray(value) ? value.every(isPattern) : isPattern(value),
  words: "a glob, a regular expression, or an array of these",
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isPattern(value: unknown): boolean {
  return typeof value === "string" || value instanceof RegExp;
}

/** Types by option name. A name means the same in every function. */
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
  allowEPRT: BOOLEAN,
  append: BOOLEAN,
  atomic: BOOLEAN,
  compress: BOOLEAN,
  dangerouslyAcceptAnyCertificate: BOOLEAN,
  delete: BOOLEAN,
  dryRun: BOOLEAN,
  followSymlinks: BOOLEAN,
  includeDirs: BOOLEAN,
  includeFiles: BOOLEAN,
  includeSymlinks: BOOLEAN,
  isolate: BOOLEAN,
  mtime: BOOLEAN,
  passive: PASSIVE,
  pipelining: BOOLEAN,
  recursive: BOOLEAN,
  removeSource: BOOLEAN,
  resume: BOOLEAN,
  reuse: BOOLEAN,
  sync: BOOLEAN,
  trustPasvHost: BOOLEAN,
  account: TEXT,
  activeAddress: TEXT,
  cert: TEXT,
  key: TEXT,
  localAddress: TEXT,
  virtualHost: TEXT,
  password: TEXT,
  profile: STORE,
  proxy: URL_TEXT,
  serverName: TEXT,
  user: TEXT,
  match: PATTERNS,
  skip: PATTERNS,
};

/**
 * Rejects unknown option names and values of the wrong type. Without type
 * checking, a misspelt option would be ignored: `tls` misspelt would send the
 * password in clear text, `dryRun` misspelt would delete files.
 *
 * @throws {TypeError} If `options` is not an object, a name with a value is
 * unknown, or a value has the wrong type
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
      } as the options of ${where}: pass an object`,
    );
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(names, name)) {
      throw new TypeError(
        `Unknown option ${quote(name)} of ${where}: use one of ${
          Object.keys(names).sort().join(", ")
        }`,
      );
    }
    const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
    if (kind !== undefined) checkKind(name, value, kind);
  }
}

/**
 * Rejects values that are not functions.
 *
 * @throws {TypeError} If it is not a function
 */
export function checkFunction(name: string, value: unknown): void {
  checkKind(name, value, FUNCTION);
}

/**
 * Rejects values that are neither `undefined` nor an `AbortSignal`.
 *
 * @throws {TypeError} If it is neither
 */
export function checkSignal(value: unknown): void {
  if (value !== undefined) checkKind("signal", value, SIGNAL);
}

function checkKind(name: string, value: unknown, { is, words }: Kind): void {
  if (is(value)) return;
  // a string is not shown: it may be a misplaced password
  const shown = typeof value === "string" ? "a string" : showValue(value);
  throw new TypeError(`Cannot use ${shown} as "${name}": it must be ${words}`);
}
