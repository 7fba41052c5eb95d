/**
 * Reads the dates of a few old servers: with a weekday in front, with a year of
 * two digits, or with the year first and a month's name. The results are those
 * of `scanDate`.
 */
import { CASE_BIT, Char } from "./char";
import { local } from "./listing_calendar";
import {
  isBlank,
  isDigit,
  isLetter,
  number,
  skipBlanks,
  skipDigits,
  skipToBlank,
} from "./listing_char";
import {
  addClock,
  clock,
  clockEnd,
  clockHasSeconds,
  dateDays,
  dateEnd,
  datePrecision,
  dropTime,
  fullYear,
  scanClock,
  scanDate,
  scanTime,
} from "./listing_date";
import { month, monthEnd } from "./listing_month";
import { Precision } from "./listing_record";

/** Years that a number before a month's name may mean. */
const FIRST_YEAR = 1970;
const LAST_YEAR = 2099;

/** The first three letters of the days. */
// deno-fmt-ignore
const WEEKDAYS: StaticArray<u32> = [
  0x6d6f6e, 0x747565, 0x776564, 0x746875, 0x667269, 0x736174, 0x73756e,
];

/** Returns the index of the day in `WEEKDAYS` that begins at `p`, or -1. */
function weekday(p: usize): i32 {
  const key: u32 =
    (<u32> load<u8>(p) << 16 | <u32> load<u8>(p, 1) << 8 | load<u8>(p, 2)) |
    0x202020;
  for (let i = 0; i < WEEKDAYS.length; i++) {
    if (unchecked(WEEKDAYS[i]) == key) return i;
  }
  return -1;
}

/** 1970-01-01 was a Thursday. */
const FIRST_WEEKDAY = 3;

/** Removes the time of a date that is not on its weekday. */
function checkWeekday(expected: i32): void {
  const actual = ((dateDays + FIRST_WEEKDAY) % 7 + 7) % 7;
  if (actual != expected) dropTime();
}

/** Whether "GMT" or "UTC" is the word at `p`. */
function isUniversal(p: usize, end: usize): bool {
  if (end - p < 4 || !isBlank(load<u8>(p, 3))) return false;
  const key: u32 = <u32> load<u8>(p) << 16 | <u32> load<u8>(p, 1) << 8 |
    load<u8>(p, 2);
  return key == 0x474d54 || key == 0x555443;
}

/** Whether a zone such as CEST and a year stand at `p`, as `date` has them. */
function isZonedYear(p: usize, end: usize): bool {
  const zoneEnd = skipToBlank(p, end);
  const year = skipBlanks(zoneEnd, end);
  return zoneEnd - p >= 3 && zoneEnd - p <= 5 && isLetter(load<u8>(p)) &&
    skipDigits(year, end) == year + 4;
}

/** Reads "Mon Mar  3 10:11", "Mon, 03 Mar 2003 10:11:12 GMT". */
function scanWeekday(p: usize, end: usize): bool {
  if (end - p < 8) return false;
  const expected = weekday(p);
  if (expected < 0) return false;
  p += 3;
  if (load<u8>(p) == Char.Comma || load<u8>(p) == Char.Dot) p++;
  if (!isBlank(load<u8>(p))) return false;
  p = skipBlanks(p, end);
  if (p >= end || !scanDate(p, end)) return false;
  if (datePrecision != Precision.Day) {
    const q = skipBlanks(dateEnd, end);
    if (datePrecision == Precision.Second && isZonedYear(q, end)) return false;
  } else scanLateClock(end);
  checkWeekday(expected);
  return true;
}

/** Reads a time behind a date with a year. */
function scanLateClock(end: usize): void {
  const q = skipBlanks(dateEnd, end);
  if (!scanClock(q, end, false)) return;
  if (clockEnd >= end || !isBlank(load<u8>(clockEnd))) return;
  const zone = skipBlanks(clockEnd, end);
  const isZoned = clockHasSeconds && isUniversal(zone, end);
  addClock(
    clock - (isZoned ? local(1970, 1, 1, 0) : 0),
    clockHasSeconds ? Precision.Second : Precision.Minute,
    isZoned ? zone + 3 : clockEnd,
  );
}

/** Reads "1-29-97", "1-29-97 10:11", "1/29/97 3:11PM": the month comes first. */
function scanShortYear(p: usize, q: usize, end: usize): bool {
  const mark = load<u8>(q);
  if (q >= end || mark != Char.Hyphen && mark != Char.Slash) return false;
  const r = skipDigits(q + 1, end);
  const length = r - q - 1;
  if (length < 1 || length > 2 || r >= end || load<u8>(r) != mark) return false;
  const s = skipDigits(r + 1, end);
  if (s - r != 3) return false;
  const year = fullYear(number(r + 1, s), 2);
  const first = number(p, q), second = number(q + 1, r);
  // day first, if only that is a date
  if (
    !scanTime(year, first, second, s, end) &&
    !scanTime(year, second, first, s, end)
  ) return false;
  if (datePrecision == Precision.Day) scanHalf(s, end);
  return true;
}

/** Reads a time with AM or PM, without a blank before it. */
function scanHalf(p: usize, end: usize): void {
  const q = skipBlanks(p, end);
  const wordEnd = skipToBlank(q, end);
  if (wordEnd - q < 5 || (load<u8>(wordEnd - 1) | CASE_BIT) < Char.a) return;
  if (!scanClock(q, wordEnd, true) || clockEnd != wordEnd) return;
  addClock(
    clock,
    clockHasSeconds ? Precision.Second : Precision.Minute,
    wordEnd,
  );
}

/** Reads "2023 Mar  3 10:11". */
function scanYearFirst(p: usize, q: usize, end: usize): bool {
  const year = number(p, q);
  if (year < FIRST_YEAR || year > LAST_YEAR) return false;
  const name = q + 1;
  if (name >= end || !isBlank(load<u8>(q)) || isBlank(load<u8>(name))) {
    return false;
  }
  const m = month(name, end);
  if (m == 0 || monthEnd >= end || !isBlank(load<u8>(monthEnd))) return false;
  p = skipBlanks(monthEnd, end);
  q = skipDigits(p, end);
  if (q == p || q - p > 2 || q >= end || !isBlank(load<u8>(q))) return false;
  const day = number(p, q);
  // the year of `ls` itself: the number in front is the size
  const next = skipBlanks(q, end);
  const nextEnd = skipDigits(next, end);
  const isYear = nextEnd == next + 4 &&
    (nextEnd >= end || isBlank(load<u8>(nextEnd)));
  return !isYear && scanTime(year, m, day, q, end);
}

/**
 * Reads a rare date that begins at `p`, which is not a blank.
 *
 * @param mayBeYear Whether a number may be the year, rather than the size
 */
export function scanRareDate(p: usize, end: usize, mayBeYear: bool): bool {
  if (!isDigit(load<u8>(p))) return scanWeekday(p, end);
  const q = skipDigits(p, end);
  if (q - p == 4) return mayBeYear && scanYearFirst(p, q, end);
  return q - p <= 2 && scanShortYear(p, q, end);
}
