/**
 * Which replies cannot be for a command: what tells that replies and commands
 * are out of step.
 *
 * @module
 */

import type { Reply } from "./reply.ts";

/** What opens a data connection. */
const TRANSFER = /^(RETR|STOR|STOU|APPE|LIST|NLST|MLSD)$/;

/**
 * Codes that carry what one command asks for (RFC 959, 2389, 2428, 3659), and
 * the commands that servers give them to.
 */
const OWNERS: ReadonlyMap<number, RegExp> = new Map([
  [125, TRANSFER],
  [150, TRANSFER],
  [211, /^(STAT|FEAT|HELP|SYST)$/],
  [212, /^STAT$/],
  [213, /^(SIZE|MDTM|STAT|MFMT|MFCT|MFF|AVBL|HASH|X\w+|MD5|RANG)$/],
  [214, /^(HELP|FEAT|STAT)$/],
  [215, /^(SYST|STAT)$/],
  [227, /^(PASV|CPSV|EPSV)$/],
  [229, /^(EPSV|PASV)$/],
  [257, /^(PWD|XPWD|MKD|XMKD)$/],
]);

/** Commands whose replies are known; the others may be answered by anything. */
const KNOWN =
  /^(NOOP|TYPE|MODE|STRU|CWD|XCWD|CDUP|XCUP|PWD|XPWD|MKD|XMKD|RMD|XRMD|DELE|RNFR|RNTO|SIZE|MDTM|MFMT|STAT|FEAT|SYST|EPSV|PASV|EPRT|PORT|REST|PBSZ|PROT|ABOR|RETR|STOR|STOU|APPE|LIST|NLST|MLSD|MLST)$/;

const DIGITS_REGEXP = /^213 (\d+)\s*$/;

/** A time of RFC 3659, of this century or the last, as a number. */
const TIME_REGEXP =
  /^(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d[0-5]\d$/;

/** Least digits of a time; those with a year-2000 fault have one more. */
const TIME_LENGTH = 14;

/**
 * Whether a reply may be for a command. One that may not proves that a reply is
 * lost, or one too many; that it may proves nothing.
 *
 * @param verb The command's, in upper case
 * @param reply The reply
 * @returns Whether it may
 */
export function mayAnswer(verb: string, { code, text }: Reply): boolean {
  const owners = OWNERS.get(code);
  if (owners === undefined || !KNOWN.test(verb)) return true;
  if (!owners.test(verb)) return false;
  if (code !== 213) return true;
  // SIZE and MDTM are asked for together, and have the same code
  const digits = DIGITS_REGEXP.exec(text)?.[1];
  if (digits === undefined) return true;
  if (verb === "SIZE") return !TIME_REGEXP.test(digits);
  if (verb === "MDTM") return digits.length >= TIME_LENGTH;
  return verb !== "STAT";
}
