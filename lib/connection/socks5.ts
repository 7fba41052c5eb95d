/**
 * SOCKS version 5 (RFC 1928), with user and password (RFC 1929). Names are
 * looked up by the proxy.
 *
 * @module
 */

import type { ProxyDialog } from "./proxy_dialog.ts";
import { addressBytes } from "../protocol/address.ts";

const VERSION = 5;
/** Version of the user and password exchange. */
const AUTH_VERSION = 1;

const METHOD_NONE = 0;
const METHOD_PASSWORD = 2;

const COMMAND_CONNECT = 1;

/** Types of an address. */
const TYPE_IPV4 = 1;
const TYPE_NAME = 3;
const TYPE_IPV6 = 4;

/** Longest name, in bytes. */
const MAX_NAME = 255;

/** The first byte of "HTTP/1.1". */
const LETTER_H = 0x48;

const ENCODER = new TextEncoder();

/** Replies of a proxy that could not connect (RFC 1928 section 6). */
const FAILURES: Readonly<
  Record<number, readonly [name: keyof typeof Deno.errors, why: string]>
> = {
  1: [
    "ConnectionAborted",
    "the proxy could not connect (general failure); it may not know the name, or the server may not answer",
  ],
  3: ["NetworkUnreachable", "the proxy found no route to the server's network"],
  4: [
    "NetworkUnreachable",
    "the proxy could not reach the host; check the server's name, which the proxy resolves",
  ],
  5: [
    "ConnectionRefused",
    "the server refused the proxy's connection; check the port",
  ],
  6: ["TimedOut", "the proxy got no answer from the server (TTL expired)"],
  7: ["NotSupported", "the proxy does not support CONNECT"],
  8: [
    "NotSupported",
    "the proxy does not support this kind of address; use a name, or an address of the other family",
  ],
};

/**
 * Asks a SOCKS5 proxy to connect to the server.
 *
 * @throws {Deno.errors.PermissionDenied} If the proxy refuses the user or the
 * server
 * @throws {Error} `Deno.errors.*` if the connection fails
 */
export async function connectBySocks5(dialog: ProxyDialog): Promise<void> {
  const { credentials } = dialog.proxy;
  const request = makeRequest(dialog);
  const methods = credentials === undefined
    ? [METHOD_NONE]
    : [METHOD_NONE, METHOD_PASSWORD];
  await dialog.send(Uint8Array.of(VERSION, methods.length, ...methods));
  const [version, method] = await dialog.read(2);
  checkVersion(dialog, version!);
  if (method === METHOD_PASSWORD && credentials !== undefined) {
    await authenticate(dialog);
  } else if (method !== METHOD_NONE) {
    throw dialog.error(
      Deno.errors.PermissionDenied,
      credentials === undefined
        ? 'the proxy requires a user and a password; add them to "proxy": socks5://user:password@host'
        : 'the proxy requires another kind of authentication; open the connections yourself with "dial"',
    );
  }
  await dialog.send(request);
  const [replyVersion, code, , type] = await dialog.read(4);
  checkVersion(dialog, replyVersion!);
  if (code !== 0) throw failure(dialog, code!);
  // the proxy's own address, which is not needed
  const length = type === TYPE_IPV4
    ? 4
    : type === TYPE_IPV6
    ? 16
    : type === TYPE_NAME
    ? (await dialog.read(1))[0]!
    : undefined;
  if (length === undefined) throw unreadable(dialog, "its reply is invalid");
  await dialog.read(length + 2);
}

async function authenticate(dialog: ProxyDialog): Promise<void> {
  const { user, password } = dialog.proxy.credentials!;
  const fields = [user, password].map((text) => ENCODER.encode(text));
  const parts = fields.flatMap((bytes) => [bytes.length, ...bytes]);
  await dialog.send(Uint8Array.of(AUTH_VERSION, ...parts));
  const [, status] = await dialog.read(2);
  if (status === 0) return;
  throw dialog.error(
    Deno.errors.PermissionDenied,
    'the proxy refused the user or the password; check those in "proxy"',
  );
}

function makeRequest(dialog: ProxyDialog): Uint8Array {
  const { hostname, port } = dialog.target;
  const address = addressBytes(hostname);
  const name = ENCODER.encode(hostname);
  if (address === undefined && name.length > MAX_NAME) {
    throw dialog.error(
      TypeError,
      `the name has ${name.length} bytes, and SOCKS5 allows ${MAX_NAME}`,
    );
  }
  const host = address === undefined
    ? [TYPE_NAME, name.length, ...name]
    : [address.length === 4 ? TYPE_IPV4 : TYPE_IPV6, ...address];
  return Uint8Array.of(
    VERSION,
    COMMAND_CONNECT,
    0,
    ...host,
    port >> 8,
    port & 255,
  );
}

function checkVersion(dialog: ProxyDialog, version: number): void {
  if (version === VERSION) return;
  throw unreadable(
    dialog,
    version === LETTER_H
      ? "it may be an HTTP proxy, http://"
      : `it uses version ${version}`,
  );
}

function unreadable(dialog: ProxyDialog, why: string): Error {
  return dialog.error(
    Deno.errors.InvalidData,
    `this is not a SOCKS5 proxy: ${why}; check the scheme and the port in "proxy"`,
  );
}

function failure(dialog: ProxyDialog, code: number): Error {
  if (code === 2) {
    return dialog.error(
      Deno.errors.PermissionDenied,
      `the rules of the proxy do not allow the connection; ${dialog.advice}`,
    );
  }
  const [name, why] = FAILURES[code] ??
    ["ConnectionAborted", `the proxy could not connect (code ${code})`];
  return dialog.error(Deno.errors[name], why);
}
