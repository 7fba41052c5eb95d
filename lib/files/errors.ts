/**
 * What can go wrong with a file beside the server's "no" and a failed
 * connection.
 *
 * @module
 */

import { withMessage } from "../connection/with_message.ts";
import {
  FTPError,
  type FTPErrorOptions,
  FTPPermanentError,
  FTPProtocolError,
  FTPReplyError,
  FTPTemporaryError,
} from "../protocol/errors.ts";
import { printableError } from "../protocol/printable.ts";

/** What an {@linkcode FTPUnconfirmedError} carries besides its message. */
export interface FTPUnconfirmedErrorOptions extends FTPErrorOptions {
  /** Bytes of the file that went through. */
  bytes: number;
  /** Size of the file, in bytes. */
  size: number;
}

/**
 * Every byte of the file went through, but the server never said that the
 * transfer is complete. The connection is closed. Before it gives up, `upload`
 * asks for the size on a new connection, as often as `retry` lets it. What is
 * not confirmed takes no file's place: the temporary one is removed, or kept
 * with `resume`. Only a file that was written in place (`atomic: false`) is
 * there then, and may be whole: its size, its time or a hash can tell.
 */
export class FTPUnconfirmedError extends FTPError {
  /** The class's own name. */
  override name = "FTPUnconfirmedError";
  /** Bytes of the file that went through. */
  readonly bytes: number;
  /** Size of the file, in bytes. */
  readonly size: number;

  /**
   * Makes an error.
   *
   * @param message What was tried and what is missing
   * @param options The facts
   */
  constructor(message: string, options: FTPUnconfirmedErrorOptions) {
    super(message, options);
    this.bytes = options.bytes;
    this.size = options.size;
  }
}

/** What an {@linkcode FTPVerificationError} carries besides its message. */
export interface FTPVerificationErrorOptions extends FTPErrorOptions {
  /** What was compared: "size", "mtime", or the name of a hash. */
  what: string;
  /** What it should have been. */
  expected: number | string;
  /** What it was. */
  actual: number | string;
}

/**
 * The server confirmed a transfer, but the file here and the file there are
 * not the same. The connection can be used.
 */
export class FTPVerificationError extends FTPError {
  /** The class's own name. */
  override name = "FTPVerificationError";
  /** What was compared: "size", "mtime", or the name of a hash: "SHA-256". */
  readonly what: string;
  /** What it should have been: bytes, an ISO 8601 time, or hexadecimal digits. */
  readonly expected: number | string;
  /** What it was. */
  readonly actual: number | string;

  /**
   * Makes an error.
   *
   * @param message What was transferred
   * @param options What was compared
   */
  constructor(message: string, options: FTPVerificationErrorOptions) {
    super(
      `${message}: ${options.what} is ${options.actual}, not ${options.expected}`,
      options,
    );
    this.what = options.what;
    this.expected = options.expected;
    this.actual = options.actual;
  }
}

/**
 * Wraps an error of this side (a full disk, a callback, a source) on its way
 * through code that would otherwise blame the connection and try again.
 */
export class LocalError extends Error {
  /** The error itself. */
  readonly fault: unknown;

  /**
   * Wraps an error.
   *
   * @param fault The error
   */
  constructor(fault: unknown) {
    super("Cannot go on: a fault on this side", { cause: fault });
    this.fault = fault instanceof LocalError ? fault.fault : fault;
  }
}

/**
 * Runs what only concerns this side.
 *
 * @param run Reads, writes or calls back
 * @returns What it gives
 * @throws {LocalError} If it throws
 */
export function locally<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new LocalError(error);
  }
}

/**
 * As {@linkcode locally}, for what takes time.
 *
 * @param run Reads, writes or calls back
 * @returns What it gives
 * @throws {LocalError} If it rejects
 */
export async function locallyAsync<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw new LocalError(error);
  }
}

/**
 * Runs a job, and shows its caller the error itself.
 *
 * @param run The job
 * @returns What it gives
 */
export async function unwrapped<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw printableError(error instanceof LocalError ? error.fault : error);
  }
}

/** Classes of errors that are made of a message and what every one carries. */
const PLAIN_CLASSES = [
  FTPPermanentError,
  FTPTemporaryError,
  FTPReplyError,
  FTPProtocolError,
  FTPError,
] as const;

/**
 * The same kind of error with another message, the original as its cause.
 *
 * @param error What was thrown
 * @param say Makes the message from the original's
 * @returns The error; the original where its class has a message of its own, or
 * where it is a fault of this side
 */
export function retold(
  error: unknown,
  say: (message: string) => string,
): unknown {
  if (error instanceof FTPError) {
    const { message, reply, command } = error;
    const options = { reply, command, cause: error };
    if (error instanceof FTPUnconfirmedError) {
      const { bytes, size } = error;
      return new FTPUnconfirmedError(say(message), { ...options, bytes, size });
    }
    const Class = PLAIN_CLASSES.find((Class) => error.constructor === Class);
    return Class === undefined ? error : new Class(say(message), options);
  }
  const isPlatforms = error instanceof Error &&
    Object.values(Deno.errors).some((Class) => error.constructor === Class);
  return isPlatforms ? withMessage(error, say) : error;
}

/** How far a transfer came that failed. */
interface GivenUp {
  /** How many times it was tried again. */
  readonly retries: number;
  /** Bytes of the file that are on the other side. */
  readonly bytes: number;
  /** Size of the file, where it is known. */
  readonly size: number | null;
}

/**
 * The error of a transfer that was tried more than once: it says what the last
 * attempt's does not.
 *
 * @param error The last attempt's
 * @param action What could not be done, on which file
 * @param progress How far it came
 * @returns The error; the same if there was but one attempt
 */
export function afterAttempts(
  error: unknown,
  action: string,
  { retries, bytes, size }: GivenUp,
): unknown {
  if (retries === 0) return error;
  const whole = size === null ? "" : ` of ${size}`;
  return retold(
    error,
    (message) =>
      `${action} in ${
        retries + 1
      } attempts, with ${bytes}${whole} bytes: ${message}`,
  );
}
