/**
 * Reads `.netrc`, a user's file of logins.
 *
 * @module
 */

import { quote } from "../protocol/printable.ts";
import { withMessage } from "../protocol/with_message.ts";
import { join } from "node:path";
import { nodeModule } from "../connection/node_module.ts";

/** Entry of a host. */
export interface NetrcEntry {
  /** The user. */
  readonly login: string | undefined;
  /** The password. */
  readonly password: string | undefined;
  /** The account. */
  readonly account: string | undefined;
}

/** A word, or a quoted word. */
const TOKEN_REGEXP = /^(?:"((?:[^"\\]|\\.)*)"|\S+)/;

/**
 * Finds a host in the text of a `.netrc`.
 *
 * @param text Entries with `machine`, `default`, `login`, `password` and
 * `account`; macros (`macdef`) and comments are skipped
 * @param user Only this user's entry, if the user is known
 */
export function parseNetrc(
  text: string,
  host: string,
  user?: string,
): NetrcEntry | undefined {
  const isFor = (machine: string | undefined, entry: NetrcEntry) =>
    (machine === undefined || machine.toLowerCase() === host.toLowerCase()) &&
    (user === undefined || entry.login === user);
  return parseEntries(text).find(([machine, entry]) => isFor(machine, entry))
    ?.[1];
}

/**
 * Reads every entry with its machine; `default` has none, and ends the search.
 */
function parseEntries(text: string): [string | undefined, NetrcEntry][] {
  const words = tokenize(text).values();
  const next = () => words.next().value;
  const entries: [string | undefined, Record<string, string>][] = [];
  for (let word; (word = next()) !== undefined;) {
    if (word === "default") entries.push([undefined, {}]);
    else if (word === "machine") entries.push([next() ?? "", {}]);
    else {
      const value = next();
      const entry = entries.at(-1)?.[1];
      if (entry !== undefined && value !== undefined) {
        entry[word === "user" ? "login" : word] ??= value;
      }
    }
  }
  return entries.map(([machine, { login, password, account }]) => [
    machine,
    { login, password, account },
  ]);
}

/** A macro ends with an empty line. */
const MACRO_REGEXP = /^macdef\s[^]*?(?:\n[^\S\n]*\n|$)/;

/**
 * Splits the text into words. Comments and macros begin only at the position of
 * a keyword.
 */
function tokenize(text: string): string[] {
  const words: string[] = [];
  let isValue = false;
  let rest = text.trimStart();
  while (rest !== "") {
    const [token, quoted] = TOKEN_REGEXP.exec(rest)!;
    if (token.startsWith("#") && !isValue) {
      rest = rest.replace(/^.*/, "").trimStart();
      continue;
    }
    if (token === "macdef" && !isValue) {
      rest = rest.replace(MACRO_REGEXP, "").trimStart();
      continue;
    }
    words.push(quoted?.replace(/\\(.)/g, "$1") ?? token);
    isValue = !isValue && token !== "default";
    rest = rest.slice(token.length).trimStart();
  }
  return words;
}

/**
 * Reads a host's entry from a `.netrc`. Requires `allow-read` permission for
 * the file, and for `true` also `allow-sys` for `homedir`.
 *
 * @param netrc A path, or `true` for `.netrc` in the home directory
 * @param user Only this user's entry, if the user is known
 * @returns The entry; `undefined` if there is none, or no file in the home
 * directory
 * @throws {Deno.errors.PermissionDenied} If others may read or write the file
 * in the home directory; a named file is not checked
 */
export async function readNetrc(
  netrc: string | URL | true,
  host: string,
  user?: string,
): Promise<NetrcEntry | undefined> {
  if (netrc !== true) {
    return parseNetrc(await readFile(netrc), host, user);
  }
  const path = join(nodeModule("node:os").homedir(), ".netrc");
  try {
    const { mode } = await Deno.stat(path);
    if (mode !== null && (mode & 0o077) !== 0) {
      throw new Deno.errors.PermissionDenied(
        `Cannot use ${
          quote(path)
        }: others may read or write it, run "chmod 600" on it`,
      );
    }
    return parseNetrc(await Deno.readTextFile(path), host, user);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function readFile(netrc: string | URL): Promise<string> {
  try {
    return await Deno.readTextFile(netrc);
  } catch (error) {
    throw withMessage(
      error,
      (message) => `Cannot read ${quote(String(netrc))}: ${message}`,
    );
  }
}
