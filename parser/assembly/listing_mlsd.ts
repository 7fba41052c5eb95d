/**
 * Reads a line of MLSD or MLST (RFC 3659, 7.2): `fact=value;fact=value; name`.
 * Facts that the host does not need at once stay in the line.
 */
import { CASE_BIT, Char, Text } from "./char";
import { daysOf, utc } from "./listing_calendar";
import {
  areAllDigits,
  areDigits,
  isDigit,
  isLetter,
  number,
  pair,
  pairs,
  skipDigits,
} from "./listing_char";
import {
  addFlags,
  Flag,
  Format,
  Kind,
  Precision,
  record,
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

/**
 * Whether the text from `p` to `end` begins with the lower-case ASCII `word`,
 * in any case.
 */
function begins(p: usize, end: usize, word: string): bool {
  const n = <usize> word.length;
  if (end - p < n) return false;
  const w = changetype<usize>(word);
  for (let i: usize = 0; i < n; i++) {
    const wanted: u32 = load<u16>(w + (i << 1));
    const c: u32 = load<u8>(p + i);
    const lower = c - <u32> Char.A < 26 ? c | CASE_BIT : c;
    if (lower != wanted) return false;
  }
  return true;
}

function scanType(p: usize, end: usize): void {
  const length = end - p;
  const head = lower4(p);
  let kind: i32 = Kind.Other;
  if (length == 4) {
    if (head == Text.File) kind = Kind.File;
    else if (head == Text.Link) kind = Kind.Link;
    else if (head == Text.Cdir || head == Text.Pdir) {
      kind = Kind.Directory;
      addFlags(Flag.Self);
    }
  } else if (length == 3) {
    if ((head & 0xffffff) == Text.Dir) kind = Kind.Directory;
  } else if (begins(p, end, "os.unix=")) {
    const q = p + 8;
    if (begins(q, end, "slink") || begins(q, end, "symlink")) {
      kind = Kind.Link;
      while (p < end && load<u8>(p) != Char.Colon) p++;
      if (p < end) setTarget(p + 1, end);
    }
  }
  setKind(kind);
}

/**
 * Reads YYYYMMDDHHMMSS with a fraction. Anything else leaves the entry without
 * a time.
 */
function scanModify(p: usize, end: usize): void {
  if (end - p == 14) {
    const date = load<u64>(p);
    const clock = load<u64>(p, 6); // the day again, and the time
    if (areDigits(date) && areDigits(clock)) {
      const ymd = pairs(date);
      const hms = pairs(clock);
      const year = pair(ymd, 0) * 100 + pair(ymd, 1);
      const time = (pair(hms, 1) * 60 + pair(hms, 2)) * 60 + pair(hms, 3);
      const isTime = pair(hms, 1) < 24 && pair(hms, 2) < 60 &&
        pair(hms, 3) < 61;
      if (isTime) setMoment(year, pair(ymd, 2), pair(ymd, 3), time * 1000);
      return;
    }
  }
  const q = skipDigits(p, end);
  if (q - p == 15 && load<u8>(p) == Char.One && load<u8>(p + 1) == Char.Nine) {
    // the year 2000 written as "19" and "100"
    scanMoment(1900 + number(p + 2, p + 5), p + 5, q, end);
  } else if (q - p == 14) scanMoment(number(p, p + 4), p + 4, q, end);
}
function scanMoment(year: i32, p: usize, q: usize, end: usize): void {
  let fraction: f64 = 0;
  if (q < end && load<u8>(q) == Char.Dot) {
    const start = ++q;
    q = skipDigits(q, end);
    if (q == start) return;
    const known = q - start < 3 ? q - start : 3;
    fraction = <f64> number(start, start + known);
    for (let i = known; i < 3; i++) fraction *= 10;
  }
  if (q < end && (load<u8>(q) | CASE_BIT) == Char.z) q++;
  if (q != end) return;
  const hour = number(p + 4, p + 6);
  const minute = number(p + 6, p + 8);
  const second = number(p + 8, p + 10);
  if (hour > 23 || minute > 59 || second > 60) return;
  const time = <f64> ((hour * 60 + minute) * 60 + second) * 1000 + fraction;
  setMoment(year, number(p, p + 2), number(p + 2, p + 4), time);
}

function setMoment(year: i32, month: i32, day: i32, time: f64): void {
  if (year < 1 || month < 1 || month > 12 || day < 1) return;
  if (day > 28 && day > daysOf(month, year)) return;
  setTime(utc(year, month, day, time), Precision.Second);
}

function scanMode(p: usize, end: usize): void {
  if (end - p < 1 || end - p > 7) return;
  let mode = 0;
  for (; p < end; p++) {
    const digit: u32 = <u32> load<u8>(p) - <u32> Char.Zero;
    if (digit > 7) return;
    mode = mode << 3 | digit;
  }
  setMode(mode & 0o7777);
}

/** Offsets of the starts of owner and group in a record. */
const OWNER: usize = 28;
const GROUP: usize = 36;

/**
 * Reads a fact `UNIX.key=value`, whose key begins at `p`; false if it is
 * another one. `UNIX.ownername` and `UNIX.groupname` take precedence over
 * `owner`, `group`, `uid` and `gid`.
 */
function scanUnixFact(p: usize, end: usize): bool {
  const head = lower4(p);
  if (head == Text.Mode && load<u8>(p, 4) == Char.Equals) {
    scanMode(p + 5, end);
    return true;
  }
  if (load<u8>(p, 3) == Char.Equals) {
    const isUser = (head & 0xffffff) == Text.Uid;
    if (!isUser && (head & 0xffffff) != Text.Gid) return false;
    setShort(isUser ? OWNER : GROUP, p + 4, end);
    return true;
  }
  const fifth = load<u8>(p, 4) | CASE_BIT;
  const isOwner = head == Text.Owne && fifth == Char.r; // owner
  if (!isOwner && !(head == Text.Grou && fifth == Char.p)) return false; // group
  const part = isOwner ? OWNER : GROUP;
  if (load<u8>(p, 5) == Char.Equals) {
    setShort(part, p + 6, end);
    return true;
  }
  if (lower4(p + 5) != Text.Name || load<u8>(p, 9) != Char.Equals) return false;
  if (p + 10 < end) setPart(part, p + 10, end);
  return true;
}

function setShort(part: usize, value: usize, end: usize): void {
  if (value < end && load<u32>(record + part) == 0) setPart(part, value, end);
}

function setPart(part: usize, value: usize, end: usize): void {
  if (part == OWNER) setOwner(value, end);
  else setGroup(value, end);
}

/** Converts four letters to lower case. */
function lower4(p: usize): u32 {
  return load<u32>(p) | 0x20202020;
}

/**
 * Reads the fact `key=value` from `p` to `end`; false if it has no key. A key
 * is recognized by its letters and the `=`. No end of a fact looks like that,
 * so its end is not checked before the load. An empty value is ignored.
 */
function scanFact(p: usize, end: usize): bool {
  const head = lower4(p);
  const next = load<u32>(p, 4);
  if ((next & 0xff) == Char.Equals) {
    const value = p + 5;
    if (head == Text.Type) {
      if (value < end) scanType(value, end);
      return true;
    }
    if (head == Text.Size || head == Text.Sizd) {
      if (value < end && areAllDigits(value, end)) setSize(value, end);
      return true;
    }
  } else if (head == Text.Modi && (next & 0xffffff | 0x2020) == Text.FyEquals) {
    if (p + 7 < end) scanModify(p + 7, end); // modify
    return true;
  } else if (head == Text.Unix && (next & 0xff) == Char.Dot) {
    if (scanUnixFact(p + 5, end)) return true;
  }
  return load<u8>(p) != Char.Equals && hasEquals(p, end);
}

function hasEquals(p: usize, end: usize): bool {
  const equals = i8x16.splat(<i8> Char.Equals);
  for (; p < end; p += 16) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(p), equals));
    if (found != 0) return p + <usize> ctz(found) < end;
  }
  return false;
}

