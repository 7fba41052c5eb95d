/**
 * Jobs in the spool of z/OS, and the files of one:
 * `IBMUSER1 JOB01906 IBMUSER  OUTPUT A        RC=0000 3 spool files` and
 * `         003 JES2     N/A      A JESYSMSG      1234`.
 *
 * @module
 */

import {
  type LineResult,
  type ListingFormat,
  parseSize,
} from "./listing_format.ts";

const JOB_REGEXP =
  /^ *([A-Z$#@][A-Z0-9$#@]{0,7}) +((?:JOB|STC|TSU|J|S|T)\d{5,7}) +(?:([A-Z$#@][A-Z0-9$#@]{0,7}) +)?(INPUT|OUTPUT|ACTIVE|HELD|READY)(?: .*)?$/;
const SPOOL_FILE_REGEXP =
  /^ {4,12}(\d{3,6}) +(?:\S{1,8} +){1,3}[A-Z0-9] +[A-Z$#@][A-Z0-9$#@]{0,7} +(\d{1,15}) *$/;
const HEADER_REGEXP =
  /^ *(?:JOBNAME +JOBID +|ID +STEPNAME +PROCSTEP +|\d+ spool files? *$)/i;

/**
 * Jobs, and the spool files of a job. RETR and DELE take the number of a job,
 * and RETR the number of a file after the job and a dot.
 */
export const ZOS_JES: ListingFormat = {
  name: "zos-jes",
  read,
  join: joinSpoolFile,
};

/**
 * Joins a job and the number of a spool file: `JOB01906.3`. A job is its own
 * path, whatever was listed.
 */
function joinSpoolFile(job: string, name: string): string {
  return job === "" || !/^\d+$/.test(name)
    ? name
    : `${job}.${name.replace(/^0+(?=\d)/, "")}`;
}

function read(line: string): LineResult {
  if (HEADER_REGEXP.test(line)) return "frame";
  const match = JOB_REGEXP.exec(line);
  if (match !== null) {
    return { name: match[2]!, kind: "file", owner: match[3] ?? match[1] };
  }
  const file = SPOOL_FILE_REGEXP.exec(line);
  if (file === null) return undefined;
  return { name: file[1]!, kind: "file", size: parseSize(file[2]!) };
}
