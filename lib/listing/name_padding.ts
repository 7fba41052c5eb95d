/**
 * Names behind a column that is padded at its right.
 *
 * @module
 */

import { FLAG } from "../../parser/mod.ts";
import type { TableSource } from "./table_source.ts";

/** Marks of lines that show whether the column is padded. */
export const PADDING_MASK = FLAG.padded | FLAG.tight;

/**
 * Decides whether a blank in front of a name belongs to the column before it.
 * Some servers write "2003 " where others write " 2003", and a size with two
 * blanks behind. It belongs to the name as soon as a line of the listing has a
 * single blank there.
 */
export class NamePadding {
  #isTight = false;

  /** Marks of lines that have to be shown to {@linkcode apply}. */
  get mask(): number {
    return this.#isTight ? 0 : PADDING_MASK;
  }

  /**
   * Takes note of a line.
   *
   * @param source The lines that were read together
   * @param index Which of them it is
   */
  note(source: TableSource, index: number): void {
    if (source.flags(index) & FLAG.tight) this.#isTight = true;
  }

  /**
   * Takes note of a line, and takes the padding off its name.
   *
   * @param source The lines that were read together
   * @param index Which of them it is
   */
  apply(source: TableSource, index: number): void {
    this.note(source, index);
    if (this.#isTight || (source.flags(index) & FLAG.padded) === 0) return;
    source.skipBlank(index);
  }
}
