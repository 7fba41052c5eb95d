/**
 * Progress on a terminal.
 *
 * @module
 */

import { printableLine } from "../protocol/printable.ts";
import type { Progress } from "./progress.ts";

/** Options of {@linkcode progressBar}. */
export interface ProgressBarOptions {
  /**
   * Text before the bar, such as the file's name.
   *
   * @default ""
   */
  label?: string | undefined;
  /**
   * Whether the output is a terminal.
   *
   * @default whether standard error is one
   */
  isTerminal?: boolean | undefined;
  /**
   * Width in columns.
   *
   * @default the terminal's
   */
  columns?: number | undefined;
  /**
   * Writes text to the terminal.
   *
   * @default to standard error
   */
  write?: ((text: string) => void) | undefined;
}

/** Columns if the terminal does not report any. */
const COLUMNS = 80;

/** Smallest width of the bar itself. */
const LEAST_BAR = 5;

/**
 * Creates a callback that draws a progress bar. Draws nothing if the output is
 * not a terminal.
 *
 * @param options Label and terminal
 * @returns A function for the option `onProgress`
 *
 * @example Watch a download
 * ```ts
 * import { connect, progressBar } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
 *
 * await using ftp = await connect("ftp://ftp.example.com/pub");
 * const onProgress = progressBar({ label: "image.iso" });
 * await ftp.download("image.iso", "image.iso", { onProgress });
 * ```
 */
export function progressBar(
  options: ProgressBarOptions = {},
): (progress: Progress) => void {
  const {
    label = "",
    isTerminal = Deno.stderr.isTerminal(),
    write = writeToTerminal,
  } = options;
  if (!isTerminal) return () => {};
  return (progress) => {
    const columns = options.columns ?? terminalColumns();
    const line = formatProgress(progress, printableLine(label), columns);
    write(`\r${line}\x1b[K${progress.done ? "\n" : ""}`);
  };
}

/** Formats progress in one line of at most `columns` - 1 characters. */
export function formatProgress(
  progress: Progress,
  label: string,
  columns: number,
): string {
  const { transferred, total, rate, eta } = progress;
  const figures = [
    total === null
      ? formatBytes(transferred)
      : `${formatBytes(transferred)}/${formatBytes(total)}`,
    `${formatBytes(rate)}/s`,
    ...(eta === null || progress.done ? [] : [formatTime(eta)]),
  ].join("  ");
  const head = label === "" ? "" : `${label}  `;
  if (total === null) return `${head}${figures}`.slice(0, columns - 1);
  const part = total === 0 ? 1 : Math.min(1, transferred / total);
  const percent = `${Math.floor(part * 100)}%`.padStart(4);
  const room = columns - 1 - head.length - figures.length - 9;
  if (room < LEAST_BAR) {
    return `${head}${percent}  ${figures}`.slice(0, columns - 1);
  }
  const filled = Math.round(room * part);
  const bar = "#".repeat(filled) + ".".repeat(room - filled);
  return `${head}[${bar}] ${percent}  ${figures}`;
}

function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

function formatTime(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  const parts = [
    Math.floor(seconds / 3600),
    Math.floor(seconds / 60) % 60,
    seconds % 60,
  ];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, index) =>
    index === 0 ? `${part}` : `${part}`.padStart(2, "0")
  ).join(":");
}

function terminalColumns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return COLUMNS; // standard input or output is not a terminal
  }
}

function writeToTerminal(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
