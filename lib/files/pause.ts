/**
 * A pause that a signal can end.
 *
 * @module
 */

import { abortable } from "../connection/waiting.ts";
import { MAX_MILLISECONDS } from "../protocol/check_number.ts";

/** Waits for some milliseconds, 24 days at most. */
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
