/**
 * What a user may decide about TLS.
 *
 * @module
 */

import type { TLSVersion } from "../connection/tls_info.ts";
import { checkNames, type NamesOf } from "../protocol/check_names.ts";
import { checkWord, showValue } from "../protocol/check_word.ts";

/** Options for FTP over TLS (RFC 4217). */
export interface TLSOptions {
  /**
   * "explicit" starts in clear text and says `AUTH TLS` before anything
   * secret; "implicit" speaks TLS from the first byte (port 990).
   *
   * @default {"explicit"}
   */
  mode?: "explicit" | "implicit";
  /**
   * Whether `AUTH SSL` is tried where the server refuses `AUTH TLS`. What is
   * spoken then is TLS all the same.
   *
   * @default {false}
   */
  allowAuthSSL?: boolean;
  /**
   * Certificates of private authorities, PEM. Where they are given, they alone
   * are trusted. Sessions are resumed as ever, so that servers which ask for
   * it on the data connections are content.
   */
  caCerts?: readonly string[];
  /**
   * SHA-256 of the server's certificate in hexadecimal, with or without
   * colons; one, or several of which one must match. Without `caCerts` it
   * replaces the check of authority, name and dates: the way to trust a
   * self-signed server. Sessions are resumed as ever.
   */
  fingerprint?: string | readonly string[];
  /**
   * The client's certificate and what leads to its authority, PEM. The
   * platform does not resume sessions then: servers that ask for it on the
   * data connections refuse them.
   */
  cert?: string;
  /** The client's private key, PEM. */
  key?: string;
  /**
   * The name the certificate must have and the server is told (SNI).
   *
   * @default {the host that was dialled}
   */
  serverName?: string;
  /**
   * The lowest version that is spoken.
   *
   * @default {"TLSv1.2"}
   */
  minVersion?: TLSVersion;
  /**
   * The highest version that is spoken. A session of TLS 1.2 can be resumed
   * any number of times; a ticket of TLS 1.3 is good for one data connection
   * here. Where the server sends too few (ProFTPD does, with uploads), `LIST`
   * is sent before a transfer that has none left: the server refuses it, and
   * gives two tickets with the refusal.
   *
   * @default {"TLSv1.2"}
   */
  maxVersion?: TLSVersion;
  /**
   * Whether the TLS client has a thread of its own from the first connection
   * on. The platform keeps the sessions to resume by host, for all of the
   * thread: where the program talks to the same host over `node:https` or
   * `node:tls` too, a server that asks for the session on the data connections
   * may refuse one. That is noticed, and `isolate` is on for the host then.
   *
   * @default {false}
   */
  isolate?: boolean;
  /**
   * Whether this server never ends the data of a transfer with TLS's
   * close_notify. Without close_notify, data that was cut off on the way looks
   * whole, so that a download counts only if its size agrees with `SIZE` or the
   * 150 reply, and a listing, which has no size, is an error. With this option,
   * what cannot be checked is believed; a size that disagrees is an error all
   * the same. `downloadDir()` with `delete` ignores the option.
   *
   * @default {false}
   */
  allowMissingCloseNotify?: boolean;
  /**
   * Accepts whatever certificate the server shows: anyone between can read
   * and change everything. Pin a `fingerprint` instead.
   *
   * @default {false}
   */
  dangerouslyAcceptAnyCertificate?: boolean;
}

/** How TLS may begin. */
export const TLS_MODES = ["explicit", "implicit"];

const TLS_VERSIONS = ["TLSv1.2", "TLSv1.3"];

const TLS_OPTIONS: NamesOf<TLSOptions> = {
  mode: true,
  allowAuthSSL: true,
  caCerts: true,
  fingerprint: true,
  cert: true,
  key: true,
  serverName: true,
  minVersion: true,
  maxVersion: true,
  isolate: true,
  allowMissingCloseNotify: true,
  dangerouslyAcceptAnyCertificate: true,
};

/**
 * Insists on options that can be used, before anything is sent.
 *
 * @param options The caller's
 * @throws {TypeError} If there is no such option or word, or a
 * fingerprint is none
 */
export function checkTLSOptions(options: TLSOptions): void {
  checkNames("tls", options, TLS_OPTIONS);
  const { mode, minVersion, maxVersion, caCerts, fingerprint } = options;
  checkWord("tls.mode", mode, TLS_MODES);
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
 * Brings a user's fingerprint to the form of `fingerprintOf`.
 *
 * @param text Hexadecimal, with or without colons or spaces
 * @returns Upper-case hexadecimal, with colons
 * @throws {TypeError} If it is no SHA-256
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
