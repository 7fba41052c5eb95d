/**
 * Infers the time zone of a LIST.
 *
 * @module
 */

import type { Entry } from "./entry.ts";

/** Zones are multiples of a quarter of an hour, in minutes. */
const QUARTER = 15;

/** UTC-12 to UTC+14, in minutes. */
const WEST = -12 * 60;
const EAST = 14 * 60;

const MINUTE = 60_000;

/**
 * Finds the zone of a listing's times from the time of one file in UTC, as MDTM
 * shows it.
 *
 * @example A server two hours east of UTC
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const entry = {
 *   mtime: new Date("2024-07-01T14:30:00Z"),
 *   mtimePrecision: "minute",
 * } as const;
 *
 * assertEquals(inferZone(entry, new Date("2024-07-01T12:30:45Z")), 120);
 * ```
 * @returns Minutes east of UTC, or `undefined` if the difference is not a zone
 */
export function inferZone(
  entry: Pick<Entry, "mtime" | "mtimePrecision">,
  mdtm: Date,
  zone = 0,
): number | undefined {
  const { mtime, mtimePrecision } = entry;
  if (mtime === undefined || mtimePrecision === "day") return undefined;
  // a server may cut off or round the seconds
  const minutes = (mtime.getTime() - mdtm.getTime()) / MINUTE + zone;
  const rounded = Math.round(minutes / QUARTER) * QUARTER;
  if (Math.abs(minutes - rounded) > 1) return undefined;
  return rounded < WEST || rounded > EAST ? undefined : rounded + 0;
}
