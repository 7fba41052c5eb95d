/**
 * Events for `node:diagnostics_channel`: connections, commands, transfers and
 * retries. Nothing is made where nothing subscribes.
 *
 * @module
 */

import { channel } from "node:diagnostics_channel";
import type { Reply } from "../protocol/reply.ts";

/** An event of the channel `ftp:connection`. */
export interface ConnectionDiagnostic {
  /** "open" when the connection was opened, "close" when it has ended. */
  readonly phase: "open" | "close";
  /** Number of the connection in the program. */
  readonly connection: number;
  /** Host of the server. */
  readonly host: string;
  /** Port of the server. */
  readonly port: number;
  /** The reason of its end, for "close". */
  readonly message?: string | undefined;
}

/** An event of the channel `ftp:command`. */
export interface CommandDiagnostic {
  /**
   * "start" when the command is sent, "end" at its final reply, "error" if
   * there is none.
   */
  readonly phase: "start" | "end" | "error";
  /** Number of the command in the program; the same for "start" and "end". */
  readonly id: number;
  /** Number of the connection. */
  readonly connection: number;
  /** The command, with secrets masked and control characters replaced. */
  readonly command: string;
  /** Code of the final reply, for "end". */
  readonly code?: number | undefined;
  /** Milliseconds since "start". */
  readonly duration?: number | undefined;
  /** The error, for "error". */
  readonly message?: string | undefined;
}

/** An event of the channel `ftp:transfer`. */
export interface TransferDiagnostic extends CommandDiagnostic {
  /** Size that the server announced, in bytes; `null` if it did not. */
  readonly size: number | null;
  /** Bytes transferred, for "end". */
  readonly bytes?: number | undefined;
}

/** An event of the channel `ftp:retry`. */
export interface RetryDiagnostic {
  /** Number of failures in a row without progress. */
  readonly attempt: number;
  /** Milliseconds until the retry. */
  readonly delay: number;
  /** Bytes of the file that were transferred. */
  readonly transferred: number;
  /** The error. */
  readonly message: string;
}

const connections = channel("ftp:connection");
const commands = channel("ftp:command");
const transfers = channel("ftp:transfer");
const retries = channel("ftp:retry");

let lastId = 0;

/** Gives a connection, a command or a transfer its number. */
export function nextDiagnosticId(): number {
  return ++lastId;
}

/** A command whose replies are awaited. */
interface Observed {
  readonly command: string;
  readonly final: Promise<Reply>;
}

/** Tells of a connection, and of its end. */
export function observeConnection(
  control: { id: number; closed: Promise<void>; failure: Error | undefined },
  { host, port }: { host: string; port: number },
): void {
  if (!connections.hasSubscribers) return;
  const event = { connection: control.id, host, port };
  publish(connections, { phase: "open", ...event });
  control.closed.then(() => {
    const message = control.failure?.message;
    publish(connections, { phase: "close", ...event, message });
  });
}

/** Tells of a command, and of its final reply. */
export function observeCommand(connection: number, pending: Observed): void {
  if (!commands.hasSubscribers) return;
  observe(commands, connection, pending, {}, () => pending.final, () => ({}));
}

/** The data of a transfer. */
interface ObservedData {
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** Tells of a transfer; what it gives is called when the data has ended, too. */
export function observeTransfer(
  connection: number,
  pending: Observed,
  data: ObservedData,
  size: number | null,
): (() => void) | undefined {
  if (!transfers.hasSubscribers) return undefined;
  const { promise, resolve } = Promise.withResolvers<void>();
  const ended = async () => {
    const reply = await pending.final;
    await promise; // the final reply may come before the last bytes are read
    return reply;
  };
  observe(
    transfers,
    connection,
    pending,
    { size },
    ended,
    () => ({ bytes: data.bytesRead + data.bytesWritten }),
  );
  return resolve;
}

/** Tells that something is about to be tried again. */
export function observeRetry(
  { error, ...event }: Omit<RetryDiagnostic, "message"> & { error: Error },
): void {
  if (!retries.hasSubscribers) return;
  publish(retries, { ...event, message: error.message });
}

function observe(
  to: ReturnType<typeof channel>,
  connection: number,
  { command }: Observed,
  more: object,
  ended: () => Promise<Reply>,
  atEnd: () => object,
): void {
  const begun = performance.now();
  const event = { id: nextDiagnosticId(), connection, command, ...more };
  publish(to, { phase: "start", ...event });
  const end = (rest: object) => {
    const duration = performance.now() - begun;
    publish(to, { ...event, ...atEnd(), ...rest, duration });
  };
  ended().then(
    ({ code }) => end({ phase: "end", code }),
    (error) => end({ phase: "error", message: messageOf(error) }),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A subscriber's fault must not touch what it is told of. */
function publish(to: ReturnType<typeof channel>, event: object): void {
  queueMicrotask(() => {
    try {
      to.publish(event);
    } catch {
      // node's channels report it themselves; others' are passed over
    }
  });
}
