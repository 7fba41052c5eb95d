/**
 * Reads a line of `ls -l`, and of servers that imitate it: permissions first,
 * then the date, found by its shape, with the size before it. Owner and group
 * are the words between.
 */
import { CASE_BIT, Char, Text } from "./char";
import {
  isBlank,
  isDigit,
  skipBlanks,
  skipDigits,
  skipToBlank,
} from "./listing_char";
import {
  dateEnd,
  datePrecision,
  dateTime,
  isPaddable,
  scanDate,
} from "./listing_date";
import { scanRareDate } from "./listing_date_rare";
import { kindOf, scanPair, scanTriad } from "./listing_permissions";
import {
  addFlags,
  clearSize,
  Flag,
  Format,
  Kind,
  Precision,
  setApproximateSize,
  setFormat,
  setGroup,
  setKind,
  setMode,
  setName,
  setOwner,
  setSize,
  setTarget,
  setTime,
} from "./listing_record";
import { rareName, scanDateless, scanGlued } from "./listing_unix_rare";
import {
  scanUsual,
  usualEnd,
  usualSizeEnd,
  usualSizeStart,
} from "./listing_unix_usual";

/** Possible meanings of the word before a date. */
const enum Word {
  Other = 0,
  Number = 1,
  /** "33.5k" */
  Rounded = 2,
  /** "0," or "109,767" */
  Device = 3,
}

function classify(p: usize, end: usize): i32 {
  let q = skipDigits(p, end);
  if (q == p) return Word.Other;
  if (q == end) return Word.Number;
  const c: u32 = load<u8>(q);
  if (c == Char.Comma) {
    q++;
    return skipDigits(q, end) == end ? Word.Device : Word.Other;
  }
  if (c == Char.Dot) q = skipDigits(q + 1, end);
  if (q + 1 != end) return Word.Other;
  const unit: u32 = load<u8>(q) | CASE_BIT;
  return unit == Char.k || unit == Char.m || unit == Char.g || unit == Char.t
    ? Word.Rounded
    : Word.Other;
}

/** Converts "33.5k" to bytes, approximately. */
function rounded(p: usize, end: usize): f64 {
  let value: f64 = 0;
  let unit: f64 = 1;
  let inFraction = false;
  for (; p + 1 < end; p++) {
    const c: u32 = load<u8>(p);
    if (c == Char.Dot) inFraction = true;
    else {
      value = value * 10 + <f64> (c - Char.Zero);
      if (inFraction) unit *= 10;
    }
  }
  const letter = load<u8>(p) | CASE_BIT;
  let factor: f64 = 1024;
  if (letter != Char.k) factor *= 1024;
  if (letter == Char.g || letter == Char.t) factor *= 1024;
  if (letter == Char.t) factor *= 1024;
  return Math.round(value / unit * factor);
}

function digits(p: usize, end: usize): u64 {
  let value: u64 = 0;
  for (; p < end; p++) value = value * 10 + (load<u8>(p) - Char.Zero);
  return value;
}

function isFolder(p: usize, end: usize): bool {
  return end - p == 6 && load<u32>(p) == Text.Fold &&
    load<u16>(p, 4) == Text.Er;
}

/**
 * Splits a link's text at an arrow: at the one that leaves a target as long as
 * the link's size, or else at the first.
 */
function scanArrow(start: usize, end: usize, size: u64): void {
  let first: usize = 0;
  for (let p = start; p + 4 <= end; p++) {
    if (load<u32>(p) != Text.Arrow) continue;
    if (first == 0) first = p;
    if (<u64> (end - p - 4) == size) {
      first = p;
      break;
    }
  }
  if (first == 0) {
    setName(start, end);
  } else {
    setName(start, first);
    setTarget(first + 4, end);
  }
}

/** Whether there are six stars. */
function isHidden(p: usize): bool {
  return load<u32>(p) == Text.Stars && load<u32>(p, 2) == Text.Stars;
}

