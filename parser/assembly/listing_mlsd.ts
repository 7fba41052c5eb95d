/**
 * A line of MLSD or MLST (RFC 3659, 7.2): `fact=value;fact=value; name`. Facts
 * that the host does not need at once are left to it, in the line.
 */
import { daysOf, utc } from "./listing_calendar";
import { number, skipDigits } from "./listing_char";
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

const SEMICOLON: u32 = 0x3b;
const EQUALS: u32 = 0x3d;

/** Whether the text from `p` to `end` is the lower-case ASCII `word`, any case. */
function is(p: usize, end: usize, word: string): bool {
  return end - p == <usize> word.length && begins(p, end, word);
}

function begins(p: usize, end: usize, word: string): bool {
  const n = <usize> word.length;
  if (end - p < n) return false;
  const w = changetype<usize>(word);
  for (let i: usize = 0; i < n; i++) {
    const wanted: u32 = load<u16>(w + (i << 1));
    const c: u32 = load<u8>(p + i);
    const lower = c - 0x41 < 26 ? c | 0x20 : c;
    if (lower != wanted) return false;
  }
  return true;
}

function scanType(p: usize, end: usize): void {
  const first = load<u8>(p) | 0x20;
  let kind: i32 = Kind.Other;
  if (end - p == 4 && lower4(p) == 0x656c6966) kind = Kind.File; // file
  else if (first == 0x64 && is(p, end, "dir")) kind = Kind.Directory;
  else if (is(p, end, "cdir") || is(p, end, "pdir")) {
    kind = Kind.Directory;
    addFlags(Flag.Self);
  } else if (is(p, end, "link")) kind = Kind.Link;
  else if (begins(p, end, "os.unix=")) {
    const q = p + 8;
    if (begins(q, end, "slink") || begins(q, end, "symlink")) {
      kind = Kind.Link;
      while (p < end && load<u8>(p) != 0x3a) p++;
      if (p < end) setTarget(p + 1, end);
    }
  }
  setKind(kind);
}

/** Whether all sixteen bytes are digits. */
function areDigits(a: u64, b: u64): bool {
  const high: u64 = 0xf0f0f0f0f0f0f0f0;
  const wanted: u64 = 0x3030303030303030;
  const carry: u64 = 0x0606060606060606;
  return ((a & high ^ wanted) | (b & high ^ wanted) |
    (a + carry & high ^ wanted) | (b + carry & high ^ wanted)) == 0;
}

/** YYYYMMDDHHMMSS with a fraction; anything else leaves the entry without a time. */
function scanModify(p: usize, end: usize): void {
  if (end - p == 14 && areDigits(load<u64>(p), load<u64>(p, 6))) {
    return scanMoment(number(p, p + 4), p + 4, end, end);
  }
  const q = skipDigits(p, end);
  if (q - p == 15 && load<u8>(p) == 0x31 && load<u8>(p + 1) == 0x39) {
    // The year 2000 written as "19" and "100".
    scanMoment(1900 + number(p + 2, p + 5), p + 5, q, end);
  } else if (q - p == 14) scanMoment(number(p, p + 4), p + 4, q, end);
}

function scanMoment(year: i32, p: usize, q: usize, end: usize): void {
  let fraction: f64 = 0;
  if (q < end && load<u8>(q) == 0x2e) {
    const start = ++q;
    q = skipDigits(q, end);
    if (q == start) return;
    const known = q - start < 3 ? q - start : 3;
    fraction = <f64> number(start, start + known);
    for (let i = known; i < 3; i++) fraction *= 10;
  }
  if (q < end && (load<u8>(q) | 0x20) == 0x7a) q++;
  if (q != end) return;
  const month = number(p, p + 2);
  const day = number(p + 2, p + 4);
  const hour = number(p + 4, p + 6);
  const minute = number(p + 6, p + 8);
  const second = number(p + 8, p + 10);
  if (year < 1 || month < 1 || month > 12 || day < 1) return;
  if (day > daysOf(month, year)) return;
  if (hour > 23 || minute > 59 || second > 60) return;
  const time = <f64> ((hour * 60 + minute) * 60 + second) * 1000 + fraction;
  setTime(utc(year, month, day, time), Precision.Second);
}

function scanMode(p: usize, end: usize): void {
  if (end - p < 1 || end - p > 7) return;
  let mode = 0;
  for (; p < end; p++) {
    const digit: u32 = <u32> load<u8>(p) - 0x30;
    if (digit > 7) return;
    mode = mode << 3 | digit;
  }
  setMode(mode & 0o7777);
}

/** Where a record has the starts of owner and group. */
const OWNER: usize = 28;
const GROUP: usize = 36;

