/**
 * Errors of file transfers, other than refusals of the server and failed
 * connections.
 *
 * @module
 */

import { FTPError, type FTPErrorOptions } from "../protocol/errors.ts";
import { printableError } from "../protocol/printable.ts";
import { withMessage } from "../protocol/with_message.ts";

/**
 * Options of an {@linkcode FTPUnconfirmedError}.
 *
 * @internal
 */
export interface FTPUnconfirmedErrorOptions extends FTPErrorOptions {
  /** Bytes of the file that were transferred. */
  bytes: number;
  /** Size of the file, in bytes. */
  size: number;
}

/**
 * Every byte of a file was transferred, but the server did not confirm it. The
 * connection is closed.
 *
 * Before it fails, `upload` asks for the size on a new connection, as often as
 * `retry` allows. An unconfirmed file never replaces another one: the temporary
 * file is removed, or kept with `resume`. A file written in place
 * (`atomic: false`) stays, and may be complete. Its size, its time or a hash
 * can tell.
 */
export class FTPUnconfirmedError extends FTPError {
  /** Name of the class. */
  override name = "FTPUnconfirmedError";
  /** Bytes of the file that were transferred. */
  readonly bytes: number;
  /** Size of the file, in bytes. */
  readonly size: number;

  /**
   * Creates an error.
   *
   * @param message The action, and what is missing
   * @param options Bytes, size, reply, command and cause
   */
  constructor(message: string, options: FTPUnconfirmedErrorOptions) {
    super(message, options);
    this.bytes = options.bytes;
    this.size = options.size;
  }
}

/**
 * Options of an {@linkcode FTPVerificationError}.
 *
 * @internal
 */
export interface FTPVerificationErrorOptions extends FTPErrorOptions {
  /** Property that was compared: "size", "mtime", or the name of a hash. */
  what: string;
  /** The expected value. */
  expected: number | string;
  /** The actual value. */
  actual: number | string;
}

/**
 * The server confirmed a transfer, but the local and the remote file differ.
 * The connection stays usable.
 */
export class FTPVerificationError extends FTPError {
  /** Name of the class. */
  override name = "FTPVerificationError";
  /**
   * Property that was compared: "size", "mtime", or the name of a hash such as
   * "SHA-256".
   */
  readonly what: string;
  /** The expected value: bytes, an ISO 8601 time, or hexadecimal digits. */
  readonly expected: number | string;
  /** The actual value. */
  readonly actual: number | string;

  /**
   * Creates an error.
   *
   * @param message The action and its object; the comparison is added
   * @param options Property, expected and actual value
   */
  constructor(message: string, options: FTPVerificationErrorOptions) {
    const { what, actual, expected } = options;
    const comparison = `${what} is ${actual}, not ${expected}`;
    // the message of a copy has it already
    super(
      message.includes(comparison) ? message : `${message}: ${comparison}`,
      options,
    );
    this.what = options.what;
    this.expected = options.expected;
    this.actual = options.actual;
  }
}

/**
 * Wraps a local error, such as a full disk, a failed callback or a failed
 * source. Without it, the connection would be blamed and the transfer retried.
 */
export class LocalError extends Error {
  /** The original error. */
  readonly fault: unknown;

  /** Wraps an error. */
  constructor(fault: unknown) {
    super("Cannot continue: an error on this side", { cause: fault });
    this.fault = fault instanceof LocalError ? fault.fault : fault;
  }
}

/**
 * Runs local code, and wraps its errors.
 *
 * @throws {LocalError} If `run` throws
 */
export function locally<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new LocalError(error);
  }
}

/**
 * Like {@linkcode locally}, for asynchronous code.
 *
 * @throws {LocalError} If `run` rejects
 */
export async function locallyAsync<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw new LocalError(error);
  }
}

/**
 * Runs an operation, and rejects with the original error instead of a
 * {@linkcode LocalError}.
 */
export async function unwrapped<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw printableError(error instanceof LocalError ? error.fault : error);
  }
}

/** Progress of a failed transfer. */
interface FailedProgress {
  /** Number of retries. */
  readonly retries: number;
  /** Bytes of the file that were transferred. */
  readonly bytes: number;
  /** Size of the file, if it is known. */
  readonly size: number | null;
}

/**
 * Adds attempts and progress to the message of the last attempt's error.
 * Returns the same error if there was only one attempt.
 *
 * @param action The action and the file, as the start of the message
 */
export function afterAttempts(
  error: unknown,
  action: string,
  { retries, bytes, size }: FailedProgress,
): unknown {
  if (retries === 0) return error;
  const whole = size === null ? "" : ` of ${size}`;
  return withMessage(
    error,
    (message) =>
      `${action} in ${
        retries + 1
      } attempts, with ${bytes}${whole} bytes: ${message}`,
  );
}
