/**
 * Reads the most common Unix lines: permissions, links, owner, group, size,
 * English month, day, time or year. Words are found by masks of their blanks
 * and digits instead of byte by byte. The full grammar reads all other lines,
 * and those in which it might find a date further in front.
 */
import { Char } from "./char";
import { daysOf, local, yearOf } from "./listing_calendar";
import { isBlank, isLetter } from "./listing_char";
import { english } from "./listing_month";
import {
  addFlags,
  Flag,
  Precision,
  setGroup,
  setOwner,
  setSize,
  setTime,
} from "./listing_record";

/** Ends of date and size, for links' targets. */
export let usualEnd: usize = 0;
export let usualSizeStart: usize = 0;
export let usualSizeEnd: usize = 0;

function masks(p: usize, isDigit: bool): u64 {
  let mask: u64 = 0;
  for (let i: usize = 0; i < 64; i += 16) {
    const block = v128.load(p + i);
    const found = isDigit
      ? i8x16.lt_u(
        i8x16.sub(block, i8x16.splat(<i8> Char.Zero)),
        i8x16.splat(10),
      )
      : v128.or(
        i8x16.eq(block, i8x16.splat(<i8> Char.Space)),
        i8x16.eq(block, i8x16.splat(<i8> Char.Tab)),
      );
    mask |= <u64> <u32> i8x16.bitmask(found) << i;
  }
  return mask;
}

/** Returns the bits from `start` to `end`, which is above it and below 64. */
function span(start: u64, end: u64): u64 {
  return ((<u64> 1 << (end - start)) - 1) << start;
}

function two(p: usize): i32 {
  return (<i32> load<u8>(p) - Char.Zero) * 10 + <i32> load<u8>(p, 1) -
    Char.Zero;
}

/** Reads the words after the permissions, which begin at `p`. */
export function scanUsual(p: usize, end: usize): bool {
  const blanks = masks(p, false);
  const digits = masks(p, true);
  if ((blanks & 1) == 0) return false;
  // starts and ends of words: the lowest bit is removed each time
  let starts = ~blanks & (blanks << 1);
  let ends = blanks & ~(blanks << 1 | 1);
  const s1 = ctz(starts), e1 = ctz(ends);
  starts &= starts - 1;
  ends &= ends - 1;
  const s2 = ctz(starts), e2 = ctz(ends);
  starts &= starts - 1;
  ends &= ends - 1;
  const s3 = ctz(starts), e3 = ctz(ends);
  starts &= starts - 1;
  ends &= ends - 1;
  const s4 = ctz(starts), e4 = ctz(ends);
  starts &= starts - 1;
  ends &= ends - 1;
  const s5 = ctz(starts), e5 = ctz(ends);
  starts &= starts - 1;
  ends &= ends - 1;
  const s6 = ctz(starts), e6 = ctz(ends);
  starts &= starts - 1;
  ends &= ends - 1;
  // a blank must follow the last word within the 64 bytes
  if (ends == 0) return false;
  const s7 = ctz(starts), e7 = ctz(ends);
  if (p + <usize> e7 >= end) return false;
  // the month has three letters, the day one or two digits
  if (e5 - s5 != 3 || e6 - s6 > 2) return false;

  const links = span(s1, e1);
  const size = span(s4, e4);
  const day = span(s6, e6);
  const numbers = links | size | day;
  if ((digits & numbers) != numbers) return false;
  // could the full grammar find a date that begins with owner, group or size?
  const ownerIsNumber = (digits & span(s2, e2)) == span(s2, e2);
  const groupIsNumber = (digits & span(s3, e3)) == span(s3, e3);
  if (ownerIsNumber) {
    const length = e2 - s2;
    if (length < 3 || length == 4 && (digits >> s3 & 1) != 0) return false;
  } else if (
    !isLetter(load<u8>(p + <usize> s2)) || (digits >> s3 & 1) != 0
  ) return false;
  if ((ownerIsNumber || groupIsNumber) && e4 - s4 < 3) return false;

  const name = p + <usize> s5;
  const month = english(
    (<u32> load<u8>(name) << 16 | <u32> load<u8>(name, 1) << 8 |
      load<u8>(name, 2)) | 0x202020,
  );
  if (month == 0) return false;
  const q = p + <usize> s6;
  const d = e6 - s6 == 2 ? two(q) : <i32> load<u8>(q) - Char.Zero;
  const t = p + <usize> s7;
  const shape = digits >> s7 & 0x1f;
  let year: i32;
  let clock: f64 = 0;
  let precision: i32;
  if (e7 - s7 == 5 && shape == 0b11011 && load<u8>(t, 2) == Char.Colon) {
    const hour = two(t);
    const minute = two(t + 3);
    if (hour > 23 || minute > 59 || d < 1) return false;
    clock = <f64> (hour * 60 + minute) * 60000;
    precision = Precision.Minute;
    year = yearOf(month, d, clock);
  } else if (e7 - s7 == 4 && (shape & 0xf) == 0xf) {
    year = two(t) * 100 + two(t + 2);
    precision = Precision.Day;
  } else return false;
  if (year < 1 || d < 1 || d > daysOf(month, year)) return false;

  if (precision == Precision.Day && s7 - e6 == 1) {
    // A year at the left of a column of five has a blank of it behind.
    const after = p + <usize> e7 + 1;
    const isPadded = after < end && isBlank(load<u8>(after));
    addFlags(isPadded ? Flag.Padded : Flag.Tight);
  }
  usualEnd = p + <usize> e7;
  usualSizeStart = p + <usize> s4;
  usualSizeEnd = p + <usize> e4;
  setSize(usualSizeStart, usualSizeEnd);
  setOwner(p + <usize> s2, p + <usize> e2);
  setGroup(p + <usize> s3, p + <usize> e3);
  setTime(local(year, month, d, clock), precision);
  return true;
}
