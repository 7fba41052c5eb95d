/**
 * Converts the error of a probe to a problem with advice.
 *
 * @module
 */

import type { Reply } from "../protocol/reply.ts";
import { hasTooManyConnections } from "../files/recovery.ts";
import { FTPError, FTPProtocolError, replyOf } from "../protocol/errors.ts";
import { TLSError, type TLSErrorReason } from "../tls/errors.ts";
import type { SessionLog } from "./probe.ts";
import type { DiagnosisCause, DiagnosisProblem } from "./report.ts";

/** A problem, without the step that found it. */
export type Finding = Omit<DiagnosisProblem, "step">;

/** Settings of the passive ports. */
const PASSIVE_SETTINGS =
  "vsftpd pasv_min_port and pasv_max_port, ProFTPD PassivePorts, Pure-FTPd --passiveportrange, pyftpdlib passive_ports";

/** Settings of the public address. */
export const ADDRESS_SETTINGS: string =
  "vsftpd pasv_address, ProFTPD MasqueradeAddress, Pure-FTPd --forcepassiveip, pyftpdlib masquerade_address";

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isTimeOut(error: unknown): boolean {
  return error instanceof Deno.errors.TimedOut;
}

/** Explains why no address could be reached. */
export function explainDial(error: unknown, where: string): Finding {
  const base = { severity: "error", text: messageOf(error) } as const;
  if (error instanceof Deno.errors.ConnectionRefused) {
    return {
      ...base,
      cause: "connection-refused",
      advice:
        `No program listens at ${where}, or a firewall rejects the connection. Check the port (21, or 990 for implicit TLS) and whether the server is running.`,
      isFirewall: false,
    };
  }
  if (isTimeOut(error)) {
    return {
      ...base,
      cause: "connection-filtered",
      advice:
        `Nothing answers at ${where}. A firewall drops the packets, or the host is down.`,
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

/** Cause and advice by the reason of a TLS error. */
const TLS_FINDINGS: Partial<
  Record<TLSErrorReason, readonly [DiagnosisCause, string]>
> = {
  expired: [
    "certificate-expired",
    "Renew the certificate on the server. No password was sent.",
  ],
  "not-yet-valid": [
    "certificate-expired",
    "Check the clock of this machine. If it is right, renew the certificate.",
  ],
  "wrong-name": [
    "certificate-name",
    "Connect to a name in the certificate. If you are sure that it is the right server, set tls.serverName to such a name.",
  ],
  "self-signed": [
    "certificate-untrusted",
    "Ask the operator for the SHA-256 of the certificate. If it is the same as here, pin it.",
  ],
  "unknown-ca": [
    "certificate-untrusted",
    "Set tls.caCerts to the authority's certificate, or pin the SHA-256 that the operator confirms.",
  ],
  fingerprint: [
    "certificate-untrusted",
    "The server's certificate is not the pinned one. Ask the operator whether it was renewed.",
  ],
  version: [
    "tls-version",
    "The server does not support TLS 1.2 or 1.3, or not the versions that minVersion and maxVersion allow.",
  ],
  "not-tls": [
    "not-tls",
    "The port does not use TLS from the first byte. Use ftpes:// (explicit TLS, port 21).",
  ],
};

/** Returns a function that creates the findings of one error. */
function findingsWith(text: string) {
  return (
    cause: DiagnosisCause,
    advice: string,
    isFirewall = false,
  ): Finding => ({ cause, severity: "error", text, advice, isFirewall });
}

/** Explains a failed connection, TLS or login. */
export function explainOpening(error: unknown, log: SessionLog): Finding {
  const text = messageOf(error);
  const found = findingsWith(text);
  if (error instanceof TLSError) {
    const [cause, advice] = TLS_FINDINGS[error.reason] ??
      [
        "tls-failed",
        "See the message. A firewall that inspects TLS may be the cause.",
      ];
    return found(cause, advice);
  }
  const reply = replyOf(error);
  if (reply === undefined) {
    if (error instanceof FTPProtocolError) {
      return found(
        "not-ftp",
        "This is not an FTP server. Check the port. SSH (SFTP) and HTTP are other protocols.",
      );
    }
    if (log.greeting === undefined) {
      return found(
        "silent-server",
        "The server accepts the connection but sends no greeting. It may require TLS from the first byte (ftps://), or a firewall or load balancer accepts in its place.",
      );
    }
    return found(
      "connection-failed",
      "A firewall or the server ended the connection. See the server's log.",
    );
  }
  return explainRefusal(error, reply, log);
}

/** Explains a reply that refuses the connection or the login. */
function explainRefusal(
  error: unknown,
  reply: Reply,
  log: SessionLog,
): Finding {
  const found = findingsWith(messageOf(error));
  const command = error instanceof FTPError ? error.command ?? "" : "";
  if (/write?able root inside chroot/i.test(reply.text)) {
    return found(
      "chroot-writable",
      "vsftpd refuses users who may write to the root of their chroot. Remove the write permission from the root and create a directory in it, or set allow_writeable_chroot=YES.",
    );
  }
  if (hasTooManyConnections(error)) {
    return found(
      "too-many-connections",
      "Close other clients, or use the option retry. Lost connections count until the server notices.",
    );
  }
  if (/^AUTH\b/.test(command)) {
    return found(
      "tls-refused",
      "The server does not support explicit TLS, or a firewall blocks it. Try ftps:// (port 990). Use ftp:// only if clear text is acceptable.",
    );
  }
  if (/^(USER|PASS|ACCT)\b/.test(command)) {
    const wantsTLS = /\b(TLS|SSL|encrypt\w*|secure\w*|non-anonymous)\b/i.test(
      reply.text,
    ) && !log.hasSent("AUTH");
    if (wantsTLS) {
      return found(
        "tls-required",
        "The server accepts logins over TLS only. Use ftpes://.",
      );
    }
    return found(
      "login-refused",
      "Check user and password. Special characters in a URL must be escaped (%40 for @). Some servers accept a user from certain addresses only.",
    );
  }
  return found("connection-failed", "See the server's reply.");
}

/** Explains a data connection that did not work. */
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
      "The server requires that data connections resume the TLS session of the control connection, and it was not resumed. A client certificate (tls.cert) prevents it. On the server, set require_ssl_reuse=NO (vsftpd) or TLSOptions NoSessionReuseRequired (ProFTPD).",
    );
  }
  const reply = replyOf(error);
  if (how === "") {
    return found(
      "data-failed",
      "The server cannot connect to this machine. That is usual behind NAT or a firewall, and harmless if passive mode works.",
      reply === undefined || reply.code === 425,
    );
  }
  const answer = log.replyOf(how === "EPSV" ? 229 : 227);
  if (answer === undefined) {
    if (reply !== undefined) {
      return found(
        "passive-refused",
        `The server refuses ${how}. See its reply.`,
      );
    }
    if (isTimeOut(error)) {
      return found(
        "epsv-swallowed",
        `${how} gets no reply. A firewall that inspects FTP drops the command.`,
        true,
      );
    }
    return found(
      "epsv-closes",
      `The connection is closed after ${how}, by a firewall that inspects FTP or by a server that does not know the command.`,
      true,
    );
  }
  if (log.hasOpened) {
    return found(
      "data-failed",
      "The data connection opens, but the transfer fails. See the message.",
    );
  }
  if (isTimeOut(error)) {
    return found(
      "passive-ports-filtered",
      `The server's passive port does not answer: a firewall drops the packets. Open the passive ports (${PASSIVE_SETTINGS}) in all firewalls.`,
      true,
    );
  }
  if (error instanceof Deno.errors.ConnectionRefused) {
    return found(
      "passive-ports-closed",
      `The server listens on its passive port, but the connection is refused: a firewall rejects it, or a router (NAT) does not forward it. Open the passive ports (${PASSIVE_SETTINGS}).`,
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
