/**
 * Options of a data connection.
 *
 * @module
 */

import type { Ticker } from "./waiting.ts";

/**
 * Options of a data connection.
 *
 * @internal
 */
export interface DataOptions {
  /** Time limit of a read or write, in milliseconds; 0 for none. */
  timeout: number;
  /** Aborts the connection. */
  signal?: AbortSignal | undefined;
  /**
   * Called when the transfer is aborted, and ends the connection after the
   * server was told. Without it, the connection ends at once.
   */
  onAbort?: ((reason: unknown) => void) | undefined;
  /**
   * Whether `close()` before the end of the data only holds the connection. It
   * is ended by whoever awaits the end of the transfer, after the server was
   * told.
   */
  holds?: boolean | undefined;
  /** Ends a held connection: it does not outlast the control connection. */
  ended?: AbortSignal | undefined;
  /** The timer of another connection with the same time limit. */
  ticker?: Ticker | undefined;
  /** Returns the transfer's command, printable, for messages. */
  command: () => string;
}