/** Returns the bits of the bytes among the 64 at `p` that are `wanted`. */
function marks(p: usize, wanted: u32): u64 {
  const splat = i8x16.splat(<i8> wanted);
  return <u64> <u32> i8x16.bitmask(i8x16.eq(v128.load(p), splat)) |
    <u64> <u32> i8x16.bitmask(i8x16.eq(v128.load(p, 16), splat)) << 16 |
    <u64> <u32> i8x16.bitmask(i8x16.eq(v128.load(p, 32), splat)) << 32 |
    <u64> <u32> i8x16.bitmask(i8x16.eq(v128.load(p, 48), splat)) << 48;
}

/** Returns the position of the first `wanted`, or `end`. */
function find(wanted: u32, p: usize, end: usize): usize {
  const splat = i8x16.splat(<i8> wanted);
  for (; p < end; p += 16) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(p), splat));
    if (found != 0) {
      const q = p + <usize> ctz(found);
      return q < end ? q : end;
    }
  }
  return end;
}

/** Whether the piece contains tabs. */
let hasTabs: bool = false;

/** Sets whether the piece contains tabs, so that most lines are not searched. */
export function noteTabs(p: usize, end: usize): void {
  hasTabs = find(Char.Tab, p, end) < end;
}

/** Whether `p` begins with the name of a fact and `=`. */
function isShaped(p: usize, end: usize): bool {
  if (p >= end || !isLetter(load<u8>(p))) return false;
  for (p++; p < end; p++) {
    const c: u32 = load<u8>(p);
    if (c == Char.Equals) return true;
    const isInner = isLetter(c) || isDigit(c) || c == Char.Hyphen ||
      c == Char.Dot ||
      c == Char.Underscore;
    if (!isInner) return false;
  }
  return false;
}

