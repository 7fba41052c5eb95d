/**
 * Trace of the control connection, for logs: structured and masked.
 *
 * @module
 */

import { printable } from "../protocol/printable.ts";

/** One event of a trace. Secrets are masked. */
export interface TraceEvent {
  /** Milliseconds since 1970, as in `Date.now()`. */
  readonly time: number;
  /**
   * "sent" for a command, "received" for a reply, "event" for a change of a
   * connection.
   */
  readonly direction: "sent" | "received" | "event";
  /** The command, the reply's text, or a description of the event. */
  readonly text: string;
}

/**
 * Receives the events of a trace, in order. Each call comes after the current
 * work is done, so that it may call the client. Errors and rejections are
 * ignored.
 */
export type Trace = (event: TraceEvent) => void;

/** Prefixes of lines on standard error. */
const MARKS: Record<TraceEvent["direction"], string> = {
  sent: ">",
  received: "<",
  event: "*",
};

/** Passes events to a listener. Costs nothing without one. */
export class Tracer {
  /**
   * Output on standard error: 0 none, 1 commands and replies, 2 also events.
   */
  level = 0;
  /** The listener, if there is one. */
  readonly trace: Trace | undefined;

  /**
   * Creates a tracer.
   *
   * @param trace The listener, if there is one
   */
  constructor(trace: Trace | undefined) {
    this.trace = trace;
  }

  /**
   * Passes an event on.
   *
   * @param direction Direction of the text
   * @param text Returns the masked text; called only if it is needed
   */
  emit(direction: TraceEvent["direction"], text: () => string): void {
    const isPrinted = this.level > 1 ||
      (this.level === 1 && direction !== "event");
    if (this.trace === undefined && !isPrinted) return;
    const event = { time: Date.now(), direction, text: printable(text()) };
    if (isPrinted) console.error(`${MARKS[direction]} ${event.text}`);
    const { trace } = this;
    // not during the current work: a call of the listener would see pending
    // commands, type or directory half changed
    if (trace !== undefined) queueMicrotask(() => tell(trace, event));
  }
}

/** Calls the listener. Its errors must not affect the transfer. */
async function tell(trace: Trace, event: TraceEvent): Promise<void> {
  try {
    await trace(event);
  } catch {
    // nor must those of an async one
  }
}
