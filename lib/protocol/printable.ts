/**
 * What people read: names and words of a server, or of anybody who can make a
 * file, without what drives a terminal or makes a text look like another.
 *
 * @module
 */

/** Nearly every text: nothing to replace. */
const PLAIN_REGEXP = /^[\n -~]*$/;

// C0 but LF, DEL and C1; soft hyphens; marks and overrides of direction; line and
// paragraph separators; characters without a width or a form; interlinear marks,
// tags; and lone surrogates, which are bytes that are no text. U+200C and U+200D
// belong into words of some scripts and into emoji: between ASCII they mislead
const MISLEADING_REGEXP =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFB\u{E0000}-\u{E007F}\uD800-\uDFFF]|(?<=[ -~\n]|^)[\u200C\u200D]|[\u200C\u200D](?=[ -~\n\u200C\u200D]|$)/gu;

/**
 * Replaces what would drive the terminal that a text is printed on, or make it
 * look like another text: control characters, marks of direction, characters
 * without a width. `list`, `nlst`, `Reply.text` and the `path` of a mirror's
 * events give the server's text as it is: print them by this.
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

/**
 * As {@linkcode printable}, for a text that must stay on its line.
 *
 * @param text Any text
 * @returns The text, line feeds replaced too
 */
export function printableLine(text: string): string {
  return printable(text).replaceAll("\n", "\uFFFD");
}

/**
 * As {@linkcode printable}, for a line of a text, in which tabs are usual.
 *
 * @param line The line
 * @returns The line, with its tabs
 */
export function printableText(line: string): string {
  return line.split("\t").map(printable).join("\t");
}

/**
 * Quotes a name, the one way for messages.
 *
 * @param name A name or a path
 * @returns The name in quotes, on one line
 */
export function quote(name: string): string {
  return `"${printableLine(name)}"`;
}

/** As they look in `Deno.inspect`, which escapes C0 and C1 and colours. */
const UNESCAPED_REGEXP =
  /[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u2028-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFB\u{E0000}-\u{E007F}\uD800-\uDFFF]/gu;

/**
 * Replaces in an inspected value what `Deno.inspect` leaves in its strings.
 *
 * @param shown What `Deno.inspect` made
 * @returns The text; escapes of colours stay
 */
export function printableInspection(shown: string): string {
  return shown.replace(UNESCAPED_REGEXP, "\uFFFD");
}

/** Classes whose messages are for people: the platform puts paths into them. */
const CLASSES = new Set<unknown>([
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  AggregateError,
  ...Object.values(Deno.errors),
]);

/** Most causes of causes that are looked at. */
const MAX_CAUSES = 32;

/**
 * Makes what the platform says of a path printable, in an error and its causes:
 * it is shown as it is when nobody catches it. Fields other than the message
 * keep what they have.
 *
 * @param error What was thrown; errors of other classes stay as they are
 * @returns The same
 */
export function printableError<T>(error: T): T {
  let next: unknown = error;
  for (let depth = 0; next instanceof Error && depth < MAX_CAUSES; depth++) {
    if (CLASSES.has(next.constructor)) clean(next);
    next = next.cause;
  }
  return error;
}

function clean(error: Error): void {
  const { message, stack } = error;
  if (typeof message !== "string" || PLAIN_REGEXP.test(message)) return;
  try {
    error.message = printable(message);
    if (stack !== undefined) error.stack = printable(stack);
  } catch {
    // frozen
  }
}
