/**
 * Ending a transfer before its time, and leaving the session in step.
 *
 * @module
 */

import { settle, within } from "../connection/waiting.ts";
import {
  isSyntaxReply,
  type PendingCommand,
} from "../connection/pending_commands.ts";
import { asError } from "../connection/with_message.ts";
import type { Reply } from "../protocol/reply.ts";
import { refusal } from "./refusal.ts";
import type { Session } from "./session.ts";
import type { Transfer } from "./transfer.ts";
import { isUpload } from "./verbs.ts";

/** Longest wait, in milliseconds, for what an aborted transfer still owes. */
const ABORT_GRACE = 5000;

/** As that, where the connection is closed in any case: the server gets ready. */
const SHORT_GRACE = 1000;

/** Longest wait, in milliseconds, for the word that a closed download is whole. */
const FINAL_GRACE = 500;

/** Longest wait for `ABOR`'s own reply before a `NOOP` is sent to fence it. */
const FENCE_GRACE = 1000;

/**
 * After a failure of the data connection the server's final reply often says
 * why (552, 426, 522): it makes the better error. Without one in time the
 * session is closed, since it may be out of step.
 *
 * @param session The session
 * @param pending The transfer's entry in the ledger
 * @param error What happened to the data connection
 * @returns The error to throw
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
    if (!pending.isSettled) session.control.fail(asError(error));
    return error;
  }
  return reply.code >= 400
    ? refusal(session, reply, pending.command, error)
    : error;
}

/**
 * Whether the server itself has ended an upload by a refusal, and nothing of it
 * is left: an upload has no data that could come later, and a `NOOP` gets its
 * own 200, not a second reply to the upload.
 *
 * @param session The session
 * @param pending The transfer, whose final reply is not collected
 * @returns Whether the connection is as clean as before the transfer
 */
export async function isRefusedUpload(
  { control }: Session,
  pending: PendingCommand,
): Promise<boolean> {
  if (!isUpload(pending.command) || !pending.isSettled) return false;
  if (control.failure !== undefined) return false;
  if ((await pending.final).code < 400) return false;
  const noop = control.send({ verb: "NOOP" }, { during: pending });
  return (await settle(noop.first, FENCE_GRACE))?.code === 200;
}

/**
 * Aborts (`ABOR`, RFC 959 section 4.1.3) and takes every reply that is owed;
 * closes the session if that fails.
 *
 * @param session The session
 * @param pending The transfer's entry in the ledger
 * @param options How the data connection is closed, and who asks
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
    // what an upload has sent is to be written before it may be sent again
    const isShort = !needsReply && !isUpload(pending.command) &&
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

/** How a transfer is aborted. */
export interface AbortOptions {
  /**
   * Closes the data connection; it is told whether the server has to have had a
   * moment to see the `ABOR`.
   */
  closeData?: ((isSeen: boolean) => Promise<void> | void) | undefined;
  /**
   * Whether the reply to `ABOR` is asked for: without, a download is given up
   * sooner on a connection that is not used again.
   */
  needsReply?: boolean | undefined;
}

/** As {@linkcode abortOwed}, of what is owed its final reply. */
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
      // after 4yz or 5yz one more reply is due; after 2yz there may be one
      // (for both) or two: a NOOP's 200 marks the end
      const first = final.code >= 400
        ? await settle(abor.first, FENCE_GRACE)
        : undefined;
      // 4yz to both: ProFTPD may still say 226
      const isDoubtful = first === undefined ||
        (first.code >= 400 && !isSyntaxReply(final));
      if (isDoubtful) {
        const fence = control.send({ verb: "NOOP" }, {
          kind: "fence",
          during: pending,
        });
        const mark = await control.wait(fence.first, signal);
        // NOOP's reply for ABOR too: the transfer's was for both
        if (await abor.first === mark) return final;
      }
      const reply = await control.wait(abor.first, signal);
      // Pure-FTPd: 426 to the transfer, 451 to ABOR, and all is well
      return reply.code >= 400 && final.code === 426 ? final : reply;
    });
  } catch (error) {
    control.giveUp(asError(error));
    return undefined;
  }
}

/**
 * Ends a download whose data connection the user has closed before its end.
 * What the server says to the `ABOR` is no word about the file.
 *
 * @param session The session
 * @param pending The transfer's entry in the ledger
 * @param transfer The transfer, whose data connection is held
 * @throws {Deno.errors.Interrupted} Unless the server has sent it all
 */
export async function endHeld(
  session: Session,
  pending: PendingCommand,
  transfer: Transfer,
): Promise<void> {
  const { data, command } = transfer;
  // all of it may be here, and only its end was not read
  await settle(pending.final, FINAL_GRACE);
  const isOver = pending.isSettled;
  if (!isOver) await transfer.abort();
  data.fail(data.failure);
  if (isOver || session.isLost) return;
  throw new Deno.errors.Interrupted(
    `Cannot complete "${command}": its data connection was closed before the end of the data, after ${data.bytesRead} bytes`,
  );
}

/**
 * Aborts whatever transfer the session has open, however it was opened.
 *
 * @param session The session
 * @param options Whether what is due may be a transfer that was asked for and
 * is not open yet
 * @returns As {@linkcode Transfer.abort}
 */
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
