/**
 * Explains the refusal of a transfer.
 *
 * @module
 */

import { type FTPError, replyError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Session } from "./session.ts";

// ProFTPD writes the reason to its log, and sends "Operation not permitted"
const SESSION_REUSE_REGEXP =
  /\b(re-?use|resum|session|operation not permitted)/i;

/** Replies to a data connection without a resumed TLS session. */
const SESSION_REUSE_CODES = [425, 450, 522, 521, 534];

/**
 * Creates the error for a refused transfer, with advice if TLS is the reason.
 */
export function refusal(
  session: Session,
  reply: Reply,
  command: string,
  cause?: unknown,
): FTPError {
  const isAboutReuse = session.protection !== undefined &&
    SESSION_REUSE_CODES.includes(reply.code) &&
    SESSION_REUSE_REGEXP.test(reply.text);
  const advice = isAboutReuse
    ? `the server requires that data connections resume the TLS session of the control connection: ${session.tls?.noteRefusal()}`
    : "";
  return replyError(reply, command, cause, advice);
}
