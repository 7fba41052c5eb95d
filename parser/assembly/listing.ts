/**
 * Directory listings: finds the lines, and reads those of the three most common
 * formats. No line is lost: an unreadable one has a record with its position
 * only, for the host.
 */
import { Char, Text } from "./char";
import { setCalendar } from "./listing_calendar";
import { scanDos } from "./listing_dos";
import { noteTabs, scanMlsd } from "./listing_mlsd";
import {
  addFlags,
  clearRecord,
  Flag,
  Kind,
  MAX_RECORDS,
  openRecord,
  record,
} from "./listing_record";
import { scanUnix } from "./listing_unix";
import { INPUT, RECORDS } from "./layout";

let consumed: i32 = 0;

/** Address of the records. */
export function listingAddress(): usize {
  return RECORDS;
}

/** Bytes covered by the last scan: complete lines. */
export function consumedBytes(): i32 {
  return consumed;
}

/**
 * Returns the position of the next LF, or `end`. May load up to 15 bytes past
 * it.
 */
function findLf(p: usize, end: usize): usize {
  const lf = i8x16.splat(<i8> Char.Lf);
  for (; p < end; p += 16) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(p), lf));
    if (found != 0) {
      const q = p + <usize> ctz(found);
      return q < end ? q : end;
    }
  }
  return end;
}

/** Whether all bytes from `p` to `end` are ASCII. */
function isAscii(p: usize, end: usize): bool {
  let bits = i8x16.splat(0);
  for (; p + 16 <= end; p += 16) bits = v128.or(bits, v128.load(p));
  let high = i8x16.bitmask(bits);
  if (p < end) {
    high |= i8x16.bitmask(v128.load(p)) & ((1 << <i32> (end - p)) - 1);
  }
  return high == 0;
}

/**
 * Marks `.` and `..` as directories, and MLSD's entries for the listed
 * directory.
 */
function markSelf(): void {
  const flags = load<i32>(record, 8);
  if ((flags & 0xf) != Kind.Directory) return;
  const name = INPUT + load<u32>(record, 12);
  const length = INPUT + load<u32>(record, 16) - name;
  if (length == 1 && load<u8>(name) == Char.Dot) addFlags(Flag.Self);
  else if (length == 2 && load<u16>(name) == Text.DotDot) addFlags(Flag.Self);
}

/**
 * Reads the complete lines among the first `length` bytes of INPUT.
 *
 * @param last 1 if the bytes end the listing: the last line then needs no LF
 * @param formats Bits of the formats to try: 1 MLSD, 2 Unix, 4 DOS
 * @param latest Latest time of a date without a year, in milliseconds, UTC
 * @param zone The server's zone, in milliseconds east of UTC
 * @returns Number of records
 */
export function scanListing(
  length: i32,
  last: i32,
  formats: i32,
  latest: f64,
  zone: f64,
): i32 {
  setCalendar(latest, zone);
  const end = INPUT + <usize> length;
  // nearly every piece is ASCII, so its lines are not checked one by one
  const isPieceAscii = isAscii(INPUT, end);
  noteTabs(INPUT, end);
  let count = 0;
  let p = INPUT;
  while (p < end && count < MAX_RECORDS) {
    const lf = findLf(p, end);
    if (lf == end && !last) break;
    let lineEnd = lf;
    while (lineEnd > p && load<u8>(lineEnd - 1) == Char.Cr) lineEnd--;
    if (lineEnd > p) {
      openRecord(count++, p, lineEnd);
      if (!scanLine(p, lineEnd, formats)) clearRecord();
      if (isPieceAscii || isAscii(p, lineEnd)) addFlags(Flag.Ascii);
    }
    p = lf + 1;
  }
  consumed = <i32> ((p < end ? p : end) - INPUT);
  return count;
}

function scanLine(p: usize, end: usize, formats: i32): bool {
  // removes what a format wrote before it failed
  if (formats & 2 && scanUnix(p, end)) {
    markSelf();
    return true;
  }
  if (formats & 1) {
    clearRecord();
    if (scanMlsd(p, end)) {
      markSelf();
      return true;
    }
  }
  if (formats & 4) {
    clearRecord();
    if (scanDos(p, end)) {
      markSelf();
      return true;
    }
  }
  return false;
}
