/**
 * The permissions of a file on the server.
 *
 * @module
 */

import type { Command, Path } from "../protocol/command.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { behind } from "./raw_path.ts";

/** Most bits of permissions: nine, and three for what runs. */
const MAX_MODE = 0o7777;

/**
 * The command that gives a file permissions: no standard has one, and most
 * servers of Unix know `SITE CHMOD`.
 *
 * @param session The session
 * @param path The file or directory
 * @param mode The bits
 * @returns The command
 */
export function chmodCommand(
  session: Session,
  path: Path,
  mode: number,
): Command {
  const digits = mode.toString(8).padStart(3, "0");
  return {
    verb: "SITE",
    argument: behind(session, `CHMOD ${digits} `, path),
    name: "path",
  };
}

/**
 * Gives a file permissions.
 *
 * @param session The session
 * @param path The file or directory
 * @param mode The bits
 * @param options A signal
 * @throws {RangeError} If the mode is none
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
  await session.turns.share(() => session.perform(command, options), options);
}
