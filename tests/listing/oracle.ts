/**
 * The grammar of MLSD, Unix and DOS lines in plain TypeScript, to compare the
 * WASM parser with. A line has one character for each byte.
 *
 * @module
 */

import { type Calendar, makeDate } from "./oracle_date.ts";
import { type OracleEntry, toSize } from "./oracle_entry.ts";
import { readUnix } from "./oracle_unix.ts";

const BLANK = "[ \\t]";

/** Reads a line in the order in which the parser tries its formats. */
export function readOracle(
  line: string,
  calendar: Calendar,
): OracleEntry | undefined {
  return readUnix(line, calendar) ?? readMlsd(line) ?? readDos(line, calendar);
}

function lower(text: string): string {
  // ASCII only: "K" for kelvin is no k.
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

// MLSD

const FACT = /^[a-z][\w.-]*=/i;
const NUMERIC = /^(?:size|sizd|modify|create|unix\.(?:mode|uid|gid))=[\dz.]*$/i;
const WORD = /^(?:type|perm)=[a-z]*$/i;

function splitMlsd(line: string): [facts: string, name: string] | undefined {
  const length = factsLength(line);
  const name = length > 0 ? line.slice(length + 1) : "";
  return name === "" ? undefined : [line.slice(0, length), name];
}

/** How long the facts are: 0 where they cannot be told from the name. */
function factsLength(line: string): number {
  const tab = /^[^ \t]*;(?=\t)/.exec(line);
  if (tab !== null) return tab[0].length;
  const pieces = line.split(";");
  const first = pieces.findIndex((piece) => piece.includes(" "));
  if (first < 0) return 0;
  let at = pieces.slice(0, first).reduce(
    (sum, { length }) => sum + length + 1,
    0,
  );
  let known = 0;
  for (const [index, piece] of pieces.entries()) {
    if (index < first) continue;
    if (piece.startsWith(" ")) return at;
    const head = piece.split(" ", 1)[0]!;
    if (index === first && !head.includes("=")) return at + head.length;
    if (index > first && piece !== "" && !FACT.test(piece)) {
      const isEnded = pieces.slice(index + 1).some((next) =>
        next.startsWith(" ")
      );
      return isEnded ? 0 : known;
    }
    if (piece.includes(" ")) {
      known = at + head.length;
      if (WORD.test(head) || NUMERIC.test(head)) return known;
      if (index === pieces.length - 1) return known;
    }
    at += piece.length + 1;
  }
  return 0;
}

function readModify(text: string): number | undefined {
  const match =
    /^(?:19(?=\d{13}(?:\D|$))(\d{3})|(\d{4}))(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d+))?[zZ]?$/
      .exec(text);
  if (match === null) return undefined;
  const [, since1900, year, ...rest] = match;
  const [month, day, hour, minute, second] = rest.slice(0, 5).map(Number);
  const fraction = (rest[5] ?? "").slice(0, 3).padEnd(3, "0");
  const date = makeDate(
    since1900 === undefined ? Number(year) : 1900 + Number(since1900),
    month!,
    day!,
    (hour! * 60 + minute!) * 60 + second!,
    { latest: 0, zone: 0 },
  );
  if (hour! > 23 || minute! > 59 || second! > 60) return undefined;
  return date === undefined ? undefined : date + Number(fraction);
}

function readMlsd(line: string): OracleEntry | undefined {
  const split = splitMlsd(line);
  if (split === undefined) return undefined;
  const facts = split[0].split(";").filter((fact) => fact !== "");
  if (facts.length === 0 || facts.some((fact) => fact.indexOf("=") < 1)) {
    return undefined;
  }
  const entry: OracleEntry = {
    format: "mlsd",
    kind: "unknown",
    name: split[1],
    size: undefined,
    mtime: undefined,
    precision: undefined,
    mode: undefined,
    target: undefined,
    owner: undefined,
    group: undefined,
  };
  for (const fact of facts) {
    const equals = fact.indexOf("=");
    const value = fact.slice(equals + 1);
    if (value !== "") readFact(entry, lower(fact.slice(0, equals)), value);
  }
  return entry;
}

function readFact(entry: OracleEntry, key: string, value: string): void {
  switch (key) {
    case "type":
      readType(entry, value);
      break;
    case "size":
    case "sizd":
      if (/^\d+$/.test(value)) entry.size = toSize(value);
      break;
    case "modify": {
      const mtime = readModify(value);
      if (mtime === undefined) break;
      entry.mtime = mtime;
      entry.precision = "second";
      break;
    }
    case "unix.mode":
      if (/^[0-7]{1,7}$/.test(value)) entry.mode = parseInt(value, 8) & 0o7777;
      break;
    case "unix.ownername":
      entry.owner = value;
      break;
    case "unix.groupname":
      entry.group = value;
      break;
    case "unix.owner":
    case "unix.uid":
      entry.owner ??= value;
      break;
    case "unix.group":
    case "unix.gid":
      entry.group ??= value;
      break;
  }
}

