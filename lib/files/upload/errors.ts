/**
 * What an upload under a temporary name says when the server refuses.
 *
 * @module
 */

import { FTPError, FTPPermanentError } from "../../protocol/errors.ts";

/**
 * The error where the temporary name may not be written to.
 *
 * @param error The server's refusal
 * @param remote The file that is to be replaced
 * @returns The error to throw
 */
export function nameless(error: FTPPermanentError, remote: string): FTPError {
  const { reply, command } = error;
  return new FTPPermanentError(
    `${error.message}; this is the temporary name of "${remote}": if the server refuses such names, choose others with { temporaryName }, or write in place with { atomic: false }`,
    { reply, command, cause: error },
  );
}

/**
 * The error where the old file stays.
 *
 * @param error The server's refusal
 * @param remote The file that is to be replaced
 * @param advice What may help
 * @returns The error to throw
 */
export function refused(
  error: FTPError,
  remote: string,
  advice: string,
): FTPError {
  return new FTPPermanentError(
    `Cannot put the upload in place as "${remote}": ${error.message}; ${advice}`,
    { reply: error.reply, command: error.command, cause: error },
  );
}

/**
 * The error where there is no file under the name, and both files have others.
 *
 * @param error Why neither could be given the name
 * @param remote The file that was to be replaced
 * @param paths Where the old file is, and the new one
 * @returns The error to throw
 */
export function stranded(
  error: unknown,
  remote: string,
  { aside, path }: { aside: string; path: string },
): FTPError {
  const { message, reply, command } = error as FTPError;
  return new FTPError(
    `Cannot put the upload in place as "${remote}", nor the old file back: the old file is "${aside}", the whole new one is "${path}"; rename one of them: ${message}`,
    { reply, command, cause: error },
  );
}
