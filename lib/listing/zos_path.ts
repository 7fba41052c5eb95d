/**
 * Paths of data sets of z/OS: `'HLQ.LIB(MEMBER)'` and `'HLQ.NAME'`.
 *
 * @module
 */

/**
 * Joins the name of a partitioned data set and that of a member.
 *
 * @param directory The data set, with or without quotes; "" for the current one
 * @param name The member
 * @returns `'HLQ.LIB(MEMBER)'`
 */
export function joinMember(directory: string, name: string): string {
  if (directory === "") return name;
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
  if (directory === "") return name;
  const { quote, text } = unquote(directory);
  const dot = text === "" || text.endsWith(".") ? "" : ".";
  return `${quote}${text}${dot}${name}${quote}`;
}

function unquote(path: string): { quote: string; text: string } {
  const isQuoted = path.length > 1 && path.startsWith("'") &&
    path.endsWith("'");
  return isQuoted
    ? { quote: "'", text: path.slice(1, -1) }
    : { quote: "", text: path };
}
