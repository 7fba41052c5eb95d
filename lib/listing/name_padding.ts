/**
 * Decides whether blanks before names are padding of the column before.
 *
 * @module
 */

import { FLAG } from "../../parser/mod.ts";
import type { TableSource } from "./table_source.ts";

/** Marks of lines that show whether the column is padded. */
export const PADDING_MASK = FLAG.padded | FLAG.tight;

/**
 * Decides whether a blank before a name belongs to the column before it. Some
 * servers write "2003 " where others write " 2003", and two blanks after a
 * size. The blank belongs to the name as soon as a line of the listing has a
 * single blank there.
 */
export class NamePadding {
  #isTight = false;

  /** Marks of lines that must be passed to {@linkcode apply}. */
  get mask(): number {
    return this.#isTight ? 0 : PADDING_MASK;
  }

  /**
   * Learns from a line.
   *
   * @param source The lines that were read together
   * @param index Index of the line
   */
  note(source: TableSource, index: number): void {
    if (source.flags(index) & FLAG.tight) this.#isTight = true;
  }

  /**
   * Learns from a line, and removes the padding of its name.
   *
   * @param source The lines that were read together
   * @param index Index of the line
   */
  apply(source: TableSource, index: number): void {
    this.note(source, index);
    if (this.#isTight || (source.flags(index) & FLAG.padded) === 0) return;
    source.skipBlank(index);
  }
}
