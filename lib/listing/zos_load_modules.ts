/**
 * Load modules of z/OS:
 * ` EZAARPT   00B308   000411          00  FO                31    ANY`.
 *
 * @module
 */

import type { LineResult, ListingFormat } from "./listing_format.ts";
import { joinMember } from "./zos_path.ts";

const MODULE_REGEXP =
  /^ *(\S{1,64}) +([0-9A-F]{6,8}) +([0-9A-F]{6})(?: +([A-Z$#@][A-Z0-9$#@]{0,7}))? +[0-9A-F]{2}(?: +[A-Z]{2}){0,8} +(?:24|31|64|ANY|MIN) +(?:24|31|64|ANY)(?: *)$/;

/** Load modules. Sizes are hexadecimal, and there are no times. */
export const ZOS_LOAD_MODULES: ListingFormat = {
  name: "zos-load-modules",
  read,
  join: joinMember,
};

function read(line: string): LineResult {
  if (/^ *Name +Size +TTR +Alias-of /.test(line)) return "frame";
  const match = MODULE_REGEXP.exec(line);
  if (match === null) return undefined;
  return {
    name: match[1]!,
    kind: match[4] === undefined ? "file" : "symlink",
    size: parseInt(match[2]!, 16),
    linkTarget: match[4],
  };
}
