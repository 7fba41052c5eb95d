/**
 * A wait that a signal can end.
 *
 * @module
 */

import { abortable } from "../connection/waiting.ts";
import { MAX_MILLISECONDS } from "../protocol/check_number.ts";

/**
 * Waits.
 *
 * @param milliseconds How long; 24 days at most
 * @param signal Ends the wait
 * @throws The signal's reason, if it is aborted
 */
export async function pause(
  milliseconds: number,
  signal?: AbortSignal,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, Math.min(milliseconds, MAX_MILLISECONDS));
  try {
    await abortable(promise, signal);
  } finally {
    clearTimeout(timer);
  }
}
