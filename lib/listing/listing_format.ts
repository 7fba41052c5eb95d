/**
 * The interface of a listing format, and helpers for its dates and sizes.
 *
 * @module
 */

import { readDecimal } from "../protocol/numbers.ts";
import type { Entry, TimePrecision } from "./entry.ts";

/** The result of reading a line. */
export interface ParsedLine {
  /** The name, one character for each byte: a part of the line. */
  name: string;
  /**
   * Path from the listed directory, if it is not the name: of an entry in another
   * directory of the same listing.
   */
  path?: string | undefined;
  /** Kind of the entry. */
  kind: Entry["kind"];
  /** Version of the file, if there are several. The newest comes first. */
  version?: number | undefined;
  /** Size in bytes, if the line has it. */
  size?: number | undefined;
  /** Whether the server rounded the size. */
  isSizeApproximate?: boolean;
  /** Time of the last modification. */
  mtime?: Date | undefined;
  /** Resolution of `mtime`. */
  mtimePrecision?: "second" | "minute" | "day" | undefined;
  /** Permission bits. */
  mode?: number | undefined;
  /** Target of a symbolic link: a part of the line. */
  linkTarget?: string | undefined;
  /** The owner: a part of the line. */
  owner?: string | undefined;
  /** The group: a part of the line. */
  group?: string | undefined;
}

/** Context of a line. */
export interface LineContext {
  /** Current time, in milliseconds since 1970. */
  readonly now: number;
  /** Milliseconds by which a date without a year may lie in the future. */
  readonly slack: number;
  /** Zone of the listing's times, in minutes east of UTC. */
  readonly zone: number;
  /** Name of the listed directory without its parents, if it is known. */
  readonly directory?: string | undefined;
}

/** A format of directory listings. */
export interface ListingFormat {
  /** Name of the format, as in `Entry.format`. */
  readonly name: string;
  /**
   * Reads a line. Must be pure: the same line gives the same result.
   *
   * @param line The line without its line end, one character for each byte, so
   * that names keep their bytes. After `"partial"`, the previous line and this
   * one, joined by a blank
   * @param context Current time, and the listing's zone
   * @returns An entry; `"frame"` for a header, a footer or another line that is
   * not an entry; `"note"` for one that is also reported to the user;
   * `"partial"` for the first line of an entry that continues in the next one; or
   * `undefined` for a line that is not in this format
   */
  read(
    line: string,
    context: LineContext,
  ): ParsedLine | "frame" | "note" | "partial" | undefined;
  /**
   * Reads a line that {@linkcode read} cannot read, and that is ambiguous in
   * other listings. Called only if the format can read all of the first lines.
   *
   * @param line As in {@linkcode read}
   * @param context As in {@linkcode read}
   * @returns As in {@linkcode read}
   */
  readLoose?(
    line: string,
    context: LineContext,
  ): ParsedLine | "frame" | "note" | "partial" | undefined;
  /**
   * Joins the path of a directory that is listed in this format and the name of
   * an entry.
   *
   * @param directory The directory; "" for the current one
   * @param name The entry
   *
   * @default joined with a slash
   */
  join?(directory: string, name: string): string;
}

/** Result of reading a line. */
export type LineResult = ReturnType<ListingFormat["read"]>;

const MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec";

/**
 * Reads the English name of a month.
 *
 * @param text Three letters or more, in any case
 * @returns 1 to 12, or 0
 */
export function parseMonth(text: string): number {
  const index = MONTHS.indexOf(text.slice(0, 3).toLowerCase());
  return text.length < 3 || index % 3 !== 0 ? 0 : index / 3 + 1;
}

/** A date and time in the server's zone. */
export interface CivilTime {
  /** All four digits; without it, the latest year that is not in the future. */
  year?: number;
  /** 1 to 12. */
  month: number;
  /** 1 to 31. */
  day: number;
  /** Hours; without them, the whole day. */
  hour?: number;
  /** Minutes. */
  minute?: number;
  /** Seconds, if the server reports them. */
  second?: number;
}

/** The two fields of an entry that contain its time. */
export interface EntryTime {
  /** The time. */
  mtime: Date;
  /** Resolution of the time. */
  mtimePrecision: TimePrecision;
}

/**
 * Converts a date of a listing to a time.
 *
 * @returns The time, or `undefined` if there is no such day or hour
 */
export function toTime(
  civil: CivilTime,
  context: LineContext,
): EntryTime | undefined {
  const { month, day, hour = 0, minute = 0, second = 0 } = civil;
  if (month < 1 || month > 12 || day < 1) return undefined;
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const zone = context.zone * 60_000;
  const at = (year: number) => {
    const date = new Date(0);
    date.setUTCFullYear(year, month - 1, day);
    date.setUTCHours(hour, minute, second);
    return date.getTime();
  };
  let year = civil.year;
  if (year === undefined) {
    const latest = context.now + context.slack + zone;
    year = new Date(latest).getUTCFullYear();
    if (at(year) > latest) year--;
    while (month === 2 && day === 29 && !isLeap(year)) year--;
  }
  if (year < 1 || day > daysOf(month, year)) return undefined;
  return {
    mtime: new Date(at(year) - zone),
    mtimePrecision: civil.second !== undefined
      ? "second"
      : civil.hour !== undefined
      ? "minute"
      : "day",
  };
}

function isLeap(year: number): boolean {
  return daysOf(2, year) === 29;
}

function daysOf(month: number, year: number): number {
  const next = new Date(0);
  next.setUTCFullYear(year, month, 0);
  return next.getUTCDate();
}

/** Completes a year of two digits: below 70 it is 20yy. */
export function toFullYear(year: number): number {
  if (year >= 1000) return year;
  if (year >= 100) return 1900 + year; // servers that count from 1900
  return year < 70 ? 2000 + year : 1900 + year;
}

/**
 * Reads a size.
 *
 * @returns The size; `undefined` unless it is a decimal number up to 2^53
 */
export function parseSize(digits: string): number | undefined {
  return readDecimal(digits);
}

/**
 * Reads the end of a date in the form of `ls`: a year (`1996`), or a time of
 * this year (`18:53`).
 *
 * @returns The time, or `undefined` if there is no such day or hour
 */
export function readRecentDate(
  month: number,
  day: number,
  rest: string,
  context: LineContext,
): EntryTime | undefined {
  const [first, minute] = rest.split(":");
  return toTime(
    minute === undefined
      ? { year: Number(first), month, day }
      : { month, day, hour: Number(first), minute: Number(minute) },
    context,
  );
}
