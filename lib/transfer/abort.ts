/**
 * Aborts transfers without losing track of the replies.
 *
 * @module
 */

import { settle, within } from "../connection/waiting.ts";
import {
  isSyntaxReply,
  type PendingCommand,
} from "../connection/pending_commands.ts";
import { asError } from "../protocol/with_message.ts";
import type { Reply } from "../protocol/reply.ts";
import { refusal } from "./refusal.ts";
import type { Session } from "./session.ts";
import type { Transfer } from "./transfer.ts";
import { isUpload } from "./verbs.ts";

/**
 * Longest wait, in milliseconds, for the pending replies of an aborted
 * transfer.
 */
const ABORT_GRACE = 5000;

/**
 * The same, if the connection is closed in any case: the server only needs time
 * to stop.
 */
const SHORT_GRACE = 1000;

/** Longest wait, in milliseconds, for the confirmation of a closed download. */
const FINAL_GRACE = 500;

/**
 * Longest wait for `ABOR`'s own reply before a `NOOP` is sent to mark its end.
 */
const FENCE_GRACE = 1000;

/**
 * Returns the best error after a failure of the data connection: the server's
 * final reply often has the reason (552, 426, 522). Without a reply in time,
 * the session is closed, because replies could be mismatched.
 */
export async function explain(
  session: Session,
  pending: PendingCommand,
  error: unknown,
): Promise<unknown> {
  const { timeout } = session.options;
  const grace = Math.min(ABORT_GRACE, timeout || ABORT_GRACE);
  const reply = await settle(pending.final, grace);
  if (reply === undefined) {
    if (!pending.isSettled) session.control.giveUp(asError(error));
    return error;
  }
  return reply.code >= 400
    ? refusal(session, reply, pending.command, error)
    : error;
}

/**
 * Whether the server refused an upload and nothing of it is left. An upload has
 * no data that could still arrive, and a `NOOP` is answered by its own 200, not
 * by a second reply to the upload.
 */
export async function isRefusedUpload(
  { control }: Session,
  pending: PendingCommand,
): Promise<boolean> {
  if (!isUpload(pending) || !pending.isSettled) return false;
  if (control.failure !== undefined) return false;
  if ((await pending.final).code < 400) return false;
  const noop = control.send({ verb: "NOOP" }, { during: pending });
  return (await settle(noop.first, FENCE_GRACE))?.code === 200;
}

/**
 * Aborts (`ABOR`, RFC 959 section 4.1.3), and reads all pending replies. Closes
 * the session if that fails.
 *
 * @param options How to close the data connection, and whether the reply is
 * needed
 * @returns The reply to `ABOR`; `undefined` if none was needed or none came
 */
export async function abortOwed(
  session: Session,
  pending: PendingCommand,
  { closeData = () => {}, needsReply = false }: AbortOptions = {},
): Promise<Reply | undefined> {
  if (pending.isSettled) {
    await closeData(false);
    return undefined;
  }
  try {
    // an upload must be written completely before it is sent again
    const isShort = !needsReply && !isUpload(pending) &&
      !session.profile.leavesNothing;
    if (!isShort) return await requestAbort(session, pending, closeData);
    session.control.send({ verb: "ABOR" }, { during: pending });
    await closeData(false);
    await settle(pending.final, SHORT_GRACE);
    return undefined;
  } finally {
    session.doubt(pending.command);
  }
}

/** Options of an abort. */
export interface AbortOptions {
  /**
   * Closes the data connection. `isSeen`: whether the server must have had time
   * to read the `ABOR`.
   */
  closeData?: ((isSeen: boolean) => Promise<void> | void) | undefined;
  /**
   * Whether the reply to `ABOR` is needed. Without it, a download ends sooner,
   * on a connection that is not used again.
   */
  needsReply?: boolean | undefined;
}

/** Aborts, and waits for the final replies. */
async function requestAbort(
  { control }: Session,
  pending: PendingCommand,
  closeData: (isSeen: boolean) => Promise<void> | void,
): Promise<Reply | undefined> {
  const abor = control.send({ verb: "ABOR" }, { during: pending });
  await closeData(true);
  const late = () =>
    new Deno.errors.TimedOut(
      `Cannot abort "${pending.command}": no reply within ${ABORT_GRACE} ms; the connection is closed`,
    );
  try {
    return await within(ABORT_GRACE, undefined, late, async (signal) => {
      const final = await control.wait(pending.final, signal);
      // after 4yz or 5yz one more reply is due; after 2yz there may be one for
      // both commands, or two: the 200 to a NOOP marks the end
      const first = final.code >= 400
        ? await settle(abor.first, FENCE_GRACE)
        : undefined;
      // after 4yz to both, ProFTPD may still send 226
      const isDoubtful = first === undefined ||
        (first.code >= 400 && !isSyntaxReply(final));
      if (isDoubtful) {
        const fence = control.send({ verb: "NOOP" }, {
          kind: "fence",
          during: pending,
        });
        const mark = await control.wait(fence.first, signal);
        // the NOOP's reply counts for ABOR as well: the transfer's was for both
        if (await abor.first === mark) return final;
      }
      const reply = await control.wait(abor.first, signal);
      // Pure-FTPd sends 426 to the transfer and 451 to ABOR, which is success
      return reply.code >= 400 && final.code === 426 ? final : reply;
    });
  } catch (error) {
    control.giveUp(asError(error));
    return undefined;
  }
}

/**
 * Ends a download whose data connection the user closed early. The server's
 * replies to `ABOR` do not confirm the file.
 *
 * @throws {Deno.errors.Interrupted} Unless the server has sent all of it
 */
export async function endHeld(
  session: Session,
  pending: PendingCommand,
  transfer: Transfer,
): Promise<void> {
  const { data, command } = transfer;
  // everything may have arrived, and only the end was not read
  await settle(pending.final, FINAL_GRACE);
  const isOver = pending.isSettled;
  if (!isOver) await transfer.abort();
  data.fail(data.failure);
  if (isOver || session.isLost) return;
  throw new Deno.errors.Interrupted(
    `Cannot complete "${command}": its data connection was closed before the end of the data, after ${data.bytesRead} bytes`,
  );
}

/** Aborts the open transfer of a session, however it was opened. */
export async function abortOpen(
  session: Session,
  { isAsked = false }: { isAsked?: boolean } = {},
): Promise<Reply | undefined> {
  const { control, transfer } = session;
  if (transfer !== undefined) return await transfer.abort({ needsReply: true });
  const open = control.open ?? (isAsked ? control.due : undefined);
  if (open === undefined) return undefined;
  return await session.settle(async () => {
    const reply = await abortOwed(session, open, { needsReply: true });
    control.acknowledge(open);
    return reply;
  });
}
