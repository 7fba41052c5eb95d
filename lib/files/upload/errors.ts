/**
 * Errors of an upload under a temporary name.
 *
 * @module
 */

import { quote } from "../../protocol/printable.ts";
import { withAdvice } from "../../protocol/with_advice.ts";
import { FTPError, FTPPermanentError } from "../../protocol/errors.ts";

/** Creates the error for a temporary name that the server refuses. */
export function temporaryNameError(
  error: FTPPermanentError,
  remote: string,
): FTPError {
  const { reply, command } = error;
  return new FTPPermanentError(
    withAdvice(
      error.message,
      `this is the temporary name of ${
        quote(remote)
      }; if the server refuses such names, set { temporaryName } or { atomic: false }`,
    ),
    { reply, command, cause: error },
  );
}

/**
 * Creates the error for an upload that could not replace the old file, which
 * stays.
 */
export function replacementError(
  error: FTPError,
  remote: string,
  advice: string,
): FTPError {
  return new FTPPermanentError(
    withAdvice(
      `Cannot put the upload in place as ${quote(remote)}: ${error.message}`,
      advice,
    ),
    { reply: error.reply, command: error.command, cause: error },
  );
}

/** Creates the error if neither file could get the target's name. */
export function strandedFilesError(
  error: unknown,
  remote: string,
  { aside, path }: { aside: string; path: string },
): FTPError {
  const { message, reply, command } = error as FTPError;
  return new FTPError(
    `Cannot put the upload in place as ${
      quote(remote)
    }, nor the old file back: the old file is ${
      quote(aside)
    }, the complete new one is ${quote(path)}; rename one of them: ${message}`,
    { reply, command, cause: error },
  );
}
