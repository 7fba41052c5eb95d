/** The letters in front of a Unix line. */
import { Kind } from "./listing_record";

/** What the first letter of a line says. */
export function kindOf(c: u32): i32 {
  switch (c) {
    case 0x2d: // -
    case 0x66: // f
      return Kind.File;
    case 0x64: // d
      return Kind.Directory;
    case 0x6c: // l
    case 0x65: // e: z/OS calls a link to another file system external
      return Kind.Link;
    case 0x62: // b
    case 0x63: // c
    case 0x70: // p
    case 0x73: // s
    case 0x44: // D: a door
      return Kind.Other;
    default:
      return Kind.Unknown;
  }
}

/** The letters for reading and writing as bits, or -1. */
export function scanPair(p: usize): i32 {
  const r = load<u8>(p);
  const w = load<u8>(p, 1);
  if (r != 0x72 && r != 0x2d || w != 0x77 && w != 0x2d) return -1;
  return (r == 0x72 ? 4 : 0) | (w == 0x77 ? 2 : 0);
}

/** Three permission letters as bits, or -1; `special` is the bit of s, S, t, T. */
export function scanTriad(p: usize, special: i32): i32 {
  const bits = scanPair(p);
  if (bits < 0) return -1;
  const x = load<u8>(p, 2);
  switch (x) {
    case 0x2d: // -
      return bits;
    case 0x78: // x
      return bits | 1;
    case 0x73: // s
    case 0x74: // t
      return bits | 1 | special;
    case 0x53: // S
    case 0x54: // T
    case 0x4c: // L: mandatory locking, kept as set-group-ID without x
    case 0x6c: // l
      return bits | special;
    default:
      return -1;
  }
}
