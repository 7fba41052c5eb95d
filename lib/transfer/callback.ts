/**
 * Waiting for what a user's callback gives.
 *
 * @module
 */

import type { DataStream } from "../connection/data_stream.ts";

/**
 * The wait for a callback that gave a promise: it ends when the transfer does,
 * although the promise may never be settled.
 *
 * @param data The transfer's data connection
 * @param result What the callback gave
 * @returns The wait; `undefined` where there is nothing to wait for, which
 * spares the callers of synchronous callbacks a promise for each block
 */
export function waitFor(
  data: DataStream,
  result: unknown,
): Promise<unknown> | undefined {
  return isThenable(result) ? data.unlessFailed(result) : undefined;
}

/**
 * Whether a value is a promise, of whatever make.
 *
 * @param value Anything
 * @returns Whether it can be waited for
 */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then ===
    "function";
}
