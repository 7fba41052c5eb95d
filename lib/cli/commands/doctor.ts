/**
 * `ftp doctor`: diagnoses a server.
 *
 * @module
 */

import {
  diagnose,
  type Diagnosis,
  type DiagnosisProblem,
  type DiagnosisStep,
} from "../../../mod.ts";
import {
  checkOperands,
  type CommandContext,
  connectOptions,
} from "../context.ts";
import { EXIT, type ExitCode, Incomplete } from "../exit_code.ts";
import { findCredentials } from "../password.ts";
import { parseTarget } from "../target.ts";

/**
 * Runs the command.
 *
 * @throws {Incomplete} If an error was found
 */
export async function doctor(context: CommandContext): Promise<void> {
  checkOperands(context, 1, 1);
  const { flags, operands: [url], out, signal } = context;
  const { server } = parseTarget(url!);
  const options = await connectOptions(context);
  const { user, password, account } = await findCredentials(
    server,
    flags,
    signal,
  );
  const report = await diagnose(url!, {
    ...options,
    ...(options.timeout === undefined ? { timeout: 10_000 } : {}),
    user,
    password,
    account,
    write: flags.text("write"),
    onStep: (step) => tellStep(step, context),
  });
  tellReport(report, context);
  const code = codeOf(report);
  if (code === EXIT.done) return;
  const errors = report.problems.filter(({ severity }) => severity === "error");
  out.flush();
  throw new Incomplete(code, `${errors.length} problems`, true);
}

/** Marks of the outcomes, padded. */
const MARKS = {
  ok: "ok     ",
  note: "note   ",
  problem: "PROBLEM",
  skipped: "skipped",
} as const;

function tellStep(step: DiagnosisStep, { out }: CommandContext): void {
  const { name, outcome, text } = step;
  out.tell(
    { event: "step", ...step },
    `${MARKS[outcome]}  ${name.padEnd(11)}  ${text}`,
  );
}

function tellReport(
  { problems, isUsable, code, options, url }: Diagnosis,
  { out }: CommandContext,
): void {
  for (const problem of problems) {
    out.tell({ event: "problem", ...problem }, formatProblem(problem));
  }
  const summary = problems.length === 0
    ? "No problems found."
    : isUsable
    ? "The server can be used, with these options:"
    : "The server cannot be used with these options.";
  out.tell(
    { event: "result", url, isUsable, options, program: code },
    `\n${summary}${isUsable ? `\n\n${code}` : ""}`,
  );
}

function formatProblem(
  { severity, cause, text, advice, isFirewall }: DiagnosisProblem,
): string {
  const firewall = isFirewall ? " A firewall or a router is the cause." : "";
  const end = /[.!?]$/.test(text) ? "" : ".";
  return `\n${
    severity === "error" ? "Error" : "Note"
  } (${cause}): ${text}${end}${firewall}\n  ${advice}`;
}

/** Steps whose errors are errors of the network. */
const NETWORK_STEPS: readonly string[] = ["addresses", "greeting", "tls"];

function codeOf({ problems, isUsable }: Diagnosis): ExitCode {
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length === 0 && isUsable) return EXIT.done;
  const isNetwork = errors.some(({ step, isFirewall }) =>
    isFirewall || NETWORK_STEPS.includes(step)
  );
  return isNetwork ? EXIT.network : EXIT.refused;
}
