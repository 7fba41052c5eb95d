/**
 * Months in the languages of servers that write three letters.
 *
 * @module
 */

import { parseMonth } from "./listing_format.ts";

/** Letters beyond ASCII are left out: "DÉC" and "AOÛ" are `dc` and `ao`. */
const MONTHS: Readonly<Record<string, number>> = {
  // German
  mr: 3,
  mrz: 3,
  mai: 5,
  okt: 10,
  dez: 12,
  // French
  fv: 2,
  fev: 2,
  avr: 4,
  jui: 7,
  ao: 8,
  aou: 8,
  dc: 12,
  // Italian
  gen: 1,
  mag: 5,
  giu: 6,
  lug: 7,
  ago: 8,
  set: 9,
  ott: 10,
  dic: 12,
  // Spanish and Portuguese
  ene: 1,
  abr: 4,
  out: 10,
  // Dutch and the Nordic languages
  maa: 3,
  mrt: 3,
  mei: 5,
  maj: 5,
  des: 12,
};

/**
 * Reads the name of a month in one of several languages.
 *
 * @param text Three letters or more, one character a byte, any case
 * @returns 1 to 12, or 0
 */
export function parseLocalMonth(text: string): number {
  const english = parseMonth(text);
  if (english !== 0) return english;
  const letters = text.toLowerCase().replace(/[^a-z]/g, "").slice(0, 3);
  return Object.hasOwn(MONTHS, letters) ? MONTHS[letters]! : 0;
}
