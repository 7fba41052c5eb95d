/**
 * Repeats a question until the server shows a change.
 *
 * @module
 */

import { delay } from "../connection/waiting.ts";
import type { SignalOptions } from "../transfer/session.ts";

/**
 * Milliseconds between two questions, 3 seconds in total. FTP servers in front
 * of object stores show a new file, or its size, one or two seconds after 226
 * (rclone#7330, duplicati#772).
 */
const WAITS = [100, 200, 400, 800, 1500];

/**
 * Asks until the answer is `true` or the time is up. Returns the last answer.
 */
export async function backOff(
  { signal }: SignalOptions,
  ask: () => Promise<boolean>,
): Promise<boolean> {
  for (const wait of WAITS) {
    if (await ask()) return true;
    await delay(wait, signal);
  }
  return await ask();
}
