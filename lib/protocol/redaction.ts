/**
 * Masks secrets that a server repeats.
 *
 * @module
 */

import { type Command, maskURLs, secretsOf } from "./command.ts";

/**
 * Largest number of secrets remembered; a user may log in again with others.
 */
const MAX_SECRETS = 16;

/** Shortest secret that is also found inside a word. */
const LEAST_PART = 4;

/** Shortest secret that is masked; a single letter occurs in every text. */
const LEAST_WORD = 2;

/**
 * Secrets of one connection. A server may repeat a wrong password ("User bob
 * with password 'hunter2'"), so its text is masked before it is put into an
 * error or a trace.
 *
 * Secrets of four characters or more are found anywhere and in any case.
 * Shorter ones are found as whole words. Single characters are not masked: a
 * text without its letters "a" would reveal more than it hides.
 */
export class Secrets {
  readonly #secrets = new Set<string>();
  #regexp: RegExp | undefined;

  /** Remembers the secrets of a command. Returns whether it has any. */
  note(command: Command): boolean {
    const secrets = secretsOf(command);
    for (const secret of secrets) {
      this.#secrets.delete(secret);
      this.#secrets.add(secret);
      const [oldest] = this.#secrets;
      if (this.#secrets.size > MAX_SECRETS) this.#secrets.delete(oldest!);
      this.#regexp = undefined;
    }
    return secrets.length > 0;
  }

  /** Masks the secrets in a server's text. */
  mask(text: string): string {
    if (this.#secrets.size === 0) return maskURLs(text);
    this.#regexp ??= makeRegExp(this.#secrets);
    return maskURLs(text).replace(this.#regexp, "****");
  }
}

/**
 * Builds the expression that finds the secrets. Longest first, because one may
 * contain another.
 */
function makeRegExp(secrets: Iterable<string>): RegExp {
  const patterns = [...secrets].sort((a, b) => b.length - a.length)
    .flatMap(patternsOf);
  return new RegExp(patterns.join("|") || "(?!)", "giu");
}

/** Lists the forms of a secret: plain, and encoded for URLs. */
function patternsOf(secret: string): string[] {
  if (secret.length < LEAST_WORD) return [];
  const inURL = secret.isWellFormed() ? encodeURIComponent(secret) : secret;
  return [...new Set([inURL, secret])].map((text) => {
    const pattern = RegExp.escape(text);
    return secret.length < LEAST_PART
      ? `(?<![\\p{L}\\p{N}_])${pattern}(?![\\p{L}\\p{N}_])`
      : pattern;
  });
}
