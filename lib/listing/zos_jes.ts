/**
 * Jobs in the spool of z/OS:
 * `IBMUSER1 JOB01906 IBMUSER  OUTPUT A        RC=0000 3 spool files`.
 *
 * @module
 */

import type { LineResult, ListingFormat } from "./listing_format.ts";

const JOB_REGEXP =
  /^ *([A-Z$#@][A-Z0-9$#@]{0,7}) +((?:JOB|STC|TSU|J|S|T)\d{5,7}) +(?:([A-Z$#@][A-Z0-9$#@]{0,7}) +)?(INPUT|OUTPUT|ACTIVE|HELD|READY)(?: .*)?$/;

/** Jobs. RETR and DELE take their numbers. */
export const ZOS_JES: ListingFormat = { name: "zos-jes", read };

function read(line: string): LineResult {
  if (/^ *JOBNAME +JOBID +/.test(line)) return "frame";
  const match = JOB_REGEXP.exec(line);
  if (match === null) return undefined;
  return { name: match[2]!, kind: "file", owner: match[3] ?? match[1] };
}
