/**
 * Reads the date of a LIST line, in the forms that servers use, found by its
 * shape. The results stay in the three variables.
 */
import { CASE_BIT, Char } from "./char";
import { daysOf, daysTo, local, yearOf } from "./listing_calendar";
import {
  isBlank,
  isDigit,
  isLetter,
  number,
  skipBlanks,
  skipDigits,
} from "./listing_char";
import { month, monthEnd } from "./listing_month";
import { Precision } from "./listing_record";

export let dateEnd: usize = 0;
export let dateTime: f64 = 0;
/** Days since 1970 of the date as the line shows it, whatever its zone. */
export let dateDays: i32 = 0;
export let datePrecision: i32 = 0;

/** Results of `scanClock` and `scanYear`. */
export let clock: f64 = 0;
export let clockEnd: usize = 0;
export let clockHasSeconds: bool = false;

/**
 * Whether the end of the date may be padded: one blank alone stands before its
 * year, or more than one behind a date without a time.
 */
export let isPaddable: bool = false;

/** Removes the time of a date that contradicts itself. */
export function dropTime(): void {
  datePrecision = Precision.None;
}

function at(p: usize, end: usize): u32 {
  return p < end ? load<u8>(p) : 0;
}

function endsWord(p: usize, end: usize): bool {
  return p >= end || isBlank(load<u8>(p));
}

function accept(
  year: i32,
  month: i32,
  day: i32,
  time: f64,
  precision: i32,
  end: usize,
): bool {
  if (month < 1 || month > 12 || year < 1 || day < 1) return false;
  if (day > daysOf(month, year)) return false;
  dateDays = <i32> daysTo(year, month, day);
  dateTime = local(year, month, day, time);
  datePrecision = precision;
  dateEnd = end;
  return true;
}

/**
 * Reads `[H]H:MM[:SS[.fff]]`, and AM or PM after it if `halves` is set.
 * Otherwise 24:00 is midnight at the end of the day.
 */
export function scanClock(p: usize, end: usize, halves: bool): bool {
  let q = skipDigits(p, end);
  if (q - p < 1 || q - p > 2 || at(q, end) != Char.Colon) return false;
  let hour = number(p, q);
  p = q + 1;
  q = skipDigits(p, end);
  if (q - p != 2) return false;
  const minute = number(p, q);
  let seconds = 0;
  clockHasSeconds = false;
  if (at(q, end) == Char.Colon) {
    p = q + 1;
    q = skipDigits(p, end);
    if (q - p != 2) return false;
    seconds = number(p, q);
    clockHasSeconds = true;
    if (at(q, end) == Char.Dot && isDigit(at(q + 1, end))) {
      q = skipDigits(q + 1, end);
    }
  }
  const isEnd = hour == 24 && minute == 0 && seconds == 0 && !halves;
  if (hour > 23 && !isEnd || minute > 59 || seconds > 60) return false;
  if (halves) {
    let r = skipBlanks(q, end);
    const half = at(r, end) | CASE_BIT;
    if (half == Char.a || half == Char.p) {
      r++;
      if ((at(r, end) | CASE_BIT) == Char.m) r++;
      if (!endsWord(r, end) || hour > 12) return false;
      hour = hour % 12 + (half == Char.p ? 12 : 0);
      q = r;
    }
  }
  clock = <f64> ((hour * 60 + minute) * 60 + seconds) * 1000;
  clockEnd = q;
  return true;
}

/** Skips the sign for "year", "month" or "day" after a number. */
function skipSign(p: usize, end: usize): usize {
  const start = p;
  while (p < end && load<u8>(p) >= 0x80) p++;
  // the sign for "year" in Shift JIS ends with the byte of ASCII's N
  if (p == start + 1 && load<u8>(start) == 0x94 && at(p, end) == Char.N) p++;
  return p;
}

