/**
 * From the error of a probe to what is wrong and what to do about it.
 *
 * @module
 */

import { isCrowded } from "../files/recovery.ts";
import { FTPError, FTPProtocolError, replyOf } from "../protocol/errors.ts";
import { TLSError, type TLSErrorReason } from "../tls/errors.ts";
import type { SessionLog } from "./probe.ts";
import type { DiagnosisCause, DiagnosisProblem } from "./report.ts";

/** A problem, before it is known which step has found it. */
export type Finding = Omit<DiagnosisProblem, "step">;

/** Where a server's passive ports are set. */
const PASSIVE_SETTINGS =
  "vsftpd pasv_min_port and pasv_max_port, ProFTPD PassivePorts, Pure-FTPd --passiveportrange, pyftpdlib passive_ports";

/** Where a server's public address is set. */
export const ADDRESS_SETTINGS: string =
  "vsftpd pasv_address, ProFTPD MasqueradeAddress, Pure-FTPd --forcepassiveip, pyftpdlib masquerade_address";

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isTimeOut(error: unknown): boolean {
  return error instanceof Deno.errors.TimedOut;
}

/**
 * Explains why no address could be dialled.
 *
 * @param error What the last one gave
 * @param where The address, as "host:port"
 * @returns What is wrong
 */
export function explainDial(error: unknown, where: string): Finding {
  const base = { severity: "error", text: messageOf(error) } as const;
  if (error instanceof Deno.errors.ConnectionRefused) {
    return {
      ...base,
      cause: "connection-refused",
      advice:
        `No program listens at ${where}, or a firewall rejects it: check the port (21, or 990 for implicit TLS) and whether the server runs.`,
      isFirewall: false,
    };
  }
  if (isTimeOut(error)) {
    return {
      ...base,
      cause: "connection-filtered",
      advice:
        `Nothing answers at ${where}, not even with a refusal: a firewall drops the packets, or the host is down.`,
      isFirewall: true,
    };
  }
  return {
    ...base,
    cause: "connection-failed",
    advice:
      "Check the address, the route to it and the permission --allow-net.",
    isFirewall: false,
  };
}

/** What is said of a certificate or a handshake, by the library's reason. */
const TLS_FINDINGS: Partial<
  Record<TLSErrorReason, readonly [DiagnosisCause, string]>
> = {
  expired: [
    "certificate-expired",
    "Renew the certificate on the server. Until then nothing is sent to it.",
  ],
  "not-yet-valid": [
    "certificate-expired",
    "Check the clock of this machine; else renew the certificate.",
  ],
  "wrong-name": [
    "certificate-name",
    "Use a name that the certificate is for, or set tls.serverName if you know that it is the right server.",
  ],
  "self-signed": [
    "certificate-untrusted",
    "Ask the operator for the SHA-256 of the certificate. If it is the one that is shown here, pin it.",
  ],
  "unknown-ca": [
    "certificate-untrusted",
    "Give the authority's certificate with tls.caCerts, or pin the SHA-256 that the operator names.",
  ],
  fingerprint: [
    "certificate-untrusted",
    "The server has another certificate than the one that is pinned. Ask the operator whether it was renewed.",
  ],
  version: [
    "tls-version",
    "The server speaks no TLS 1.2 or 1.3, or not the version that is asked for: see minVersion and maxVersion.",
  ],
  "not-tls": [
    "not-tls",
    "The port does not speak TLS from the first byte: use ftpes:// (explicit TLS, port 21).",
  ],
};

/** Makes the findings of one error. */
function findingsWith(text: string) {
  return (
    cause: DiagnosisCause,
    advice: string,
    isFirewall = false,
  ): Finding => ({ cause, severity: "error", text, advice, isFirewall });
}

/**
 * Explains a failed connection, TLS or login.
 *
 * @param error What was thrown
 * @param log What passed until then
 * @returns What is wrong
 */
