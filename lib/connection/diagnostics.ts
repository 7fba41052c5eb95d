/**
 * Publishes events on `node:diagnostics_channel`: connections, commands,
 * transfers and retries. Without subscribers, no event is created.
 *
 * @module
 */

import { channel } from "node:diagnostics_channel";
import type { Reply } from "../protocol/reply.ts";

/**
 * Events by channel. Every event has the number of its control connection in the
 * program, except those of `ftp:retry`.
 */
export interface DiagnosticEvents {
  /**
   * A control connection was opened, or has ended. `message` is the reason of
   * the end.
   */
  readonly "ftp:connection": {
    readonly phase: "open" | "close";
    readonly connection: number;
    readonly host: string;
    readonly port: number;
    readonly message?: string | undefined;
  };
  /**
   * A command was sent ("start"), has its final reply ("end", with its `code`),
   * or gets none ("error", with a `message`). All have the same `id`. Secrets in
   * `command` are masked, and control characters replaced. `duration`:
   * milliseconds since "start".
   */
  readonly "ftp:command": {
    readonly phase: "start" | "end" | "error";
    readonly id: number;
    readonly connection: number;
    readonly command: string;
    readonly code?: number | undefined;
    readonly duration?: number | undefined;
    readonly message?: string | undefined;
  };
  /**
   * A transfer was started by the server, or has ended: the fields of its
   * command, the `size` in bytes that the server announced (`null` if it did
   * not), and the `bytes` transferred, for "end".
   */
  readonly "ftp:transfer": DiagnosticEvents["ftp:command"] & {
    readonly size: number | null;
    readonly bytes?: number | undefined;
  };
  /**
   * A retry is about to start. `attempt`: failures in a row without progress;
   * `delay`: milliseconds until the retry; `transferred`: bytes of the file so
   * far; `message`: the error.
   */
  readonly "ftp:retry": {
    readonly attempt: number;
    readonly delay: number;
    readonly transferred: number;
    readonly message: string;
  };
}

const connections = channel("ftp:connection");
const commands = channel("ftp:command");
const transfers = channel("ftp:transfer");
const retries = channel("ftp:retry");

let lastId = 0;

/** Returns the next number of a connection, a command or a transfer. */
export function nextDiagnosticId(): number {
  return ++lastId;
}

/** A command whose replies are awaited. */
interface Observed {
  readonly command: string;
  readonly final: Promise<Reply>;
}

/** Publishes that a connection was opened, and that it has ended. */
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

/** Publishes a command and its final reply. */
export function observeCommand(connection: number, pending: Observed): void {
  if (!commands.hasSubscribers) return;
  observe(commands, connection, pending, {}, () => pending.final, () => ({}));
}

/** The data of a transfer. */
interface ObservedData {
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/**
 * Publishes a transfer. The returned function must be called at the end of the
 * data.
 */
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

/** Publishes a retry. */
export function observeRetry(
  { error, ...event }: Omit<DiagnosticEvents["ftp:retry"], "message"> & {
    error: Error;
  },
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

/** Publishes an event. Errors of subscribers do not affect the caller. */
function publish(to: ReturnType<typeof channel>, event: object): void {
  queueMicrotask(() => {
    try {
      to.publish(event);
    } catch {
      // Node reports errors of its subscribers itself
    }
  });
}
