/**
 * Progress bars for several files at once.
 *
 * @module
 */

import { formatProgress } from "../files/progress_bar.ts";
import type { Progress } from "../../mod.ts";
import { printableLine } from "../protocol/printable.ts";

/** Milliseconds between two drawings. */
const INTERVAL = 80;

/** Part of a line that a label may take. */
const LABEL_PART = 0.4;

/** The terminal that bars are drawn on. */
export interface BarTerminal {
  /** Columns and rows. */
  size(): { columns: number; rows: number };
  /** Writes text. */
  write(text: string): void;
}

/** The bars of the current files, below the printed lines. */
export class Bars {
  readonly #terminal: BarTerminal;
  readonly #active = new Map<string, { label: string; progress: Progress }>();
  #drawn = 0;
  #drawnAt = -Infinity;

  /** Makes bars on a terminal. */
  constructor(terminal: BarTerminal) {
    this.#terminal = terminal;
  }

  /** Shows the progress of a file. */
  update(label: string, progress: Progress): void {
    const isNew = !this.#active.has(label);
    this.#active.set(label, { label: printableLine(label), progress });
    if (!isNew && performance.now() - this.#drawnAt < INTERVAL) return;
    this.#draw();
  }

  /** Removes a bar. */
  remove(label: string): void {
    if (this.#active.delete(label)) this.#draw();
  }

  /** Prints above the bars. */
  above(print: () => void): void {
    if (this.#drawn === 0) return print();
    this.clear();
    try {
      print();
    } finally {
      this.#draw();
    }
  }

  /** Erases all bars; the next update draws them again. */
  clear(): void {
    if (this.#drawn === 0) return;
    this.#terminal.write(`\x1b[${this.#drawn}A\r\x1b[J`);
    this.#drawn = 0;
  }

  #draw(): void {
    const { columns, rows } = this.#terminal.size();
    const shown = [...this.#active.values()].slice(0, Math.max(1, rows - 1));
    const lines = shown.map(({ label, progress }) => {
      const short = shorten(
        label,
        Math.max(8, Math.floor(columns * LABEL_PART)),
      );
      // a wide character has one unit and two columns
      const extra = widthOf(short) - short.length;
      return `${formatProgress(progress, short, columns - extra)}\x1b[K\n`;
    });
    const up = this.#drawn === 0 ? "" : `\x1b[${this.#drawn}A`;
    // wrapping is off: a line that is too long stays one line
    this.#terminal.write(`\x1b[?7l${up}\r${lines.join("")}\x1b[J\x1b[?7h`);
    this.#drawn = lines.length;
    this.#drawnAt = performance.now();
  }
}

/** Characters of two columns. */
const WIDE_REGEXP =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303F\uFF01-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}/u;

/** Characters without a column. */
const MARK_REGEXP = /\p{M}|[\u200C\u200D]/u;

/** Counts the columns of a text, as most terminals do. */
export function widthOf(text: string): number {
  if (/^[\x20-\x7E]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) {
    if (MARK_REGEXP.test(character)) continue;
    width += WIDE_REGEXP.test(character) ? 2 : 1;
  }
  return width;
}

/**
 * Replaces the middle of a text that is too long by dots, because the beginning
 * and the end of a path say most.
 */
export function shorten(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  const characters = [...text];
  let head = Math.floor(characters.length / 2);
  let tail = head;
  const join = () =>
    `${characters.slice(0, head).join("")}...${
      characters.slice(characters.length - tail).join("")
    }`;
  while (head + tail > 0 && widthOf(join()) > columns) {
    if (head > tail) head--;
    else tail--;
  }
  return join();
}
