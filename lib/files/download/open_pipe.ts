/**
 * Opens pipes and devices.
 *
 * @module
 */

import { abortable } from "../../connection/waiting.ts";

/** Opens a file that may block until its other end is opened: a named pipe. */
export async function openPipe(
  path: string,
  options: Deno.OpenOptions,
  signal: AbortSignal | undefined,
): Promise<Deno.FsFile> {
  signal?.throwIfAborted();
  const opening = Deno.open(path, options);
  try {
    return await abortable(opening, signal);
  } catch (error) {
    const other = openOtherEnd(path);
    opening.then((file) => file.close()).catch(() => {}).finally(() =>
      other?.close()
    );
    throw error;
  }
}

/**
 * Opens the other end of a pipe, to end a pending open that would keep the
 * program alive.
 */
function openOtherEnd(path: string): Deno.FsFile | undefined {
  try {
    const isAllowed = (["read", "write"] as const).every((name) =>
      Deno.permissions.querySync({ name, path }).state === "granted"
    ); // otherwise the user would be asked
    if (!isAllowed || !Deno.statSync(path).isFifo) return undefined;
    return Deno.openSync(path, { read: true, write: true }); // both ends: does not block
  } catch {
    return undefined; // no longer needed
  }
}
