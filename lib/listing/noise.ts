/**
 * Recognizes noise lines: lines about the listing, in any format.
 *
 * @module
 */

const NOISE_REGEXPS: readonly RegExp[] = [
  // "total 112" in the languages of `ls`; East Asian ones as UTF-8 bytes
  /^(?:total|totale|totaal|totalt|insgesamt|gesamt|razem|celkem|toplam|yhteens\S{1,2}|\S{1,2}sszesen|\xe5\x90\x88\xe8\xa8\x88|\xe6\x80\xbb\S{3,6}|\xe7\xb8\xbd\xe8\xa8\x88|\xed\x95\xa9\xea\xb3\x84|\xd0\xb8\xd1\x82\xd0\xbe\xd0\xb3\xd0\xbe):? *-?[\d.,]+ *[kMGTP]?$/i,
  // reply to STAT
  /^21\d(?:-| end\b)/i,
  /^(?:status of|end of status)\b/i,
  // a line below a header
  /^ *-{3,}(?: +-{3,})* *$/,
  // header of a directory in "LIST -R"
  /^(?:\.|\/|[A-Za-z]:[\\/]|[^\s:/]+\/).*:$/,
  /^[^\s:]{1,255}:$/,
  // error messages of ls, with any path
  /^(?:\S*\/)?ls: /,
  /^\S.*: (?:permission denied|no such file or directory)\.?$/i,
  // "dir" of Windows: volume, directory, counts
  /^ +(?:volume (?:in|serial)|directory of) /i,
  /^ +[\d.,]+ (?:file|dir)\(s\)/i,
  /^ *[\d.,]{1,20} +(?:files?|director(?:y|ies))(?: +[\d.,]{1,24} +bytes(?: free)?)? *$/i,
];

/**
 * Messages of `ls` about entries that it could not read. A missing name is none:
 * servers that list by a pattern say so of an empty directory.
 */
const COMPLAINT_REGEXP =
  /^(?:(?:\S*\/)?ls: |\S.*: permission denied\.?$)(?!.*\b(?:no such file|not exist|not found|no files?)\b)/i;

/** Whether a noise line says that the listing is incomplete. */
export function isComplaint(line: string): boolean {
  return line.length < 1024 && COMPLAINT_REGEXP.test(line);
}

/** Whether a line that no format can read is about the listing itself. */
export function isNoise(line: string): boolean {
  return line.length < 1024 &&
    (line.trim() === "" || NOISE_REGEXPS.some((regexp) => regexp.test(line)));
}
