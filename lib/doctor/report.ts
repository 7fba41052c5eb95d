/**
 * The report of `diagnose`.
 *
 * @module
 */

import type { ConnectURLOptions } from "../client/connect.ts";

/** A problem that {@linkcode diagnose} found. */
export interface DiagnosisProblem {
  /** Cause of the problem, for programs. */
  readonly cause:
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
  /** The step that found it. */
  readonly step: DiagnosisStep["name"];
  /**
   * "error" if something does not work, "warning" if it works in spite of the
   * problem.
   */
  readonly severity: "error" | "warning";
  /** The problem and its reason, for people. Contains no control characters. */
  readonly text: string;
  /** How to solve the problem, for people. */
  readonly advice: string;
  /** Whether a firewall or a router (NAT) is the likely cause. */
  readonly isFirewall: boolean;
}

/** Result of one step. */
export interface DiagnosisStep {
  /** Name of the step, in the order of the report. */
  readonly name:
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
  /**
   * "ok"; "problem" if the step found a problem; "note" if something is missing
   * that is not required; "skipped" if it could not be tried.
   */
  readonly outcome: "ok" | "note" | "problem" | "skipped";
  /** The result in sentences, for people. Contains no control characters. */
  readonly text: string;
  /** The result for programs. The names depend on the step. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Name of a step, in the order of the report. */
export type DiagnosisStepName = DiagnosisStep["name"];

/** Cause of a problem. */
export type DiagnosisCause = DiagnosisProblem["cause"];

/** The report of {@linkcode diagnose}. */
export interface Diagnosis {
  /** The URL, without its password. */
  readonly url: string;
  /** Whether a client with `options` can log in and list a directory. */
  readonly isUsable: boolean;
  /** The steps, in their order. */
  readonly steps: readonly DiagnosisStep[];
  /** The problems, in the order in which they were found. */
  readonly problems: readonly DiagnosisProblem[];
  /** Options for `connect`, without secrets. */
  readonly options: ConnectURLOptions;
  /** A call of `connect` with these options, as source code. */
  readonly code: string;
}

/** Options of {@linkcode diagnose}. */
export interface DiagnoseOptions extends ConnectURLOptions {
  /**
   * Directory on the server for a test upload. A small file is written,
   * renamed, given a time, and removed. Without this option, nothing on the
   * server is changed.
   *
   * @default no upload
   */
  write?: string | undefined;
  /**
   * Largest number of connections to open at once, to find the server's limit.
   *
   * @default 4
   */
  maxConnections?: number | undefined;
  /** Called with each step when it is complete. */
  onStep?: ((step: DiagnosisStep) => void) | undefined;
}
