/**
 * The error of a failed TLS handshake, and the meaning of the platform's error
 * codes.
 *
 * @module
 */

import { printable } from "../protocol/printable.ts";

/**
 * Options of a {@linkcode TLSError}.
 *
 * @internal
 */
export interface TLSErrorOptions extends ErrorOptions {
  /** Why TLS failed, for programs. */
  reason: TLSErrorReason;
  /** SHA-256 of the server's certificate, if the server showed one. */
  fingerprint?: string | undefined;
}

/**
 * The TLS handshake failed, or the server is not trusted. The connection is
 * closed, and no secret was sent.
 *
 * A failure after the handshake, such as an altered record or an alert, is a
 * `Deno.errors.ConnectionAborted`. Its `cause` is a `TLSError`, usually with
 * the reason "broken". Data that ends without close_notify, and may be cut off,
 * is a `Deno.errors.UnexpectedEof`. Its `cause` has the reason "truncated".
 */
export class TLSError extends Deno.errors.InvalidData {
  /** Name of the class. */
  override name = "TLSError";
  /** Why TLS failed, for programs. */
  readonly reason:
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
  /**
   * SHA-256 of the server's certificate, if the server showed one. Compare it
   * with the fingerprint that the server's operator gives, then pin it. With
   * TLS 1.3, a certificate that the platform refuses cannot be seen.
   */
  readonly fingerprint: string | undefined;

  /**
   * Creates an error.
   *
   * @param message The action, its object, the reason, and what to do
   * @param options Reason, fingerprint and cause
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

/** Why TLS failed, for programs. */
export type TLSErrorReason = TLSError["reason"];

/** A TLS failure, before it becomes an error. */
export interface TLSProblem {
  /** Why TLS failed, for programs. */
  reason: TLSErrorReason;
  /** Why TLS failed and what to do, for people. */
  detail: string;
}

const SELF_SIGNED: TLSProblem = {
  reason: "self-signed",
  detail: "the certificate is self-signed: trust it with `caCerts`",
};

const UNKNOWN_CA: TLSProblem = {
  reason: "unknown-ca",
  detail:
    "the certificate was issued by an authority that is not trusted here: add that authority's certificate to `caCerts`",
};

const EXPIRED: TLSProblem = {
  reason: "expired",
  detail: "the certificate has expired",
};

const VERSION: TLSProblem = {
  reason: "version",
  detail:
    "the server supports none of the offered TLS versions: see `minVersion` and `maxVersion` (versions below TLS 1.2 are not supported)",
};

const CLIENT_CERTIFICATE: TLSProblem = {
  reason: "client-certificate",
  detail:
    "the server does not accept the client's certificate, or requires one: see `cert` and `key`",
};

/**
 * Reasons for which pinning helps: the certificate is valid, and only its
 * issuer is unknown.
 */
const PINNABLE: readonly TLSErrorReason[] = ["self-signed", "unknown-ca"];

/**
 * Describes a failure. Advises pinning only for certificates that are valid
 * apart from their issuer.
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

/** Meaning of the error codes of `node:tls`. */
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

/** Converts an error of the platform's handshake. */
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
        `the server supports none of the offered cipher suites, or requires a client certificate (${message})`,
    };
  }
  return { reason: "broken", detail: message };
}

/** Largest number of bytes that an error quotes. */
const QUOTE_SIZE = 80;

/**
 * Detects an answer to the ClientHello that is not TLS.
 *
 * @param bytes The first bytes that the peer sent
 * @returns The failure, or `undefined` if the bytes may be TLS
 */
export function readClearAnswer(bytes: Uint8Array): TLSProblem | undefined {
  const first = bytes[0];
  // a handshake record or an alert
  if (first === undefined || first === 0x16 || first === 0x15) return undefined;
  const quote = new TextDecoder().decode(bytes.subarray(0, QUOTE_SIZE))
    .split(/[\r\n]/, 1)[0]!.replace(/[^ -~]+/g, "?");
  return {
    reason: "not-tls",
    detail: `the server answered in clear text: ${JSON.stringify(quote)}` +
      (/^\d{3}/.test(quote)
        ? ' (for a server that starts in clear text, use the mode "explicit")'
        : ""),
  };
}
