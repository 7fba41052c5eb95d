/**
 * Months in the languages of servers that write three letters.
 *
 * @module
 */

import { parseMonth } from "./listing_format.ts";

/** Letters beyond ASCII are left out: "DÉC" and "AOÛT" are `dc` and `aot`. */
const MONTHS: Readonly<Record<string, number>> = {
  // German
  jn: 1,
  jnn: 1,
  mr: 3,
  mrz: 3,
  mai: 5,
  okt: 10,
  dez: 12,
  // French
  fv: 2,
  fvr: 2,
  fev: 2,
  avr: 4,
  juin: 6,
  jui: 7,
  ao: 8,
  aot: 8,
  aou: 8,
  dc: 12,
  dce: 12,
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
  const letters = text.toLowerCase().replace(/[^a-z]/g, "");
  // four letters distinguish "juin" and "juil"
  for (const key of [letters.slice(0, 4), letters.slice(0, 3)]) {
    if (Object.hasOwn(MONTHS, key)) return MONTHS[key]!;
  }
  return 0;
}
