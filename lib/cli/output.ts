/**
 * The output of the command line: text, or one JSON object per line.
 *
 * @module
 */

import { replyOf } from "../protocol/errors.ts";
import type { Progress, TraceEvent } from "../../mod.ts";
import { printable, printableLine } from "../protocol/printable.ts";
import { withFlags } from "./advice.ts";
import { Bars } from "./bars.ts";
import { exitCodeOf, Incomplete } from "./exit_code.ts";

/** Options of the output. */
export interface OutputOptions {
  /** Whether each event is a line of JSON. */
  json: boolean;
  /** Whether only errors are printed. */
  quiet: boolean;
}

/** One event, as `--json` prints it. */
export interface OutputEvent {
  /** Name of the event. */
  readonly event: string;
  /** Its details. */
  readonly [field: string]: unknown;
}

/** The reader of standard output has closed it. */
export class OutputClosed extends Error {
  /** The class's own name. */
  override name = "OutputClosed";
}

const ENCODER = new TextEncoder();

/** Size of a write, in characters. */
const BLOCK = 16 * 1024;

/** Characters that JSON does not escape, but that control a terminal. */
const UNESCAPED_REGEXP =
  /[\u007F-\u009F\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u2028-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFB]|[\u{E0000}-\u{E007F}]/gu;

/** Standard output and standard error. */
export class Output {
  readonly #options: OutputOptions;
  readonly #bars: Bars | undefined;
  readonly #isTerminal = Deno.stdout.isTerminal();
  #pending = "";
  #isClosed = false;

  /** Creates an output. */
  constructor(options: OutputOptions) {
    this.#options = options;
    const { json, quiet } = options;
    if (!json && !quiet && Deno.stderr.isTerminal()) {
      this.#bars = new Bars({ size: terminalSize, write: writeError });
    }
  }

  /** Whether standard output was closed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether each event is a line of JSON. */
  get isJSON(): boolean {
    return this.#options.json;
  }

  /**
   * Prints an event.
   *
   * @throws {OutputClosed} If standard output was closed
   */
  tell(event: OutputEvent, text?: string): void {
    const { json, quiet } = this.#options;
    if (json) this.#print(`${formatEvent(event)}\n`);
    else if (text !== undefined && !quiet) this.#print(`${printable(text)}\n`);
    this.flush(); // each step is visible at once
  }

  /**
   * Prints a result, also with `--quiet`.
   *
   * @throws {OutputClosed} If standard output was closed
   */
  result(event: OutputEvent, text: string): void {
    this.#print(
      this.#options.json
        ? `${formatEvent(event)}\n`
        : `${printableLine(text)}\n`,
    );
  }

  /** Prints a note on standard error. */
  note(text: string): void {
    if (this.#options.quiet) return;
    this.#above(() => writeError(`${printable(text)}\n`));
  }

  /** Prints an error. */
  error(error: unknown, where = ""): void {
    this.flush();
    const said = withFlags(
      error instanceof Error ? error.message : String(error),
    );
    const head = where === "" ? "" : `${printableLine(where)}: `;
    const message = `${head}${printable(said)}`;
    if (this.#options.json && !this.#isClosed) {
      this.#print(`${
        formatEvent({
          event: "error",
          message,
          name: error instanceof Error ? error.name : undefined,
          code: exitCodeOf(error),
          reply: replyOf(error)?.code,
          ...(error instanceof Incomplete ? { partial: true } : {}),
        })
      }\n`);
    } else this.#above(() => writeError(`ftp: ${message}\n`));
  }

  /** Prints a line of the trace. */
  trace({ time, direction, text }: TraceEvent): void {
    if (this.#isClosed) return;
    if (this.#options.json) {
      return this.#print(
        `${formatEvent({ event: "trace", time, direction, text })}\n`,
      );
    }
    const mark = { sent: ">", received: "<", event: "*" }[direction];
    this.#above(() => writeError(`${mark} ${printable(text)}\n`));
  }

  /** Shows the progress of a file, on a terminal. */
  progress(label: string, progress: Progress): void {
    if (progress.done) this.#bars?.remove(label);
    else this.#bars?.update(label, progress);
  }

  /** Removes the progress bar of a file. */
  endProgress(label: string): void {
    this.#bars?.remove(label);
  }

  /**
   * Writes the pending text.
   *
   * @throws {OutputClosed} If standard output was closed
   */
  flush(): void {
    const text = this.#pending;
    this.#pending = "";
    if (text === "") return;
    const write = () => this.#write(ENCODER.encode(text));
    if (this.#isTerminal) this.#above(write);
    else write();
  }

  /** Removes the bars, and writes the pending text. */
  close(): void {
    this.#bars?.clear();
    try {
      this.flush();
    } catch (error) {
      if (!(error instanceof OutputClosed)) throw error;
    }
  }

  #print(text: string): void {
    if (this.#isClosed) throw new OutputClosed("Standard output is closed");
    this.#pending += text;
    // on a terminal and with --json results are written at once, else in blocks
    const isLong = this.#pending.length >= BLOCK;
    if (this.#isTerminal || this.#options.json || isLong) this.flush();
  }

  #above(print: () => void): void {
    if (this.#bars === undefined) print();
    else this.#bars.above(print);
  }

  #write(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length;) {
        at += Deno.stdout.writeSync(bytes.subarray(at));
      }
    } catch (error) {
      throw this.closedBy(error);
    }
  }

  /** Converts an error of standard output. */
  closedBy(error: unknown): unknown {
    if (!(error instanceof Deno.errors.BrokenPipe)) return error;
    this.#isClosed = true;
    return new OutputClosed("Standard output is closed");
  }
}

/**
 * Formats an event as JSON. Characters that control a terminal are escaped, so
 * names stay unchanged.
 */
export function formatEvent(event: OutputEvent): string {
  return JSON.stringify(event).replace(
    UNESCAPED_REGEXP,
    (found) =>
      Array.from(
        { length: found.length },
        (_, i) => `\\u${found.charCodeAt(i).toString(16).padStart(4, "0")}`,
      ).join(""),
  );
}

function terminalSize(): { columns: number; rows: number } {
  try {
    return Deno.consoleSize();
  } catch {
    return { columns: 80, rows: 24 }; // neither input nor output is a terminal
  }
}

function writeError(text: string): void {
  const bytes = ENCODER.encode(text);
  try {
    for (let at = 0; at < bytes.length;) {
      at += Deno.stderr.writeSync(bytes.subarray(at));
    }
  } catch {
    // a closed standard error does not end the work
  }
}
