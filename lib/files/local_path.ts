/**
 * Checks local paths.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { showValue } from "../protocol/check_word.ts";

/**
 * Rejects values that are not usable as a local path.
 *
 * @throws {TypeError} If it is neither a path nor a `file:` URL, is empty, or
 * contains a NUL
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
  throw new TypeError(`Cannot use "${name}": it contains a NUL`);
}
