/**
 * What a user may decide about TLS.
 *
 * @module
 */

import type { TLSVersion } from "../connection/tls_info.ts";

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
   * Accepts whatever certificate the server shows: anyone between can read
   * and change everything. Pin a `fingerprint` instead.
   *
   * @default {false}
   */
  dangerouslyAcceptAnyCertificate?: boolean;
}
