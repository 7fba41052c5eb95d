/**
 * Results of a listing's scan in RECORDS: one record for each line, in order.
 *
 *      0  line start    4  line end          without its CRs and LF
 *      8  flags                              see below
 *     12  name start   16  name end
 *     20  target start 24  target end        of a link; 0, 0 when unknown
 *     28  owner start  32  owner end
 *     36  group start  40  group end
 *     44  mode                               permission bits
 *     48  size, f64                          if an f64 is exact
 *     56  time, f64                          milliseconds since 1970 UTC, or NaN
 *     64  size start   68  size end          the digits as sent
 *
 * Positions count bytes from INPUT.
 *
 *     flags  0-3 kind  4-5 format  6-7 precision  8-9 size  10.. marks
 */
import { INPUT, RECORDS } from "./layout";

export const RECORD_SIZE: usize = 72;
export const MAX_RECORDS: i32 = 2560;

export const enum Kind {
  Unknown = 0,
  File = 1,
  Directory = 2,
  Link = 3,
  Other = 4,
}

export const enum Format {
  None = 0,
  Mlsd = 1,
  Unix = 2,
  Dos = 3,
}

export const enum Precision {
  None = 0,
  Second = 1,
  Minute = 2,
  Day = 3,
}

export const enum Size {
  None = 0,
  Exact = 1,
  /** Not exact as an f64: the host reads the digits. */
  Digits = 2,
  /** Rounded by the server ("33.5k"). */
  Approximate = 3,
}

export const enum Flag {
  /** Every byte of the line is ASCII. */
  Ascii = 1 << 10,
  /** The listed directory, or its parent. */
  Self = 1 << 11,
  HasMode = 1 << 12,
  /** A column in front of the name may be padded: the name may begin one later. */
  Padded = 1 << 13,
  /** That column is not padded. */
  Tight = 1 << 14,
}

/** The record that is being written. */
export let record: usize = RECORDS;

export function openRecord(index: i32, start: usize, end: usize): void {
  record = RECORDS + <usize> index * RECORD_SIZE;
  store<u32>(record, <u32> (start - INPUT));
  store<u32>(record, <u32> (end - INPUT), 4);
  clearRecord();
}

/** Removes what a format wrote before it failed. */
export function clearRecord(): void {
  const zero = i64x2.splat(0);
  v128.store(record, zero, 8);
  v128.store(record, zero, 24);
  v128.store(record, zero, 40);
  v128.store(record, zero, 56);
  store<f64>(record, NaN, 56);
}

export function addFlags(flags: i32): void {
  store<i32>(record, load<i32>(record, 8) | flags, 8);
}

function replaceFlags(mask: i32, value: i32): void {
  store<i32>(record, load<i32>(record, 8) & ~mask | value, 8);
}

export function setKind(kind: i32): void {
  replaceFlags(0xf, kind);
}

export function setFormat(format: i32): void {
  replaceFlags(0x30, format << 4);
}

export function setName(start: usize, end: usize): void {
  store<u32>(record, <u32> (start - INPUT), 12);
  store<u32>(record, <u32> (end - INPUT), 16);
}

export function setTarget(start: usize, end: usize): void {
  store<u32>(record, <u32> (start - INPUT), 20);
  store<u32>(record, <u32> (end - INPUT), 24);
}

export function setOwner(start: usize, end: usize): void {
  store<u32>(record, <u32> (start - INPUT), 28);
  store<u32>(record, <u32> (end - INPUT), 32);
}

export function setGroup(start: usize, end: usize): void {
  store<u32>(record, <u32> (start - INPUT), 36);
  store<u32>(record, <u32> (end - INPUT), 40);
}

export function setMode(mode: i32): void {
  store<i32>(record, mode, 44);
  addFlags(Flag.HasMode);
}

/** Largest integer below which every integer is exact in an f64. */
const MAX_SAFE: u64 = 9007199254740991;

/** Writes the size whose digits are from `start` to `end`. */
export function setSize(start: usize, end: usize): void {
  store<u32>(record, <u32> (start - INPUT), 64);
  store<u32>(record, <u32> (end - INPUT), 68);
  const length = end - start;
  const value = length <= 8
    ? upTo8(end, length)
    : length <= 16
    ? upTo8(end - 8, length - 8) * 100000000 + upTo8(end, 8)
    : u64.MAX_VALUE;
  if (value <= MAX_SAFE) {
    store<f64>(record, <f64> value, 48);
    replaceFlags(0x300, Size.Exact << 8);
  } else {
    replaceFlags(0x300, Size.Digits << 8);
  }
}

/**
 * Reads the number of 1 to 8 digits before `end`: in pairs, then fours, then
 * eight.
 */
function upTo8(end: usize, length: usize): u64 {
  let v = (load<u64>(end - 8) ^ 0x3030303030303030) &
    (<u64> -1 << ((8 - length) << 3));
  v = (v * 10 + (v >> 8)) & 0x00ff00ff00ff00ff;
  v = (v * 100 + (v >> 16)) & 0x0000ffff0000ffff;
  return (v * 10000 + (v >> 32)) & 0xffffffff;
}

/** Writes a size whose digits are not contiguous. */
export function setSizeValue(value: u64): void {
  store<f64>(record, <f64> value, 48);
  replaceFlags(0x300, (value <= MAX_SAFE ? Size.Exact : Size.None) << 8);
}

export function setApproximateSize(value: f64): void {
  store<f64>(record, value, 48);
  replaceFlags(0x300, Size.Approximate << 8);
}

/** Removes the size. */
export function clearSize(): void {
  replaceFlags(0x300, Size.None);
}

export function setTime(time: f64, precision: i32): void {
  store<f64>(record, time, 56);
  replaceFlags(0xc0, precision << 6);
}
