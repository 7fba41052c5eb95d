/**
 * `NOOP`s while data flows, against firewalls that forget a connection on
 * which nothing moves. Every reply is counted.
 *
 * @module
 */

import { settle } from "../connection/waiting.ts";
import type { PendingCommand } from "../connection/pending_commands.ts";
import type { Session } from "../transfer/session.ts";
import type { Transfer } from "../transfer/transfer.ts";

/** Longest wait, in milliseconds, for the replies after the transfer. */
const GRACE = 5000;

/** Ends what {@linkcode keepAlive} began. */
export interface KeepAlive extends AsyncDisposable {
  /**
   * Sends no more, since no data flows: their replies would count as progress
   * of a wait for the final reply, which could last for ever.
   */
  stop(): void;
}

/**
 * Sends `NOOP`s until it is disposed of, which waits for the replies that are
 * owed. A server that swallowed a `NOOP` would be one reply behind from there
 * on: the connection is closed then.
 *
 * @param session The session
 * @param transfer The open transfer
 * @param options Milliseconds from one to the next; 0 or `Infinity` for none
 * @returns What ends it
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
