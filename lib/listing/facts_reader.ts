/**
 * Reads many lines of MLSD (RFC 3659, 7.2) to names and facts.
 *
 * @module
 */

import {
  FACT_MARK,
  FACT_RECORD,
  PIECE_SIZE,
  scanFacts,
} from "../../parser/mod.ts";
import { linesOf } from "../protocol/lines_of.ts";
import { toAlignedText } from "./aligned_text.ts";
import { parseFacts } from "./facts.ts";

const CR = 0x0D;
const LF = 0x0A;

/** A name and its facts, as `FTP.mlsd()` returns them. */
export type NamedFacts = [name: string, facts: Record<string, string>];

/** The facts of the last line of a shape. */
interface Shape {
  /** The keys in lower case, in the order of the line. */
  readonly keys: readonly string[];
  /** The facts. */
  facts: Record<string, string>;
}

/** Reads blocks of lines. Keeps nothing between two blocks. */
export class FactsReader {
  readonly #decode: (bytes: Uint8Array) => string;

  /**
   * Creates a reader.
   *
   * @param decode Decodes bytes in the session's encoding, which contains ASCII.
   * Must not throw
   */
  constructor(decode: (bytes: Uint8Array) => string) {
    this.#decode = decode;
  }

  /**
   * Reads complete lines. CRLF and LF end a line; the last one needs no end.
   *
   * @returns For each line the result of {@linkcode parseFacts}
   */
  read(block: Uint8Array): NamedFacts[] {
    const found: NamedFacts[] = [];
    let at = 0;
    while (at < block.length) {
      const consumed = this.#scan(found, block.subarray(at, at + PIECE_SIZE));
      // a line that is longer than a piece, or has no end
      if (consumed === 0) break;
      at += consumed;
    }
    for (const line of linesOf(block.subarray(at))) {
      found.push(this.#parse(withoutEnd(line)));
    }
    return found;
  }

  /** Reads the complete lines of a piece. Returns the number of their bytes. */
  #scan(found: NamedFacts[], piece: Uint8Array): number {
    const { count, words, consumed } = scanFacts(piece);
    const text = toAlignedText(piece.subarray(0, consumed));
    const shapes: (Shape | undefined)[] = [];
    let at = 0;
    for (let line = 0; line < count; line++) {
      const start = words[at + FACT_RECORD.lineStart]!;
      const end = words[at + FACT_RECORD.lineEnd]!;
      const nameStart = words[at + FACT_RECORD.nameStart]!;
      const marks = words[at + FACT_RECORD.shape]!;
      let differing = words[at + FACT_RECORD.differing]!;
      at += FACT_RECORD.words;
      if (nameStart === 0) {
        found.push(this.#parse(piece.subarray(start, end)));
        continue;
      }
      const number = marks & FACT_MARK.shapeMask;
      if (marks & FACT_MARK.isNew) {
        shapes[number] = shapeOf(text.substring(start, nameStart));
      }
      const shape = shapes[number];
      let facts: Record<string, string>;
      if (shape === undefined) {
        facts = parseFacts(text.substring(start, nameStart)).facts;
        for (; differing !== 0; differing &= differing - 1) at += 2;
      } else {
        facts = { ...shape.facts };
        const { keys } = shape;
        for (; differing !== 0; differing &= differing - 1) {
          const key = keys[31 - Math.clz32(differing & -differing)]!;
          facts[key] = text.substring(words[at]!, words[at + 1]!);
          at += 2;
        }
        shape.facts = facts;
      }
      const name = marks & FACT_MARK.isEncoded
        ? this.#decode(piece.subarray(nameStart, end))
        : text.substring(nameStart, end);
      found.push([name, facts]);
    }
    return consumed;
  }

  #parse(line: Uint8Array): NamedFacts {
    const { name, facts } = parseFacts(this.#decode(line));
    return [name, facts];
  }
}

/** Returns a line without its LF and one CR. */
function withoutEnd(line: Uint8Array): Uint8Array {
  const end = line.at(-1) === LF ? line.length - 1 : line.length;
  return line.subarray(0, line[end - 1] === CR ? end - 1 : end);
}

/**
 * The shape of a line; `undefined` if its facts cannot be set one by one, such
 * as one that is sent twice.
 */
function shapeOf(line: string): Shape | undefined {
  const { facts } = parseFacts(line);
  const keys = line.split(";").slice(0, -1)
    .map((fact) => fact.slice(0, fact.indexOf("=")).toLowerCase());
  const isUsual = new Set(keys).size === keys.length &&
    !keys.includes("__proto__");
  return isUsual ? { keys, facts } : undefined;
}
