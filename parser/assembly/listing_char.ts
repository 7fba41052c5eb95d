/** Classes of bytes, and numbers, as the listings use them. */

export function isDigit(c: u32): bool {
  return c - 0x30 < 10;
}

export function isBlank(c: u32): bool {
  return c == 0x20 || c == 0x09;
}

export function isLetter(c: u32): bool {
  return (c | 0x20) - 0x61 < 26;
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

/** The number of at most nine digits from `p` to `end`. */
export function number(p: usize, end: usize): i32 {
  let value = 0;
  for (; p < end; p++) value = value * 10 + (load<u8>(p) - 0x30);
  return value;
}

/** Whether `p` begins with the lower-case text packed in `word`, any case. */
export function matches4(p: usize, end: usize, word: u32): bool {
  return end - p >= 4 && (load<u32>(p) | 0x20202020) == word;
}
