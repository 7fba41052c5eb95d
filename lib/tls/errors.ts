/**
 * What can go wrong between "TLS, please" and a connection to trust.
 *
 * @module
 */

import { printable } from "../protocol/printable.ts";

/** Why TLS did not come about, for programs. */
export type TLSErrorReason =
  | "expired"
  | "not-yet-valid"
  | "wrong-name"
  | "self-signed"
  | "unknown-ca"
  | "bad-certificate"
  | "fingerprint"
  | "client-certificate"
  | "version"
  | "cipher"
  | "not-tls"
  | "truncated"
  | "broken";

/** What a {@linkcode TLSError} carries besides its message. */
export interface TLSErrorOptions extends ErrorOptions {
  /** Why, for programs. */
  reason: TLSErrorReason;
  /** SHA-256 of the certificate the server showed, if it showed one. */
  fingerprint?: string | undefined;
}

/**
 * TLS could not be set up, or the server could not be trusted. The connection
 * is closed; nothing secret was sent.
 *
 * TLS that breaks after the handshake (a record that was changed on the way, an
 * alert) is a connection that failed: `Deno.errors.ConnectionAborted`, with an
 * error of this class, and mostly of the reason "broken", as its `cause`. Data
 * that ends without close_notify, and may be cut off, is a
 * `Deno.errors.UnexpectedEof` whose `cause` has the reason "truncated".
 */
export class TLSError extends Deno.errors.InvalidData {
  /** The class's own name. */
  override name = "TLSError";
  /** Why, for programs. */
  readonly reason: TLSErrorReason;
  /**
   * SHA-256 of the certificate the server showed, if it showed one: what to
   * compare with what the server's operator says, and then to pin. With TLS 1.3
   * a certificate that the platform refuses cannot be seen.
   */
  readonly fingerprint: string | undefined;

  /**
   * Makes an error.
   *
   * @param message What was tried, on what, what went wrong, what to do
   * @param options The reason, the fingerprint and the cause
   */
  constructor(message: string, options: TLSErrorOptions) {
    super(
      printable(message),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.reason = options.reason;
    this.fingerprint = options.fingerprint;
  }
}

/** What went wrong and what to do about it, before it is put in a message. */
export interface TLSProblem {
  /** Why, for programs. */
  reason: TLSErrorReason;
  /** Why, for people. */
  detail: string;
}

const SELF_SIGNED: TLSProblem = {
  reason: "self-signed",
  detail: "the certificate is self-signed: trust it with `caCerts`",
};

const UNKNOWN_CA: TLSProblem = {
  reason: "unknown-ca",
  detail:
    "the certificate was issued by an authority that is not trusted here: give that authority's certificate with `caCerts`",
};

const EXPIRED: TLSProblem = {
  reason: "expired",
  detail: "the certificate has expired",
};

const VERSION: TLSProblem = {
  reason: "version",
  detail:
    "the server supports none of the offered TLS versions: see `minVersion` and `maxVersion` (below TLS 1.2 nothing is spoken)",
};

const CLIENT_CERTIFICATE: TLSProblem = {
  reason: "client-certificate",
  detail:
    "the server does not accept the client's certificate, or wants one: see `cert` and `key`",
};

/** Where a certificate is sound, and only nobody vouches for it. */
const PINNABLE: readonly TLSErrorReason[] = ["self-signed", "unknown-ca"];

/**
 * Says what went wrong, and how to pin a certificate where that is the answer:
 * never one that has expired or is for another name.
 *
 * @param fault What went wrong
 * @param fingerprint SHA-256 of the certificate, if it is known
 * @returns The words for the message of an error
 */
export function explainFault(
  { reason, detail }: TLSProblem,
  fingerprint: string | undefined,
): string {
  if (!PINNABLE.includes(reason)) return detail;
  const advice = fingerprint === undefined
    ? 'or pin its SHA-256 with tls: { fingerprint: "..." }'
    : `or, if the server's operator names this SHA-256, pin it with tls: { fingerprint: "${fingerprint}" }`;
  return `${detail}, ${advice}`;
}

/** What the codes of `node:tls` mean here. */
const FAULTS: Record<string, TLSProblem> = {
  CERT_HAS_EXPIRED: EXPIRED,
  CERT_NOT_YET_VALID: {
    reason: "not-yet-valid",
    detail: "the certificate is not valid yet: check this machine's clock",
  },
  CERT_REVOKED: {
    reason: "bad-certificate",
    detail: "the certificate has been revoked",
  },
  INVALID_PURPOSE: {
    reason: "bad-certificate",
    detail: "the certificate is not meant for servers",
  },
  DEPTH_ZERO_SELF_SIGNED_CERT: SELF_SIGNED,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_CA,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: VERSION,
  ERR_SSL_UNSUPPORTED_PROTOCOL: VERSION,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: CLIENT_CERTIFICATE,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: CLIENT_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: CLIENT_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: CLIENT_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: CLIENT_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: CLIENT_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: CLIENT_CERTIFICATE,
};

/**
 * Reads an error of the handshake.
 *
 * @param message The platform's words
 * @param code The platform's code
 * @returns What it means here
 */
export function readHandshakeError(message: string, code: string): TLSProblem {
  const known = FAULTS[code];
  if (known !== undefined) return known;
  const incompatible = message.search(/peer is incompatible/i);
  if (
    /ProtocolVersion/i.test(message) ||
    (incompatible >= 0 && /version/i.test(message.slice(incompatible)))
  ) {
    return VERSION;
  }
  if (
    code === "ERR_SSL_TLSV1_ALERT_INSUFFICIENT_SECURITY" ||
    /HandshakeFailure|peer is incompatible|CipherSuite/i.test(message)
  ) {
    return {
      reason: "cipher",
      detail:
        `the server supports none of the offered cipher suites, or wants a client certificate (${message})`,
    };
  }
  return { reason: "broken", detail: message };
}

/** Most bytes of a clear text that an error quotes. */
const QUOTE_SIZE = 80;

/**
 * Tells what answered a ClientHello if it was not TLS.
 *
 * @param bytes The first bytes the peer sent
 * @returns The fault, or `undefined` if it may be TLS
 */
export function readClearAnswer(bytes: Uint8Array): TLSProblem | undefined {
  const first = bytes[0];
  // handshake, or an alert
  if (first === undefined || first === 0x16 || first === 0x15) return undefined;
  const quote = new TextDecoder().decode(bytes.subarray(0, QUOTE_SIZE))
    .split(/[\r\n]/, 1)[0]!.replace(/[^ -~]+/g, "?");
  return {
    reason: "not-tls",
    detail: `the server answered in clear text: ${JSON.stringify(quote)}` +
      (/^\d{3}/.test(quote)
        ? ' (a server that starts in clear text wants the mode "explicit")'
        : ""),
  };
}
