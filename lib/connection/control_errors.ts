/**
 * Errors of a control connection.
 *
 * @module
 */

import type { PendingCommand, PendingKind } from "./pending_commands.ts";
import { connectionError } from "../protocol/with_message.ts";
import { printable } from "../protocol/printable.ts";
import { failedAction, FTPProtocolError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";

/** Advice for servers that cannot handle several commands at once. */
const ONE_AT_A_TIME =
  ", which some servers and firewalls cannot handle: the next connection of this client sends one at a time, as all do with { pipelining: false }";

/** Advice about an open transfer: of a method, or of a command sent by hand. */
const ADVICE: Partial<Record<PendingKind, string>> = {
  transfer: "await its end first",
  command: "await voidresp() first",
};

/**
 * Creates the error for a command on a closed connection.
 *
 * @param command The command, printable and masked
 */
export function notConnectedError(command: string, failure: Error): Error {
  return new Deno.errors.NotConnected(
    `Cannot send "${command}": the connection is closed: ${failure.message}`,
    { cause: failure },
  );
}

/** Creates the error for a reply that will not come. */
export function noReplyError(failure: Error): Error {
  return new Deno.errors.NotConnected(
    `Cannot wait for a reply: the connection is closed: ${failure.message}`,
    { cause: failure },
  );
}

/**
 * Creates the error for a command during an open transfer.
 *
 * @param command The command, printable and masked
 */
export function busyError(command: string, open: PendingCommand): Error {
  return new Deno.errors.Busy(
    `Cannot send "${command}": the transfer "${open.command}" is open; ${
      open.advice ?? ADVICE[open.kind]
    }`,
  );
}

/**
 * Creates the error for unprotected bytes after the reply that agreed to TLS or
 * to its end (response injection).
 */
export function injectionError(): FTPProtocolError {
  return new FTPProtocolError(
    `Cannot change the protection of the control connection: bytes came in clear text behind the reply that agreed to it; the connection is closed`,
  );
}

/** Creates the error for a reply without a pending command. */
export function unexpectedReplyError(reply: Reply): FTPProtocolError {
  return new FTPProtocolError(
    `Received a reply that no command is waiting for, "${
      printable(reply.text)
    }": replies no longer match their commands, so the connection is closed`,
  );
}

/**
 * Creates the error for a reply that cannot belong to the pending command: a
 * reply is missing or superfluous.
 */
export function wrongReplyError(
  pending: PendingCommand,
  reply: Reply,
): FTPProtocolError {
  return new FTPProtocolError(
    `Cannot complete "${pending.command}": "${
      printable(reply.text)
    }" is a reply to another command; replies no longer match their commands, so the connection is closed`,
  );
}

/**
 * Creates the error for a 421 reply, which announces the end of the connection
 * after any command (RFC 959 section 5.4).
 */
export function closedByReplyError(reply: Reply): Error {
  return new Deno.errors.ConnectionReset(
    `The server closed the connection: ${printable(reply.text)}`,
  );
}

/**
 * Creates the error for a connection that the server closed.
 *
 * @param isSuspect Whether pipelined commands may be the reason
 * @param via What the connection goes through, if anything
 */
export function endedError(
  pending: PendingCommand | undefined,
  isCut: boolean,
  isSuspect: boolean,
  via: string | undefined,
): Error {
  const tried = pending === undefined
    ? "Cannot keep the connection"
    : failedAction(pending.command);
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

/** Creates the error for a wait that took too long. */
export function timeoutError(
  pending: PendingCommand | undefined,
  what: string,
  line: string | undefined,
  via: string | undefined,
): Error {
  const tried = pending === undefined
    ? "Cannot write to the control connection"
    : failedAction(pending.command);
  if (pending?.kind === "greeting" && line === undefined) {
    const through = throughOf(via);
    return new Deno.errors.TimedOut(
      `${tried}: ${what}${through}; the connection was accepted, but no greeting came`,
    );
  }
  const hint = line !== undefined
    ? `; "${
      printable(line)
    }" may have been meant to end the reply: try { multiline: "lenient" }`
    : pending?.verb === "EPSV"
    ? '; a firewall may drop it: use { passive: "pasv" }'
    : pending?.isPipelined
    ? `; it was sent before the command ahead of it was answered${ONE_AT_A_TIME}`
    : "";
  return new Deno.errors.TimedOut(
    `${tried}: ${what}${throughOf(via)}; the connection is closed${hint}`,
  );
}

/**
 * Creates the error for a failed read or write.
 *
 * @param via What the connection goes through, if anything
 */
export function brokenError(
  pending: PendingCommand | undefined,
  error: unknown,
  via: string | undefined,
): Error {
  return connectionError(
    error,
    (message) =>
      `${
        pending === undefined
          ? "Cannot complete a command"
          : failedAction(pending.command)
      }: the connection${throughOf(via)} failed: ${message}`,
  );
}

/** " through the proxy ...", or "" for a direct connection. */
function throughOf(via: string | undefined): string {
  return via === undefined ? "" : ` through ${via}`;
}
