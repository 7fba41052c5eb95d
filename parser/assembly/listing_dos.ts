/** Reads a line of IIS and other servers on Windows, in the form of `dir`. */
import { CASE_BIT, Char, Text } from "./char";
import { local } from "./listing_calendar";
import { daysOf } from "./listing_calendar";
import {
  isBlank,
  isDigit,
  number,
  skipBlanks,
  skipDigits,
} from "./listing_char";
import {
  clock,
  clockEnd,
  clockHasSeconds,
  fullYear,
  scanClock,
} from "./listing_date";
import {
  addFlags,
  Flag,
  Format,
  Kind,
  Precision,
  setFormat,
  setKind,
  setName,
  setSize,
  setSizeValue,
  setTarget,
  setTime,
} from "./listing_record";

/** Blanks after a mark such as `<DIR>`, which fills a column of 15. */
const MARK_WIDTH: usize = 15;

let year: i32 = 0;
let month: i32 = 0;
let day: i32 = 0;
/** Whether the last mark was that of a link. */
let isLink: bool = false;

/** Reads 04-27-00, 27.04.2000 or 2000-04-27. Returns its end, or 0. */
function scanDay(p: usize, end: usize): usize {
  const q = skipDigits(p, end);
  const first = q - p;
  if (first != 1 && first != 2 && first != 4 || q >= end) return 0;
  const mark = load<u8>(q);
  if (mark != Char.Hyphen && mark != Char.Slash && mark != Char.Dot) return 0;
  const r = skipDigits(q + 1, end);
  const second = r - q - 1;
  if (second < 1 || second > 2 || r >= end || load<u8>(r) != mark) return 0;
  const s = skipDigits(r + 1, end);
  const third = s - r - 1;
  const a = number(p, q);
  const b = number(q + 1, r);
  if (first == 4) {
    if (third < 1 || third > 2) return 0;
    year = a;
    month = b;
    day = number(r + 1, s);
  } else {
    if (third != 2 && third != 4) return 0;
    year = fullYear(number(r + 1, s), third);
    // Windows puts the day first if it uses dots, or if it must be the day
    const dayFirst = mark == Char.Dot || a > 12;
    month = dayFirst ? b : a;
    day = dayFirst ? a : b;
  }
  if (month < 1 || month > 12 || day < 1 || year < 1) return 0;
  return day <= daysOf(month, year) ? s : 0;
}

/**
 * Returns the length of the mark between groups of digits at `q`, or 0: a
 * comma, a dot, an apostrophe, or a fixed blank, in UTF-8 or an encoding of
 * Windows.
 */
function markLength(q: usize, end: usize): usize {
  const c: u32 = load<u8>(q);
  if (c == Char.Comma || c == Char.Dot || c == Char.Apostrophe) return 1;
  if (c == 0xa0 || c == 0xff || c == 0x92) return 1;
  if (c == 0xc2 && q + 1 < end) return load<u8>(q, 1) == 0xa0 ? 2 : 0;
  if (c != 0xe2 || q + 2 >= end || load<u8>(q, 1) != 0x80) return 0;
  const last: u32 = load<u8>(q, 2);
  return last == 0x89 || last == 0x99 || last == 0xaf ? 3 : 0;
}

/**
 * Reads a number in groups of three, such as 9,730, with the mark at the end of
 * the first one.
 */
function scanGroups(p: usize, end: usize, mark: usize, length: usize): usize {
  let q = mark;
  if (q == p || q - p > 3) return 0;
  let value: u64 = <u64> number(p, q);
  let groups = 0;
  while (q + length < end && memory.compare(q, mark, length) == 0) {
    const r = skipDigits(q + length, end);
    if (r - q - length != 3) break;
    if (++groups > 5) return 0;
    value = value * 1000 + <u64> number(q + length, r);
    q = r;
  }
  if (groups == 0) return 0;
  setSizeValue(value);
  return q;
}

function scanGrouped(p: usize, end: usize): usize {
  const q = skipDigits(p, end);
  if (q >= end) return 0;
  const length = markLength(q, end);
  if (length == 0) return 0;
  const r = scanGroups(p, end, q, length);
  // each mark is followed by a whole group
  return r < end && markLength(r, end) != 0 ? 0 : r;
}

/** Columns of a size that ends behind the time: `dir`, and IIS. */
const DIR_WIDTH: usize = 18;
const IIS_WIDTH: usize = 21;

/**
 * Reads a number in groups of three with blanks between them. Only if it fills
 * the column of sizes, and its first group does not: it may be the start of a
 * name. Returns its end, or 0.
 */
