/**
 * The method CONNECT of HTTP proxies (RFC 9110 section 9.3.6), with Basic
 * authorization (RFC 7617). Names are looked up by the proxy.
 *
 * @module
 */

import { joinBytes } from "../protocol/bytes.ts";
import { showAddress } from "./dial.ts";
import { basicToken } from "./proxy_address.ts";
import type { ProxyDialog } from "./proxy_dialog.ts";
import { printableLine } from "../protocol/printable.ts";

/** Longest answer of a proxy up to its blank line, in bytes. */
const MAX_HEAD = 16 * 1024;

/** Longest part of a status line that an error quotes, in characters. */
const MAX_REASON = 80;

/** Largest number of authorization schemes in a message. */
const MAX_SCHEMES = 5;

const LF = 0x0A;
const CR = 0x0D;

const STATUS_REGEXP = /^HTTP\/1\.\d ([1-5]\d\d)(?: +(.*))?$/;

/**
 * Asks an HTTP proxy to connect to the server. Returns the bytes after the
 * proxy's answer.
 *
 * @throws {Deno.errors.PermissionDenied} If the proxy refuses the user or the
 * server
 * @throws {Error} `Deno.errors.*` if the connection fails
 */
export async function connectByHTTP(dialog: ProxyDialog): Promise<Uint8Array> {
  const { credentials } = dialog.proxy;
  const address = showAddress(dialog.target.hostname, dialog.target.port);
  const lines = [`CONNECT ${address} HTTP/1.1`, `Host: ${address}`];
  if (credentials !== undefined) {
    lines.push(`Proxy-Authorization: Basic ${basicToken(credentials)}`);
  }
  await dialog.send(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
  const { head, rest } = await readHead(dialog);
  const [, digits, reason = ""] = STATUS_REGEXP.exec(head.split(/\r?\n/)[0]!) ??
    [];
  if (digits === undefined) {
    throw dialog.error(
      Deno.errors.InvalidData,
      `this is not an HTTP proxy; check the scheme and the port in "proxy"`,
    );
  }
  if (digits.startsWith("2")) return rest;
  const told = dialog.proxy.mask(reason).slice(0, MAX_REASON);
  const shown = printableLine(`${digits} ${told}`);
  checkSchemes(dialog, head, shown);
  throw failure(dialog, Number(digits), shown);
}

/** Reads up to the blank line. Skips interim answers (1xx). */
async function readHead(
  dialog: ProxyDialog,
): Promise<{ head: string; rest: Uint8Array }> {
  let bytes = new Uint8Array(0);
  let seen = 0; // everything before was searched
  for (let total = 0; total < MAX_HEAD;) {
    const more = await dialog.readSome();
    total += more.length;
    bytes = joinBytes([bytes, more]);
    for (let end; (end = endOfHead(bytes, seen)) !== undefined; seen = 0) {
      const head = new TextDecoder("latin1").decode(bytes.subarray(0, end));
      bytes = bytes.slice(end);
      if (!/^HTTP\/1\.\d 1\d\d\b/.test(head)) return { head, rest: bytes };
    }
    seen = Math.max(0, bytes.length - 3);
  }
  throw dialog.error(
    Deno.errors.InvalidData,
    `the proxy's response does not end within ${MAX_HEAD} bytes; it may not be an HTTP proxy: check the scheme and the port in "proxy"`,
  );
}

/** Returns the position after the first blank line. */
function endOfHead(bytes: Uint8Array, from: number): number | undefined {
  for (let i = bytes.indexOf(LF, from); i >= 0; i = bytes.indexOf(LF, i + 1)) {
    const next = bytes[i + 1] === CR ? i + 2 : i + 1;
    if (bytes[next] === LF) return next + 1;
  }
  return undefined;
}

/** Rejects a proxy that asks for an authorization other than Basic. */
function checkSchemes(dialog: ProxyDialog, head: string, told: string): void {
  const matches = dialog.proxy.mask(head).matchAll(
    /^proxy-authenticate:[ \t]*([\w-]{1,20})/gim,
  );
  const schemes = [...matches].map(([, scheme]) => scheme!);
  const isBasic = schemes.some((scheme) => /^basic$/i.test(scheme));
  if (schemes.length === 0 || isBasic) return;
  throw dialog.error(
    Deno.errors.NotSupported,
    `the proxy requires the authorization ${
      schemes.slice(0, MAX_SCHEMES).join(" or ")
    } (${told}), and only Basic is supported; open the connections yourself with "dial"`,
  );
}

function failure(dialog: ProxyDialog, code: number, told: string): Error {
  const { credentials } = dialog.proxy;
  // tinyproxy answers a wrong password with 401, like a web server
  if (code === 407 || code === 401) {
    return dialog.error(
      Deno.errors.PermissionDenied,
      credentials === undefined
        ? `the proxy requires a user and a password (${told}); add them to "proxy": http://user:password@host`
        : `the proxy refused the user or the password (${told}); check those in "proxy"`,
    );
  }
  if (code >= 500) {
    const Class = code === 504
      ? Deno.errors.TimedOut
      : Deno.errors.ConnectionAborted;
    return dialog.error(
      Class,
      `the proxy could not reach the server (${told}); check the server's name, which the proxy resolves, and the port`,
    );
  }
  return dialog.error(
    Deno.errors.PermissionDenied,
    `the proxy does not allow the connection (${told}); ${dialog.advice}`,
  );
}
