/**
 * The state of one diagnosis: options, steps and problems.
 *
 * @module
 */

import {
  type ConnectURLOptions,
  parseTarget,
  type URLTarget,
} from "../client/connect.ts";
import { FTP } from "../client/ftp.ts";
import { checkAddress } from "../client/options.ts";
import { printable } from "../protocol/printable.ts";
import type { Finding } from "./findings.ts";
import type {
  DiagnoseOptions,
  DiagnosisProblem,
  DiagnosisStep,
  DiagnosisStepName,
} from "./report.ts";

/** Default of `timeout`, in milliseconds. */
export const TIMEOUT = 10_000;

/** One run of {@linkcode diagnose}: what is examined, and what was found. */
export class Examination {
  readonly url: string;
  readonly target: URLTarget;
  readonly options: ConnectURLOptions;
  readonly examine: DiagnoseOptions;
  readonly steps: DiagnosisStep[] = [];
  readonly problems: DiagnosisProblem[] = [];
  /** Options to advise. */
  readonly advised: ConnectURLOptions = {};
  canList = false;
  isSecured = false;

  constructor(url: string, options: DiagnoseOptions) {
    const { write, maxConnections, onStep, ...rest } = options;
    this.examine = { write, maxConnections, onStep };
    this.target = parseTarget(url);
    const { host, port = 21 } = this.target;
    // the report shows the host, and an invalid one may contain a password
    checkAddress(host, port);
    // the path is tested separately
    this.url = /^\s*\w+:\/\/[^/\\#]*/.exec(url)?.[0].trim() ?? url;
    this.options = { timeout: TIMEOUT, retry: { attempts: 2 }, ...rest };
    // rejects invalid options
    const { port: _, user, password, account, netrc, retry, signal, ...own } =
      this.options;
    void [user, password, account, netrc, retry, signal];
    new FTP(own);
  }

  step(
    name: DiagnosisStepName,
    outcome: DiagnosisStep["outcome"],
    text: string,
    facts: Record<string, unknown> = {},
  ): void {
    this.options.signal?.throwIfAborted();
    const step = { name, outcome, text: printable(text), facts };
    this.steps.push(step);
    this.examine.onStep?.(step);
  }

  /** Adds a problem and its step. */
  problem(
    step: DiagnosisStepName,
    finding: Finding,
    facts: Record<string, unknown> = {},
  ): void {
    this.options.signal?.throwIfAborted();
    this.warn(step, finding);
    this.step(step, "problem", finding.text, {
      cause: finding.cause,
      ...facts,
    });
  }

  warn(step: DiagnosisStepName, finding: Finding): void {
    // EPSV and PASV may fail for the same reason
    const isKnown = this.problems.some(({ cause, advice }) =>
      cause === finding.cause && advice === finding.advice
    );
    if (isKnown) return;
    this.problems.push({ ...finding, step, text: printable(finding.text) });
  }

  get port(): number {
    const { port, tls } = this.target;
    const isImplicit = tls === "implicit" || this.mode === "implicit";
    return port ?? this.options.port ?? (isImplicit ? 990 : 21);
  }

  /** How TLS starts; `undefined` without TLS. */
  get mode(): "explicit" | "implicit" | undefined {
    const { tls } = this.options;
    if (this.target.tls !== undefined) return this.target.tls;
    return typeof tls === "object" ? tls.mode ?? "explicit" : tls;
  }

  get passiveOption(): Pick<ConnectURLOptions, "passive"> {
    const { passive } = this.advised;
    return passive === undefined ? {} : { passive };
  }
}
