/**
 * Names of months as `ls` writes them in several languages. Letters outside
 * ASCII are omitted, so that one key fits every encoding: "März" is `mrz`,
 * "févr." is `fvr`. Keys have three or four letters.
 */
import { isBlank, isLetter } from "./listing_char";

export let monthEnd: usize = 0;

/** Four letters are looked up first, then three. */
// deno-fmt-ignore
const ASCII: StaticArray<u32> = [
  // en, de, nl, sv, da, no, pl, hu
  0x6a616e, 1, 0x666562, 2, 0x6d6172, 3, 0x617072, 4, 0x6d6179, 5, 0x6a756e, 6,
  0x6a756c, 7, 0x617567, 8, 0x736570, 9, 0x6f6374, 10, 0x6e6f76, 11, 0x646563, 12,
  0x6d727a, 3, 0x6d6169, 5, 0x6f6b74, 10, 0x64657a, 12, 0x6d7274, 3, 0x6d6569, 5,
  0x6d616a, 5, 0x646573, 12, 0x737a65, 9,
  // fr, it, es, pt
  0x617672, 4, 0x6a75696e, 6, 0x6a75696c, 7, 0x616f75, 8, 0x67656e, 1, 0x6d6167, 5,
  0x676975, 6, 0x6c7567, 7, 0x61676f, 8, 0x736574, 9, 0x6f7474, 10, 0x646963, 12,
  0x656e65, 1, 0x616272, 4, 0x666576, 2, 0x6f7574, 10, 0x61676f, 8,
  // pl, cs
  0x737479, 1, 0x6c7574, 2, 0x6b7769, 4, 0x637a65, 6, 0x6c6970, 7, 0x736965, 8,
  0x77727a, 9, 0x6c6973, 11, 0x677275, 12, 0x6c6564, 1, 0x647562, 4,
  0x737270, 8, 0x70726f, 12,
  // fi, tr
  0x74616d, 1, 0x68656c, 2, 0x6d61616c, 3, 0x687568, 4, 0x746f75, 5, 0x656c6f, 8,
  0x737979, 9, 0x6c6f6b, 10, 0x6d617272, 11, 0x6a6f75, 12, 0x686569, 7,
  0x6f6361, 1, 0x6e6973, 4, 0x68617a, 6, 0x74656d, 7, 0x65796c, 9, 0x656b69, 10,
  0x6b6173, 11, 0x617261, 12,
];

/** Names with other letters, without those letters. */
// deno-fmt-ignore
const FOLDED: StaticArray<u32> = [
  0x6d72, 3, 0x6d727a, 3, 0x6a6e, 1, // Mär, März, Jän
  0x6676, 2, 0x667672, 2, 0x6463, 12, 0x616f74, 8, 0x616f, 8, // fév, févr, déc, août, aoû
  0x646365, 12, 0x6d6172, 3, // décembre, março
  0x6d7263, 3, 0x7072, 4, 0x6d6a, 5, 0x6a6c, 7, // márc, ápr, máj, júl
  0x7061, 10, // paź
  0x6e6f, 2, 0x6e, 2, 0x6265, 3, 0x6b76, 5, 0x6b7674, 5, // úno, ún, bře, kvě
  0x656e, 6, 0x6572, 6, 0x7a, 9, 0x7a6172, 9, 0x6a, 10, // čen, zář, říj
  0x6563, 7, // čec
  0x7562, 2, 0x6175, 8, // Şub, Ağu
  0x6b6573, 6, 0x6b, 6, // kesä
];

/** Russian: the second bytes of three letters in UTF-8. */
// deno-fmt-ignore
const CYRILLIC: StaticArray<u32> = [
  0x8fbdb2, 1, 0x84b5b2, 2, 0xbcb080, 3, 0xb0bf80, 4, 0xbcb0b9, 5,
  0xbcb08f, 5, 0xb88ebd, 6, 0xb88ebb, 7, 0xb0b2b3, 8, 0x81b5bd, 9, 0xbeba82, 10,
  0xbdbe8f, 11, 0xb4b5ba, 12,
];

