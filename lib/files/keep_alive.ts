/**
 * Sends `NOOP`s while data flows, for firewalls that drop idle connections.
 *
 * @module
 */

import { settle } from "../connection/waiting.ts";
import type { PendingCommand } from "../connection/pending_commands.ts";
import type { Session } from "../transfer/session.ts";
import type { Transfer } from "../transfer/transfer.ts";

/** Longest wait, in milliseconds, for the replies after the transfer. */
const GRACE = 5000;

/** Ends the `NOOP`s when it is disposed. */
export interface KeepAlive extends AsyncDisposable {
  /**
   * Stops sending when no data flows any more. Replies to `NOOP` would count as
   * progress, and extend the wait for the final reply without end.
   */
  stop(): void;
}

/**
 * Sends `NOOP`s until it is disposed, which waits for the pending replies. If a
 * reply is missing, the connection is closed: all later replies would belong to
 * the wrong commands.
 *
 * @param options `keepAlive`: milliseconds between two `NOOP`s; 0 or `Infinity`
 * for none
 */
export function keepAlive(
  { control }: Session,
  transfer: Transfer,
  { keepAlive: interval = 0 }: { keepAlive?: number | undefined },
): KeepAlive {
  let pending: PendingCommand | undefined;
  const send = () => {
    const isAnswered = pending?.isSettled ?? true;
    if (isAnswered && control.failure === undefined) {
      pending = transfer.sendNoop();
    }
  };
  const isFinite = interval > 0 && interval < Infinity;
  const timer = isFinite ? setInterval(send, interval) : undefined;
  return {
    stop: () => clearInterval(timer),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      if (pending === undefined || pending.isSettled) return;
      const reply = await settle(pending.first, GRACE);
      if (reply !== undefined || control.failure !== undefined) return;
      control.fail(
        new Deno.errors.TimedOut(
          `Cannot keep the connection: no reply to "NOOP" within ${GRACE} ms of the transfer's end; try without keepAlive`,
        ),
      );
    },
  };
}
