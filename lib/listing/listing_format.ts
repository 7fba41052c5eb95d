/**
 * What a format of directory listings is made of: one function that reads a
 * line.
 *
 * @module
 */

import { readDecimal } from "../protocol/numbers.ts";
import type { EntryKind, TimePrecision } from "./entry.ts";

/** What a format reads out of a line. */
export interface ParsedLine {
  /** The name, one character a byte: a piece of the line. */
  name: string;
  /** What it is. */
  kind: EntryKind;
  /** The version's number, where files have several: the newest comes first. */
  version?: number | undefined;
  /** Bytes, where the line tells. */
  size?: number | undefined;
  /** Whether the server rounded the size. */
  isSizeApproximate?: boolean;
  /** Time of the last modification. */
  mtime?: Date | undefined;
  /** How exact it is. */
  mtimePrecision?: TimePrecision | undefined;
  /** Permission bits. */
  mode?: number | undefined;
  /** Where a link leads: a piece of the line. */
  linkTarget?: string | undefined;
  /** The owner: a piece of the line. */
  owner?: string | undefined;
  /** The group: a piece of the line. */
  group?: string | undefined;
}

/** What a format may need to know besides the line. */
export interface LineContext {
  /** What time it is, in milliseconds since 1970. */
  readonly now: number;
  /** How far in the future a date without a year may lie, in milliseconds. */
  readonly slack: number;
  /** Minutes that the listing's times are east of UTC. */
  readonly zone: number;
}

/**
 * What a line was found to be: an entry; `"frame"`, a header, footer or empty
 * form that is no entry; `"partial"`, the first line of an entry that goes on in
 * the next one; or `undefined`, a line that is not of this format.
 */
export type LineResult = ParsedLine | "frame" | "partial" | undefined;

/** A format of directory listings. */
export interface ListingFormat {
  /** What `Entry.format` says of the lines it reads. */
  readonly name: string;
  /**
   * Reads a line. It has to be pure: the same line gives the same result.
   *
   * @param line The line without its line end, one character a byte, so that
   * names keep their bytes; after `"partial"`, the line before and this one with
   * a blank between
   * @param context The time, and the listing's zone
   */
  read(line: string, context: LineContext): LineResult;
}

const MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec";

/**
 * Reads the English name of a month.
 *
 * @param text Three letters or more, any case
 * @returns 1 to 12, or 0
 */
export function parseMonth(text: string): number {
  const index = MONTHS.indexOf(text.slice(0, 3).toLowerCase());
  return text.length < 3 || index % 3 !== 0 ? 0 : index / 3 + 1;
}

/** A date and a time as a server writes them: in its own zone. */
export interface CivilTime {
  /** All four digits; without it, the latest year that is not to come. */
  year?: number;
  /** 1 to 12. */
  month: number;
  /** 1 to 31. */
  day: number;
  /** Hours; without them the whole day is meant. */
  hour?: number;
  /** Minutes. */
  minute?: number;
  /** Seconds, where the server tells them. */
  second?: number;
}

/** The two fields of an entry that tell its time. */
export interface EntryTime {
  /** The moment. */
  mtime: Date;
  /** How exact it is. */
  mtimePrecision: TimePrecision;
}

/**
 * SessionLock a date of a listing into a moment.
 *
 * @param civil The date and the time
 * @param context The zone, and the present for dates without a year
 * @returns The time, or `undefined` when there is no such day or hour
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

/**
 * Gives a year of two digits its century: below 70 it is 20yy.
 *
 * @param year The year
 * @returns A year of four digits
 */
export function toFullYear(year: number): number {
  if (year >= 1000) return year;
  if (year >= 100) return 1900 + year; // servers that count from 1900
  return year < 70 ? 2000 + year : 1900 + year;
}

/**
 * Reads a size.
 *
 * @param digits Decimal digits
 * @returns The size; `undefined` unless it is a decimal number, and above 2^53,
 * where it would be rounded
 */
export function parseSize(digits: string): number | undefined {
  return readDecimal(digits);
}

/**
 * Reads the end of a date as `ls` writes it: a year, or a time of this year.
 *
 * @param month 1 to 12
 * @param day 1 to 31
 * @param rest `1996` or `18:53`
 * @param context The zone and the present
 * @returns The time, or `undefined` when there is no such day or hour
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