/**
 * Russian in KOI8-R and CP1251: the bytes of three letters with the bit set that
 * tells their cases apart. No name in the one is another in the other.
 */
// deno-fmt-ignore
const SINGLE_BYTE: StaticArray<u32> = [
  0xf1eef7, 1, 0xe6e5f7, 2, 0xede1f2, 3, 0xe1f0f2, 4, 0xede1ea, 5, 0xede1f1, 5,
  0xe9e0ee, 6, 0xe9e0ec, 7, 0xe1f7e7, 8, 0xf3e5ee, 9, 0xefebf4, 10, 0xeeeff1, 11,
  0xe4e5eb, 12,
  0xffede2, 1, 0xf4e5e2, 2, 0xece0f0, 3, 0xe0eff0, 4, 0xece0e9, 5, 0xece0ff, 5,
  0xe8feed, 6, 0xe8feeb, 7, 0xe0e2e3, 8, 0xf1e5ed, 9, 0xeeeaf2, 10, 0xedeeff, 11,
  0xe4e5ea, 12,
];

/** Lowest letter of both, in each of three bytes. */
const LETTERS: u32 = 0xc0c0c0;

function find(table: StaticArray<u32>, key: u32): i32 {
  for (let i = 0, n = table.length; i < n; i += 2) {
    if (unchecked(table[i]) == key) return <i32> unchecked(table[i + 1]);
  }
  return 0;
}

/**
 * Keys with their months in the low byte, at the positions that `english`
 * computes.
 */
// deno-fmt-ignore
const ENGLISH: StaticArray<u32> = [
  0x6e6f760b, 0x6d617203, 0x73657009, 0x6a756c07, 0x6d617905, 0, 0x61756708, 0x6f63740a,
  0x6a756e06, 0, 0, 0x6465630c, 0x6a616e01, 0, 0x61707204, 0x66656202,
];

/**
 * Finds an English month, which nearly every server uses, without a search. The
 * factor, found by trial, gives each key a position of its own.
 */
export function english(key: u32): i32 {
  const found = unchecked(ENGLISH[<i32> ((key * 0x2c4a3699) >> 28)]);
  return found >> 8 == key ? <i32> (found & 0xff) : 0;
}

/** Longest name of a month in a listing, in bytes. */
const MAX_NAME: usize = 24;

/**
 * Returns the month whose name begins at `p`, or 0; stores its end in
 * `monthEnd`.
 */
export function month(p: usize, end: usize): i32 {
  // nearly always three English letters and a blank
  if (end - p > 3 && isBlank(load<u8>(p, 3))) {
    const known = english(
      (<u32> load<u8>(p) << 16 | <u32> load<u8>(p, 1) << 8 | load<u8>(p, 2)) |
        0x202020,
    );
    if (known != 0) {
      monthEnd = p + 3;
      return known;
    }
  }
  if (end - p > MAX_NAME) end = p + MAX_NAME;
  let key: u32 = 0;
  let letters = 0;
  let others = 0;
  let cyrillic: u32 = 0;
  let single: u32 = 0;
  let q = p;
  for (; q < end; q++) {
    const c: u32 = load<u8>(q);
    if (c >= 0x80) {
      if (others < 3) single = single << 8 | c;
      if (others++ < 6 && (others & 1) == 0) cyrillic = cyrillic << 8 | c;
      continue;
    }
    if (!isLetter(c)) break;
    if (letters++ < 4) key = key << 8 | c | 0x20;
  }
  monthEnd = q;
  if (others == 0) {
    if (letters < 3) return 0;
    const long = letters >= 4 ? find(ASCII, key) : 0;
    if (long != 0) return long;
    if (letters >= 4) key >>= 8;
    const known = english(key);
    return known != 0 ? known : find(ASCII, key);
  }
  if (letters == 0) {
    const known = others >= 6 ? find(CYRILLIC, cyrillic) : 0;
    if (known != 0 || others < 3 || (single & LETTERS) != LETTERS) return known;
    return find(SINGLE_BYTE, single | 0x202020);
  }
  const folded = find(FOLDED, key);
  return folded != 0 || letters < 4 ? folded : find(FOLDED, key >> 8);
}
