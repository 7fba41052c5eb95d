/** Reads the permission letters of a Unix line. */
import { Char } from "./char";
import { Kind } from "./listing_record";

/** Returns the kind for the first letter of a line. */
export function kindOf(c: u32): i32 {
  switch (c) {
    case Char.Hyphen:
    case Char.f:
      return Kind.File;
    case Char.d:
      return Kind.Directory;
    case Char.l:
    case Char.e: // z/OS calls a link to another file system external
      return Kind.Link;
    case Char.b:
    case Char.c:
    case Char.p:
    case Char.s:
    case Char.D: // a door
      return Kind.Other;
    default:
      return Kind.Unknown;
  }
}

/** Reads the letters for reading and writing as bits; -1 if they are others. */
export function scanPair(p: usize): i32 {
  const r = load<u8>(p);
  const w = load<u8>(p, 1);
  if (r != Char.r && r != Char.Hyphen || w != Char.w && w != Char.Hyphen) {
    return -1;
  }
  return (r == Char.r ? 4 : 0) | (w == Char.w ? 2 : 0);
}

/**
 * Reads three permission letters as bits; -1 if they are others. `special` is
 * the bit of s, S, t and T.
 */
export function scanTriad(p: usize, special: i32): i32 {
  const bits = scanPair(p);
  if (bits < 0) return -1;
  const x: u32 = load<u8>(p, 2);
  switch (x) {
    case Char.Hyphen:
      return bits;
    case Char.x:
      return bits | 1;
    case Char.s:
    case Char.t:
      return bits | 1 | special;
    case Char.S:
    case Char.T:
    case Char.L: // mandatory locking, kept as set-group-ID without x
    case Char.l:
      return bits | special;
    default:
      return -1;
  }
}