function scanSpaced(p: usize, first: usize, end: usize): usize {
  const width = first - clockEnd;
  if (width == DIR_WIDTH || width >= IIS_WIDTH || first - p > 3) return 0;
  let value: u64 = <u64> number(p, first);
  let q = first;
  while (q + 4 < end && load<u8>(q) == Char.Space) {
    const r = skipDigits(q + 1, end);
    if (r - q != 4) return 0;
    value = value * 1000 + <u64> number(q + 1, r);
    q = r;
    const width = q - clockEnd;
    if (width == DIR_WIDTH || width == IIS_WIDTH) {
      if (q >= end || !isBlank(load<u8>(q))) return 0;
      setSizeValue(value);
      return q;
    }
    if (width > IIS_WIDTH) return 0;
  }
  return 0;
}

/**
 * Reads a mark such as `<DIR>` or `<JUNCTION>`. Returns the start of the name,
 * or 0.
 */
function scanMark(p: usize, end: usize): usize {
  let q = p + 1;
  while (q < end && load<u8>(q) != Char.Greater && q - p < MARK_WIDTH) q++;
  if (q >= end || load<u8>(q) != Char.Greater) return 0;
  const c: u32 = load<u8>(p + 1) | CASE_BIT;
  const length = ++q - p;
  const isDirectory = c == Char.d && length == 5;
  isLink = c == Char.j && length == 10 ||
    c == Char.s && (length == 9 || length == 10);
  if (!isDirectory && !isLink) return 0;
  setKind(isDirectory ? Kind.Directory : Kind.Link);
  if (q >= end || !isBlank(load<u8>(q))) return 0;
  const limit = p + MARK_WIDTH < end ? p + MARK_WIDTH : end;
  while (q < limit && isBlank(load<u8>(q))) q++;
  return q;
}

/** Reads the target of a link, in brackets or after an arrow. */
function scanLink(name: usize, end: usize): void {
  setName(name, end);
  for (let p = name + 1; p + 4 < end; p++) {
    const word = load<u32>(p);
    if (word != Text.Arrow && word != Text.DoubleArrow) continue;
    setName(name, p);
    setTarget(p + 4, end);
    return;
  }
  if (name >= end || load<u8>(end - 1) != Char.RightBracket) return;
  for (let p = name; p + 2 < end; p++) {
    if (load<u8>(p) == Char.Space && load<u8>(p + 1) == Char.LeftBracket) {
      setName(name, p);
      setTarget(p + 2, end - 1);
      return;
    }
  }
}

export function scanDos(start: usize, end: usize): bool {
  let p = skipBlanks(start, end);
  if (p >= end || !isDigit(load<u8>(p))) return false;
  p = scanDay(p, end);
  if (p == 0 || p >= end || !isBlank(load<u8>(p))) return false;
  p = skipBlanks(p, end);
  if (!scanClock(p, end, true)) return false;
  // "2:58 PM", as no IIS writes it
  let isAligned = clockEnd > p + 2 && isBlank(load<u8>(clockEnd - 3));
  p = clockEnd;
  if (p >= end || !isBlank(load<u8>(p))) return false;
  p = skipBlanks(p, end);
  if (p >= end) return false;
  const time = local(year, month, day, clock);
  const precision = clockHasSeconds ? Precision.Second : Precision.Minute;
  if (load<u8>(p) == Char.Less) {
    const name = scanMark(p, end);
    if (name == 0 || name > end) return false;
    if (!isLink && name - p == MARK_WIDTH) addFlags(Flag.Tight);
    if (isLink) scanLink(name, end);
    else setName(name, end);
  } else {
    let q = skipDigits(p, end);
    if (q == p) return false;
    if (q < end && !isBlank(load<u8>(q))) {
      q = scanGrouped(p, end);
      if (q == 0) return false;
      isAligned = true;
    } else {
      const spaced = scanSpaced(p, q, end);
      if (spaced == 0) setSize(p, q);
      else {
        q = spaced;
        isAligned = true;
      }
    }
    if (q >= end || !isBlank(load<u8>(q))) return false;
    // A size at the right of its column may have two blanks behind.
    if (q + 1 >= end || !isBlank(load<u8>(q + 1))) addFlags(Flag.Tight);
    else if (isAligned) addFlags(Flag.Padded);
    setKind(Kind.File);
    setName(q + 1, end);
  }
  setTime(time, precision);
  setFormat(Format.Dos);
  return true;
}
