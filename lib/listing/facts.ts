/**
 * Facts of MLSD and MLST (RFC 3659, 7.2).
 *
 * @module
 */

/** A name and its facts. */
export interface FactLine {
  /** Everything behind the blank that ends the facts. */
  name: string;
  /** The facts; keys in lower case, values as they were sent. */
  facts: Record<string, string>;
}

/** ProFTPD's spelling of a link; the target stands as it is, blanks and all. */
const LINK_FACT = "type=os.unix=slink:";

/**
 * Takes a line of MLSD, or of a reply to MLST, apart: the facts end at the first
 * blank, and all that follows is the name. Nothing is refused: what has no `=`
 * becomes a fact with an empty value, as in Python's `ftplib`.
 *
 * @param line The line, without its line end and without the blank that begins
 * a line of MLST's reply
 * @returns The name and the facts
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
  let end = line.indexOf(" ");
  if (end < 0) end = line.length;
  if (end > 0 && line[end - 1] !== ";") {
    const fact = line.lastIndexOf(";", end - 1) + 1;
    if (line.slice(fact, fact + LINK_FACT.length).toLowerCase() === LINK_FACT) {
      const close = line.indexOf("; ", end);
      if (close >= 0) end = close + 1;
    }
  }
  const facts: Record<string, string> = {};
  for (const fact of line.slice(0, end).split(";")) {
    if (fact === "") continue;
    const equals = fact.indexOf("=");
    const key = equals < 0 ? fact : fact.slice(0, equals);
    // A server's "__proto__" must become a fact, not a prototype.
    Object.defineProperty(facts, key.toLowerCase(), {
      value: equals < 0 ? "" : fact.slice(equals + 1),
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return { name: line.slice(end + 1), facts };
}
