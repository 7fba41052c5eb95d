/**
 * What passes on the control connection, for a log: structured and masked.
 *
 * @module
 */

import { printable } from "../protocol/printable.ts";

/** One line of a trace. Secrets are masked before it is made. */
export interface TraceEvent {
  /** Milliseconds since 1970, as `Date.now()` gives them. */
  readonly time: number;
  /**
   * "sent" for a command, "received" for a reply, "event" for what happens to
   * the connections themselves.
   */
  readonly direction: "sent" | "received" | "event";
  /** The command, the reply's text, or what happened. */
  readonly text: string;
}

/**
 * Receives a trace. It is called in the order of the events, each as soon as the
 * work in hand is done, so that it may call the client itself. What it throws or
 * rejects with is ignored.
 */
export type Trace = (event: TraceEvent) => void;

/** What stands before a line on standard error. */
const MARKS: Record<TraceEvent["direction"], string> = {
  sent: ">",
  received: "<",
  event: "*",
};

/** Passes events on to who listens; costs nothing where nobody does. */
export class Tracer {
  /** Lines on standard error: 0 none, 1 commands and replies, 2 events too. */
  level = 0;
  /** Who listens, if anybody does. */
  readonly trace: Trace | undefined;

  /**
   * Makes a tracer.
   *
   * @param trace Who listens, if anybody does
   */
  constructor(trace: Trace | undefined) {
    this.trace = trace;
  }

  /**
   * Passes an event on.
   *
   * @param direction Where the text went
   * @param text Gives the masked text; called only if somebody listens
   */
  emit(direction: TraceEvent["direction"], text: () => string): void {
    const isPrinted = this.level > 1 ||
      (this.level === 1 && direction !== "event");
    if (this.trace === undefined && !isPrinted) return;
    const event = { time: Date.now(), direction, text: printable(text()) };
    if (isPrinted) console.error(`${MARKS[direction]} ${event.text}`);
    const { trace } = this;
    // not in the middle of the work: a call that the listener makes would find
    // the ledger, the type, the directory half changed
    if (trace !== undefined) queueMicrotask(() => tell(trace, event));
  }
}

/** A listener's fault must not touch the transfer it listens to. */
async function tell(trace: Trace, event: TraceEvent): Promise<void> {
  try {
    await trace(event);
  } catch {
    // an async one's neither
  }
}
