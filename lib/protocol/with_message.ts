/**
 * Adds context to errors of the platform.
 *
 * @module
 */

import { printable, printableError } from "./printable.ts";

type ErrorClass = new (message: string, options?: ErrorOptions) => Error;

/** Classes that have a message and options, and mean a failed connection. */
const RESTATABLE = new Set<unknown>([Error, ...Object.values(Deno.errors)]);

/**
 * Copies an error with another message; the original becomes its cause.
 *
 * @returns An error of the same class; of `Deno.errors.ConnectionAborted` if
 * the class is not the platform's
 */
export function withMessage(
  error: unknown,
  say: (message: string) => string,
): Error {
  const original = printableError(asError(error));
  const message = printable(say(original.message));
  if (message === original.message) return original;
  const Class = isRestatable(original)
    ? original.constructor as ErrorClass
    : Deno.errors.ConnectionAborted;
  return new Class(message, { cause: original });
}

/**
 * Whether an error can be copied: it is one of the platform's, without
 * properties of its own.
 */
export function isRestatable(error: unknown): boolean {
  return error instanceof Error && RESTATABLE.has(error.constructor);
}

/** Converts a thrown value to an error. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
