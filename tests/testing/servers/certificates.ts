/**
 * Certificates for real servers: an authority's, what it signed, and what it did not. Made once a process, in
 * temporary folders that are removed when the process unloads.
 */

import { PROXY_HOST, SERVER_HOST, SERVER_HOST_IPV6 } from "./loopback.ts";
import { type CertificateFiles, TestAuthority } from "./test_authority.ts";

/** Certificates of the TLS tests. */
export interface Certificates {
  /** The authority that signed `good`, `expired`, `wrongName` and `client`. */
  readonly authority: CertificateFiles;
  /** An authority that signed nothing here. */
  readonly otherAuthority: CertificateFiles;
  /** For localhost and the addresses of servers and proxies. */
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

const names = [
  "DNS:localhost",
  ...[SERVER_HOST, PROXY_HOST, SERVER_HOST_IPV6].map((host) => `IP:${host}`),
].join(",");

let cached: Promise<Certificates> | undefined;

/**
 * Returns the certificates, which are created on first use.
 *
 * @returns The paths of their files
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
    good: await authority.issue("good", { names }),
    rsa: await authority.issue("rsa", { names, rsa: true }),
    expired: await authority.issue("expired", { names, to: "20210101" }),
    wrongName: await authority.issue("wrong_name", {
      names: "DNS:elsewhere.test",
    }),
    selfSigned: await authority.issue("self_signed", {
      names,
      selfSigned: true,
    }),
    client: await authority.issue("client", {
      extensions: [
        "basicConstraints=critical,CA:FALSE",
        "extendedKeyUsage=clientAuth",
      ],
    }),
  };
}
