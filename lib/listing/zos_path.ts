/**
 * Paths of data sets of z/OS: `'HLQ.LIB(MEMBER)'` and `'HLQ.NAME'`.
 *
 * @module
 */

import { isCurrentDirectory } from "../protocol/command.ts";

/**
 * Joins the name of a partitioned data set and that of a member.
 *
 * @param directory The data set, with or without quotes; "" for the current one
 * @param name The member
 * @returns `'HLQ.LIB(MEMBER)'`
 */
export function joinMember(directory: string, name: string): string {
  if (isCurrentDirectory(directory)) return name;
  const { quote, text } = unquote(directory);
  return `${quote}${text}(${name})${quote}`;
}

/**
 * Joins the first qualifiers of data sets and the rest of a name.
 *
 * @param directory The qualifiers, with or without quotes and a dot at their end;
 * "" for the current ones
 * @param name The rest
 * @returns `'HLQ.NAME'`
 */
export function joinQualifier(directory: string, name: string): string {
  if (isCurrentDirectory(directory)) return name;
  const { quote, text } = unquote(directory);
  const dot = text === "" || text.endsWith(".") ? "" : ".";
  return `${quote}${text}${dot}${name}${quote}`;
}

/** A member, or a qualifier: 8 characters at most, without small letters. */
const WORD_REGEXP = /^[A-Z$#@][A-Z0-9$#@]{0,7}$/;
const QUALIFIER_REGEXP = /^[A-Z$#@][A-Z0-9$#@-]{0,7}$/;

/** Longest name of a data set, in characters. */
const MAX_NAME = 44;

/**
 * Returns why a partitioned data set cannot have a member; `undefined` if it
 * can.
 *
 * @param name The member
 * @param isDirectory Whether it would be a directory
 */
export function whyNoMember(
  name: string,
  isDirectory: boolean,
): string | undefined {
  if (isDirectory) return "a partitioned data set has no directories";
  return WORD_REGEXP.test(name)
    ? undefined
    : "the name of a member has 1 to 8 characters: capital letters, digits, $, # and @, and no digit first";
}

/**
 * Returns why no data set can have a name; `undefined` if it is possible.
 *
 * @param directory The qualifiers, as for {@linkcode joinQualifier}
 * @param name The rest of its name
 */
export function whyNoDataSet(
  directory: string,
  name: string,
): string | undefined {
  if (!name.split(".").every((part) => QUALIFIER_REGEXP.test(part))) {
    return "each part of a data set's name has 1 to 8 characters: capital letters, digits, $, #, @ and -, and no digit first";
  }
  const { text } = unquote(joinQualifier(directory, name));
  return text.length <= MAX_NAME
    ? undefined
    : `the name of a data set has ${MAX_NAME} characters at most`;
}

function unquote(path: string): { quote: string; text: string } {
  const isQuoted = path.length > 1 && path.startsWith("'") &&
    path.endsWith("'");
  return isQuoted
    ? { quote: "'", text: path.slice(1, -1) }
    : { quote: "", text: path };
}
