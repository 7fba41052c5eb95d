/**
 * Rejects unknown option names, and values of the wrong type.
 *
 * @module
 */

import { showValue } from "./check_word.ts";
import { CLIENT_OPTIONS, LOGIN_OPTIONS, TLS_OPTIONS } from "./option_names.ts";
import { quote } from "./printable.ts";

/** The names of a type's options. The compiler checks that none is missing. */
export type NamesOf<Options> = Readonly<Record<keyof Options, true>>;

/**
 * The names of a type's options, listed elsewhere. The compiler checks that none
 * is missing and none is superfluous.
 */
export type SameNames<Names, Options> =
  Exclude<keyof Names, keyof Options> extends never ? NamesOf<Options> : never;

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
      const valid = Object.keys(names).sort();
      throw new TypeError(
        `Unknown option ${quote(name)} of ${where}: ${
          adviceFor(name, valid)
        }use one of ${valid.join(", ")}`,
      );
    }
    const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
    if (kind !== undefined) checkKind(name, value, kind);
  }
}

/** Names that other programs use, in lower case. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  abortsignal: ["signal"],
  ca: ["caCerts"],
  charset: ["encoding"],
  concurrency: ["connections"],
  depth: ["maxDepth"],
  exclude: ["filter", "skip"],
  include: ["filter", "match"],
  login: ["user"],
  parallel: ["connections"],
  pass: ["password"],
  passwd: ["password"],
  pasv: ["passive"],
  progress: ["onProgress"],
  retries: ["retry"],
  secure: ["tls"],
  ssl: ["tls"],
  username: ["user"],
};

/** Returns the likely option, or where the option belongs; or "". */
function adviceFor(name: string, valid: readonly string[]): string {
  const folded = name.toLowerCase();
  const synonyms = Object.hasOwn(SYNONYMS, folded) ? SYNONYMS[folded]! : [];
  const meant = valid.find((option) => option.toLowerCase() === folded) ??
    valid.find((option) => synonyms.includes(option));
  if (meant !== undefined) return `did you mean "${meant}"? Or `;
  if (Object.hasOwn(CLIENT_OPTIONS, name)) {
    return "it is an option of connect() and FTP; or ";
  }
  if (Object.hasOwn(LOGIN_OPTIONS, name)) {
    return "it is an option of connect(); or ";
  }
  if (Object.hasOwn(TLS_OPTIONS, name)) {
    return `it is an option of tls, as in { tls: { ${name}: ... } }; or `;
  }
  const near = valid.find((option) => isNear(folded, option.toLowerCase()));
  return near === undefined ? "" : `did you mean "${near}"? Or `;
}

/**
 * Whether two names differ by one letter that is missing, superfluous or wrong,
 * or by two letters that changed places.
 */
function isNear(a: string, b: string): boolean {
  if (a.length > b.length) return isNear(b, a);
  if (a.length < 3 || b.length - a.length > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  const [restA, restB] = [a.slice(start), b.slice(start)];
  if (a.length < b.length) return restA === restB.slice(1);
  return restA.slice(1) === restB.slice(1) ||
    (restA.slice(2) === restB.slice(2) &&
      restA[0] === restB[1] && restA[1] === restB[0]);
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
