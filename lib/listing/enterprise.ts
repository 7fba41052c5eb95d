/**
 * Connect:Enterprise on Unix (commons-net calls it Enterprise Unix):
 * `-C--E-----FTP B QUA1I1      18128       41 Aug 12 13:56 QUADTEST`.
 *
 * @module
 */

import {
  type LineContext,
  type LineResult,
  type ListingFormat,
  parseMonth,
  parseSize,
  readRecentDate,
} from "./listing_format.ts";

const ENTERPRISE_REGEXP =
  /^[-A-Z]{10}[A-Z]{0,4} +[A-Z] +(\S+) +\d{1,20} +(\d{1,20}) +([A-Za-z]{3}) +(\d{1,2}) +(\d{4}|\d{1,2}:\d\d) (.+)$/s;

/** Batches in a mailbox: its name, the batch's number, its size. */
export const ENTERPRISE: ListingFormat = { name: "enterprise", read };

function read(line: string, context: LineContext): LineResult {
  const match = ENTERPRISE_REGEXP.exec(line);
  if (match === null) return undefined;
  const [, owner, size, month, day, rest, name] = match;
  return {
    name: name!,
    kind: "file",
    size: parseSize(size!),
    owner,
    ...readRecentDate(parseMonth(month!), Number(day), rest!, context),
  };
}
