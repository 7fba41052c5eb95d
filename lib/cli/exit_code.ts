/**
 * Exit codes of the command line.
 *
 * @module
 */

import { FTPError, FTPMirrorError, TLSError } from "../../mod.ts";

/** Exit codes by their meaning. */
export const EXIT = {
  /** Everything was done. */
  done: 0,
  /** The command line is invalid; nothing was sent. */
  usage: 1,
  /** The server refused, or its file differs from the local one. */
  refused: 2,
  /** The server was not reached, not trusted, or the connection was lost. */
  network: 3,
  /** Only a part of the work was done. */
  partial: 4,
  /** A local file or a permission is missing, or the disk is full. */
  local: 5,
  /** Ctrl-C, with the code that shells use. */
  interrupted: 130,
} as const;

/** An exit code. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command line is invalid. */
export class UsageError extends Error {
  /** The class's own name. */
  override name = "UsageError";
}

/** The user interrupted the program. */
export class Interrupted extends Error {
  /** The class's own name. */
  override name = "Interrupted";
}

/** Some of several items failed. Their errors were printed. */
export class Incomplete extends Error {
  /** The class's own name. */
  override name = "Incomplete";
  /** The exit code. */
  readonly code: ExitCode;
  /** Whether there was only one item, whose error was printed. */
  readonly isSingle: boolean;

  /** Creates an error. */
  constructor(code: ExitCode, message: string, isSingle = false) {
    super(message);
    this.code = code;
    this.isSingle = isSingle;
  }
}

/** Errors of failed connections. */
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

/** Chooses the exit code for an error. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Incomplete) return error.code;
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (error instanceof FTPMirrorError) return EXIT.partial;
  if (error instanceof TLSError) return EXIT.network;
  if (error instanceof FTPError) {
    // without a reply, the data was not FTP
    return error.name === "FTPProtocolError" && error.reply === undefined
      ? EXIT.network
      : EXIT.refused;
  }
  if (NETWORK_ERRORS.some((Class) => error instanceof Class)) {
    return EXIT.network;
  }
  if (error instanceof Deno.errors.NotCapable) return EXIT.local;
  // unknown names, missing routes and refusing proxies have other classes
  if (error instanceof Error && /^Cannot connect to "/.test(error.message)) {
    return EXIT.network;
  }
  const isDeno = Object.values(Deno.errors).some((Class) =>
    error instanceof Class
  );
  if (isDeno) return EXIT.local;
  // arguments that the library rejects before it sends anything
  return error instanceof TypeError || error instanceof RangeError
    ? EXIT.usage
    : EXIT.local;
}
