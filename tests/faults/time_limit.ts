/** The time limit of a call, in milliseconds, including its faults. */

import type { FaultCase } from "./fault_case.ts";

/** Milliseconds that a machine may add, for a time scale of 1. */
const SLACK = 6000;

/** Slowest transfer through the proxy, in bytes per millisecond. */
const SPEED = 3000;

/** Grace periods of the client, in milliseconds, as its documentation has them. */
const GRACE = { abort: 5000, keepAlive: 5000, leave: 2000, cleanUp: 5000 };

/**
 * Returns the longest time of a call, with its incidents and periods of grace.
 */
export function timeLimitOf(faultCase: FaultCase): number {
  const { timeout, faults, kill, options, direction, size, abort } = faultCase;
  const { attempts = 0, maxDelay = 0 } = options.retry || {};
  // on a busy machine, undisturbed attempts may time out, too
  const incidents = faults.length + attempts + (kill === undefined ? 0 : 1);
  const pauses = faults.reduce((sum, { duration }) => sum + duration, 0);
  const each = 4 * timeout + maxDelay + GRACE.leave +
    (options.keepAlive > 0 ? GRACE.keepAlive : 0);
  const work = SLACK + (incidents + 1) * size / SPEED;
  return work * faultCase.timeScale + incidents * each + pauses +
    (abort !== undefined || options.resume ? GRACE.abort : 0) +
    (direction === "upload" ? GRACE.cleanUp + timeout : 0);
}
