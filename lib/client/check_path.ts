/**
 * Checks paths before anything is sent.
 *
 * @module
 */

import { encodeCommand, type Path } from "../protocol/command.ts";
import type { Session } from "../transfer/session.ts";

/**
 * Rejects a path that cannot be sent.
 *
 * @throws {TypeError} If the path is empty, has CR, LF or NUL, or does not fit
 * the encoding
 */
export function checkPath(session: Session, path: Path, name: string): void {
  checkAnyPath(session, path, name);
  if (path.length > 0) return;
  throw new TypeError(
    `Cannot use "" as "${name}": it is empty; "." is the current directory`,
  );
}

/** Like {@linkcode checkPath}, but "" stands for the current directory. */
export function checkAnyPath(
  session: Session,
  path: Path,
  name: string,
): void {
  const { encoding } = session.control;
  encodeCommand({ verb: "", argument: path, name }, encoding);
}
