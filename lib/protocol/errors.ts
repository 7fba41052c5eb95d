/**
 * What can go wrong, in two kinds that are never mixed: the server said no
 * (an {@linkcode FTPError} with its reply; the connection stays usable unless
 * the class says otherwise) and the connection failed (`Deno.errors.*`, or an
 * {@linkcode FTPProtocolError}; the connection is closed).
 *
 * @module
 */

import { printable, printableError, printableInspection } from "./printable.ts";
import type { Reply } from "./reply.ts";

/**
 * Names the method by which a reply loses the secrets that the server has
 * repeated in it. Until an error is made of it a reply may be data: a path, a
 * size.
 */
export const CONCEAL: unique symbol = Symbol("conceal");

/** What an {@linkcode FTPError} carries besides its message. */
export interface FTPErrorOptions extends ErrorOptions {
  /** The reply that caused the error. */
  reply?: Reply | undefined;
  /** The command the reply answers, with its secrets masked. */
  command?: string | undefined;
}

/**
 * Base of the errors that a reply of the server causes.
 *
 * @example Tell the server's "no" from a broken connection
 * ```ts
 * import { FTPError } from "./errors.ts";
 *
 * function isRefusal(error: unknown): boolean {
 *   return error instanceof FTPError && error.reply !== undefined;
 * }
 * isRefusal(new FTPError("Cannot delete"));
 * ```
 */
export class FTPError extends Error {
  /** The class's own name, as in the stack trace. */
  override name = "FTPError";
  /** The reply that caused the error, where there was one. */
  readonly reply: Reply | undefined;
  /** The command that was answered, with its secrets masked. */
  readonly command: string | undefined;

  /**
   * Makes an error.
   *
   * @param message What was tried, on what, and what the server said; control
   * characters are replaced, so that names and words of the server cannot drive
   * a terminal, and secrets that the reply repeats
   * @param options The reply, the masked command and the cause
   */
  constructor(message: string, options: FTPErrorOptions = {}) {
    const { reply } = options;
    super(
      printable(reply === undefined ? message : concealIn(message, reply)),
      options.cause === undefined
        ? undefined
        : { cause: printableError(options.cause) },
    );
    this.reply = reply;
    this.command = options.command;
  }

  /**
   * Shows the error in `console.log`: its fields too, but no name or word of the
   * server that drives a terminal.
   *
   * @param inspect Deno's function that shows a value
   * @param options How it shows it
   * @returns The text
   */
  [Symbol.for("Deno.customInspect")](
    inspect: (value: unknown, options?: unknown) => string,
    options: unknown,
  ): string {
    const { stack, message, cause } = this;
    const fields = Object.entries(this).filter(([name, value]) =>
      name !== "name" && value !== undefined
    );
    const shown = fields.length === 0
      ? ""
      : ` ${inspect(Object.fromEntries(fields), options)}`;
    const why = cause === undefined
      ? ""
      : `\nCaused by ${inspect(printableError(cause), options)}`;
    const what = printable(stack ?? `${this.name}: ${message}`);
    return printableInspection(`${what}${shown}${why}`);
  }
}

/** Conceals the secrets of a reply, and of a message that quotes it whole. */
function concealIn(message: string, reply: Reply): string {
  const said = reply.text;
  reply[CONCEAL]();
  return message.replaceAll(said, () => reply.text);
}

/**
 * A 4yz reply (ftplib's `error_temp`, RFC 959 section 4.2.1): the same command
 * may succeed later. After 421 the connection is closed.
 */
export class FTPTemporaryError extends FTPError {
  /** The class's own name. */
  override name = "FTPTemporaryError";
}

/**
 * A 5yz reply (ftplib's `error_perm`, RFC 959 section 4.2.1): the same command
 * will fail again.
 */
export class FTPPermanentError extends FTPError {
  /** The class's own name. */
  override name = "FTPPermanentError";
}

/** A 1yz, 2yz or 3yz reply where another was due (ftplib's `error_reply`). */
export class FTPReplyError extends FTPError {
  /** The class's own name. */
  override name = "FTPReplyError";
}

/**
 * What came is not FTP (ftplib's `error_proto`).
 *
 * With a `reply`: it came whole, and cannot be read (227 without numbers). The
 * connection can be used. Without: no code, a line or reply past its cap, a
 * reply nobody asked for. The connection is closed, unless it is a line of a
 * text or a listing that is longer than `maxLine`.
 */
export class FTPProtocolError extends FTPError {
  /** The class's own name. */
  override name = "FTPProtocolError";
}

/**
 * The error for a reply that is not what a command needs.
 *
 * @param reply The reply
 * @param command The command it answers, printable and masked
 * @param cause What else went wrong
 * @returns The error of the reply's class, to be thrown
 */
export function replyError(
  reply: Reply,
  command: string,
  cause?: unknown,
): FTPError {
  const Class = reply.code >= 500
    ? FTPPermanentError
    : reply.code >= 400
    ? FTPTemporaryError
    : FTPReplyError;
  return new Class(`Cannot complete "${command}": ${reply.text}`, {
    reply,
    command,
    cause,
  });
}
