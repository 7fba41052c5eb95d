/**
 * Finds the facts of MLSD's lines (RFC 3659, 7.2) for a host that wants all of
 * them as text. Most lines of a listing have the same facts in the same order,
 * and most of the values are those of the line before. So a line is compared
 * with an earlier one of the same shape, and only what differs is searched.
 *
 * Results in RECORDS, one record of a variable length for each line:
 *
 *     0  line start    1  line end         without its LF and one CR
 *     2  name start                        0: the host reads the line itself
 *     3  shape, and marks                  see Mark
 *     4  values that differ from those of the last line of the shape, as bits
 *     5  start and end of each of these values
 *
 * Positions count bytes from INPUT.
 */
import { Char } from "./char";
import { INPUT, RECORDS } from "./layout";

/** Largest number of shapes in one call: files, directories, links. */
const MAX_SHAPES: i32 = 8;

/** Largest number of facts in a shape. */
const MAX_FACTS: i32 = 32;

const enum Mark {
  /** The first line of a shape: the host reads the facts itself. */
  New = 8,
  /** The name has bytes above 0x7f. */
  Encoded = 16,
}

/** Words of the longest record. */
const MAX_WORDS: usize = 5 + 2 * <usize> MAX_FACTS;

/** A fact: its address, the length of its key and `=`, its length and `;`. */
const FACT_SIZE: usize = 12;

/** The shapes: their number of facts, then the facts of their last line. */
const SHAPES: usize = INPUT - 0x1000;
const SHAPE_SIZE: usize = 4 + FACT_SIZE * <usize> MAX_FACTS;

/** Last place for a record. */
const LAST_RECORD: usize = SHAPES - MAX_WORDS * 4;

let consumed: i32 = 0;
/** The record that is being written. */
let record: usize = RECORDS;
/** End of the record. */
let recordEnd: usize = RECORDS;

/** Bytes covered by the last call: complete lines. */
export function consumedFactBytes(): i32 {
  return consumed;
}

/** Words of the records of the last call. */
export function factWords(): i32 {
  return <i32> (recordEnd - RECORDS) >> 2;
}

function factOf(shape: usize, index: i32): usize {
  return shape + 4 + <usize> index * FACT_SIZE;
}

/** Returns the position of the first byte that differs, or `length`. */
function firstDifference(p: usize, q: usize, length: usize): usize {
  for (let at: usize = 0; at < length; at += 16) {
    const equal = i8x16.bitmask(i8x16.eq(v128.load(p + at), v128.load(q + at)));
    if (equal != 0xffff) {
      const found = at + <usize> ctz(~equal);
      return found < length ? found : length;
    }
  }
  return length;
}

/**
 * Returns the position of the `;` that ends a value; 0 if a blank, a tab or the
 * line's end comes first.
 */
function valueEnd(p: usize, end: usize): usize {
  const semicolon = i8x16.splat(<i8> Char.Semicolon);
  const space = i8x16.splat(<i8> (Char.Space + 1));
  for (; p < end; p += 16) {
    const block = v128.load(p);
    const stops = i8x16.bitmask(
      v128.or(i8x16.eq(block, semicolon), i8x16.lt_u(block, space)),
    );
    if (stops == 0) continue;
    p += <usize> ctz(stops);
    return p < end && load<u8>(p) == Char.Semicolon ? p : 0;
  }
  return 0;
}

function findLf(p: usize, end: usize): usize {
  const lf = i8x16.splat(<i8> Char.Lf);
  for (; p < end; p += 16) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(p), lf));
    if (found != 0) {
      p += <usize> ctz(found);
      return p < end ? p : end;
    }
  }
  return end;
}

/** Whether a byte from `p` to `end` is above 0x7f. */
function isEncoded(p: usize, end: usize): bool {
  for (; p < end; p += 16) {
    let high = i8x16.bitmask(v128.load(p));
    if (end - p < 16) high &= (1 << <i32> (end - p)) - 1;
    if (high != 0) return true;
  }
  return false;
}

/**
 * Compares a line with a shape. Returns the position of its name; 0 if it has
 * another shape. Writes the values that differ.
 */
