/**
 * Unix lines without a size that stands alone before a date: the size is glued
 * to the group, or there is no date.
 */
import { Char } from "./char";
import {
  isBlank,
  isDigit,
  skipBlanks,
  skipDigits,
  skipToBlank,
} from "./listing_char";
import { dateEnd, datePrecision, dateTime, scanDate } from "./listing_date";
import { month, monthEnd } from "./listing_month";
import {
  setApproximateSize,
  setGroup,
  setOwner,
  setSize,
  setTime,
} from "./listing_record";

/** Where the name begins. */
export let rareName: usize = 0;

/** Longest number that fits one of 64 bits. */
const MAX_DIGITS: usize = 18;

/** Passes the link count, which may be missing. */
function skipLinks(p: usize, end: usize): usize {
  p = skipBlanks(p, end);
  const q = skipDigits(p, end);
  return q > p && q < end && isBlank(load<u8>(q)) ? skipBlanks(q, end) : p;
}

/**
 * Reads "owner group125435904 Apr 9 2008": a column overflowed. Where the digits
 * begin is certain only if the group has the owner's name: else the size is
 * approximate.
 */
export function scanGlued(p: usize, end: usize): bool {
  const owner = skipLinks(p, end);
  const ownerEnd = skipToBlank(owner, end);
  const group = skipBlanks(ownerEnd, end);
  const sizeEnd = skipToBlank(group, end);
  if (owner >= end || isDigit(load<u8>(owner)) || group >= sizeEnd) {
    return false;
  }
  if (isDigit(load<u8>(group))) return false;
  let size = sizeEnd;
  while (isDigit(load<u8>(size - 1))) size--;
  if (size == sizeEnd || sizeEnd - size > MAX_DIGITS) return false;
  const date = skipBlanks(sizeEnd, end);
  if (date >= end || !scanDate(date, end)) return false;
  if (dateEnd >= end || !isBlank(load<u8>(dateEnd))) return false;
  const length = size - group;
  const isSame = ownerEnd - owner == length &&
    memory.compare(owner, group, length) == 0;
  if (isSame) setSize(size, sizeEnd);
  else {
    let value: f64 = 0;
    for (let q = size; q < sizeEnd; q++) {
      value = value * 10 + <f64> (load<u8>(q) - Char.Zero);
    }
    setApproximateSize(value);
  }
  setOwner(owner, ownerEnd);
  setGroup(group, size);
  setTime(dateTime, datePrecision);
  rareName = dateEnd + 1;
  return true;
}

/** Whether a word is, or begins, a date rather than a name. */
function isOfDate(p: usize, end: usize): bool {
  let q = p;
  while (q < end) {
    const c: u32 = load<u8>(q);
    const isMark = c == Char.Hyphen || c == Char.Dot || c == Char.Slash ||
      c == Char.Colon;
    if (!isDigit(c) && !isMark) break;
    q++;
  }
  if (q == end) return true;
  if (month(p, end) == 0) return false;
  q = monthEnd;
  while (q < end && (load<u8>(q) == Char.Dot || load<u8>(q) == Char.Comma)) q++;
  return q == end;
}

/**
 * Reads "3 owner group 512 name". Whatever could have a date in it is left
 * unread: so the name is one word.
 */
export function scanDateless(p: usize, end: usize): bool {
  const owner = skipLinks(p, end);
  if (owner == skipBlanks(p, end)) return false;
  const ownerEnd = skipToBlank(owner, end);
  const group = skipBlanks(ownerEnd, end);
  const groupEnd = skipToBlank(group, end);
  const size = skipBlanks(groupEnd, end);
  const sizeEnd = skipDigits(size, end);
  if (size == sizeEnd || sizeEnd >= end) return false;
  if (!isBlank(load<u8>(sizeEnd))) return false;
  const name = skipBlanks(sizeEnd, end);
  if (name >= end || skipToBlank(name, end) != end) return false;
  if (isOfDate(name, end)) return false;
  setOwner(owner, ownerEnd);
  setGroup(group, groupEnd);
  setSize(size, sizeEnd);
  rareName = name;
  return true;
}
