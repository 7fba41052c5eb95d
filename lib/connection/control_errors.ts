/**
 * How a control connection fails, in words.
 *
 * @module
 */

import type { PendingCommand, PendingKind } from "./pending_commands.ts";
import { withMessage } from "./with_message.ts";
import { printable } from "../protocol/printable.ts";
import { FTPProtocolError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";

/** What is done about a server that cannot take commands together. */
const ONE_AT_A_TIME =
  ", which some servers and firewalls cannot take: the next connection of this client does without, as all do with { pipelining: false }";

/** What to do about an open transfer: one of a method, one sent by hand. */
const ADVICE: Partial<Record<PendingKind, string>> = {
  transfer: "await its end first",
  command: "await voidresp() first",
};

/**
 * A command cannot be sent any more.
 *
 * @param command The command, printable and masked
 * @param failure Why the connection is closed
 * @returns The error
 */
export function closed(command: string, failure: Error): Error {
  return new Deno.errors.NotConnected(
    `Cannot send "${command}": the connection is closed: ${failure.message}`,
    { cause: failure },
  );
}

/**
 * A reply will not come any more.
 *
 * @param failure Why the connection is closed
 * @returns The error
 */
export function closedWaiting(failure: Error): Error {
  return new Deno.errors.NotConnected(
    `Cannot wait for a reply: the connection is closed: ${failure.message}`,
    { cause: failure },
  );
}

/**
 * A command cannot be sent while a transfer is open.
 *
 * @param command The command, printable and masked
 * @param open The transfer
 * @returns The error
 */
export function busy(command: string, open: PendingCommand): Error {
  return new Deno.errors.Busy(
    `Cannot send "${command}": the transfer "${open.command}" is open; ${
      open.advice ?? ADVICE[open.kind]
    }`,
  );
}

/**
 * Something came behind the reply that agreed to TLS, or to its end: it was
 * not protected by what was just agreed (response injection).
 *
 * @returns The error
 */
export function injected(): FTPProtocolError {
  return new FTPProtocolError(
    `Cannot change the protection of the control connection: bytes came in clear text behind the reply that agreed to it; the connection is closed`,
  );
}

/**
 * A reply came that no command is waiting for.
 *
 * @param reply The reply
 * @returns The error
 */
export function outOfStep(reply: Reply): FTPProtocolError {
  return new FTPProtocolError(
    `Received a reply that no command is waiting for, "${
      printable(reply.text)
    }": the connection is out of step and closed`,
  );
}

/**
 * A reply came that cannot be for the command that is due: one was lost before
 * it, or one came too many.
 *
 * @param pending What was due
 * @param reply The reply
 * @returns The error
 */
export function misplaced(
  pending: PendingCommand,
  reply: Reply,
): FTPProtocolError {
  return new FTPProtocolError(
    `Cannot complete "${pending.command}": "${
      printable(reply.text)
    }" is a reply to another command; the connection is out of step and closed`,
  );
}

/**
 * The server said that it closes: 421 does, whatever it answers (RFC 959
 * section 5.4).
 *
 * @param reply The reply
 * @returns The error
 */
export function closedByReply(reply: Reply): Error {
  return new Deno.errors.ConnectionReset(
    `The server closed the connection: ${printable(reply.text)}`,
  );
}

/**
 * The server closed the connection.
 *
 * @param pending What was due
 * @param isCut Whether the reply had begun
 * @param isSuspect Whether it may have closed it because commands came together
 * @param via Through what the connection went, if not straight to the server
 * @returns The error
 */
export function ended(
  pending: PendingCommand | undefined,
  isCut: boolean,
  isSuspect: boolean,
  via: string | undefined,
): Error {
  const tried = pending === undefined
    ? "Cannot keep the connection"
    : `Cannot complete "${pending.command}"`;
  const where = isCut ? " in the middle of a reply" : "";
  const hint = isSuspect
    ? `; it was sent together with another command${ONE_AT_A_TIME}`
    : "";
  return new Deno.errors.UnexpectedEof(
    `${tried}: the server${
      via === undefined ? "" : `, or ${via},`
    } closed the connection${where}${hint}`,
  );
}

/**
 * A wait was too long.
 *
 * @param pending What was due
 * @param what What did not happen
 * @param line The line that may have been meant to end the reply
 * @returns The error
 */
export function expired(
  pending: PendingCommand | undefined,
  what: string,
  line: string | undefined,
): Error {
  const tried = pending === undefined
    ? "Cannot write to the control connection"
    : `Cannot complete "${pending.command}"`;
  const hint = line !== undefined
    ? `; "${
      printable(line)
    }" may have been meant to end the reply: try { multiline: "lenient" }`
    : pending?.verb === "EPSV"
    ? '; something on the way may swallow it: { passive: "pasv" } does without'
    : pending?.isPipelined
    ? `; it was sent before the command ahead of it was answered${ONE_AT_A_TIME}`
    : "";
  return new Deno.errors.TimedOut(
    `${tried}: ${what}; the connection is closed${hint}`,
  );
}

/**
 * Reading or writing failed.
 *
 * @param pending What was due
 * @param error Why
 * @param via Through what the connection went, if not straight to the server
 * @returns The error, of the same class
 */
export function broken(
  pending: PendingCommand | undefined,
  error: unknown,
  via: string | undefined,
): Error {
  return withMessage(
    error,
    (message) =>
      `Cannot complete "${pending?.command ?? "a command"}": the connection${
        throughOf(via)
      } failed: ${message}`,
  );
}

/** " through the proxy ..."; nothing where a connection goes straight. */
function throughOf(via: string | undefined): string {
  return via === undefined ? "" : ` through ${via}`;
}
