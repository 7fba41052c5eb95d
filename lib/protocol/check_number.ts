/**
 * Options that are numbers.
 *
 * @module
 */

import { showValue } from "./check_word.ts";

/** Longest time that a timer can be set to, in milliseconds: 24 days. */
export const MAX_MILLISECONDS = 2 ** 31 - 1;

/** What a number may be; `Infinity`, for no limit, is allowed always. */
interface Bounds {
  /** Whether it counts something. */
  readonly isInteger?: boolean;
  /** The largest one. */
  readonly most?: number;
}

/**
 * Insists on a number that an option may be: `NaN` and what is no number at all
 * would pass for no limit, or for 0.
 *
 * @param name The option
 * @param value What it was set to; `undefined` if it was not
 * @param bounds What it may be; any number from 0 if left out
 * @throws {RangeError} If it is something else
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
