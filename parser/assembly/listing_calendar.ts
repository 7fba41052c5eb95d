/**
 * Converts dates to milliseconds since 1970. There is no clock here: the
 * current time is passed with each call.
 */

const DAY: f64 = 86400000;

/** Zone of a listing's times, in milliseconds east of UTC. */
let zone: f64 = 0;
/** Latest time, in the server's zone, of a date without a year. */
let latest: f64 = 0;
let latestYear: i32 = 1970;

/**
 * Sets the calendar of a scan.
 * @param latestTime The current time plus the slack, in UTC
 * @param zoneTime The server's zone, in milliseconds east of UTC
 * @param zoneTime How far the server's zone is east of UTC
 */
export function setCalendar(latestTime: f64, zoneTime: f64): void {
  zone = zoneTime;
  latest = latestTime + zoneTime;
  let year = 1970 + <i32> Math.floor(latest / (365.2425 * DAY));
  while (daysTo(year, 1, 1) * DAY > latest) year--;
  while (daysTo(year + 1, 1, 1) * DAY <= latest) year++;
  latestYear = year;
}

export function isLeap(year: i32): bool {
  return (year & 3) == 0 && (year % 100 != 0 || year % 400 == 0);
}

export function daysOf(month: i32, year: i32): i32 {
  if (month == 2) return isLeap(year) ? 29 : 28;
  // odd months up to July have 31 days, and even months from August on
  return 30 + (month + (month >> 3) & 1);
}

/**
 * Days from 1970-01-01 to a date. The year begins in March, so that 29 February
 * is its last day.
 */
export function daysTo(year: i32, month: i32, day: i32): f64 {
  const y = month <= 2 ? year - 1 : year;
  const shifted = month > 2 ? month - 3 : month + 9;
  const dayOfYear = (153 * shifted + 2) / 5 + day - 1;
  const era = y / 400;
  const yearOfEra = y - era * 400;
  const dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 +
    dayOfYear;
  return <f64> (era * 146097 + dayOfEra - 719468);
}

/** Milliseconds since 1970 of a date and time in UTC. */
export function utc(year: i32, month: i32, day: i32, time: f64): f64 {
  return daysTo(year, month, day) * DAY + time;
}

/** Milliseconds since 1970 of a date and time in the server's zone. */
export function local(year: i32, month: i32, day: i32, time: f64): f64 {
  return utc(year, month, day, time) - zone;
}

/** The latest year in which this day exists and is not in the future. */
export function yearOf(month: i32, day: i32, time: f64): i32 {
  let year = latestYear;
  if (utc(year, month, day, time) > latest) year--;
  if (month == 2 && day == 29) {
    // leap years around 1900 and 2100 are eight years apart
    for (let i = 0; i < 8 && !isLeap(year); i++) year--;
  }
  return year;
}
