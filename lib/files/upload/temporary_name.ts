/**
 * Temporary names of uploads.
 *
 * @module
 */

import { showValue } from "../../protocol/check_word.ts";
import { quote } from "../../protocol/printable.ts";
import { isRefusal } from "../../protocol/errors.ts";
import type { Reply } from "../../protocol/reply.ts";
import type { Session, SignalOptions } from "../../transfer/session.ts";
import { partName, splitPath } from "../../commands/path.ts";
import { isDataSet } from "../../directories/change_directory.ts";
import type { UploadOptions } from "../options.ts";

/**
 * Returns the path of the temporary file, next to its target.
 *
 * @param mark Hexadecimal digits: random, or derived from the source
 * @throws {TypeError} If the chosen name is not a single path segment, or is
 * the target's own
 */
export function temporaryPath(
  remote: string,
  mark: string,
  isResumable: boolean,
  { temporaryName }: UploadOptions,
): string {
  const [directory, name] = splitPath(remote);
  if (temporaryName === undefined) {
    return directory + partName(name, mark, isResumable);
  }
  const chosen = temporaryName(name, isResumable ? `resume-${mark}` : mark);
  const isUsable = typeof chosen === "string" && chosen !== name &&
    chosen !== "" && chosen !== "." && chosen !== ".." &&
    !/[/\\\0\r\n]/.test(chosen);
  if (isUsable) return directory + chosen;
  throw new TypeError(
    `Cannot use ${showValue(chosen)} as the temporary name of ${
      quote(remote)
    }: it must be a single path segment, and not the target's own name`,
  );
}

/**
 * Rejects a target that cannot have a temporary file next to it: a data set of
 * z/OS, whose name is in quotes.
 *
 * @throws {Deno.errors.NotSupported} If the server is z/OS (`SYST` says MVS)
 */
export async function refuseDataSet(
  session: Session,
  remote: string,
  options: SignalOptions,
): Promise<void> {
  if (!isDataSet(session, remote)) return; // on Unix a name may have quotes, too
  let reply: Reply;
  try {
    reply = await session.shared(
      (turn) => turn.exchange({ verb: "SYST" }, options),
      options,
    );
  } catch (error) {
    if (isRefusal(error)) return;
    throw error;
  }
  if (/\bMVS\b/.test(reply.text)) throw dataSetError(remote);
}

/** Creates the error for a data set of z/OS and a temporary name. */
export function dataSetError(remote: string): Deno.errors.NotSupported {
  return new Deno.errors.NotSupported(
    `Cannot upload to ${
      quote(remote)
    } under a temporary name: z/OS cannot store a file next to a data set; use { atomic: false }`,
  );
}
