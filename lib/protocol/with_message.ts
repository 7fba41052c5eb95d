/**
 * Adds context to errors.
 *
 * @module
 */

import { FTPError } from "./errors.ts";
import { printable, printableError } from "./printable.ts";

type ErrorClass = new (message: string, options?: ErrorOptions) => Error;

/** The platform's classes, whose errors have no fields of their own. */
const PLATFORM = new Set<unknown>(Object.values(Deno.errors));

/** Whether the platform made an error; a plain one has a code, as "ENOSPC". */
function isPlatforms(error: Error): boolean {
  return PLATFORM.has(error.constructor) ||
    (error.constructor === Error && "code" in error);
}

/**
 * Copies an error with another message; the original becomes its cause.
 *
 * @returns An error of the same class with the same fields; the same error if
 * the class is neither a class of {@linkcode FTPError}s nor the platform's, such
 * as an error of a callback
 */
export function withMessage<E>(
  error: E,
  say: (message: string) => string,
): E {
  if (!(error instanceof Error)) return error;
  const isFTP = error instanceof FTPError;
  if (!isFTP && !isPlatforms(error)) return printableError(error);
  // each class of FTPError has an option for each of its fields
  return copyOf(error, say, isFTP ? { ...error } : {});
}

function copyOf<E extends Error>(
  error: E,
  say: (message: string) => string,
  fields: object,
): E {
  const original = printableError(error);
  const message = printable(say(original.message));
  if (message === original.message) return original;
  const Class = original.constructor as ErrorClass;
  return new Class(message, { ...fields, cause: original }) as E;
}

/**
 * Creates the error of a failed connection, like {@linkcode withMessage}.
 *
 * @returns An error of the same class; of `Deno.errors.ConnectionAborted` if
 * the class is not the platform's
 */
export function connectionError(
  error: unknown,
  say: (message: string) => string,
): Error {
  const original = printableError(asError(error));
  const isPlain = original.constructor === Error;
  if (isPlain || isPlatforms(original)) return copyOf(original, say, {});
  const message = printable(say(original.message));
  return message === original.message
    ? original
    : new Deno.errors.ConnectionAborted(message, { cause: original });
}

/** Converts a thrown value to an error. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
