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
  /** "open" after the TCP connection is there, "close" when it has ended. */
  readonly phase: "open" | "close";
  /** The number of the connection in this program. */
  readonly connection: number;
  /** The host that was dialled. */
  readonly host: string;
  /** The port that was dialled. */
  readonly port: number;
  /** Why it has ended, of "close". */
  readonly message?: string | undefined;
}

/** An event of the channel `ftp:command`. */
export interface CommandDiagnostic {
  /** "start" when it is sent, "end" at its final reply, "error" without one. */
  readonly phase: "start" | "end" | "error";
  /** The number of the command in this program; the same at its end. */
  readonly id: number;
  /** The number of the connection. */
  readonly connection: number;
  /** The command, printable, its secrets masked. */
  readonly command: string;
  /** The code of the final reply, of "end". */
  readonly code?: number | undefined;
  /** Milliseconds since "start". */
  readonly duration?: number | undefined;
  /** What went wrong, of "error". */
  readonly message?: string | undefined;
}

/** An event of the channel `ftp:transfer`. */
export interface TransferDiagnostic extends CommandDiagnostic {
  /** Bytes that the server announced, if it did. */
  readonly size: number | null;
  /** Bytes on the data connection, at its end. */
  readonly bytes?: number | undefined;
}

/** An event of the channel `ftp:retry`. */
export interface RetryDiagnostic {
  /** How many times in a row this made no progress. */
  readonly attempt: number;
  /** Milliseconds until it is tried again. */
  readonly delay: number;
  /** Bytes of the file that are on the other side. */
  readonly transferred: number;
  /** What went wrong. */
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
