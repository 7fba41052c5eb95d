/**
 * What passes on the control connection, for a log: structured and masked.
 *
 * @module
 */

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

/** Receives a trace. What it throws is ignored. */
export type Trace = (event: TraceEvent) => void;

/**
 * Passes an event on.
 *
 * @param trace Who listens, if anybody does
 * @param direction Where the text went
 * @param text The masked text
 */
export function emitTrace(
  trace: Trace | undefined,
  direction: TraceEvent["direction"],
  text: string,
): void {
  if (trace === undefined) return;
  try {
    trace({ time: Date.now(), direction, text });
  } catch {
    // a listener's fault must not touch the transfer it listens to
  }
}
