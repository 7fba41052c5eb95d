/**
 * Opening pipes and devices.
 *
 * @module
 */

import { abortable } from "../../connection/waiting.ts";

/**
 * Opens what may keep its opener waiting: a named pipe, until somebody opens its
 * other end.
 *
 * @param path The pipe or device
 * @param options What for
 * @param signal Ends the wait
 * @returns The open pipe or device
 * @throws The signal's reason, if it is aborted first
 */
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

/** Ends a wait for it, which would keep the program from its end. */
function openOtherEnd(path: string): Deno.FsFile | undefined {
  try {
    const isAllowed = (["read", "write"] as const).every((name) =>
      Deno.permissions.querySync({ name, path }).state === "granted"
    ); // else somebody would be asked
    if (!isAllowed || !Deno.statSync(path).isFifo) return undefined;
    return Deno.openSync(path, { read: true, write: true }); // both: at once
  } catch {
    return undefined; // nobody needs it any more
  }
}