export function explainOpening(error: unknown, log: SessionLog): Finding {
  const text = messageOf(error);
  const found = findingsWith(text);
  if (error instanceof TLSError) {
    const [cause, advice] = TLS_FINDINGS[error.reason] ??
      [
        "tls-failed",
        "See the message; a firewall that inspects TLS breaks it too.",
      ];
    return found(cause, advice);
  }
  const reply = replyOf(error);
  if (reply === undefined) {
    if (error instanceof FTPProtocolError) {
      return found(
        "not-ftp",
        "What answers is no FTP server: check the port. SSH (SFTP) is another protocol, and so is HTTP.",
      );
    }
    if (log.greeting === undefined) {
      return found(
        "silent-server",
        "The server accepts the connection and says nothing: it may want TLS from the first byte (ftps://), or a firewall or load balancer answers for it.",
      );
    }
    return found(
      "connection-failed",
      "The connection was lost: a firewall, or a server that ends it; its log tells which.",
    );
  }
  const command = error instanceof FTPError ? error.command ?? "" : "";
  if (/write?able root inside chroot/i.test(reply.text)) {
    return found(
      "chroot-writable",
      "vsftpd refuses users who may write to the root of their chroot: take the write permission from it and make a folder below, or set allow_writeable_chroot=YES.",
    );
  }
  if (isCrowded(error)) {
    return found(
      "too-many-connections",
      "Close other clients, or use the option retry. Connections that were lost count until the server notices.",
    );
  }
  if (/^AUTH\b/.test(command)) {
    return found(
      "tls-refused",
      "The server has no explicit TLS, or a firewall that reads FTP refuses it. Ask for ftps:// (port 990), or use ftp:// if clear text is acceptable.",
    );
  }
  if (/^(USER|PASS|ACCT)\b/.test(command)) {
    const wantsTLS = /\b(TLS|SSL|encrypt\w*|secure\w*|non-anonymous)\b/i.test(
      reply.text,
    ) && !log.hasSent("AUTH");
    if (wantsTLS) {
      return found(
        "tls-required",
        "The server takes logins over TLS only: use ftpes://.",
      );
    }
    return found(
      "login-refused",
      "Check user and password. Special characters in a URL are escaped (%40 for @). Some servers let a user in from certain addresses only.",
    );
  }
  return found("connection-failed", "See the words of the server.");
}

/**
 * Explains a data connection that did not work.
 *
 * @param error What was thrown
 * @param log What passed until then
 * @param how "EPSV", "PASV", or "" for active mode
 * @param isSecured Whether data connections are under TLS
 * @returns What is wrong
 */
export function explainData(
  error: unknown,
  log: SessionLog,
  { how, isSecured }: { how: "EPSV" | "PASV" | ""; isSecured: boolean },
): Finding {
  const text = messageOf(error);
  const found = findingsWith(text);
  if (isSecured && isAboutResumption(error)) {
    return found(
      "session-resumption",
      "The server wants the TLS session of the control connection on each data connection, and it was not resumed. A client certificate (tls.cert) prevents it here. On the server: vsftpd require_ssl_reuse=NO, ProFTPD TLSOptions NoSessionReuseRequired.",
    );
  }
  const reply = replyOf(error);
  if (how === "") {
    return found(
      "data-failed",
      "The server cannot reach this machine: usual behind NAT or a firewall, and no fault where passive mode works.",
      reply === undefined || reply.code === 425,
    );
  }
  const answer = log.replyOf(how === "EPSV" ? 229 : 227);
  if (answer === undefined) {
    if (reply !== undefined) {
      return found(
        "passive-refused",
        `The server refuses ${how}: see its words.`,
      );
    }
    if (isTimeOut(error)) {
      return found(
        "epsv-swallowed",
        `${how} never gets a reply: a firewall that reads FTP swallows the command.`,
        true,
      );
    }
    return found(
      "epsv-closes",
      `The connection is closed at ${how}: a firewall that reads FTP, or a server that does not know the command.`,
      true,
    );
  }
  if (log.hasOpened) {
    return found(
      "data-failed",
      "The data connection opens, and the transfer fails: see the message.",
    );
  }
  if (isTimeOut(error)) {
    return found(
      "passive-ports-filtered",
      `The port that the server names is never answered: a firewall drops it. Have the server's passive ports opened (${PASSIVE_SETTINGS}), on the server's firewall and on the way.`,
      true,
    );
  }
  if (error instanceof Deno.errors.ConnectionRefused) {
    return found(
      "passive-ports-closed",
      `The server waits at the port that it names, and the connection is refused on the way: a firewall rejects it, or a router (NAT) does not pass it on. Have the server's passive ports opened (${PASSIVE_SETTINGS}).`,
      true,
    );
  }
  return found("data-failed", "See the message.");
}

const RESUMPTION_REGEXP = /\b(re-?use|resum|TLS session)/i;

function isAboutResumption(error: unknown): boolean {
  let next: unknown = error;
  for (let depth = 0; next instanceof Error && depth < 8; depth++) {
    if (RESUMPTION_REGEXP.test(next.message)) return true;
    next = next.cause;
  }
  return false;
}
