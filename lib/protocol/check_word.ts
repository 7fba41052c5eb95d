/**
 * Options that are one of a few words.
 *
 * @module
 */

import { printable } from "./command.ts";

/**
 * Insists on one of the words that an option may be. Without types a misspelt
 * one would pass for the default.
 *
 * @param name The option
 * @param word What it was set to; `undefined` if it was not
 * @param words What it may be
 * @param others What else it may be, for people
 * @throws {TypeError} If it is something else
 */
export function checkWord(
  name: string,
  word: unknown,
  words: readonly string[],
  others: readonly string[] = [],
): void {
  if (word === undefined || words.includes(word as string)) return;
  const shown = typeof word === "string"
    ? `"${printable(word)}"`
    : word === null || typeof word === "boolean" || typeof word === "number"
    ? String(word)
    : `a value of type ${typeof word}`;
  const allowed = [...words.map((word) => `"${word}"`), ...others];
  const last = allowed.pop();
  throw new TypeError(
    `Cannot use ${name} ${shown}: it must be ${
      allowed.length === 0 ? last : `${allowed.join(", ")} or ${last}`
    }`,
  );
}
