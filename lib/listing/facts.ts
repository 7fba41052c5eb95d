/**
 * Reads the facts of MLSD and MLST (RFC 3659, 7.2).
 *
 * @module
 */

/** A name and its facts. */
export interface FactLine {
  /** The text after the blank that ends the facts. */
  name: string;
  /** The facts; keys in lower case, values as they were sent. */
  facts: Record<string, string>;
}

/** The start of a fact: its name and `=`. */
const SHAPE_REGEXP = /^[a-z][\w.-]*=/i;

/** Facts whose values contain no blanks. */
const CLOSED_REGEXP =
  /^(?:(?:type|perm)=[a-z]*|(?:size|sizd|modify|create|unix\.(?:mode|uid|gid))=[\dz.]*)$/i;

/**
 * Finds the blank that ends the facts of a line: it follows a `;`. A value may
 * contain blanks, such as a link's target, or the group "domain users" of
 * ProFTPD with a directory service. NcFTPd omits the last `;`: then it is the
 * first blank of the last fact, or one after a value that cannot contain any.
 * A tab after the `;` also ends the facts.
 *
 * @param line The line, without its line end
 * @returns The position of the blank; the line's length if it has no name
 */
export function factsEnd(line: string): number {
  let blank = line.indexOf(" ");
  // some servers write a tab instead
  const tab = line.indexOf("\t");
  const isTab = tab > 0 && line[tab - 1] === ";" &&
    !(blank >= 0 && blank < tab);
  if (isTab) return tab;
  if (blank < 0) return line.length;
  if (blank === 0 || line[blank - 1] === ";") return blank;
  let start = line.lastIndexOf(";", blank) + 1;
  const equals = line.indexOf("=", start);
  if (equals < 0 || equals > blank) return blank;
  for (let last = -1;;) {
    const semicolon = line.indexOf(";", start);
    const end = semicolon < 0 ? line.length : semicolon;
    if (blank >= 0 && blank < start) blank = line.indexOf(" ", start);
    if (blank === start) return blank;
    const fact = line.slice(start, end);
    if (last >= 0 && fact !== "" && !SHAPE_REGEXP.test(fact)) {
      const close = line.indexOf("; ", start);
      return close < 0 ? last : close + 1;
    }
    if (blank >= 0 && blank < end) {
      if (CLOSED_REGEXP.test(line.slice(start, blank))) return blank;
      last = blank;
      if (semicolon < 0) return last;
    }
    if (semicolon < 0) return line.length;
    start = end + 1;
  }
}

/**
 * Splits a line of MLSD, or of a reply to MLST. The facts end at the first
 * blank after a `;`, and the rest is the name. Nothing is rejected: a fact
 * without `=` gets an empty value, as in Python's `ftplib`.
 *
 * @param line The line, without its line end, and without the blank that starts
 * a line of MLST's reply
 *
 * @example A line of MLSD
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseFacts("Type=file;Size=5; a; b"), {
 *   name: "a; b",
 *   facts: { type: "file", size: "5" },
 * });
 * ```
 */
export function parseFacts(line: string): FactLine {
  const end = factsEnd(line);
  const facts: Record<string, string> = {};
  for (let start = 0, stop; start < end; start = stop + 1) {
    stop = line.indexOf(";", start);
    if (stop < 0 || stop > end) stop = end;
    if (stop === start) continue;
    const equals = line.indexOf("=", start);
    const isFlag = equals < 0 || equals >= stop;
    const key = line.slice(start, isFlag ? stop : equals).toLowerCase();
    const value = isFlag ? "" : line.slice(equals + 1, stop);
    // a server's "__proto__" must become a fact, not a prototype
    if (key === "__proto__") defineFact(facts, key, value);
    else facts[key] = value;
  }
  return { name: line.slice(end + 1), facts };
}

function defineFact(
  facts: Record<string, string>,
  key: string,
  value: string,
): void {
  Object.defineProperty(facts, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
