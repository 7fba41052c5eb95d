/** Classes of bytes, and numbers in listings. */
import { CASE_BIT, Char } from "./char";

export function isDigit(c: u32): bool {
  return c - <u32> Char.Zero < 10;
}

export function isBlank(c: u32): bool {
  return c == Char.Space || c == Char.Tab;
}

export function isLetter(c: u32): bool {
  return (c | CASE_BIT) - <u32> Char.a < 26;
}

export function skipBlanks(p: usize, end: usize): usize {
  while (p < end && isBlank(load<u8>(p))) p++;
  return p;
}

export function skipDigits(p: usize, end: usize): usize {
  while (p < end && isDigit(load<u8>(p))) p++;
  return p;
}

export function skipToBlank(p: usize, end: usize): usize {
  while (p < end && !isBlank(load<u8>(p))) p++;
  return p;
}

/** Reads the number of at most nine digits from `p` to `end`. */
export function number(p: usize, end: usize): i32 {
  let value = 0;
  for (; p < end; p++) value = value * 10 + (load<u8>(p) - Char.Zero);
  return value;
}

/**
 * Whether `p` begins with the lower-case text packed in `word`, in any case.
 */
export function matches4(p: usize, end: usize, word: u32): bool {
  return end - p >= 4 && (load<u32>(p) | 0x20202020) == word;
}

const ZEROS: u64 = 0x3030303030303030;

/**
 * Returns the bits that show that eight bytes are not all digits; 0 if they
 * are.
 */
function notDigits(bytes: u64): u64 {
  const high: u64 = 0xf0f0f0f0f0f0f0f0;
  return (bytes & high ^ ZEROS) | (bytes + 0x0606060606060606 & high ^ ZEROS);
}

/** Whether the eight bytes of a word are digits. */
export function areDigits(bytes: u64): bool {
  return notDigits(bytes) == 0;
}

/** Whether all bytes from `p` to `end` are digits; there is at least one. */
export function areAllDigits(p: usize, end: usize): bool {
  const length = end - p;
  if (length > 8) return skipDigits(p, end) == end;
  // the bytes before the first digit are shifted out, and zeros in
  const unused = (8 - length) << 3;
  return areDigits(
    load<u64>(end - 8) >> unused << unused | ZEROS & ~(<u64> -1 << unused),
  );
}

/** Converts four pairs of digits at once, to 16 bits each. */
export function pairs(digits: u64): u64 {
  const v = digits ^ ZEROS;
  return (v * 10 + (v >> 8)) & 0x00ff00ff00ff00ff;
}

/** Returns one of the four numbers. */
export function pair(numbers: u64, index: u64): i32 {
  return <i32> (numbers >> (index << 4)) & 0xffff;
}