/** Ends a date that has month and day: a time of this year, or a year. */
function scanRest(month: i32, day: i32, p: usize, end: usize): bool {
  if (month == 0 || day < 1 || day > 31) return false;
  const before = p;
  p = skipBlanks(p, end);
  if (!isDigit(at(p, end))) return false;
  const q = skipDigits(p, end);
  const digits = q - p;
  if (digits == 4) {
    isPaddable = p - before == 1;
    const year = number(p, q);
    const r = skipSign(q, end);
    if (endsWord(r, end)) {
      return accept(year, month, day, 0, Precision.Day, r);
    }
    return false;
  }
  if (!scanClock(p, end, false)) {
    // Some devices leave the minute's second digit out.
    if (at(q, end) != Char.Colon || !isDigit(at(q + 1, end))) return false;
    if (digits > 2 || !endsWord(q + 2, end)) return false;
    const hour = number(p, q);
    if (hour > 23) return false;
    const time = <f64> (hour * 60 + number(q + 1, q + 2)) * 60000;
    const year = yearOf(month, day, time);
    return accept(year, month, day, time, Precision.Minute, q + 2);
  }
  if (!endsWord(clockEnd, end)) return false;
  if (clockHasSeconds) {
    // BSD's "ls -lT" and the like add the year after the seconds
    p = skipBlanks(clockEnd, end);
    const r = skipDigits(p, end);
    if (r - p == 4 && endsWord(r, end)) {
      return accept(number(p, r), month, day, clock, Precision.Second, r);
    }
  }
  const precision = clockHasSeconds ? Precision.Second : Precision.Minute;
  const year = yearOf(month, day, clock);
  return accept(year, month, day, clock, precision, clockEnd);
}

/** Adds a time to a date that was read as a whole day. */
export function addClock(time: f64, precision: i32, end: usize): void {
  dateTime += time;
  datePrecision = precision;
  dateEnd = end;
  isPaddable = false;
}

/** Ends a date that has its year: with a time, or as a whole day. */
export function scanTime(
  year: i32,
  month: i32,
  day: i32,
  p: usize,
  end: usize,
): bool {
  if (!endsWord(p, end)) return false;
  const q = skipBlanks(p, end);
  if (!scanClock(q, end, false) || !endsWord(clockEnd, end)) {
    // "ls --time-style=iso" adds a blank to a date without a time
    const padded = isBlank(at(p, end)) && isBlank(at(p + 1, end));
    isPaddable = padded && isBlank(at(p + 2, end));
    return accept(year, month, day, 0, Precision.Day, padded ? p + 1 : p);
  }
  const time = clock;
  const r = clockEnd;
  if (clockHasSeconds) {
    // "ls --full-time" shows its zone
    const z = skipBlanks(r, end);
    const sign = at(z, end);
    if (
      (sign == Char.Plus || sign == Char.Hyphen) &&
      skipDigits(z + 1, end) == z + 5 &&
      endsWord(z + 5, end)
    ) {
      const hhmm = number(z + 1, z + 5);
      const east = <f64> (hhmm / 100 * 60 + hhmm % 100) * 60000;
      if (!accept(year, month, day, time, Precision.Second, z + 5)) {
        return false;
      }
      dateTime += local(1970, 1, 1, 0) * -1 +
        (sign == Char.Plus ? -east : east);
      return true;
    }
  }
  const precision = clockHasSeconds ? Precision.Second : Precision.Minute;
  return accept(year, month, day, time, precision, r);
}

/**
 * Completes a year of two digits: below 70 it is 20yy. Three digits count from
 * 1900.
 */
export function fullYear(year: i32, digits: usize): i32 {
  if (digits == 2) return year < 70 ? 2000 + year : 1900 + year;
  return digits == 3 ? 1900 + year : year;
}

/**
 * Reads dates with a mark between their numbers: 2004-07-15, 24.04.2003, 09-26.
 */
function scanJoined(p: usize, q: usize, mark: u32, end: usize): bool {
  const first = number(p, q);
  let r = q + 1;
  if (isLetter(at(r, end)) || at(r, end) >= 0x80) {
    // 01-jun-99
    const m = month(r, end);
    r = monthEnd;
    if (m == 0 || at(r, end) != mark) return false;
    const s = skipDigits(r + 1, end);
    const digits = s - r - 1;
    if (digits != 2 && digits != 4) return false;
    return scanTime(fullYear(number(r + 1, s), digits), m, first, s, end);
  }
  const s = skipDigits(r, end);
  if (s == r || s - r > 2) return false;
  const second = number(r, s);
  if (at(s, end) != mark) {
    return q - p <= 2 && endsWord(s, end) && scanRest(first, second, s, end);
  }
  const t = skipDigits(s + 1, end);
  const digits = t - s - 1;
  if (q - p == 4) {
    if (digits < 1 || digits > 2) return false;
    return scanTime(first, second, number(s + 1, t), t, end);
  }
  if (digits != 4) return false;
  const year = number(s + 1, t);
  // day first, unless only the other order is a date
  return scanTime(year, second, first, t, end) ||
    scanTime(year, first, second, t, end);
}

