/**
 * Finds the password, which need not be in the command line.
 *
 * @module
 */

import { printableLine } from "../protocol/printable.ts";
import { readNetrc } from "../client/netrc.ts";
import { EXIT, Interrupted, UsageError } from "./exit_code.ts";
import type { Flags } from "./flags.ts";

/** The environment variable for the password. */
export const PASSWORD_VARIABLE = "FTP_PASSWORD";

/** User and password. */
export interface Credentials {
  /** The user, if the URL has none. */
  readonly user?: string | undefined;
  /** The password. */
  readonly password?: string | undefined;
  /** The account. */
  readonly account?: string | undefined;
}

/** Largest size of a password, in bytes. */
const MAX_PASSWORD = 4096;

/**
 * Finds user and password: in the URL, the first line of standard input, the
 * environment, `.netrc`, or with a prompt.
 *
 * @throws {UsageError} If standard input has no password
 */
export async function findCredentials(
  server: string,
  flags: Flags,
  signal: AbortSignal,
): Promise<Credentials> {
  const url = URL.parse(server.replace(/^\w+:/, "ftp:").replaceAll("?", "%3F"));
  if (url === null) throw new UsageError("Cannot read the URL");
  const { username, password, hostname } = url;
  const user = username === ""
    ? flags.text("user")
    : decodeURIComponentLeniently(username);
  if (password !== "") return { user };
  if (flags.has("password-stdin")) {
    return { user, password: await readPasswordLine() };
  }
  if (user !== undefined) {
    const fromEnvironment = readVariable(PASSWORD_VARIABLE);
    if (fromEnvironment !== undefined) {
      return { user, password: fromEnvironment };
    }
  }
  if (flags.has("netrc") || flags.has("netrc-file")) {
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    const file = flags.text("netrc-file") ?? true;
    const entry = await readNetrc(file, host, user);
    if (entry !== undefined) {
      const { login, password, account } = entry;
      const name = user ?? login;
      return {
        user: name,
        password: name === undefined ? undefined : password,
        account,
      };
    }
  }
  const canAsk = user !== undefined && user !== "anonymous" &&
    Deno.stdin.isTerminal() && Deno.stderr.isTerminal();
  if (!canAsk) return { user };
  const label = `Password for ${printableLine(user)}@${hostname}: `;
  return { user, password: await promptPassword(label, signal) };
}

function decodeURIComponentLeniently(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Reads a variable. Without permission for it, it counts as not set, and Deno
 * shows no prompt.
 */
function readVariable(variable: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? Deno.env.get(variable) : undefined;
}

let passwordLine: Promise<string> | undefined;

/** Reads standard input once: all servers get the same password. */
function readPasswordLine(): Promise<string> {
  return passwordLine ??= readFirstLine();
}

async function readFirstLine(): Promise<string> {
  const bytes: number[] = [];
  const buffer = new Uint8Array(1);
  while (bytes.length < MAX_PASSWORD) {
    // one byte at a time, because the rest belongs to the command
    const n = await Deno.stdin.read(buffer);
    if (n === null || buffer[0] === 0x0A) break;
    bytes.push(buffer[0]!);
  }
  const line = new TextDecoder().decode(new Uint8Array(bytes)).replace(
    /\r$/,
    "",
  );
  if (line !== "") return line;
  throw new UsageError(
    "Cannot log in: standard input has no password in its first line",
  );
}

/** Keys of a prompt. */
const KEYS = {
  end: [0x0A, 0x0D],
  interrupt: 0x03,
  endOfInput: 0x04,
  erase: [0x08, 0x7F],
  eraseAll: 0x15,
  escape: 0x1B,
};

/**
 * Prompts on the terminal, without echo.
 *
 * @throws {Interrupted} If the user pressed Ctrl-C, or the signal was aborted
 */
export async function promptPassword(
  label: string,
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted();
  const encoder = new TextEncoder();
  const stopped = Promise.withResolvers<never>();
  const stop = () => stopped.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  Deno.stderr.writeSync(encoder.encode(label));
  Deno.stdin.setRaw(true);
  try {
    const bytes: number[] = [];
    const buffer = new Uint8Array(256);
    while (true) {
      const n = await Promise.race([Deno.stdin.read(buffer), stopped.promise]);
      const typed = n === null ? [KEYS.endOfInput] : buffer.subarray(0, n);
      for (const byte of typed) {
        if (KEYS.end.includes(byte)) return decode(bytes);
        if (byte === KEYS.interrupt) {
          throw new Interrupted(`Interrupted (exit code ${EXIT.interrupted})`);
        }
        if (byte === KEYS.endOfInput) return decode(bytes);
        // an arrow key or the like: its bytes are not part of the password
        if (byte === KEYS.escape) break;
        if (KEYS.erase.includes(byte)) eraseCharacter(bytes);
        else if (byte === KEYS.eraseAll) bytes.length = 0;
        else if (bytes.length < MAX_PASSWORD) bytes.push(byte);
      }
    }
  } finally {
    Deno.stdin.setRaw(false);
    signal.removeEventListener("abort", stop);
    Deno.stderr.writeSync(encoder.encode("\n"));
  }
}

function decode(bytes: readonly number[]): string {
  return new TextDecoder().decode(new Uint8Array(bytes));
}

/** Removes the last character, which may have several bytes in UTF-8. */
function eraseCharacter(bytes: number[]): void {
  while (bytes.length > 0) {
    const byte = bytes.pop()!;
    if ((byte & 0xC0) !== 0x80) return;
  }
}