export function scanUnix(start: usize, end: usize): bool {
  // "ls -i" and "ls -s" put numbers in front
  let p = skipBlanks(start, end);
  for (let i = 0; i < 2 && p < end && isDigit(load<u8>(p)); i++) {
    p = skipBlanks(skipDigits(p, end), end);
  }
  if (end - p < 14) return false;
  const letter = load<u8>(p);
  const kind = kindOf(letter);
  if (kind == Kind.Unknown) return false;
  const user = scanTriad(p + 1, 0o4000 >> 6);
  const group = scanTriad(p + 4, 0o2000 >> 3);
  // some servers omit the last letter, or the last three
  const isShorter = isBlank(load<u8>(p, 7));
  const isShort = isBlank(load<u8>(p, 9));
  const world = isShorter
    ? 0
    : isShort
    ? scanPair(p + 7)
    : scanTriad(p + 7, 0o1000);
  let mode = user << 6 | group << 3 | world;
  if ((user | group | world) < 0) {
    // Windows has "******" for what it does not know.
    if (user < 0 || !isHidden(p + 4)) return false;
    mode = -1;
  }
  p += isShorter ? 7 : isShort ? 9 : 10;
  // "+" an access list, "." SELinux, "@" attributes of macOS
  while (
    p < end &&
    (load<u8>(p) == Char.Plus || load<u8>(p) == Char.Dot ||
      load<u8>(p) == Char.At)
  ) p++;
  if (p >= end || !isBlank(load<u8>(p)) && !isDigit(load<u8>(p))) return false;

  if (letter != Char.b && letter != Char.c && scanUsual(p, end)) {
    const known = usualSizeEnd - usualSizeStart < 19;
    finish(
      kind,
      mode,
      usualEnd + 1,
      end,
      kind == Kind.Link && known
        ? digits(usualSizeStart, usualSizeEnd)
        : u64.MAX_VALUE,
    );
    return true;
  }

  const isDevice = letter == Char.b || letter == Char.c;
  const words = p;
  let count = 0;
  // the words: the first, and the last three
  let firstStart: usize = 0, firstEnd: usize = 0, firstWord = 0;
  let secondStart: usize = 0, secondEnd: usize = 0;
  let s1: usize = 0, e1: usize = 0, w1 = 0;
  let e2: usize = 0, w2 = 0;
  let e3: usize = 0;
  let numbers = 0;
  // owner and group with blanks in them are separated by more than one
  let gapStart: usize = 0, gapEnd: usize = 0, gapIndex = 0;
  let found = false;
  while (p < end) {
    p = skipBlanks(p, end);
    if (p >= end) break;
    const isSize = isDevice
      ? w1 == Word.Device || w1 == Word.Number
      : w1 == Word.Number || w1 == Word.Rounded;
    // a number behind the size of "1 owner group 5" may be a year
    if (
      isSize &&
      (scanDate(p, end) ||
        scanRareDate(
          p,
          end,
          count == (firstWord == Word.Number ? 4 : 3) && p - e1 == 1 &&
            !isDevice,
        )) &&
      dateEnd < end && isBlank(load<u8>(dateEnd))
    ) {
      found = true;
      break;
    }
    const q = skipToBlank(p, end);
    if (count == 0) {
      firstStart = p;
      firstEnd = q;
    } else if (count == 1) {
      secondStart = p;
      secondEnd = q;
    }
    if (
      gapIndex == 0 && p - e1 > 1 &&
      count > (firstWord == Word.Number ? 1 : 0)
    ) {
      gapStart = e1;
      gapEnd = p;
      gapIndex = count;
    }
    e3 = e2;
    e2 = e1;
    w2 = w1;
    s1 = p;
    e1 = q;
    w1 = classify(p, q);
    if (count == 0) firstWord = w1;
    if (w1 == Word.Number) numbers++;
    count++;
    p = q;
  }
  if (!found) {
    if (isDevice || !scanGlued(words, end) && !scanDateless(words, end)) {
      return false;
    }
    finish(kind, mode, rareName, end, u64.MAX_VALUE);
    return true;
  }
  if (isPaddable) {
    const isPadded = dateEnd + 1 < end && isBlank(load<u8>(dateEnd + 1));
    addFlags(isPadded ? Flag.Padded : Flag.Tight);
  }

  // the words between link count and size are owner and group
  let size = count - 1;
  let lastEnd = e2;
  if (isDevice && w1 == Word.Number && w2 == Word.Device) {
    size--;
    lastEnd = e3;
  } else if (w1 == Word.Number) {
    setSize(s1, e1);
  } else if (w1 == Word.Rounded) setApproximateSize(rounded(s1, e1));

  let from = firstWord == Word.Number && size > 0 ? 1 : 0;
  if (size > 0 && from == 0) {
    if (isDigit(load<u8>(firstStart)) && firstWord == Word.Other) return false;
    if (size == 1 && isFolder(firstStart, firstEnd)) {
      // NetPresenz shows the number of items of a folder instead of the size
      clearSize();
      from = 1;
    }
  } else if (size == 2 && isFolder(secondStart, secondEnd)) {
    return false;
  } else if (
    size == 2 && numbers == 3 && e1 - s1 < 20 &&
    digits(firstStart, firstEnd) + digits(secondStart, secondEnd) ==
      digits(s1, e1)
  ) {
    // Mac OS: resource fork, data fork, both
    from = 2;
  } else if (
    size == 2 && numbers == 3 && firstEnd - firstStart == 1 &&
    load<u8>(firstStart) == Char.Zero && secondEnd - secondStart == e1 - s1 &&
    memory.compare(secondStart, s1, e1 - s1) == 0
  ) {
    from = 2;
  }
  if (from < size) {
    const ownerStart = from == 0 ? firstStart : secondStart;
    const ownerEnd = from == 0 ? firstEnd : secondEnd;
    if (size - from == 1) setOwner(ownerStart, lastEnd);
    else if (gapIndex > from && gapIndex < size) {
      setOwner(ownerStart, gapStart);
      setGroup(gapEnd, lastEnd);
    } else {
      setOwner(ownerStart, ownerEnd);
      setGroup(skipBlanks(ownerEnd, end), lastEnd);
    }
  }

  if (datePrecision != Precision.None) setTime(dateTime, datePrecision);
  const known = w1 == Word.Number && e1 - s1 < 19;
  finish(
    kind,
    mode,
    dateEnd + 1,
    end,
    known ? digits(s1, e1) : u64.MAX_VALUE,
  );
  return true;
}

/**
 * Writes the parts that every line has; `size` is the length of a link's
 * target.
 */
function finish(
  kind: i32,
  mode: i32,
  name: usize,
  end: usize,
  size: u64,
): void {
  setKind(kind);
  if (mode >= 0) setMode(mode);
  setFormat(Format.Unix);
  if (kind == Kind.Link) scanArrow(name, end, size);
  else setName(name, end);
}
