/**
 * Paths of this side.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { showValue } from "../protocol/check_word.ts";

/**
 * Insists on a local path that can name something.
 *
 * @param local What the caller gave
 * @param name What the caller calls it
 * @throws {TypeError} If it is neither a path nor a `file:` URL, is empty, or
 * has a NUL
 */
export function checkLocalPath(local: unknown, name: string): void {
  const path = local instanceof URL ? fileURLToPath(local) : local;
  if (typeof path !== "string") {
    throw new TypeError(
      `Cannot use ${
        showValue(path)
      } as "${name}": it must be a path or a file: URL`,
    );
  }
  if (path === "") throw new TypeError(`Cannot use "${name}": it is empty`);
  if (!path.includes("\0")) return;
  throw new TypeError(`Cannot use "${name}": it has a NUL`);
}
