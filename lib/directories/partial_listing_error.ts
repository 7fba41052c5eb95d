/**
 * Detects incomplete listings that the server confirms.
 *
 * @module
 */

import { FTPReplyError } from "../protocol/errors.ts";
import { quote } from "../protocol/printable.ts";
import type { Reply } from "../protocol/reply.ts";

/** The server's text for an incomplete listing, apart from quoted paths. */
const PARTIAL_REGEXPS = [
  // vsftpd: "226 Transfer done (but failed to open directory)."
  /\bfailed to open directory\b/i,
  // Pure-FTPd: "226-Sorry, we were unable to read [.]", in the language that it
  // was compiled with
  /\bunable to read\b|\[\.\]/i,
  // Pure-FTPd: "226 Output truncated to 10000 matches"
  /\b(truncat|truncad|trunchi|trunker|tronqu|troncat|beschr\S{1,2}nkt|afgekort|avkortet)/i,
  // z/OS: "250-JESENTRYLIMIT of 200 reached.  Additional entries not displayed"
  /\bentries not displayed\b/i,
];

/** FileZilla Server quotes the directory. */
const QUOTED_REGEXP = /"[^"]*"/g;

/**
 * An incomplete listing: the server cut it, or could not read the directory,
 * and still sent a 2yz.
 */
export class PartialListingError extends FTPReplyError {
  /** Name of the class. */
  override name = "PartialListingError";
}

/**
 * Creates the error for a listing without TLS's close_notify, if the user
 * allows that and the caller must not.
 */
export function unproven(
  reply: Reply,
  { command }: { readonly command: string },
): PartialListingError {
  return new PartialListingError(
    `Cannot confirm "${command}": the TLS data connection ended without close_notify, so that entries may be missing; "allowMissingCloseNotify" does not apply to "delete"`,
    { reply, command },
  );
}

/**
 * Rejects an incomplete listing.
 *
 * @param complaint A line of the listing that says so
 * @throws {PartialListingError} If the server says that something is missing
 */
export function checkWhole(
  reply: Reply,
  command: string,
  complaint?: string,
): void {
  const text = reply.text.replaceAll(QUOTED_REGEXP, "");
  const isPartial = PARTIAL_REGEXPS.some((regexp) => regexp.test(text));
  if (!isPartial && complaint === undefined) return;
  const why = isPartial
    ? reply.text
    : `the listing contains ${quote(complaint!)}, so entries may be missing`;
  throw new PartialListingError(
    `Cannot complete "${command}": ${why}`,
    { reply, command },
  );
}
