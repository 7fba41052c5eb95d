/**
 * Options for TLS.
 *
 * @module
 */

import { checkNames, type SameNames } from "../protocol/check_names.ts";
import { TLS_OPTIONS } from "../protocol/option_names.ts";
import { checkWord, showValue } from "../protocol/check_word.ts";

/** Options for FTP over TLS (RFC 4217). */
export interface TLSOptions {
  /**
   * How TLS starts: "explicit" connects in clear text and sends `AUTH TLS`
   * before any secret. "implicit" uses TLS from the first byte (port 990).
   *
   * @default "explicit"
   */
  mode?: "explicit" | "implicit";
  /**
   * Whether TLS also protects files and listings. With "clear" it protects only
   * the control connection, including user and password, for servers that
   * refuse `PBSZ` and `PROT`. Anyone on the network can then read and change
   * the data.
   *
   * @default "protected"
   */
  data?: "protected" | "clear";
  /**
   * Whether to try `AUTH SSL` if the server refuses `AUTH TLS`. The protocol is
   * TLS in either case.
   *
   * @default false
   */
  allowAuthSSL?: boolean;
  /**
   * Certificates of private authorities, PEM. If set, only these authorities
   * are trusted. Sessions are still resumed, as servers require for data
   * connections.
   */
  caCerts?: readonly string[];
  /**
   * SHA-256 of the server's certificate in hexadecimal, with or without colons.
   * One of several has to match. Without `caCerts` it replaces the check of
   * authority, name and dates, and so trusts a self-signed server. Sessions are
   * still resumed.
   */
  fingerprint?: string | readonly string[];
  /**
   * The client's certificate and its chain up to the authority, PEM. The
   * platform does not resume sessions with a client certificate, so servers
   * that require a resumed session refuse the data connections.
   */
  cert?: string;
  /** The client's private key, PEM. */
  key?: string;
  /**
   * The name that the certificate must have, also sent to the server (SNI).
   *
   * @default the host of the connection
   */
  serverName?: string;
  /**
   * The lowest TLS version to use.
   *
   * @default "TLSv1.2"
   */
  minVersion?: "TLSv1.2" | "TLSv1.3";
  /**
   * The highest TLS version to use. A session of TLS 1.2 can be resumed any
   * number of times. A ticket of TLS 1.3 works for one data connection only. If
   * the server sends too few tickets (ProFTPD does, for uploads), the client
   * sends `LIST` before a transfer that has no ticket left. The server refuses
   * it, and sends two tickets with the refusal.
   *
   * @default "TLSv1.2"
   */
  maxVersion?: "TLSv1.2" | "TLSv1.3";
  /**
   * Whether to run the TLS client in a worker thread from the first connection
   * on. The platform caches sessions by host, for all of a thread. If the
   * program also uses `node:https` or `node:tls` with the same host, a server
   * that requires a resumed session may refuse a data connection. The client
   * notices the refusal and isolates later connections to that host.
   *
   * @default false
   */
  isolate?: boolean;
  /**
   * Whether the server never ends the data of a transfer with TLS's
   * close_notify. Without close_notify, data that was cut off looks complete. A
   * download then succeeds only if its size agrees with `SIZE` or the 150
   * reply, and a listing, which has no size, fails. With this option, data that
   * cannot be checked is accepted; a size that differs is still an error.
   * `downloadDir()` with `delete` ignores the option.
   *
   * @default false
   */
  allowMissingCloseNotify?: boolean;
  /**
   * Accepts any certificate. Anyone on the network can then read and change
   * everything. Pin a `fingerprint` instead.
   *
   * @default false
   */
  dangerouslyAcceptAnyCertificate?: boolean;
}

/** Values of `mode`. */
export const TLS_MODES = ["explicit", "implicit"];

const TLS_VERSIONS = ["TLSv1.2", "TLSv1.3"];

const NAMES: SameNames<typeof TLS_OPTIONS, TLSOptions> = TLS_OPTIONS;

/**
 * Rejects unknown and invalid options before anything is sent.
 *
 * @param options Options of the caller
 * @throws {TypeError} If an option is unknown or has an invalid value
 */
export function checkTLSOptions(options: TLSOptions): void {
  checkNames("tls", options, NAMES);
  const { mode, data, minVersion, maxVersion, caCerts, fingerprint } = options;
  checkWord("tls.mode", mode, TLS_MODES);
  checkWord("tls.data", data, ["protected", "clear"]);
  checkWord("tls.minVersion", minVersion, TLS_VERSIONS);
  checkWord("tls.maxVersion", maxVersion, TLS_VERSIONS);
  const areTexts = caCerts === undefined || Array.isArray(caCerts) &&
      caCerts.every((text) => typeof text === "string");
  if (!areTexts) {
    throw new TypeError(
      'Cannot use "caCerts": it must be an array of PEM texts, such as [await Deno.readTextFile("ca.pem")]',
    );
  }
  if (fingerprint !== undefined) [fingerprint].flat().forEach(parseFingerprint);
}

/**
 * Converts a fingerprint to the form of `fingerprintOf`.
 *
 * @param text Hexadecimal, with or without colons or spaces
 * @returns Upper-case hexadecimal, with colons
 * @throws {TypeError} If it is not a SHA-256
 */
export function parseFingerprint(text: string): string {
  const digits = String(text).replace(/^sha-?256[:=]/i, "").replace(
    /[:\s]/g,
    "",
  );
  if (!/^[0-9a-f]{64}$/i.test(digits)) {
    throw new TypeError(
      `Cannot use "fingerprint": a SHA-256 has 64 hexadecimal digits, and this is not one: ${
        showValue(text)
      }`,
    );
  }
  return digits.toUpperCase().match(/../g)!.join(":");
}
