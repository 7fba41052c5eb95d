/**
 * Certificates for real servers: an authority's, what it signed, and what it did not. Made once a process, in
 * temporary folders that are removed when the process unloads.
 */

import { type CertificateFiles, TestAuthority } from "./test_authority.ts";

/** All that the TLS tests need. */
export interface Certificates {
  /** The authority that signed `good`, `expired`, `wrongName` and `client`. */
  readonly authority: CertificateFiles;
  /** An authority that signed nothing here. */
  readonly otherAuthority: CertificateFiles;
  /** For localhost, 127.0.0.1, 127.0.0.2 and ::1. */
  readonly good: CertificateFiles;
  /** Like `good`, with an RSA key. */
  readonly rsa: CertificateFiles;
  /** Like `good`, but it ended in 2021. */
  readonly expired: CertificateFiles;
  /** For another host. */
  readonly wrongName: CertificateFiles;
  /** Like `good`, signed by itself. */
  readonly selfSigned: CertificateFiles;
  /** For a client that proves who it is. */
  readonly client: CertificateFiles;
}

let cached: Promise<Certificates> | undefined;

/**
 * Makes the certificates, or gives those made before.
 *
 * @returns The paths of their files.
 */
export function certificates(): Promise<Certificates> {
  return cached ??= makeCertificates();
}

async function makeCertificates(): Promise<Certificates> {
  const authority = await TestAuthority.make("authority");
  const other = await TestAuthority.make("other_authority");
  globalThis.addEventListener("unload", () => {
    authority[Symbol.dispose]();
    other[Symbol.dispose]();
  });
  return {
    authority: authority.certificate,
    otherAuthority: other.certificate,
    good: await authority.issue("good"),
    rsa: await authority.issue("rsa", { rsa: true }),
    expired: await authority.issue("expired", { to: "20210101" }),
    wrongName: await authority.issue("wrong_name", {
      names: "DNS:elsewhere.test",
    }),
    selfSigned: await authority.issue("self_signed", { selfSigned: true }),
    client: await authority.issue("client", {
      extensions: [
        "basicConstraints=critical,CA:FALSE",
        "extendedKeyUsage=clientAuth",
      ],
    }),
  };
}
