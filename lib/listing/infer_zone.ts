/**
 * The zone of a LIST's times.
 *
 * @module
 */

import type { Entry } from "./entry.ts";

/** Zones lie on quarters of an hour. */
const QUARTER = 15;

/** From UTC-12 to UTC+14. */
const WEST = -12 * 60;
const EAST = 14 * 60;

const MINUTE = 60_000;

/**
 * Finds the zone of a listing's times from one file's time in UTC, as MDTM
 * tells it.
 *
 * @param entry The file, as the listing has it; its time must be exact to the
 * minute
 * @param mdtm What MDTM says of the same file
 * @param zone The zone the listing was read with
 * @returns Minutes east of UTC, or `undefined` when the two times do not differ
 * by a zone
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
 */
export function inferZone(
  entry: Pick<Entry, "mtime" | "mtimePrecision">,
  mdtm: Date,
  zone = 0,
): number | undefined {
  const { mtime, mtimePrecision } = entry;
  if (mtime === undefined || mtimePrecision === "day") return undefined;
  // A server may cut the seconds off or round them.
  const minutes = (mtime.getTime() - mdtm.getTime()) / MINUTE + zone;
  const rounded = Math.round(minutes / QUARTER) * QUARTER;
  if (Math.abs(minutes - rounded) > 1) return undefined;
  return rounded < WEST || rounded > EAST ? undefined : rounded + 0;
}
