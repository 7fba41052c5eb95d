/**
 * What a server's "no" to a transfer means.
 *
 * @module
 */

import { type FTPError, replyError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Session } from "./session.ts";

// ProFTPD tells its log the cause, and the client "Operation not permitted"
const SESSION_REUSE_REGEXP =
  /\b(re-?use|resum|session|operation not permitted)/i;

/** What a server says when the data connection brings no TLS session along. */
const SESSION_REUSE_CODES = [425, 450, 522, 521, 534];

/**
 * The error for a transfer's reply; it tells what TLS has to do with it.
 *
 * @param session The session
 * @param reply The reply
 * @param command The transfer's command, printable and masked
 * @param cause What else went wrong
 * @returns The error, to be thrown
 */
export function refusal(
  session: Session,
  reply: Reply,
  command: string,
  cause?: unknown,
): FTPError {
  const error = replyError(reply, command, cause);
  const isAboutReuse = session.protection !== undefined &&
    SESSION_REUSE_CODES.includes(reply.code) &&
    SESSION_REUSE_REGEXP.test(reply.text);
  if (isAboutReuse) {
    error.message +=
      ` (the server wants the TLS session of the control connection resumed on data connections: ${session.tls?.noteRefusal()})`;
  }
  return error;
}
