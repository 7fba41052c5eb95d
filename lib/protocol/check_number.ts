/**
 * Rejects invalid numbers in options.
 *
 * @module
 */

import { showValue } from "./check_word.ts";

/** Longest time of a timer, in milliseconds: 24 days. */
export const MAX_MILLISECONDS = 2 ** 31 - 1;

/** Range of a number. `Infinity`, for no limit, is always allowed. */
interface Bounds {
  /** Whether it must be an integer. */
  readonly isInteger?: boolean;
  /** The largest number allowed. */
  readonly most?: number;
}

/**
 * Rejects numbers out of range. `NaN` and other types would be taken for no
 * limit, or for 0.
 *
 * @param value The option's value; `undefined` if it is not set
 * @param bounds The range; any number from 0 if left out
 * @throws {RangeError} If the value is not in the range
 */
export function checkNumber(
  name: string,
  value: unknown,
  { isInteger = false, most = Infinity }: Bounds = {},
): void {
  if (value === undefined || value === Infinity) return;
  const isFit = typeof value === "number" && value <= most &&
    value >= 0 && (!isInteger || Number.isInteger(value));
  if (isFit) return;
  const kind = isInteger ? "an integer" : "a number";
  const end = most === Infinity ? "" : ` to ${most}`;
  throw new RangeError(
    `Cannot use ${name} ${
      showValue(value)
    }: it must be ${kind} from 0${end}, or Infinity`,
  );
}
