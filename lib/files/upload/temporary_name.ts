/**
 * The name that an upload is written under before it is complete.
 *
 * @module
 */

import { printable } from "../../protocol/printable.ts";
import { FTPError } from "../../protocol/errors.ts";
import type { Reply } from "../../protocol/reply.ts";
import type { Session, SignalOptions } from "../../transfer/session.ts";
import { partName, splitPath } from "../../commands/path.ts";
import type { UploadOptions } from "../options.ts";

/**
 * The path of the temporary file, beside its target.
 *
 * @param remote The target
 * @param mark Hexadecimal digits: random, or what the part was taken from
 * @param isResumable Whether it may be resumed
 * @param options Who chooses the name
 * @returns The path
 * @throws {TypeError} If the name that was chosen is not one segment of a path,
 * or the target's own
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
    `Cannot use ${
      printable(JSON.stringify(chosen) ?? String(chosen))
    } as the temporary name of "${
      printable(remote)
    }": it must be one segment of a path, and not the target's own`,
  );
}

/**
 * Insists on a target that has a place beside it: a data set of z/OS, whose
 * name is in quotes, has none.
 *
 * @param session The session
 * @param remote The target
 * @param options A signal
 * @throws {Deno.errors.NotSupported} If the server is z/OS (`SYST` says MVS)
 */
export async function refuseDataSet(
  session: Session,
  remote: string,
  options: SignalOptions,
): Promise<void> {
  if (!/^'.*'$/.test(remote)) return; // on Unix that is a name like any other
  let reply: Reply;
  try {
    reply = await session.turns.share(
      () => session.exchange({ verb: "SYST" }, options),
      options,
    );
  } catch (error) {
    if (error instanceof FTPError && error.reply !== undefined) return;
    throw error;
  }
  if (!/\bMVS\b/.test(reply.text)) return;
  throw new Deno.errors.NotSupported(
    `Cannot upload to "${
      printable(remote)
    }" under a temporary name: beside a data set of z/OS is no place for one; use { atomic: false }`,
  );
}
