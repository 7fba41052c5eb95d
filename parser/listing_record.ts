/**
 * Layout of a listing's records.
 *
 * @module
 */

/** Words of a record, as `assembly/listing_record.ts` lays them out. */
export const RECORD = {
  words: 18,
  lineStart: 0,
  lineEnd: 1,
  flags: 2,
  nameStart: 3,
  nameEnd: 4,
  targetStart: 5,
  targetEnd: 6,
  ownerStart: 7,
  ownerEnd: 8,
  groupStart: 9,
  groupEnd: 10,
  mode: 11,
  digitsStart: 16,
  digitsEnd: 17,
  /** These two count in 64-bit numbers. */
  size: 6,
  /** NaN if the line has no time. */
  time: 7,
} as const;

/** Flags of a record, as `assembly/listing_record.ts` packs them. */
export const FLAG = {
  kindMask: 0xf,
  formatShift: 4,
  formatMask: 0x3,
  precisionShift: 6,
  precisionMask: 0x3,
  sizeShift: 8,
  sizeMask: 0x3,
  ascii: 1 << 10,
  self: 1 << 11,
  hasMode: 1 << 12,
  padded: 1 << 13,
  tight: 1 << 14,
} as const;
