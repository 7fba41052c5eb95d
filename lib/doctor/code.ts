/**
 * The options to use, and the program that uses them.
 *
 * @module
 */

import type { ConnectURLOptions } from "../client/connect.ts";
import { printable } from "../protocol/printable.ts";
import { type Examination, TIMEOUT } from "./examination.ts";

/** Combines the user's options and the advised ones, without secrets. */
export function finalOptions(examination: Examination): ConnectURLOptions {
  const {
    password: _password,
    account: _account,
    trace: _trace,
    signal: _signal,
    dial: _dial,
    retry,
    timeout,
    proxy,
    ...own
  } = examination.options;
  const { tls } = own;
  return {
    ...own,
    ...(timeout === TIMEOUT ? {} : { timeout }),
    ...(retry && retry.attempts === 2 ? {} : { retry }),
    ...(proxy === undefined ? {} : { proxy: withoutPassword(String(proxy)) }),
    ...(typeof tls === "object" && tls.key !== undefined
      ? { tls: { ...tls, key: "..." } }
      : {}),
    ...examination.advised,
    ...(examination.target.user === undefined ? {} : { user: undefined }),
  };
}

/** Returns the URL without its password, and without a path that is missing. */
export function shownURL(examination: Examination): string {
  const isMissing = examination.problems.some(({ cause }) =>
    cause === "directory-missing"
  );
  const directory = isMissing ? "" : examination.target.directory;
  const path = directory.split("/").map(encodeURIComponent).join("/");
  return withoutPassword(examination.url) + (path === "" ? "" : `/${path}`);
}

/** Writes the line that connects with the options. */
export function codeFor(
  examination: Examination,
  options: ConnectURLOptions,
): string {
  const { tls } = options;
  let url = shownURL(examination);
  let rest = options;
  // the scheme replaces the option
  if (tls === "explicit" && examination.target.tls !== "explicit") {
    url = url.replace(/^(ftps?:)?(?=\/\/)/i, "ftpes:");
    const { tls: _tls, ...others } = options;
    rest = others;
  }
  const shown = Object.entries(rest).filter(([, value]) => value !== undefined)
    .map(([name, value]) => `  ${name}: ${formatValue(value)},\n`);
  const user = examination.target.user ?? examination.options.user;
  if (user !== undefined && user !== "anonymous") {
    shown.push('  password: Deno.env.get("FTP_PASSWORD"),\n');
  }
  const argument = shown.length === 0 ? "" : `, {\n${shown.join("")}}`;
  return printable(
    `await using ftp = await connect(${JSON.stringify(url)}${argument});\n`,
  );
}

function formatValue(value: unknown): string {
  // a certificate is read from a file
  if (typeof value === "string" && value.startsWith("-----BEGIN ")) {
    return 'await Deno.readTextFile("certificate.pem")';
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(formatValue).join(", ")}]`;
  const fields = Object.entries(value).filter(([, field]) =>
    field !== undefined
  ).map(([name, field]) => `${name}: ${formatValue(field)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}

function withoutPassword(url: string): string {
  return url.replace(/^(\w+:\/\/[^/:]*):[^/]*@/, "$1@");
}
