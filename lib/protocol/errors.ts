/**
 * Errors, of two kinds that are never mixed. An {@linkcode FTPError} with a
 * reply: the server refused; the connection stays usable unless the class says
 * otherwise. A `Deno.errors.*` or an {@linkcode FTPProtocolError}: the
 * connection failed and is closed.
 *
 * @module
 */

import { withAdvice } from "./with_advice.ts";
import { printable, printableError, printableInspection } from "./printable.ts";
import type { Reply } from "./reply.ts";

/**
 * Names the method that returns a reply without the secrets that a server
 * repeated in it. Before it becomes part of an error, a reply may be data, such
 * as a path or a size.
 */
export const REDACTED: unique symbol = Symbol("redacted");

/**
 * Options of an {@linkcode FTPError}.
 *
 * @internal
 */
export interface FTPErrorOptions extends ErrorOptions {
  /** The reply that caused the error. */
  reply?: Reply | undefined;
  /** The command the reply answers, with its secrets masked. */
  command?: string | undefined;
}

/**
 * Base class of errors that a reply of the server causes.
 *
 * @example Tell the server's "no" from a broken connection
 * ```ts
 * import { FTPError } from "./errors.ts";
 *
 * function isRefused(error: unknown): boolean {
 *   return error instanceof FTPError && error.reply !== undefined;
 * }
 * isRefused(new FTPError("Cannot delete"));
 * ```
 */
export class FTPError extends Error {
  /** Name of the class, as in the stack trace. */
  override name = "FTPError";
  /** The reply that caused the error; `undefined` if there was none. */
  readonly reply: Reply | undefined;
  /** The command that was answered, with its secrets masked. */
  readonly command: string | undefined;

  /**
   * Creates an error. Control characters and secrets in the message, and
   * secrets in the reply, are replaced.
   *
   * @param message The action, its object, and the server's words
   * @param options Reply, masked command and cause
   */
  constructor(message: string, options: FTPErrorOptions = {}) {
    const reply = options.reply?.[REDACTED]();
    super(
      printable(redacted(message, options.reply, reply)),
      options.cause === undefined
        ? undefined
        : { cause: printableError(options.cause) },
    );
    this.reply = reply;
    this.command = options.command;
  }

  /**
   * Formats the error for `console.log`, with its fields. Characters that
   * control a terminal are replaced.
   *
   * @param inspect Deno's function that formats a value
   * @param options Options of `inspect`
   * @returns The text
   * @ignore
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

/** Masks the secrets of a reply that a message quotes as a whole. */
function redacted(message: string, reply?: Reply, copy?: Reply): string {
  return reply === undefined || copy === undefined || reply === copy
    ? message
    : message.replaceAll(reply.text, () => copy.text);
}

/**
 * A 4yz reply (ftplib's `error_temp`, RFC 959 section 4.2.1). The same command
 * may succeed later. After 421 the connection is closed.
 */
export class FTPTemporaryError extends FTPError {
  /** Name of the class. */
  override name = "FTPTemporaryError";
}

/**
 * A 5yz reply (ftplib's `error_perm`, RFC 959 section 4.2.1). The same command
 * would fail again.
 */
export class FTPPermanentError extends FTPError {
  /** Name of the class. */
  override name = "FTPPermanentError";
}

/** An unexpected 1yz, 2yz or 3yz reply (ftplib's `error_reply`). */
export class FTPReplyError extends FTPError {
  /** Name of the class. */
  override name = "FTPReplyError";
}

/**
 * The server's data is not FTP (ftplib's `error_proto`).
 *
 * With a `reply`: the reply is complete but unreadable, such as a 227 without
 * numbers. The connection stays usable. Without a `reply`: a line without a
 * code, a line or reply over its limit, or an unexpected reply. The connection
 * is closed, except for a line of a text or listing that is longer than
 * `maxLine`.
 */
export class FTPProtocolError extends FTPError {
  /** Name of the class. */
  override name = "FTPProtocolError";
}

/** An error that has the server's reply: the connection stays usable. */
export type Refusal = FTPError & { readonly reply: Reply };

/**
 * Whether an error has the server's reply.
 *
 * @param codes The codes that count; all if left out
 */
export function isRefusal(
  error: unknown,
  codes?: readonly number[],
): error is Refusal {
  const reply = replyOf(error);
  return reply !== undefined && (codes?.includes(reply.code) ?? true);
}

/** Returns the server's reply in an error, if it has one. */
export function replyOf(error: unknown): Reply | undefined {
  return error instanceof FTPError ? error.reply : undefined;
}

/** Replies to an unknown command (RFC 959 section 4.2.1). */
const UNKNOWN_REPLIES: readonly number[] = [500, 502, 504];

/** Whether a reply says that the server does not know the command. */
export function isUnknownCommand(reply: Reply | undefined): boolean {
  return reply !== undefined && UNKNOWN_REPLIES.includes(reply.code);
}

/**
 * Creates the error for an unexpected reply.
 *
 * @param command The command that was answered, printable and masked
 * @param advice What to do, without a period
 */
export function replyError(
  reply: Reply,
  command: string,
  cause?: unknown,
  advice = "",
): FTPError {
  const Class = reply.code >= 500
    ? FTPPermanentError
    : reply.code >= 400
    ? FTPTemporaryError
    : FTPReplyError;
  const message = `${failedAction(command)}: ${reply.text}`;
  return new Class(withAdvice(message, advice), { reply, command, cause });
}

/** A greeting, which is the reply to a connection. */
const GREETING_REGEXP = /^connect to (\S+)$/;

/** Returns the start of a message: what failed. */
export function failedAction(command: string): string {
  const [, address] = GREETING_REGEXP.exec(command) ?? [];
  return address === undefined
    ? `Cannot complete "${command}"`
    : `Cannot connect to "${address}"`;
}
