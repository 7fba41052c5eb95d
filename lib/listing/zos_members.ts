/**
 * Members of a partitioned data set of z/OS:
 * ` TBSHELF   01.03 2002/09/12 2002/10/11 09:37    11    11     0 KIL001`.
 *
 * @module
 */

import {
  type LineContext,
  type LineResult,
  type ListingFormat,
  toTime,
} from "./listing_format.ts";
import { joinMember } from "./zos_path.ts";

const MEMBER_REGEXP =
  /^ *(\S{1,64}) +\d\d\.\d\d +\d{4}\/\d\d\/\d\d +(\d{4})\/(\d\d)\/(\d\d) +(\d\d):(\d\d)(?::(\d\d))? +\d+ +\d+ +\d+ +(\S{1,8}) *$/;
/** A member that was never edited has only its name, with blanks around. */
const BARE_REGEXP =
  /^(?: ([A-Z$#@][A-Z0-9$#@]{0,7}) *|([A-Z$#@][A-Z0-9$#@]{0,7}) {2,})$/;

/** Members with their statistics. Sizes are in lines, so entries have none. */
export const ZOS_MEMBERS: ListingFormat = {
  name: "zos-members",
  read,
  readLoose,
  join: joinMember,
};

function read(line: string, context: LineContext): LineResult {
  if (/^ *Name +VV\.MM +Created /.test(line)) return "frame";
  const match = MEMBER_REGEXP.exec(line);
  if (match === null) return undefined;
  const [, name, year, month, day, hour, minute, second, owner] = match;
  return {
    name: name!,
    kind: "file",
    owner,
    ...toTime({
      year: Number(year),
      month: Number(month),
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
      ...(second !== undefined && { second: Number(second) }),
    }, context),
  };
}

function readLoose(line: string): LineResult {
  const bare = BARE_REGEXP.exec(line);
  if (bare === null) return undefined;
  return { name: (bare[1] ?? bare[2])!, kind: "file" };
}