function compare(shape: usize, start: usize, end: usize): usize {
  const count = load<i32>(shape);
  let p = start;
  let mask: u32 = 0;
  let to = record + 20;
  for (let i = 0; i < count; i++) {
    const fact = factOf(shape, i);
    const key: usize = load<u32>(fact, 4);
    const length: usize = load<u32>(fact, 8);
    const same = firstDifference(p, load<u32>(fact), length);
    if (same == length) {
      p += length;
      continue;
    }
    if (same < key) return 0;
    const q = valueEnd(p + key, end);
    if (q == 0 || isEncoded(p + key, q)) return 0;
    mask |= 1 << i;
    store<u32>(to, <u32> (p + key - INPUT));
    store<u32>(to, <u32> (q - INPUT), 4);
    to += 8;
    p = q + 1;
  }
  if (p >= end || load<u8>(p) != Char.Space) return 0;
  store<u32>(record, mask, 16);
  recordEnd = to;
  return p + 1;
}

/** Keeps the values that differ, for the next line. */
function keepValues(shape: usize): void {
  let mask = load<u32>(record, 16);
  let from = record + 20;
  for (; mask != 0; mask &= mask - 1) {
    const fact = factOf(shape, ctz(mask));
    const start = INPUT + load<u32>(from) - load<u32>(fact, 4);
    store<u32>(fact, <u32> start);
    store<u32>(fact, <u32> (INPUT + load<u32>(from, 4) + 1 - start), 8);
    from += 8;
  }
}

/**
 * Makes a shape of a line. Returns the position of its name; 0 if the line is
 * unusual.
 */
function learn(shape: usize, start: usize, end: usize): usize {
  let p = start;
  for (let count = 0; count < MAX_FACTS; count++) {
    const q = valueEnd(p, end);
    if (q == 0) return 0;
    let value = p;
    while (value < q && load<u8>(value) != Char.Equals) value++;
    if (value == q) return 0;
    const fact = factOf(shape, count);
    store<u32>(fact, <u32> p);
    store<u32>(fact, <u32> (value + 1 - p), 4);
    store<u32>(fact, <u32> (q + 1 - p), 8);
    p = q + 1;
    if (p < end && load<u8>(p) == Char.Space) {
      if (isEncoded(start, p)) return 0;
      store<i32>(shape, count + 1);
      return p + 1;
    }
  }
  return 0;
}

/**
 * Reads the complete lines among the first `length` bytes of INPUT, as far as
 * the table reaches.
 *
 * @returns Number of records
 */
export function scanFacts(length: i32): i32 {
  const end = INPUT + <usize> length;
  let shapeCount = 0;
  let lastShape = 0;
  let count = 0;
  let p = INPUT;
  record = RECORDS;
  while (p < end && record <= LAST_RECORD) {
    recordEnd = record + 20;
    let name: usize = 0;
    let marks = 0;
    let shape = lastShape;
    for (let i = 0; i < shapeCount && name == 0; i++) {
      shape = lastShape + i;
      if (shape >= shapeCount) shape -= shapeCount;
      name = compare(SHAPES + <usize> shape * SHAPE_SIZE, p, end);
    }
    const isKnown = name != 0;
    if (!isKnown && shapeCount < MAX_SHAPES) {
      shape = shapeCount;
      name = learn(SHAPES + <usize> shape * SHAPE_SIZE, p, end);
      marks = Mark.New;
    }
    const lf = findLf(name == 0 ? p : name, end);
    if (lf == end) break;
    const lineEnd = lf > p && load<u8>(lf - 1) == Char.Cr ? lf - 1 : lf;
    if (name != 0) {
      if (isKnown) keepValues(SHAPES + <usize> shape * SHAPE_SIZE);
      else {
        store<u32>(record, 0, 16);
        shapeCount++;
      }
      lastShape = shape;
      if (isEncoded(name, lineEnd)) marks |= Mark.Encoded;
      store<u32>(record, <u32> (name - INPUT), 8);
    } else store<u32>(record, 0, 8);
    store<u32>(record, <u32> (p - INPUT));
    store<u32>(record, <u32> (lineEnd - INPUT), 4);
    store<u32>(record, shape | marks, 12);
    count++;
    record = recordEnd;
    p = lf + 1;
  }
  consumed = <i32> (p - INPUT);
  recordEnd = record;
  return count;
}
