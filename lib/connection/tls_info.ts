/**
 * What can be asked of a connection over TLS.
 *
 * @module
 */

/** A version of TLS. */
export type TLSVersion = "TLSv1.2" | "TLSv1.3";

/** A certificate of the server. */
export interface TLSCertificate {
  /** Whom it names, as "CN=example.com, O=Example". */
  readonly subject: string;
  /** Who issued it. */
  readonly issuer: string;
  /** When it starts to be valid. */
  readonly validFrom: Date;
  /** When it ends to be valid. */
  readonly validTo: Date;
  /** The host names and addresses it is for. */
  readonly names: readonly string[];
  /** The certificate itself. */
  readonly pem: string;
}

/** What is known of a connection over TLS. */
export interface TLSInfo {
  /** The version that is spoken. */
  readonly protocol: TLSVersion;
  /** The cipher suite, as OpenSSL calls it. */
  readonly cipher: string;
  /** The server's certificate. */
  readonly peerCertificate: TLSCertificate;
  /** SHA-256 of the server's certificate, upper-case hexadecimal with colons. */
  readonly fingerprint: string;
  /** Whether an earlier session was resumed. */
  readonly resumed: boolean;
}
