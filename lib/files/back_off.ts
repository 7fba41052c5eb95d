/**
 * Asking again for what a server may show late.
 *
 * @module
 */

import type { SignalOptions } from "../transfer/session.ts";
import { pause } from "./pause.ts";

/**
 * Milliseconds between two looks, 3 seconds in all: FTP servers before object
 * stores show a new file, or its size, a second or two after 226 (rclone#7330,
 * duplicati#772).
 */
const WAITS = [100, 200, 400, 800, 1500];

/**
 * Looks until something is seen, or long enough.
 *
 * @param options A signal
 * @param look Tells whether it is seen
 * @returns Whether it was seen
 */
export async function backOff(
  { signal }: SignalOptions,
  look: () => Promise<boolean>,
): Promise<boolean> {
  for (const wait of WAITS) {
    if (await look()) return true;
    await pause(wait, signal);
  }
  return await look();
}