const TYPES: Record<string, string> = {
  file: "file",
  dir: "directory",
  cdir: "directory",
  pdir: "directory",
  link: "symlink",
};

function readType(entry: OracleEntry, value: string): void {
  const type = lower(value);
  entry.kind = Object.hasOwn(TYPES, type) ? TYPES[type]! : "other";
  if (/^os\.unix=(?:slink|symlink)/.test(type)) {
    entry.kind = "symlink";
    const colon = value.indexOf(":");
    if (colon >= 0) entry.target = value.slice(colon + 1);
  }
}

// DOS

const DOS_REGEXP = new RegExp(
  `^${BLANK}*(\\d{1,2}|\\d{4})([-/.])(\\d{1,2})\\2(\\d{1,2}|\\d{4})${BLANK}+` +
    `(\\d{1,2}):(\\d\\d)(?::(\\d\\d)(?:\\.\\d+)?)?` +
    `(?:${BLANK}*([aApP])[mM]?)?${BLANK}+(?=[\\d<])`,
);

function readDos(line: string, calendar: Calendar): OracleEntry | undefined {
  const match = DOS_REGEXP.exec(line);
  if (match === null) return undefined;
  const [head, a, mark, b, c, hours, minutes, seconds, half] = match;
  const isIso = a!.length === 4;
  if (isIso ? c!.length > 2 : c!.length !== 2 && c!.length !== 4) {
    return undefined;
  }
  const isDayFirst = mark === "." || Number(a) > 12;
  const [y, month, day] = isIso
    ? [a, b, c]
    : isDayFirst
    ? [c, b, a]
    : [c, a, b];
  const year = y!.length === 2
    ? Number(y) + (Number(y) < 70 ? 2000 : 1900)
    : Number(y);
  let hour = Number(hours);
  if (hour > 23 || Number(minutes) > 59 || Number(seconds ?? 0) > 60) {
    return undefined;
  }
  if (half !== undefined) {
    if (hour > 12) return undefined;
    hour = hour % 12 + (half.toLowerCase() === "p" ? 12 : 0);
  }
  const time = (hour * 60 + Number(minutes)) * 60 + Number(seconds ?? 0);
  const mtime = makeDate(year, Number(month), Number(day), time, calendar);
  if (mtime === undefined) return undefined;
  const entry: OracleEntry = {
    format: "dos",
    kind: "file",
    name: "",
    size: undefined,
    mtime,
    precision: seconds === undefined ? "minute" : "second",
    mode: undefined,
    target: undefined,
    owner: undefined,
    group: undefined,
  };
  const gap = /[ \t]*$/.exec(head)![0].length;
  return readDosRest(entry, line.slice(head.length), gap) ? entry : undefined;
}

/** Marks between groups of digits, one character a byte. */
const DOS_MARKS = "[,.'\\x92\\xa0\\xff]|\\xc2\\xa0|\\xe2\\x80[\\x89\\x99\\xaf]";
const DOS_SIZE_REGEXP = new RegExp(
  `^(\\d+|\\d{1,3}(${DOS_MARKS})\\d{3}(?:\\2\\d{3}){0,4})[ \\t]([^]*)$`,
);

/** @param gap Characters between the time and the size */
function readDosRest(entry: OracleEntry, rest: string, gap: number): boolean {
  const first = /^\d*/.exec(rest)![0].length + gap;
  const isOpen = first < 21 && first !== 18;
  const spaced = [18, 21].map((column) => rest.slice(0, column - gap + 1))
    .find((text) => isOpen && /^\d{1,3}(?: \d{3})+[ \t]$/.test(text));
  const file = spaced !== undefined
    ? [spaced, spaced, rest.slice(spaced.length)]
    : DOS_SIZE_REGEXP.exec(rest);
  if (file !== null) {
    entry.size = toSize(file[1]!.replace(/\D/g, ""));
    entry.name = file.at(-1)!;
    return true;
  }
  const mark =
    /^<([dD])[^>]{2}>(?=[ \t])|^<([jJ][^>]{7}|[sS][^>]{6,7})>(?=[ \t])/
      .exec(rest);
  if (mark === null) return false;
  const blanks = /^[ \t]*/.exec(rest.slice(mark[0].length))![0].length;
  const name = rest.slice(
    mark[0].length + Math.min(blanks, 15 - mark[0].length),
  );
  entry.kind = mark[1] === undefined ? "symlink" : "directory";
  entry.name = name;
  const arrow = /^([^]+?) [-=]> (?=[^])/.exec(name);
  if (mark[1] === undefined && arrow !== null) {
    entry.name = arrow[1]!;
    entry.target = name.slice(arrow[0].length);
    return true;
  }
  const open = name.indexOf(" [");
  if (mark[1] === undefined && name.endsWith("]") && open >= 0) {
    entry.name = name.slice(0, open);
    entry.target = name.slice(open + 2, -1);
  }
  return true;
}
