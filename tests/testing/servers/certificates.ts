/**
 * Certificates for real servers: an authority's, what it signed, and what it did not. Each is made once a process,
 * in temporary folders that are removed when the process unloads.
 */

import { PROXY_HOST, SERVER_HOST, SERVER_HOST_IPV6 } from "./loopback.ts";
import {
  type CertificateFiles,
  type CertificateWishes,
  TestAuthority,
} from "./test_authority.ts";

const names = [
  "DNS:localhost",
  ...[SERVER_HOST, PROXY_HOST, SERVER_HOST_IPV6].map((host) => `IP:${host}`),
].join(",");

/** What the authority issues. */
const ISSUED = {
  /** For localhost and the addresses of servers and proxies. */
  good: { names },
  /** Like `good`, with an RSA key. */
  rsa: { names, rsa: true },
  /** Like `good`, but it ended in 2021. */
  expired: { names, to: "20210101" },
  /** For another host. */
  wrongName: { names: "DNS:elsewhere.test" },
  /** Like `good`, signed by itself. */
  selfSigned: { names, selfSigned: true },
  /** For a client that proves who it is. */
  client: {
    extensions: [
      "basicConstraints=critical,CA:FALSE",
      "extendedKeyUsage=clientAuth",
    ],
  },
} satisfies Record<string, CertificateWishes>;

/** A certificate of the authority. */
export type CertificateName = keyof typeof ISSUED;

/** Certificates that most TLS tests need. */
export interface Certificates {
  /** The authority that signed all others, except `selfSigned`. */
  readonly authority: CertificateFiles;
  readonly good: CertificateFiles;
}

const authorities = new Map<string, Promise<TestAuthority>>();
const issued = new Map<CertificateName, Promise<CertificateFiles>>();

/** Returns the paths of the files that most tests need. */
export async function certificates(): Promise<Certificates> {
  const { certificate } = await authorityOf("authority");
  return { authority: certificate, good: await issue("good") };
}

/** Returns the paths of a certificate's files. */
export async function issue(name: CertificateName): Promise<CertificateFiles> {
  const authority = await authorityOf("authority");
  let files = issued.get(name);
  if (files === undefined) {
    issued.set(name, files = authority.issue(name, ISSUED[name]));
  }
  return await files;
}

/** Returns the paths of the files of an authority that signed nothing here. */
export async function otherAuthority(): Promise<CertificateFiles> {
  return (await authorityOf("other_authority")).certificate;
}

function authorityOf(name: string): Promise<TestAuthority> {
  let authority = authorities.get(name);
  if (authority === undefined) {
    authority = makeAuthority(name);
    authorities.set(name, authority);
  }
  return authority;
}

async function makeAuthority(name: string): Promise<TestAuthority> {
  const authority = await TestAuthority.make(name);
  globalThis.addEventListener("unload", () => authority[Symbol.dispose]());
  return authority;
}
