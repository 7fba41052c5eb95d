/**
 * Shortens the output of `deno test`: one line for each folder, and the whole
 * text of failures.
 *
 * @module
 */

/** Counts. */
export interface Counts {
  passed: number;
  failed: number;
  ignored: number;
}

/** Deno's summary. */
export interface Summary extends Readonly<Counts> {
  readonly steps: number;
  readonly ignoredSteps: number;
  readonly filteredOut: number;
}

/** Options of a log that is part of another one. */
export interface TerseLogOptions {
  /** Leaves out the lines of folders, of tests that passed, and the summary. @default {false} */
  readonly isPart?: boolean;
}

/** Lines of one test file that are kept, in case one of its tests fails. */
const MAX_KEPT = 2000;

const FILE = /^running \d+ tests? from (\S+)$/;
const RESULT = /^\S.* \.\.\. (ok|FAILED|ignored)(?: \(.*\))?$/s;
const SUMMARY =
  /^(?:ok|FAILED) \| (\d+) passed(?: \((\d+) steps?\))? \| (\d+) failed(?: \([^)]*\))?(?: \| (\d+) ignored(?: \((\d+) steps?\))?)?(?:.*? \| (\d+) filtered out)?/;
const OUTPUT_START = /^-+ (?:(?:pre|post)-test )?output -+$/;
const OUTPUT_END = /^-+ (?:(?:pre|post)-test )?output end -+$/;
const STILL_RUNNING = /'[^']*' has been running for over .*$/;

/** Reads the log line by line. */
export class TerseLog {
  readonly #write: (line: string) => void;
  readonly #isPart: boolean;
  #folder: string | undefined;
  #counts: Counts = { passed: 0, failed: 0, ignored: 0 };
  #started = performance.now();
  #kept: string[] = [];
  /** How many of them are of failures, in a part. */
  #keptFor = 0;
  #hasFailed = false;
  #isOutput = false;
  #isRest = false;
  #total: Summary | undefined;

  /**
   * @param write Takes each line of the report
   * @param options What is different in a part
   */
  constructor(
    write: (line: string) => void,
    { isPart = false }: TerseLogOptions = {},
  ) {
    this.#write = write;
    this.#isPart = isPart;
  }

  /** Deno's summary; `undefined` if there is none. */
  get total(): Summary | undefined {
    return this.#total;
  }

  /** Reads a line of the log, without its end. */
  push(line: string): void {
    // deno-lint-ignore no-control-regex
    const text = line.replace(/\x1b\[[\d;]*m/g, "");
    if (this.#isRest) {
      const isSummary = this.#readSummary(text);
      if (!isSummary || !this.#isPart) this.#write(line);
      return;
    }
    if (this.#isOutput) {
      if (OUTPUT_END.test(text)) this.#isOutput = false;
      return this.#keep(line);
    }
    const file = FILE.exec(text)?.[1];
    if (file !== undefined) return this.#startFile(file, line);
    const isSummary = this.#readSummary(text);
    if (text.trim() === "ERRORS" || isSummary) {
      this.#endFolder();
      this.#isRest = true;
      if (!isSummary || !this.#isPart) this.#write(line);
      return;
    }
    const waiting = STILL_RUNNING.exec(text);
    if (waiting !== null) this.#write(waiting[0]);
    if (OUTPUT_START.test(text)) this.#isOutput = true;
    this.#keep(line);
    const result = this.#count(text);
    if (!this.#isPart || result === undefined) return;
    if (result === "FAILED") this.#keptFor = this.#kept.length;
    else this.#kept.length = this.#keptFor;
  }

  /** Ends the log. The process may have ended before all tests were run. */
  end(): void {
    if (this.#isRest) return;
    this.#hasFailed = true; // its last lines tell why
    this.#endFolder();
  }

  #startFile(file: string, line: string): void {
    const folder = file.replace(/^\.\//, "").replace(/\/?[^/]+$/, "");
    if (folder !== this.#folder) {
      this.#endFolder();
      this.#folder = folder;
      this.#started = performance.now();
    } else {
      this.#endFile();
    }
    this.#kept.push(line);
  }

  #count(text: string): string | undefined {
    const result = RESULT.exec(text)?.[1];
    switch (result) {
      case "ok":
        this.#counts.passed++;
        break;
      case "ignored":
        this.#counts.ignored++;
        break;
      case "FAILED":
        this.#counts.failed++;
        this.#hasFailed = true;
    }
    return result;
  }

  #keep(line: string): void {
    this.#kept.push(line);
    if (this.#kept.length <= MAX_KEPT) return;
    this.#kept.splice(0, MAX_KEPT / 2);
    this.#keptFor = Math.max(0, this.#keptFor - MAX_KEPT / 2);
  }

  #endFile(): void {
    if (this.#hasFailed) this.#kept.forEach((line) => this.#write(line));
    this.#hasFailed = false;
    this.#kept = [];
    this.#keptFor = 0;
  }

  #endFolder(): void {
    this.#endFile();
    if (this.#folder === undefined) return;
    const seconds = (performance.now() - this.#started) / 1000;
    if (!this.#isPart) {
      this.#write(describeFolder(this.#folder, this.#counts, seconds));
    }
    this.#folder = undefined;
    this.#counts = { passed: 0, failed: 0, ignored: 0 };
  }

  #readSummary(text: string): boolean {
    const found = SUMMARY.exec(text);
    if (found === null) return false;
    const [passed, steps, failed, ignored, ignoredSteps, filteredOut] = found
      .slice(1).map((n) => Number(n ?? 0)) as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
    this.#total = {
      passed,
      steps,
      failed,
      ignored,
      ignoredSteps,
      filteredOut,
    };
    return true;
  }
}

/**
 * Formats the line of a folder.
 *
 * @param counts Its tests
 * @param seconds Their duration
 */
export function describeFolder(
  folder: string,
  { passed, failed, ignored }: Readonly<Counts>,
  seconds: number,
): string {
  return `${folder}: ${passed} passed` +
    (failed > 0 ? `, ${failed} failed` : "") +
    (ignored > 0 ? `, ${ignored} ignored` : "") +
    ` (${seconds.toFixed(0)} s)`;
}