/** `UNIX.ownername` and `UNIX.groupname` win over `owner`, `group`, `uid` and `gid`. */
function scanUnixFact(p: usize, key: usize, value: usize, end: usize): void {
  const length = key - p;
  if (length == 4) {
    if (lower4(p) == 0x65646f6d) scanMode(value, end); // mode
    return;
  }
  if (length == 3) {
    if (is(p, key, "uid")) setShort(OWNER, value, end);
    else if (is(p, key, "gid")) setShort(GROUP, value, end);
    return;
  }
  const isLong = length == 9 && lower4(p + 5) == 0x656d616e; // name
  if (length != 5 && !isLong) return;
  const head = lower4(p);
  const fifth = load<u8>(p, 4) | 0x20;
  if (head == 0x656e776f && fifth == 0x72) { // owner
    if (isLong) setOwner(value, end);
    else setShort(OWNER, value, end);
  } else if (head == 0x756f7267 && fifth == 0x70) { // group
    if (isLong) setGroup(value, end);
    else setShort(GROUP, value, end);
  }
}

function setShort(part: usize, value: usize, end: usize): void {
  if (load<u32>(record + part) != 0) return;
  if (part == OWNER) setOwner(value, end);
  else setGroup(value, end);
}

/** Four letters in lower case. */
function lower4(p: usize): u32 {
  return load<u32>(p) | 0x20202020;
}

/** `p` to `value` is `key=`. An empty value says nothing. */
function scanFact(p: usize, value: usize, end: usize): void {
  if (value == end) return;
  const key = value - 1;
  const length = key - p;
  if (length < 4) return;
  const head = lower4(p);
  if (length == 4) {
    if (head == 0x65707974) scanType(value, end); // type
    else if (head == 0x657a6973 || head == 0x647a6973) { // size, sizd
      if (skipDigits(value, end) == end) setSize(value, end);
    }
  } else if (length == 6) {
    if (head == 0x69646f6d && (load<u16>(p, 4) | 0x2020) == 0x7966) { // modify
      scanModify(value, end);
    }
  } else if (length >= 8 && head == 0x78696e75 && load<u8>(p, 4) == 0x2e) {
    scanUnixFact(p + 5, key, value, end); // unix.
  }
}

/** Bits of the bytes among the 64 at `p` that are `wanted`. */
function marks(p: usize, wanted: u32): u64 {
  const splat = i8x16.splat(<i8> wanted);
  return <u64> <u32> i8x16.bitmask(i8x16.eq(v128.load(p), splat)) |
    <u64> <u32> i8x16.bitmask(i8x16.eq(v128.load(p, 16), splat)) << 16 |
    <u64> <u32> i8x16.bitmask(i8x16.eq(v128.load(p, 32), splat)) << 32 |
    <u64> <u32> i8x16.bitmask(i8x16.eq(v128.load(p, 48), splat)) << 48;
}

/** Where the first blank is, or `end`. */
function findBlank(p: usize, end: usize): usize {
  const blank = i8x16.splat(0x20);
  for (; p < end; p += 16) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(p), blank));
    if (found != 0) {
      const q = p + <usize> ctz(found);
      return q < end ? q : end;
    }
  }
  return end;
}

/** Where the facts end: at the first blank, or after a link's target that has some. */
function factsEnd(start: usize, end: usize): usize {
  const p = findBlank(start, end);
  if (p >= end || p == start) return 0;
  if (load<u8>(p - 1) == SEMICOLON) return p;
  // ProFTPD puts a target as it is, blanks and all: the facts end with "; ".
  let fact = p;
  while (fact > start && load<u8>(fact - 1) != SEMICOLON) fact--;
  if (!begins(fact, p, "type=os.unix=slink:")) return p;
  for (let q = p; q + 1 < end; q++) {
    if (load<u8>(q) == SEMICOLON && load<u8>(q + 1) == 0x20) return q + 1;
  }
  return p;
}

/** Reads a line with at least one fact. */
export function scanMlsd(start: usize, end: usize): bool {
  const blank = factsEnd(start, end);
  if (blank == 0 || blank + 1 >= end) return false;
  let isAny = false;
  let p = start;
  let value: usize = 0;
  for (let window = start; window < blank; window += 64) {
    let semicolons = marks(window, SEMICOLON);
    let equals = marks(window, EQUALS);
    if (blank - window < 64) {
      const inside = (<u64> 1 << <u64> (blank - window)) - 1;
      semicolons &= inside;
      equals &= inside;
    }
    while (semicolons != 0) {
      const q = window + <usize> ctz(semicolons);
      if (value == 0 && equals != 0) {
        const equal = window + <usize> ctz(equals);
        if (equal < q) value = equal + 1;
      }
      if (q > p) {
        if (value <= p + 1) return false;
        scanFact(p, value, q);
        isAny = true;
      }
      p = q + 1;
      value = 0;
      // What stands before this semicolon has been seen.
      equals &= 0 - (semicolons & (0 - semicolons));
      semicolons &= semicolons - 1;
    }
    if (value == 0 && equals != 0) value = window + <usize> ctz(equals) + 1;
  }
  if (p < blank) {
    // NcFTPd leaves the last semicolon out.
    if (value <= p + 1) return false;
    scanFact(p, value, blank);
    isAny = true;
  }
  if (!isAny) return false;
  setName(blank + 1, end);
  setFormat(Format.Mlsd);
  return true;
}
