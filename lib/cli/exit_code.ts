/**
 * Exit codes of the command line.
 *
 * @module
 */

import { FTPError, FTPMirrorError, TLSError } from "../../mod.ts";

/** What the exit code of a command means. */
export const EXIT = {
  /** Everything was done. */
  done: 0,
  /** The command line cannot be understood; nothing was sent. */
  usage: 1,
  /** The server refused, or what it has is not what was sent. */
  refused: 2,
  /** The server was not reached, not trusted, or the connection was lost. */
  network: 3,
  /** Some of several were done, and some were not. */
  partial: 4,
  /** A local file or a permission is missing, or the disk is full. */
  local: 5,
  /** Ctrl-C, as shells count it. */
  interrupted: 130,
} as const;

/** An exit code. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command line cannot be understood. */
export class UsageError extends Error {
  /** The class's own name. */
  override name = "UsageError";
}

/** The user has ended the program. */
export class Interrupted extends Error {
  /** The class's own name. */
  override name = "Interrupted";
}

/** Several things were to be done, and some were not; the errors were shown. */
export class Incomplete extends Error {
  /** The class's own name. */
  override name = "Incomplete";
  /** What became of the whole. */
  readonly code: ExitCode;
  /** Whether there was but one thing to do, whose error says it all. */
  readonly isSingle: boolean;

  /**
   * Makes an error.
   *
   * @param code What became of the whole
   * @param message How much was not done
   * @param isSingle Whether there was but one thing to do
   */
  constructor(code: ExitCode, message: string, isSingle = false) {
    super(message);
    this.code = code;
    this.isSingle = isSingle;
  }
}

/** The errors of a connection that failed. */
const NETWORK_ERRORS = [
  Deno.errors.ConnectionRefused,
  Deno.errors.ConnectionReset,
  Deno.errors.ConnectionAborted,
  Deno.errors.NotConnected,
  Deno.errors.TimedOut,
  Deno.errors.UnexpectedEof,
  Deno.errors.BrokenPipe,
  Deno.errors.AddrInUse,
  Deno.errors.AddrNotAvailable,
  Deno.errors.Http,
];

/**
 * Chooses the exit code for an error.
 *
 * @param error What ended the command
 * @returns The code
 */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Incomplete) return error.code;
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (error instanceof FTPMirrorError) return EXIT.partial;
  if (error instanceof TLSError) return EXIT.network;
  if (error instanceof FTPError) {
    // without a reply what came is no FTP
    return error.name === "FTPProtocolError" && error.reply === undefined
      ? EXIT.network
      : EXIT.refused;
  }
  if (NETWORK_ERRORS.some((Class) => error instanceof Class)) {
    return EXIT.network;
  }
  if (error instanceof Deno.errors.NotCapable) return EXIT.local;
  // names that cannot be resolved, hosts without a route, proxies that refuse:
  // their classes say nothing of the network
  if (error instanceof Error && /^Cannot connect to "/.test(error.message)) {
    return EXIT.network;
  }
  const isDeno = Object.values(Deno.errors).some((Class) =>
    error instanceof Class
  );
  if (isDeno) return EXIT.local;
  // arguments that the library refuses before it sends anything
  return error instanceof TypeError || error instanceof RangeError
    ? EXIT.usage
    : EXIT.local;
}
