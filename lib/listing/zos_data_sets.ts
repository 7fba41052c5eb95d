/**
 * Data sets of z/OS (MVS):
 * `WYOSPT 3420   2003/05/21  1  200  FB      80  8053  PS  SYS1.NAME`.
 *
 * @module
 */

import type { EntryKind } from "./entry.ts";
import {
  type LineContext,
  type LineResult,
  type ListingFormat,
  toTime,
} from "./listing_format.ts";
import { joinQualifier } from "./zos_path.ts";

const DATA_SET_REGEXP =
  /^ *\S{1,6} +(?:\S{1,5} +)?(?:(\d{4})\/(\d\d)\/(\d\d)|\*\*NONE\*\*) +\d{1,16} *(?:\d{1,16}|[+?]{1,16})? +[A-Z?]{1,5} +(?:\d{1,16}|\?{1,16}) +(?:\d{1,16}|\?{1,16}) +([A-Z]{2,3}(?:-[A-Z])?|\?{1,4}) +(\S+) *$/;
/** Data sets on tape have no other columns. */
const TAPE_REGEXP = /^ *\S{1,6} +(?:\S{1,5} +)?Tape +(\S+) *$/i;
/** VSAM data sets lack the middle columns. */
const VSAM_REGEXP = /^ *\S{1,6} +(?:\S{1,5} +)?VSAM +(\S+) *$/;
const MIGRATED_REGEXP =
  /^[ \t]*(?:Migrated|MIGRAT|ARCIVE|[^ \t]{1,6} +Not Direct Access Device|(?:[^ \t]{1,6} +)?(?:[^ \t]{1,5} +)?Not Mounted|(?:[^ \t]{1,6} +)?(?:[^ \t]{1,5} +)?Error determining attributes|User catalog connector|GDG)[ \t]+(\S+)[ \t]*$/i;
const FOLDER_REGEXP = /^ *Pseudo Directory +(\S+) *$/;

/** Catalogs of z/OS. Sizes are in tracks, so entries have none. */
export const ZOS_DATA_SETS: ListingFormat = {
  name: "zos-data-sets",
  read,
  join: joinQualifier,
};

function read(line: string, context: LineContext): LineResult {
  if (/^ *Volume +(?:Unit +)?Referred /.test(line)) return "frame";
  const match = DATA_SET_REGEXP.exec(line);
  if (match !== null) {
    const [, year, month, day, organization, name] = match;
    return {
      name: name!,
      kind: kindOf(organization!),
      ...(year !== undefined && toTime({
        year: Number(year),
        month: Number(month),
        day: Number(day),
      }, context)),
    };
  }
  const folder = FOLDER_REGEXP.exec(line);
  if (folder !== null) return { name: folder[1]!, kind: "directory" };
  const file = VSAM_REGEXP.exec(line) ?? TAPE_REGEXP.exec(line);
  if (file !== null) return { name: file[1]!, kind: "file" };
  // a data set on tape may be either, and only its name is known
  const migrated = MIGRATED_REGEXP.exec(line);
  if (migrated !== null) return { name: migrated[1]!, kind: "other" };
  return undefined;
}

/** A file system in a data set is neither a file nor a directory. */
function kindOf(organization: string): EntryKind {
  if (organization.startsWith("PO")) return "directory";
  return /^(?:HFS|ZFS|\?+)$/.test(organization) ? "other" : "file";
}
