/**
 * Replaces characters that control a terminal or make one text look like
 * another. Names and replies come from the server, or from anyone who can
 * create a file.
 *
 * @module
 */

/** Nearly every text: nothing to replace. */
const PLAIN_REGEXP = /^[\n -~]*$/;

// C0 except LF, DEL and C1; soft hyphens; direction marks and overrides; line
// and paragraph separators; characters without width or shape; interlinear
// marks and tags; lone surrogates, which are undecodable bytes. U+200C and
// U+200D belong to words of some scripts and to emoji; next to ASCII they
// mislead
const MISLEADING_REGEXP =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFB\u{E0000}-\u{E007F}\uD800-\uDFFF]|(?<=[ -~\n]|^)[\u200C\u200D]|[\u200C\u200D](?=[ -~\n\u200C\u200D]|$)/gu;

/**
 * Replaces characters that control a terminal or make one text look like
 * another: control characters, direction marks and characters without width.
 * `list`, `nlst`, `Reply.text` and the `path` of mirror events contain the
 * server's text unchanged. Use this function to print them.
 *
 * @param text Any text: a name, a line, a reply
 * @returns The text with U+FFFD for each such character; line feeds stay
 *
 * @example Print names that a server gave
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(printable("a\x1b[2Jb\u202Ecod.exe"), "a\uFFFD[2Jb\uFFFDcod.exe");
 * ```
 */
export function printable(text: string): string {
  return PLAIN_REGEXP.test(text)
    ? text
    : text.replace(MISLEADING_REGEXP, "\uFFFD");
}

/** Like {@linkcode printable}, and also replaces line feeds. */
export function printableLine(text: string): string {
  return printable(text).replaceAll("\n", "\uFFFD");
}

/** Like {@linkcode printable}, for one line of a text: keeps tabs. */
export function printableText(line: string): string {
  return line.split("\t").map(printable).join("\t");
}

/** Quotes a name for a message, on one line. */
export function quote(name: string): string {
  return `"${printableLine(name)}"`;
}

/**
 * Quotes a text whose characters are the reason of the message: escapes what
 * controls a terminal, and undecodable bytes.
 */
export function quoteEscaped(text: string): string {
  return printableLine(JSON.stringify(text));
}

/**
 * Characters that `Deno.inspect` does not escape. It escapes C0 and C1, and
 * adds colors.
 */
const UNESCAPED_REGEXP =
  /[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u2028-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFB\u{E0000}-\u{E007F}\uD800-\uDFFF]/gu;

/**
 * Replaces the characters that `Deno.inspect` leaves in strings. Keeps colors.
 */
export function printableInspection(shown: string): string {
  return shown.replace(UNESCAPED_REGEXP, "\uFFFD");
}

/** Makes `console.log` show a record without characters that control a terminal. */
export function printableRecord<T extends object>(record: T): T {
  type Inspect = (value: unknown, options: unknown) => string;
  return Object.defineProperty(record, Symbol.for("Deno.customInspect"), {
    value: (inspect: Inspect, options: unknown) =>
      printableInspection(inspect({ ...record }, options)),
  });
}

/** Classes whose messages may contain a path from the platform. */
const CLASSES = new Set<unknown>([
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  AggregateError,
  ...Object.values(Deno.errors),
]);

/** Largest number of nested causes that are checked. */
const MAX_CAUSES = 32;

/**
 * Makes the message of an error and of its causes printable, because an
 * uncaught error is printed. Returns the same error. Other fields, and errors
 * of other classes, are unchanged.
 */
export function printableError<T>(error: T): T {
  let next: unknown = error;
  for (let depth = 0; next instanceof Error && depth < MAX_CAUSES; depth++) {
    if (CLASSES.has(next.constructor)) cleanError(next);
    next = next.cause;
  }
  return error;
}

function cleanError(error: Error): void {
  const { message, stack } = error;
  if (typeof message !== "string" || PLAIN_REGEXP.test(message)) return;
  try {
    error.message = printable(message);
    if (stack !== undefined) error.stack = printable(stack);
  } catch {
    // the error is frozen
  }
}
