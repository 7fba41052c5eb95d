/**
 * Options that are one of a few words.
 *
 * @module
 */

import { quote } from "./printable.ts";

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
  const allowed = [...words.map((word) => `"${word}"`), ...others];
  const last = allowed.pop();
  throw new TypeError(
    `Cannot use ${name} ${showValue(word)}: it must be ${
      allowed.length === 0 ? last : `${allowed.join(", ")} or ${last}`
    }`,
  );
}

/**
 * Shows what an option was set to.
 *
 * @param value Anything
 * @returns A text in quotes, what else can be shown, or its type
 */
export function showValue(value: unknown): string {
  if (typeof value === "string") return quote(value);
  const isPlain = value === null || typeof value === "boolean" ||
    typeof value === "number";
  return isPlain ? String(value) : `a value of type ${typeof value}`;
}
