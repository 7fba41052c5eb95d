/**
 * Waits for the promise of a user's callback.
 *
 * @module
 */

import type { DataStream } from "../connection/data_stream.ts";

/**
 * Waits for a callback that returned a promise, until the transfer ends,
 * because the promise may never settle.
 *
 * @returns The wait, or `undefined` for a synchronous callback, which saves a
 * promise for each block
 */
export function waitFor(
  data: DataStream,
  result: unknown,
): Promise<unknown> | undefined {
  return isThenable(result) ? data.unlessFailed(result) : undefined;
}

/** Whether a value is a promise of any kind. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then ===
    "function";
}