/** Whether all bytes are digits, dots or Z. */
function isNumeric(p: usize, end: usize): bool {
  for (; p < end; p++) {
    const c: u32 = load<u8>(p);
    if (!isDigit(c) && c != Char.Dot && (c | CASE_BIT) != Char.z) return false;
  }
  return true;
}

function isWord(p: usize, end: usize): bool {
  while (p < end && isLetter(load<u8>(p))) p++;
  return p == end;
}

/**
 * Whether the fact before the blank at `end` has a value that cannot contain
 * blanks.
 */
function isClosed(p: usize, end: usize): bool {
  const value = find(Char.Equals, p, end) + 1;
  if (begins(p, end, "type=") || begins(p, end, "perm=")) {
    return isWord(value, end);
  }
  const isNumber = begins(p, end, "size=") || begins(p, end, "sizd=") ||
    begins(p, end, "modify=") || begins(p, end, "create=") ||
    begins(p, end, "unix.mode=") || begins(p, end, "unix.uid=") ||
    begins(p, end, "unix.gid=");
  return isNumber && isNumeric(value, end);
}

/**
 * Returns the position of the blank that ends the facts, or 0. It follows a
 * semicolon: a value may contain blanks, such as a link's target, or the group
 * "domain users" of ProFTPD with a directory service. NcFTPd omits the last
 * semicolon: then it is the first blank of the last fact, or one after a value
 * that cannot contain any.
 */
function factsEnd(start: usize, end: usize): usize {
  let last: usize = 0;
  let blank = find(Char.Space, start, end);
  if (hasTabs) {
    // some servers write a tab instead
    const tab = find(Char.Tab, start, blank);
    if (tab < blank && tab > start && load<u8>(tab - 1) == Char.Semicolon) {
      return tab;
    }
  }
  if (blank >= end || blank == start) return 0;
  if (load<u8>(blank - 1) == Char.Semicolon) return blank;
  // starts at the fact that contains the blank: earlier facts end before it
  let p = blank;
  while (p > start && load<u8>(p - 1) != Char.Semicolon) p--;
  if (find(Char.Equals, p, blank) == blank) return blank;
  while (true) {
    const q = find(Char.Semicolon, p, end);
    if (blank < p) blank = find(Char.Space, p, end);
    if (blank == p) return p < end ? p : 0;
    const isEmpty = p == q;
    if (last != 0 && !isEmpty && !isShaped(p, q)) {
      return isEnded(p, end) ? 0 : last;
    }
    if (blank < q) {
      if (isClosed(p, blank)) return blank;
      last = blank;
      if (q == end) return last;
    }
    if (q == end) return 0;
    p = q + 1;
  }
}

/** Whether a blank follows one of the semicolons. */
function isEnded(p: usize, end: usize): bool {
  for (; p < end; p++) {
    p = find(Char.Semicolon, p, end);
    if (p + 1 < end && load<u8>(p + 1) == Char.Space) return true;
  }
  return false;
}

/** Reads a line with at least one fact. */
export function scanMlsd(start: usize, end: usize): bool {
  const blank = factsEnd(start, end);
  if (blank == 0 || blank + 1 >= end) return false;
  let isAny = false;
  let p = start;
  for (let window = start; window < blank; window += 64) {
    let semicolons = marks(window, Char.Semicolon);
    if (blank - window < 64) {
      semicolons &= (<u64> 1 << <u64> (blank - window)) - 1;
    }
    for (; semicolons != 0; semicolons &= semicolons - 1) {
      const q = window + <usize> ctz(semicolons);
      if (q > p) {
        if (!scanFact(p, q)) return false;
        isAny = true;
      }
      p = q + 1;
    }
  }
  if (p < blank) {
    // NcFTPd omits the last semicolon
    if (!scanFact(p, blank)) return false;
    isAny = true;
  }
  if (!isAny) return false;
  setName(blank + 1, end);
  setFormat(Format.Mlsd);
  return true;
}
