/**
 * What was sent and nobody may be shown, where a server repeats it.
 *
 * @module
 */

import { type Command, maskURLs, secretsOf } from "./command.ts";

/** Most secrets that are remembered: users log in again with others. */
const MAX_SECRETS = 16;

/** Least length of one that is looked for inside of words, too. */
const LEAST_PART = 4;

/** Least length of one that is looked for: a letter occurs in every text. */
const LEAST_WORD = 2;

/**
 * The secrets of one connection. A server may repeat a password that is wrong
 * ("User bob with password 'hunter2'"): what it says is masked before it comes
 * into an error or a trace.
 *
 * Secrets of four characters or more are found anywhere and in any case, shorter
 * ones where they stand as words, those of a single character not at all: a text
 * without its letters "a" would tell more than it hides.
 */
export class Secrets {
  readonly #secrets = new Set<string>();
  #regexp: RegExp | undefined;

  /**
   * Takes note of what a command is about to tell the server.
   *
   * @param command The command
   * @returns Whether it holds a secret
   */
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

  /**
   * Masks what a server has said.
   *
   * @param text The text
   * @returns The text, with `****` for every secret and for passwords in URLs
   */
  mask(text: string): string {
    if (this.#secrets.size === 0) return maskURLs(text);
    this.#regexp ??= makeRegExp(this.#secrets);
    return maskURLs(text).replace(this.#regexp, "****");
  }
}

/** What finds them; the longest first, since one may hold another. */
function makeRegExp(secrets: Iterable<string>): RegExp {
  const patterns = [...secrets].sort((a, b) => b.length - a.length)
    .flatMap(patternsOf);
  return new RegExp(patterns.join("|") || "(?!)", "giu");
}

/** How a secret may look. */
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
