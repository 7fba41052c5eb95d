/**
 * Opens connections with the user's function.
 *
 * @module
 */

import { type ByteStream, closeQuietly } from "./byte_stream.ts";
import { type DialOptions, showAddress } from "./dial.ts";
import {
  type Dial,
  DialedStream,
  type DialTarget,
  lackOf,
} from "./dialed_stream.ts";
import { abortable, within } from "./waiting.ts";
import { withMessage } from "../protocol/with_message.ts";

/**
 * Opens a connection with the user's function. A connection that arrives too
 * late is closed.
 *
 * @throws {Deno.errors.TimedOut} If the function returns no connection in time
 * @throws {TypeError} If it returns something else
 */
export async function dialByFunction(
  dial: Dial,
  target: Omit<DialTarget, "signal">,
  { timeout, signal }: DialOptions,
): Promise<ByteStream> {
  const shown = showAddress(target.hostname, target.port);
  const conn = await within(
    timeout,
    signal,
    () =>
      new Deno.errors.TimedOut(
        `Cannot connect to "${shown}": the function "dial" returned no connection within ${timeout} ms`,
      ),
    async (signal) => {
      const call = async () => await dial({ ...target, signal });
      const dialing = call();
      try {
        return await abortable(dialing, signal);
      } catch (error) {
        if (signal.aborted) dialing.then(discard, () => {});
        throw signal.aborted ? error : withMessage(
          error,
          (message) =>
            `Cannot connect to "${shown}": the function "dial" failed: ${message}`,
        );
      }
    },
  );
  const lack = lackOf(conn);
  if (lack === undefined) return new DialedStream(conn, target);
  throw new TypeError(
    `Cannot connect to "${shown}": the function "dial" ${lack}; it must return a connection like that of Deno.connect()`,
  );
}

/** Closes a connection that is no longer needed. */
function discard(conn: unknown): void {
  if (lackOf(conn) === undefined) closeQuietly(conn as DialedStream);
}
