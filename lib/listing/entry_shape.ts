/**
 * Decides whether a line that no format can read may be an entry.
 *
 * @module
 */

/** Beginnings and marks of entries, in any format. */
const ENTRY_REGEXPS: readonly RegExp[] = [
  // Unix: permissions, perhaps behind a number or two
  /^[ \t]*(?:\d+ +){0,2}[-A-Za-z](?=\S*[rwx])[-rwxsStTlL]{5}/,
  // DOS: a date
  /^[ \t]*\d{1,4}[-/.]\d{1,2}[-/.]\d/,
  // MLSD: facts
  /^ ?[\w.-]{1,40}=/,
  // OpenVMS: a version
  /;\d/,
  // IBM i: a type
  /(?:^| )\*[A-Z]{2,9}\b/,
  // NetWare: rights
  /^[-a-z] ?\[/,
  // EPLF
  /^\+\S*\t/,
];

const DATE_REGEXP =
  /\d:\d\d|\d[-/.]\d{1,2}[-/.]\d|\d-[A-Za-z]{3}-\d|\b[A-Za-z]{3} {1,4}\d{1,2} {1,4}\d/;

/** A number or a mark as the first or second word, as in a table. */
const TABLE_REGEXP = /^[ \t]*(?:\d|\S+[ \t]+[\d<])/;

/** One word. */
const NAME_REGEXP = /^[ \t]*[^ \t]+[ \t]*$/;

/** The last word, if it is a name in capitals. */
const LAST_NAME_REGEXP = /[A-Z$#@][A-Z0-9$#@.]{1,43} *$/;

/**
 * Whether a line that no format can read may be an entry. In doubt, it may.
 *
 * @param line The line, one character a byte
 * @param isQuick Whether the listing is of MLSD, Unix or DOS, whose entries
 * are never a name alone and easily told from prose
 * @returns Whether it might be
 */
export function hasEntryShape(line: string, isQuick: boolean): boolean {
  if (!/[A-Za-z0-9\x80-\xff]/.test(line)) return false;
  if (ENTRY_REGEXPS.some((regexp) => regexp.test(line))) return true;
  if (TABLE_REGEXP.test(line) && DATE_REGEXP.test(line)) return true;
  if (isQuick) return false;
  return NAME_REGEXP.test(line) || !isProse(line);
}

/** Words, at least one of them in lower case, and no number. */
function isProse(line: string): boolean {
  return !/\d/.test(line) && /[a-z]{2}/.test(line) &&
    !LAST_NAME_REGEXP.test(line.slice(-64));
}
