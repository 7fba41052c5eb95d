/**
 * A wait that a signal can end.
 *
 * @module
 */

import { MAX_MILLISECONDS } from "../protocol/check_number.ts";

/**
 * Waits.
 *
 * @param milliseconds How long; 24 days at most
 * @param signal Ends the wait
 * @throws The signal's reason, if it is aborted
 */
export function pause(
  milliseconds: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, Math.min(milliseconds, MAX_MILLISECONDS));
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
