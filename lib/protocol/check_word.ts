/**
 * Rejects invalid words in options.
 *
 * @module
 */

import { quote } from "./printable.ts";

/**
 * Rejects words that an option does not have. Without type checking, a misspelt
 * word would be taken for the default.
 *
 * @param word The option's value; `undefined` if it is not set
 * @throws {TypeError} If the option has no such word
 */
export function checkWord(
  name: string,
  word: unknown,
  words: readonly string[],
  others: readonly string[] = [],
): void {
  if (word === undefined || words.includes(word as string)) return;
  const allowed = [...words.map((word) => `"${word}"`), ...others];
  const last = allowed.pop();
  throw new TypeError(
    `Cannot use ${name} ${showValue(word)}: it must be ${
      allowed.length === 0 ? last : `${allowed.join(", ")} or ${last}`
    }`,
  );
}

/** Formats an option's value for a message. */
export function showValue(value: unknown): string {
  if (typeof value === "string") return quote(value);
  const isPlain = value === null || typeof value === "boolean" ||
    typeof value === "number";
  return isPlain ? String(value) : `a value of type ${typeof value}`;
}
