/**
 * What a data connection is told.
 *
 * @module
 */

/** Settings of a data connection. */
export interface DataOptions {
  /** Milliseconds that a read or write may wait; 0 for no limit. */
  timeout: number;
  /** Ends the connection. */
  signal?: AbortSignal | undefined;
  /**
   * Called when the transfer is given up, to end the connection when the server
   * has been told; it is ended at once without.
   */
  onAbort?: ((reason: unknown) => void) | undefined;
  /**
   * Whether `close()` before the end of the data only
   * holds the connection: whoever waits for the transfer's end ends it, when the
   * server has been told.
   */
  holds?: boolean | undefined;
  /** The transfer, printable, for messages. */
  command: string;
}
