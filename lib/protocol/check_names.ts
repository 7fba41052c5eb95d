/**
 * Options that there are.
 *
 * @module
 */

import { printable } from "./command.ts";

/** The names of a type's options: the compiler sees that none is missing. */
export type NamesOf<Options> = Readonly<Record<keyof Options, true>>;

/**
 * Insists on names that options have. Without types a misspelt one would be
 * passed over: the password in clear text where `tls` was meant, or a mirror
 * that deletes where it was to be tried only.
 *
 * @param where Whose options, for the message
 * @param options What was given
 * @param names The names that there are
 * @throws {TypeError} If there is another, set to something
 */
export function checkNames(
  where: string,
  options: object,
  names: Readonly<Record<string, true>>,
): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(names, name)) continue;
    throw new TypeError(
      `Cannot use "${printable(name)}" as an option of ${where}: there are ${
        Object.keys(names).sort().join(", ")
      }`,
    );
  }
}
