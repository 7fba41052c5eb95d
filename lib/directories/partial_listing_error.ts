/**
 * Listings that a server confirms, though they are not whole.
 *
 * @module
 */

import { FTPReplyError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";

/** What servers say then, beside what may be a path. */
const PARTIAL_REGEXPS = [
  // vsftpd: "226 Transfer done (but failed to open directory)."
  /\bfailed to open directory\b/i,
  // Pure-FTPd: "226-Sorry, we were unable to read [.]"; whoever builds it
  // chooses the language
  /\bunable to read\b|\[\.\]/i,
  // Pure-FTPd: "226 Output truncated to 10000 matches"
  /\b(truncat|truncad|trunchi|trunker|tronqu|troncat|beschr\S{1,2}nkt|afgekort|avkortet)/i,
  // z/OS: "250-JESENTRYLIMIT of 200 reached.  Additional entries not displayed"
  /\bentries not displayed\b/i,
];

/** FileZilla Server quotes the directory. */
const QUOTED_REGEXP = /"[^"]*"/g;

/**
 * A listing that is not whole: the server has cut it, or could not read the
 * directory, and said so with a 2yz, or not at all.
 */
export class PartialListingError extends FTPReplyError {}

/**
 * The error for a listing that ended without TLS's close_notify, where the user
 * lets that pass and the caller must not.
 *
 * @param reply The server's final 2yz
 * @param transfer What it was sent to
 * @returns The error
 */
export function unproven(
  reply: Reply,
  { command }: { readonly command: string },
): PartialListingError {
  return new PartialListingError(
    `Cannot be sure of "${command}": the TLS data connection ended without close_notify, so that entries may be missing; "allowMissingCloseNotify" does not apply to "delete"`,
    { reply, command },
  );
}

/**
 * Insists on a listing that is whole.
 *
 * @param reply The server's final 2yz
 * @param command What it was sent to
 * @throws {PartialListingError} If the server says that something is missing
 */
export function checkWhole(reply: Reply, command: string): void {
  const text = reply.text.replaceAll(QUOTED_REGEXP, "");
  if (!PARTIAL_REGEXPS.some((regexp) => regexp.test(text))) return;
  throw new PartialListingError(
    `Cannot complete "${command}": ${reply.text}`,
    { reply, command },
  );
}
