/**
 * Reads numbers and times strictly: text that is not exactly a number is
 * unknown, and leading digits are never taken for it.
 *
 * @module
 */

/**
 * Most digits of a number: 2^64 has twenty, and some servers pad with zeros.
 */
const DECIMAL_REGEXP = /^[0-9]{1,40}$/;

/**
 * Most digits of an octal number: a file's type and its twelve bits have six.
 */
const OCTAL_REGEXP = /^[0-7]{1,7}$/;

/**
 * Reads a decimal number, such as a size or a port.
 *
 * @returns The number; `undefined` unless the text is all ASCII digits, or if
 * the number would be rounded (2^53)
 */
export function readDecimal(text: string | undefined): number | undefined {
  if (text === undefined || !DECIMAL_REGEXP.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/**
 * Reads an octal number, such as permissions.
 *
 * @returns The number; `undefined` unless the text is one to seven octal digits
 */
export function readOctal(text: string | undefined): number | undefined {
  return text !== undefined && OCTAL_REGEXP.test(text)
    ? parseInt(text, 8)
    : undefined;
}

// zeros of clocks, sent for unknown times: 0001 (.NET), 1601 (Windows), 1858
// (VMS), 1899 (OLE), 1900 (NTP). Unix times start in December 1901, and ext4,
// XFS and servers do report times before 1970
const FIRST_TIME = Date.UTC(1902, 0, 1);

// ext4 ends in 2446, XFS in 2486; 9999 is .NET's last year
const LAST_TIME = Date.UTC(2500, 0, 1);

/**
 * Whether a time can be a file's, and is not the zero or the end of a clock.
 */
export function isFileTime(time: number): boolean {
  return time >= FIRST_TIME && time < LAST_TIME;
}
