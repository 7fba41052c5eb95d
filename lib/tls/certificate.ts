/**
 * Verifies a server's certificate with pinned fingerprints or private
 * authorities.
 *
 * The platform resumes no session if private authorities are passed to it, so
 * their chains are verified here.
 *
 * @module
 */

import type { X509Certificate } from "node:crypto";
import { nodeModule } from "../connection/node_module.ts";
import { printable } from "../protocol/printable.ts";
import { shownNames } from "./certificate_names.ts";
import { type CertificateParts, readCertificate } from "./der.ts";
import type { TLSProblem } from "./errors.ts";
import type { TLSCertificate } from "../connection/tls_info.ts";

const { X509Certificate: Certificate } = nodeModule("node:crypto");

/** Longest chain that is followed. */
const MAX_CHAIN = 10;

/** A certificate, parsed by `node:crypto` and by `der.ts`. */
interface ParsedCertificate {
  readonly certificate: X509Certificate;
  readonly parts: CertificateParts;
}

const PEM_REGEXP =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----(?:(?!-----)[^])+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/** Certificates of private authorities. */
export class Authorities {
  readonly #authorities: readonly ParsedCertificate[];

  /**
   * Reads PEM texts, each of one or more certificates.
   *
   * @throws {TypeError} If a text has no certificate or an unreadable one
   */
  constructor(pems: readonly string[]) {
    this.#authorities = pems.flatMap((pem, i) => {
      const blocks = String(pem).match(PEM_REGEXP);
      if (blocks === null) {
        throw new TypeError(
          `Cannot use "caCerts": entry ${i} holds no PEM certificate`,
        );
      }
      return blocks.map((block) => {
        try {
          return parseCertificate(new Uint8Array(new Certificate(block).raw));
        } catch (cause) {
          throw new TypeError(
            `Cannot use "caCerts": entry ${i} cannot be read`,
            { cause },
          );
        }
      });
    });
  }

  /**
   * Verifies a chain up to one of the authorities (RFC 5280, section 6).
   *
   * @param chain The server's certificate, followed by the others that it sent,
   * DER
   * @returns The problem, or `undefined`
   */
  check(chain: readonly Uint8Array[], now: Date): TLSProblem | undefined {
    let certificates: ParsedCertificate[];
    try {
      certificates = chain.slice(0, MAX_CHAIN).map(parseCertificate);
    } catch (error) {
      return badCertificate(
        `the server sent a certificate that cannot be read: ${
          (error as Error).message
        }`,
      );
    }
    const leaf = certificates[0]!;
    const fault = checkDates(leaf, now) ?? checkLeaf(leaf);
    if (fault !== undefined) return fault;
    const anchored = this.#authorities.some((anchor) =>
      anchor.certificate.raw.equals(leaf.certificate.raw)
    );
    if (anchored) return undefined;
    return this.#findAuthority(leaf, certificates.slice(1), 0, now);
  }

  /**
   * Looks for a path from a certificate to an authority; `below` counts the
   * authorities passed.
   */
  #findAuthority(
    issued: ParsedCertificate,
    others: readonly ParsedCertificate[],
    below: number,
    now: Date,
  ): TLSProblem | undefined {
    let fault: TLSProblem | undefined;
    for (const anchor of this.#authorities) {
      if (!isIssuedBy(issued, anchor)) continue;
      fault = checkDates(anchor, now) ?? checkIssuer(anchor, below);
      if (fault === undefined) return undefined;
    }
    for (const [i, other] of others.entries()) {
      if (!isIssuedBy(issued, other)) continue;
      fault = checkDates(other, now) ?? checkIssuer(other, below) ??
        this.#findAuthority(other, others.toSpliced(i, 1), below + 1, now);
      if (fault === undefined) return undefined;
    }
    if (fault !== undefined) return fault;
    return isSelfIssued(issued) && below === 0
      ? {
        reason: "self-signed",
        detail:
          "the certificate is self-signed and not among `caCerts`: add it there",
      }
      : {
        reason: "unknown-ca",
        detail: `the certificate of "${
          shownIssuer(issued)
        }", which issued the server's, is not among \`caCerts\`: add it there`,
      };
  }
}

/**
 * Whether the handshake proved that the peer has the certificate's private key.
 * The platform skips this proof for certificates that it cannot parse, if it
 * does not verify them itself.
 *
 * @returns The problem, or `undefined`
 */
export function checkProvable(der: Uint8Array): TLSProblem | undefined {
  try {
    readCertificate(der);
    return undefined;
  } catch (error) {
    return badCertificate(
      `the platform cannot check that the server has the certificate's key: ${
        (error as Error).message
      }`,
    );
  }
}

/** SHA-256 of a certificate, in upper-case hexadecimal with colons. */
export function fingerprintOf(der: Uint8Array): string {
  return new Certificate(der).fingerprint256;
}

/** Describes a certificate for users. */
export function describeCertificate(der: Uint8Array): TLSCertificate {
  const certificate = new Certificate(der);
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    validFrom: new Date(certificate.validFrom),
    validTo: new Date(certificate.validTo),
    names: shownNames(der),
    pem: certificate.toString(),
  };
}

function parseCertificate(der: Uint8Array): ParsedCertificate {
  return { certificate: new Certificate(der), parts: readCertificate(der) };
}

function isIssuedBy(
  issued: ParsedCertificate,
  issuer: ParsedCertificate,
): boolean {
  try {
    return issued.certificate.checkIssued(issuer.certificate) &&
      issued.certificate.verify(issuer.certificate.publicKey);
  } catch {
    return false; // the platform does not support the kind of key or signature
  }
}

function isSelfIssued({ certificate }: ParsedCertificate): boolean {
  return certificate.issuer === certificate.subject;
}

function checkDates(
  { certificate }: ParsedCertificate,
  now: Date,
): TLSProblem | undefined {
  const subject = oneLine(certificate.subject);
  if (now < new Date(certificate.validFrom)) {
    return {
      reason: "not-yet-valid",
      detail:
        `the certificate of "${subject}" is valid from ${certificate.validFrom} only: check this machine's clock`,
    };
  }
  if (now > new Date(certificate.validTo)) {
    return {
      reason: "expired",
      detail:
        `the certificate of "${subject}" expired on ${certificate.validTo}`,
    };
  }
  return undefined;
}

function checkLeaf({ parts }: ParsedCertificate): TLSProblem | undefined {
  return parts.isForServers
    ? undefined
    : badCertificate("the certificate is not meant for servers");
}

function checkIssuer(
  issuer: ParsedCertificate,
  below: number,
): TLSProblem | undefined {
  const { parts } = issuer;
  const who = `the certificate of "${oneLine(issuer.certificate.subject)}"`;
  if (!parts.isAuthority || !parts.maySign) {
    return badCertificate(`${who} is not allowed to issue certificates`);
  }
  if (parts.pathLength !== undefined && below > parts.pathLength) {
    return badCertificate(`${who} does not allow so many authorities below it`);
  }
  if (!parts.isForServers) {
    return badCertificate(`${who} is not meant for servers`);
  }
  if (parts.hasNameConstraints) {
    return badCertificate(
      `${who} limits the names below it, which is not supported with \`caCerts\`: give it to Deno with \`--cert\` or \`DENO_CERT\``,
    );
  }
  return undefined;
}

function badCertificate(detail: string): TLSProblem {
  return { reason: "bad-certificate", detail };
}

function shownIssuer({ certificate }: ParsedCertificate): string {
  return oneLine(certificate.issuer);
}

/** Node separates the parts of a distinguished name by line feeds. */
function oneLine(name: string): string {
  return printable(name.split("\n").join(", "));
}
