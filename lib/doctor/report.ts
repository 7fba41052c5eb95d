/**
 * What `diagnose` reports.
 *
 * @module
 */

import type { ConnectURLOptions } from "../client/connect.ts";

/** One step of {@linkcode diagnose}, in the order in which they are taken. */
export type DiagnosisStepName =
  | "addresses"
  | "greeting"
  | "tls"
  | "login"
  | "features"
  | "epsv"
  | "pasv"
  | "active"
  | "listing"
  | "clock"
  | "restart"
  | "connections"
  | "write";

/** What is wrong, for programs. */
export type DiagnosisCause =
  | "name-not-found"
  | "connection-refused"
  | "connection-filtered"
  | "connection-failed"
  | "silent-server"
  | "not-ftp"
  | "not-tls"
  | "clear-text"
  | "tls-required"
  | "tls-refused"
  | "tls-version"
  | "tls-failed"
  | "certificate-expired"
  | "certificate-name"
  | "certificate-untrusted"
  | "login-refused"
  | "chroot-writable"
  | "too-many-connections"
  | "directory-missing"
  | "epsv-swallowed"
  | "epsv-closes"
  | "passive-refused"
  | "passive-ports-closed"
  | "passive-ports-filtered"
  | "private-address"
  | "session-resumption"
  | "data-failed"
  | "listing-unreadable"
  | "encoding"
  | "zone"
  | "write-refused"
  | "leftover";

/** One thing that is wrong. */
export interface DiagnosisProblem {
  /** What is wrong, for programs. */
  readonly cause: DiagnosisCause;
  /** The step that found it. */
  readonly step: DiagnosisStepName;
  /** "error" if something does not work, "warning" if it works all the same. */
  readonly severity: "error" | "warning";
  /** What is wrong and why, printable. */
  readonly text: string;
  /** What to do about it. */
  readonly advice: string;
  /** Whether a firewall or a router (NAT) between both sides is at fault. */
  readonly isFirewall: boolean;
}

/** What one step found. */
export interface DiagnosisStep {
  /** Its name. */
  readonly name: DiagnosisStepName;
  /**
   * "ok", "problem" if it found one, "note" if something is missing that is not
   * needed, "skipped" if it could not be tried.
   */
  readonly outcome: "ok" | "note" | "problem" | "skipped";
  /** What it found, in one or more sentences, printable. */
  readonly text: string;
  /** The same for programs; the names depend on the step. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** The report of {@linkcode diagnose}. */
export interface Diagnosis {
  /** The URL, without a password. */
  readonly url: string;
  /** Whether a client with `options` can log in and list a directory. */
  readonly isUsable: boolean;
  /** The steps that were taken. */
  readonly steps: readonly DiagnosisStep[];
  /** What is wrong, in the order in which it was found. */
  readonly problems: readonly DiagnosisProblem[];
  /** The options of `connect` to use, without secrets. */
  readonly options: ConnectURLOptions;
  /** The same as a program. */
  readonly code: string;
}

/** Options of {@linkcode diagnose}. */
export interface DiagnoseOptions extends ConnectURLOptions {
  /**
   * A folder on the server in which an upload is tried: a file of some bytes is
   * written, renamed, dated and removed. Without it nothing on the server is
   * changed.
   *
   * @default no upload
   */
  write?: string | undefined;
  /**
   * Most connections that are opened at once, to find the server's limit.
   *
   * @default 4
   */
  maxConnections?: number | undefined;
  /** Called with each step when it is done. */
  onStep?: ((step: DiagnosisStep) => void) | undefined;
}
