/**
 * Sets the permissions of a file on the server.
 *
 * @module
 */

import type { Command, Path } from "../protocol/command.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { appendPath } from "./raw_path.ts";

/** Largest mode: nine permission bits and three special ones. */
const MAX_MODE = 0o7777;

/**
 * Creates the command that sets permissions. No standard defines one, but most
 * Unix servers support `SITE CHMOD`.
 */
export function chmodCommand(
  session: Session,
  path: Path,
  mode: number,
): Command {
  const digits = mode.toString(8).padStart(3, "0");
  return {
    verb: "SITE",
    argument: appendPath(session, `CHMOD ${digits} `, path),
    name: "path",
  };
}

/**
 * Sets the permissions of a file.
 *
 * @throws {RangeError} If the mode is out of range
 */
export async function changePermissions(
  session: Session,
  path: Path,
  mode: number,
  options: SignalOptions,
): Promise<void> {
  if (!(Number.isInteger(mode) && mode >= 0 && mode <= MAX_MODE)) {
    throw new RangeError(
      `Cannot use ${mode} as a mode: it must be an integer from 0 to 0o7777, such as 0o755`,
    );
  }
  const command = chmodCommand(session, path, mode);
  await session.shared((turn) => turn.perform(command, options), options);
}
