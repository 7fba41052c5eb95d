/**
 * Numbers and times as a server writes them, read strictly: what is not exactly
 * one is unknown, and never the digits that it begins with.
 *
 * @module
 */

/** Most digits of a number: 2^64 has twenty, and some servers pad with zeros. */
const DECIMAL_REGEXP = /^[0-9]{1,40}$/;

/** Most digits of an octal number: a file's type and its twelve bits have six. */
const OCTAL_REGEXP = /^[0-7]{1,7}$/;

/**
 * Reads a decimal number: a size, a port, a part of a date.
 *
 * @param text What the server wrote
 * @returns The number; `undefined` unless the text is all ASCII digits, and
 * where it would be rounded (2^53)
 */
export function readDecimal(text: string | undefined): number | undefined {
  if (text === undefined || !DECIMAL_REGEXP.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/**
 * Reads an octal number: permissions.
 *
 * @param text What the server wrote
 * @returns The number; `undefined` unless the text is one to seven octal digits
 */
export function readOctal(text: string | undefined): number | undefined {
  return text !== undefined && OCTAL_REGEXP.test(text)
    ? parseInt(text, 8)
    : undefined;
}

// Zeros of clocks, told where a time is not known: 0001 (.NET), 1601 (Windows),
// 1858 (VMS), 1899 (OLE), 1900 (NTP). Files of Unix begin with December 1901, and
// ext4, XFS and servers do tell times before 1970
const FIRST_TIME = Date.UTC(1902, 0, 1);

// ext4 ends in 2446, XFS in 2486; 9999 is the last year of .NET
const LAST_TIME = Date.UTC(2500, 0, 1);

/**
 * Tells the time of a file from a clock's zero or end.
 *
 * @param time Milliseconds since 1970
 * @returns Whether it is of the years 1902 to 2499
 */
export function isFileTime(time: number): boolean {
  return time >= FIRST_TIME && time < LAST_TIME;
}
