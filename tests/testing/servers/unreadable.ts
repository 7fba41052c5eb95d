/** Folders that a server may not read, or not enter. */

import type { RealServer } from "./start_server.ts";

/** The owner of a folder, and its permissions. */
export type Denial = "0644" | "0311" | "root's 0744" | "root's 0711";

/** Modes after "chmod -R 644", and of another user's folder. */
export const DENIALS: readonly Denial[] = Deno.uid() === 0
  ? ["0644", "0311", "root's 0744", "root's 0711"]
  : ["0644", "0311"];

/**
 * Denies a folder below the served one to the server's user.
 *
 * @param server The server.
 * @param path The folder.
 * @param denial How.
 * @returns Allows it again, so that it can be removed.
 */
export function deny(
  { root }: RealServer,
  path: string,
  denial: Denial,
): Disposable {
  const folder = `${root}/${path}`;
  if (denial.startsWith("root")) Deno.chownSync(folder, 0, 0);
  Deno.chmodSync(folder, parseInt(denial.slice(-4), 8));
  return { [Symbol.dispose]: () => Deno.chmodSync(folder, 0o755) };
}
