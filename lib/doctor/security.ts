/**
 * Tests TLS and the certificate.
 *
 * @module
 */

import { FTP } from "../client/ftp.ts";
import type { TLSInfo, TLSVersion } from "../connection/tls_info.ts";
import { TLSError } from "../tls/errors.ts";
import type { Examination } from "./examination.ts";
import type { Finding } from "./findings.ts";

/** Days before the expiry of a certificate at which it is reported. */
const EXPIRY_WARNING_DAYS = 14;

const DAY = 86_400_000;

/** Reads the certificate without trusting it. Sends no user or password. */
async function peek(
  examination: Examination,
  version?: TLSVersion,
): Promise<TLSInfo | undefined> {
  const { timeout, proxy, dial, signal } = examination.options;
  const ftp = new FTP({
    timeout,
    proxy,
    dial,
    tls: {
      mode: examination.mode ?? "explicit",
      dangerouslyAcceptAnyCertificate: true,
      ...(version === undefined
        ? {}
        : { minVersion: version, maxVersion: version }),
    },
  });
  try {
    await ftp.connect(examination.target.host, examination.port, { signal });
    if (examination.mode !== "implicit") await ftp.auth({ signal });
    return ftp.tls;
  } catch {
    signal?.throwIfAborted();
    return undefined;
  } finally {
    ftp.close();
  }
}

/** Reports a failure of TLS, with the certificate. */
export async function reportDistrust(
  examination: Examination,
  finding: Finding,
  error: unknown,
): Promise<void> {
  const isSeen = /^certificate/.test(finding.cause);
  const info = isSeen ? await peek(examination) : undefined;
  const about = info === undefined ? "" : ` ${describe(info)}`;
  examination.problem(
    "tls",
    { ...finding, text: `${finding.text}.${about}` },
    {
      reason: error instanceof TLSError ? error.reason : undefined,
      ...factsOf(info),
    },
  );
  if (finding.cause === "certificate-untrusted" && info !== undefined) {
    adviseTLS(examination, { fingerprint: info.fingerprint });
  }
  if (finding.cause === "not-tls") examination.advised.tls = "explicit";
}

/** Reports the versions and the certificate of a secured connection. */
export async function reportSecured(
  examination: Examination,
  info: TLSInfo | undefined,
): Promise<void> {
  const versions: TLSVersion[] = [];
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    if (await peek(examination, version) !== undefined) versions.push(version);
  }
  if (info === undefined) {
    examination.step(
      "tls",
      "note",
      "The control connection is in clear text again (CCC).",
    );
    return;
  }
  const left = (info.peerCertificate.validTo.getTime() - Date.now()) / DAY;
  const isSoon = left < EXPIRY_WARNING_DAYS;
  examination.step(
    "tls",
    isSoon ? "note" : "ok",
    `${info.protocol} is used; the server supports ${
      versions.join(" and ") || info.protocol
    }. ${describe(info)}${
      isSoon ? ` It expires in ${Math.floor(left)} days.` : ""
    }`,
    { ...factsOf(info), versions },
  );
}

/** Without TLS: tests whether the server supports it. */
export async function checkOfferedTLS(examination: Examination): Promise<void> {
  const info = await peek(examination);
  if (info === undefined) {
    examination.warn("tls", {
      cause: "clear-text",
      severity: "warning",
      text:
        "The server does not support TLS. Others on the network can read password and files.",
      advice: "If the server also offers SFTP or HTTPS, prefer it.",
      isFirewall: false,
    });
    examination.step("tls", "note", "The server refuses AUTH TLS.");
    return;
  }
  const trusts = await isTrusted(examination);
  examination.warn("tls", {
    cause: "clear-text",
    severity: "warning",
    text:
      "The URL is without TLS, although the server supports it. Others on the network can read password and files.",
    advice: trusts
      ? "Use ftpes://, or the option tls."
      : "Use ftpes://, and pin the certificate's fingerprint if the operator confirms it.",
    isFirewall: false,
  });
  examination.step(
    "tls",
    "note",
    `The URL is without TLS; the server supports ${info.protocol}. ${
      describe(info)
    }`,
    factsOf(info),
  );
  examination.advised.tls = trusts
    ? "explicit"
    : { fingerprint: info.fingerprint };
}

async function isTrusted(examination: Examination): Promise<boolean> {
  const { timeout, proxy, dial, signal } = examination.options;
  const ftp = new FTP({ timeout, proxy, dial, tls: "explicit" });
  try {
    await ftp.connect(examination.target.host, examination.port, { signal });
    await ftp.auth({ signal });
    return true;
  } catch {
    return false;
  } finally {
    ftp.close();
  }
}

function adviseTLS(
  examination: Examination,
  more: { fingerprint: string },
): void {
  const { tls } = examination.options;
  const own = typeof tls === "object" ? tls : {};
  examination.advised.tls = { ...own, ...more };
}

function describe({ peerCertificate, fingerprint }: TLSInfo): string {
  const { names, validFrom, validTo, issuer } = peerCertificate;
  const day = (date: Date) => date.toISOString().slice(0, 10);
  return `The certificate is for ${
    names.join(", ") || "no name"
  }, by ${issuer}, valid from ${day(validFrom)} to ${
    day(validTo)
  }; SHA-256 ${fingerprint}.`;
}

function factsOf(info: TLSInfo | undefined): Record<string, unknown> {
  if (info === undefined) return {};
  const { protocol, cipher, fingerprint, peerCertificate } = info;
  const { subject, issuer, names, validFrom, validTo } = peerCertificate;
  return {
    protocol,
    cipher,
    fingerprint,
    subject,
    issuer,
    names,
    validFrom,
    validTo,
  };
}
