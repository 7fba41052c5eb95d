/**
 * Decides whether a reply can belong to a command. If not, replies and commands
 * no longer match.
 *
 * @module
 */

import type { Reply } from "./reply.ts";

function verbs(words: string): ReadonlySet<string> {
  return new Set(words.split(" "));
}

/** Commands that open a data connection. */
const TRANSFER = verbs("RETR STOR STOU APPE LIST NLST MLSD");

/**
 * Codes that carry the result of one command (RFC 959, 2389, 2428, 3659), and
 * the commands that servers send them for.
 */
const OWNERS: ReadonlyMap<number, ReadonlySet<string>> = new Map([
  [125, TRANSFER],
  [150, TRANSFER],
  [211, verbs("STAT FEAT HELP SYST")],
  [212, verbs("STAT")],
  // of the known commands only: HASH, XCRC and others have it as well
  [213, verbs("SIZE MDTM STAT MFMT XCWD XCUP XPWD XMKD XRMD")],
  [214, verbs("FEAT STAT")],
  [215, verbs("SYST STAT")],
  [227, verbs("PASV EPSV")],
  [229, verbs("EPSV PASV")],
  [257, verbs("PWD XPWD MKD XMKD")],
]);

/** Commands with known replies. Any reply may belong to any other command. */
const KNOWN = verbs(
  "NOOP TYPE MODE STRU CWD XCWD CDUP XCUP PWD XPWD MKD XMKD RMD XRMD DELE RNFR RNTO SIZE MDTM MFMT STAT FEAT SYST EPSV PASV EPRT PORT REST PBSZ PROT ABOR RETR STOR STOU APPE LIST NLST MLSD MLST",
);

const DIGITS_REGEXP = /^213 (\d+)\s*$/;

/** A time of RFC 3659, from 1900 to 2099, as a number. */
const TIME_REGEXP =
  /^(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d[0-5]\d$/;

/** Fewest digits of a time; servers with a year-2000 fault send one more. */
const TIME_LENGTH = 14;

/**
 * Whether a reply may belong to a command. `false` proves that a reply is
 * missing or superfluous; `true` proves nothing.
 */
export function mayAnswer(verb: string, reply: Reply): boolean {
  const { code } = reply;
  const owners = OWNERS.get(code);
  if (owners === undefined || !KNOWN.has(verb)) return true;
  if (!owners.has(verb)) return false;
  if (code !== 213) return true;
  // SIZE and MDTM are sent together, and their replies have the same code
  const digits = DIGITS_REGEXP.exec(reply.text)?.[1];
  if (digits === undefined) return true;
  if (verb === "SIZE") return !TIME_REGEXP.test(digits);
  if (verb === "MDTM") return digits.length >= TIME_LENGTH;
  return verb !== "STAT";
}
