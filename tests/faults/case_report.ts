/** The report of a case. */

import { FTPError } from "../../mod.ts";
import type { FaultCase } from "./fault_case.ts";

/** Something that must never happen. */
export interface Problem {
  readonly kind:
    | "loss"
    | "hang"
    | "leak"
    | "leftover"
    | "state"
    | "secret"
    | "undisturbed"
    | "late"
    | "restart";
  readonly text: string;
}

/** The report of a case. */
export interface CaseReport {
  readonly faultCase: FaultCase;
  /** Names of the faults that happened: "data close". */
  readonly happened: readonly string[];
  /** "right file", "right file after retries", or the error's name. */
  readonly outcome: string;
  readonly error: unknown;
  readonly problems: readonly Problem[];
  /** Milliseconds of the transfer, and their limit. */
  readonly elapsed: number;
  readonly timeLimit: number;
  /** Milliseconds of the longest wait for the next line of the client's trace. */
  readonly slowestStep: number;
  /** Whether the server was left with a temporary file, which only a failed upload may do. */
  readonly hasLeftover: boolean;
}

/** Problems of a machine that was slower than the time-outs, or of the client. */
const TIME_DEPENDENT: ReadonlySet<Problem["kind"]> = new Set([
  "undisturbed",
  "late",
]);

/** Whether all problems of a case may be those of a machine that was slow for a moment. */
export function mayBeSlowness({ problems }: CaseReport): boolean {
  return problems.length > 0 &&
    problems.every(({ kind }) => TIME_DEPENDENT.has(kind));
}

/** A call that did not end. */
export class Hang extends Error {
  override name = "Hang";
}

/** The classes that the documentation names. */
export function isExpected(error: Error): boolean {
  return error instanceof FTPError || error instanceof Hang ||
    Object.values(Deno.errors).some((Class) => error instanceof Class) ||
    /TLSError/.test(error.name);
}

/** An error in a table. */
export function nameOf(error: unknown): string {
  if (error instanceof FTPError) {
    return `${error.name} ${error.reply?.code ?? ""}`.trim();
  }
  return error instanceof Error ? error.name : String(error);
}
