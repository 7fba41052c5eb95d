/**
 * Errors of the platform, said again with what was tried.
 *
 * @module
 */

import { printable, printableError } from "../protocol/printable.ts";

type ErrorClass = new (message: string, options?: ErrorOptions) => Error;

/** Classes that take a message and options, and mean a failed connection. */
const RESTATABLE = new Set<unknown>([Error, ...Object.values(Deno.errors)]);

/**
 * The same kind of error with another message, the original as its cause.
 *
 * @param error What was thrown
 * @param say Makes the message from the original's
 * @returns An error of the same class; of `Deno.errors.ConnectionAborted` if
 * the original's class is not the platform's
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
 * Tells whether an error can be said again without the loss of its class.
 *
 * @param error What was thrown
 * @returns Whether it is one of the platform's, without properties of its own
 */
export function isRestatable(error: unknown): boolean {
  return error instanceof Error && RESTATABLE.has(error.constructor);
}

/**
 * What was thrown, as an error.
 *
 * @param error What was thrown, whatever it is
 * @returns The same, or an error that says it
 */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
