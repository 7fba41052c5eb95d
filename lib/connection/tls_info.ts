/**
 * Properties of a TLS connection.
 *
 * @module
 */

/** A certificate of the server. */
export interface TLSCertificate {
  /** Subject, such as "CN=example.com, O=Example". */
  readonly subject: string;
  /** Issuer, in the same form. */
  readonly issuer: string;
  /** Start of its validity. */
  readonly validFrom: Date;
  /** End of its validity. */
  readonly validTo: Date;
  /** Host names and addresses that it is valid for. */
  readonly names: readonly string[];
  /** The certificate, PEM. */
  readonly pem: string;
}

/** Properties of a TLS connection. */
export interface TLSInfo {
  /** TLS version. */
  readonly protocol: "TLSv1.2" | "TLSv1.3";
  /** Cipher suite, by its OpenSSL name. */
  readonly cipher: string;
  /** The server's certificate. */
  readonly peerCertificate: TLSCertificate;
  /**
   * SHA-256 of the server's certificate, in upper-case hexadecimal with colons.
   */
  readonly fingerprint: string;
  /** Whether an earlier session was resumed. */
  readonly resumed: boolean;
}

/** A version of TLS. */
export type TLSVersion = TLSInfo["protocol"];