/** Reads dates of numbers with signs after them, or with nothing: `3 29`. */
function scanNumeric(p: usize, q: usize, end: usize): bool {
  const first = number(p, q);
  let r = skipSign(q, end);
  const signed = r > q;
  if (q - p == 4) {
    // 2003年 3月 20日, or only a year in front
    p = skipBlanks(r, end);
    q = skipDigits(p, end);
    if (q == p || q - p > 2) return false;
    const m = number(p, q);
    r = skipSign(q, end);
    if (r == q) return false;
    p = skipBlanks(r, end);
    q = skipDigits(p, end);
    if (q == p || q - p > 2) return false;
    const d = number(p, q);
    return scanTime(first, m, d, skipSign(q, end), end);
  }
  p = skipBlanks(r, end);
  q = skipDigits(p, end);
  if (q == p || q - p > 2) return false;
  const second = number(p, q);
  r = skipSign(q, end);
  if (!endsWord(r, end)) return false;
  if (signed) return scanRest(first, second, r, end);
  // numbers without signs need a time after them to be a date
  const s = skipDigits(skipBlanks(r, end), end);
  return at(s, end) == Char.Colon && scanRest(first, second, r, end);
}

/** Reads a date that begins at `p`, which is not a blank. */
export function scanDate(p: usize, end: usize): bool {
  isPaddable = false;
  const c: u32 = load<u8>(p);
  if (isDigit(c)) {
    const q = skipDigits(p, end);
    const digits = q - p;
    if (digits > 4 || digits == 3) return false;
    const mark = at(q, end);
    if (
      mark == Char.Hyphen || mark == Char.Slash ||
      (mark == Char.Dot && isDigit(at(q + 1, end)))
    ) {
      return scanJoined(p, q, mark, end);
    }
    let r = q;
    if (mark == Char.Dot) r++;
    const s = skipBlanks(r, end);
    const next = at(s, end);
    if (digits <= 2 && s > r && (isLetter(next) || next >= 0x80)) {
      // 26. Juli, 20:10
      const m = month(s, end);
      if (m == 0) return false;
      r = monthEnd;
      while (at(r, end) == Char.Dot || at(r, end) == Char.Comma) r++;
      return isBlank(at(r, end)) && scanRest(m, number(p, q), r, end);
    }
    return scanNumeric(p, q, end);
  }
  if (!isLetter(c) && c < 0x80) return false;
  return scanMonthFirst(p, end);
}

/** Reads Jan 29 03:26, Jan 29 2003, Jan. 29, 2003 09:47. */
function scanMonthFirst(p: usize, end: usize): bool {
  let q = p;
  while (q < end && (isLetter(load<u8>(q)) || load<u8>(q) >= 0x80)) q++;
  while (at(q, end) == Char.Dot || at(q, end) == Char.Comma) q++;
  let r = skipBlanks(q, end);
  if (r == q) return false;
  const s = skipDigits(r, end);
  // most words before a date are owners, so the search comes last
  if (s == r || s - r > 2) return false;
  let t = skipSign(s, end);
  const comma = at(t, end) == Char.Comma;
  if (at(t, end) == Char.Dot || comma) t++;
  if (!isBlank(at(t, end))) return false;
  const m = month(p, end);
  if (m == 0) return false;
  const day = number(r, s);
  if (comma) {
    // VShell writes both: "Oct 08, 2002 09:47"
    r = skipBlanks(t, end);
    const y = skipDigits(r, end);
    if (y - r == 4) return scanTime(number(r, y), m, day, y, end);
  }
  return scanRest(m, day, t, end);
}
