/**
 * Properties of a TLS connection.
 *
 * @module
 */

/** Properties of a TLS connection. */
export interface TLSInfo {
  /** TLS version. */
  readonly protocol: "TLSv1.2" | "TLSv1.3";
  /** Cipher suite, by its OpenSSL name. */
  readonly cipher: string;
  /**
   * The server's certificate. Subject and issuer have the form "CN=example.com,
   * O=Example"; `names` are the host names and addresses that it is valid for.
   */
  readonly peerCertificate: {
    readonly subject: string;
    readonly issuer: string;
    readonly validFrom: Date;
    readonly validTo: Date;
    readonly names: readonly string[];
    readonly pem: string;
  };
  /**
   * SHA-256 of the server's certificate, in upper-case hexadecimal with colons.
   */
  readonly fingerprint: string;
  /** Whether an earlier session was resumed. */
  readonly resumed: boolean;
}

/** A certificate of the server. */
export type TLSCertificate = TLSInfo["peerCertificate"];

/** A version of TLS. */
export type TLSVersion = TLSInfo["protocol"];
