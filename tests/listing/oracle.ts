/**
 * The grammar of MLSD, Unix and DOS lines once more, in plain TypeScript: what
 * the WASM parser is held against. A line is a text of one character a byte.
 *
 * @module
 */

import {
  type Calendar,
  makeDate,
  type OracleDate,
  readDate,
} from "./oracle_date.ts";

/** What the oracle reads; the fields of an entry, texts of one character a byte. */
export interface OracleEntry {
  format: "mlsd" | "unix" | "dos";
  kind: string;
  name: string;
  size: number | bigint | undefined;
  mtime: number | undefined;
  precision: string | undefined;
  mode: number | undefined;
  target: string | undefined;
  owner: string | undefined;
  group: string | undefined;
}

const BLANK = "[ \\t]";

/** Reads a line in the order in which the parser tries its formats. */
export function readOracle(
  line: string,
  calendar: Calendar,
): OracleEntry | undefined {
  return readUnix(line, calendar) ?? readMlsd(line) ?? readDos(line, calendar);
}

function toSize(digits: string): number | bigint | undefined {
  if (digits.length > 40) return undefined;
  const size = BigInt(digits);
  return size > Number.MAX_SAFE_INTEGER ? size : Number(size);
}

function lower(text: string): string {
  // ASCII only: "K" for kelvin is no k.
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

// MLSD

function splitMlsd(line: string): [facts: string, name: string] | undefined {
  let blank = line.indexOf(" ");
  if (blank <= 0) return undefined;
  if (line[blank - 1] !== ";") {
    const fact = line.slice(0, blank).split(";").at(-1)!;
    if (lower(fact).startsWith("type=os.unix=slink:")) {
      const end = line.indexOf("; ", blank);
      if (end > 0) blank = end + 1;
    }
  }
  const name = line.slice(blank + 1);
  return name === "" ? undefined : [line.slice(0, blank), name];
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

// Unix

const TRIAD = "[-r][-w][-xsStTLl]";
const UNIX_REGEXP = new RegExp(
  `^${BLANK}*(?:\\d+${BLANK}*)?(?:\\d+${BLANK}*)?` +
    `(?=[^]{14})([-fdlebcpsD])(${TRIAD})(${TRIAD})` +
    `([-r][-w](?:(?=${BLANK})|[-xsStTLl]))[+.@]*(?=[ \\t\\d])`,
);

const UNIX_KINDS: Record<string, string> = {
  "-": "file",
  f: "file",
  d: "directory",
  l: "symlink",
  e: "symlink",
};

function readTriad(triad: string, special: number): number {
  const x = triad[2] ?? "-";
  return (triad[0] === "r" ? 4 : 0) + (triad[1] === "w" ? 2 : 0) +
    ("xst".includes(x) ? 1 : 0) + ("sStTLl".includes(x) ? special : 0);
}

interface Word {
  text: string;
  start: number;
  end: number;
}

function isNumber(text: string | undefined): boolean {
  return text !== undefined && /^\d+$/.test(text);
}

function isRounded(text: string): boolean {
  return /^\d+(?:\.\d*)?[kmgt]$/i.test(text);
}

/** The words in front of the date, and the date. */
function findDate(
  line: string,
  from: number,
  isDevice: boolean,
  calendar: Calendar,
): { words: Word[]; date: OracleDate } | undefined {
  const words: Word[] = [];
  for (const match of line.slice(from).matchAll(/[^ \t]+/g)) {
    const start = from + match.index;
    const last = words.at(-1)?.text ?? "";
    const isSize = isNumber(last) ||
      (isDevice ? /^\d+,\d*$/.test(last) : isRounded(last));
    if (isSize) {
      const date = readDate(line, start, calendar);
      if (date !== undefined && /[ \t]/.test(line[date.end] ?? "")) {
        return { words, date };
      }
    }
    words.push({ text: match[0], start, end: start + match[0].length });
  }
  return undefined;
}

function readUnix(line: string, calendar: Calendar): OracleEntry | undefined {
  const match = UNIX_REGEXP.exec(line);
  if (match === null) return undefined;
  const [head, letter, user, group, world] = match;
  const isDevice = letter === "b" || letter === "c";
  const found = findDate(line, head.length, isDevice, calendar);
  if (found === undefined) return undefined;
  const { words, date } = found;
  const entry: OracleEntry = {
    format: "unix",
    kind: UNIX_KINDS[letter!] ?? "other",
    name: line.slice(date.end + 1),
    size: undefined,
    mtime: date.time,
    precision: date.precision,
    mode: readTriad(user!, 0o40) << 6 | readTriad(group!, 0o200) << 3 |
      readTriad(world!, 0o1000),
    target: undefined,
    owner: undefined,
    group: undefined,
  };
  const last = words.pop()!.text;
  if (
    isDevice && isNumber(last) && /^\d+,\d*$/.test(words.at(-1)?.text ?? "")
  ) {
    words.pop();
  } else if (isNumber(last)) entry.size = toSize(last);
  else if (isRounded(last)) entry.size = readRounded(last);
  if (!readOwners(entry, words, last)) return undefined;
  if (entry.kind === "symlink") splitArrow(entry, last);
  return entry;
}

function readRounded(text: string): number {
  const factor = 1024 ** ("kmgt".indexOf(text.at(-1)!.toLowerCase()) + 1);
  const digits = text.slice(0, -1).replace(".", "");
  const places = (text.slice(0, -1).split(".")[1] ?? "").length;
  // Digit by digit, as the parser adds them up.
  let value = 0;
  let unit = 1;
  for (const digit of digits) value = value * 10 + Number(digit);
  for (let i = 0; i < places; i++) unit *= 10;
  return Math.round(value / unit * factor);
}

function readOwners(entry: OracleEntry, words: Word[], size: string): boolean {
  const [first, second] = words;
  const texts = words.map((word) => word.text);
  if (first === undefined) return true;
  if (!isNumber(first.text)) {
    const isOdd = /^\d/.test(first.text) && !isRounded(first.text) &&
      !/^\d+,\d*$/.test(first.text);
    if (isOdd) return false;
    if (texts.length === 1 && texts[0] === "folder") {
      entry.size = undefined;
      return true;
    }
  } else {
    words = words.slice(1);
    if (texts.length === 2 && texts[1] === "folder") return false;
    if (texts.length === 2 && isNumber(second!.text) && isNumber(size)) {
      const [a, b, c] = [first.text, second!.text, size];
      const isSum = c.length < 20 &&
        BigInt.asUintN(64, BigInt(a) + BigInt(b)) ===
          BigInt.asUintN(64, BigInt(c));
      if (isSum || a === "0" && b === c) return true;
    }
  }
  if (words.length === 0) return true;
  if (words.length === 1) {
    entry.owner = words[0]!.text;
    return true;
  }
  const line = (from: Word, to: Word, all = words): string => {
    let text = "";
    for (let i = all.indexOf(from); i <= all.indexOf(to); i++) {
      const word = all[i]!;
      text += word === from
        ? word.text
        : gapBefore(word, all[i - 1]!) + word.text;
    }
    return text;
  };
  const gap = words.findIndex((word, i) =>
    i > 0 && word.start - words[i - 1]!.end > 1
  );
  const split = gap > 0 ? gap : 1;
  entry.owner = line(words[0]!, words[split - 1]!);
  entry.group = line(words[split]!, words.at(-1)!);
  return true;
}

/** Blanks are compared by their number: tabs and spaces are alike here. */
function gapBefore(word: Word, before: Word): string {
  return " ".repeat(word.start - before.end);
}

function splitArrow(entry: OracleEntry, size: string): void {
  const text = entry.name;
  let at = text.indexOf(" -> ");
  if (at < 0) return;
  if (isNumber(size) && size.length < 19) {
    for (let i = at; i >= 0; i = text.indexOf(" -> ", i + 1)) {
      if (text.length - i - 4 === Number(size)) {
        at = i;
        break;
      }
    }
  }
  entry.name = text.slice(0, at);
  entry.target = text.slice(at + 4);
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
    if (hour < 1 || hour > 12) return undefined;
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
  return readDosRest(entry, line.slice(head.length)) ? entry : undefined;
}

function readDosRest(entry: OracleEntry, rest: string): boolean {
  const file =
    /^(\d+|\d{1,3}(?:,\d{3}){1,5}|\d{1,3}(?:\.\d{3}){1,5})[ \t]([^]*)$/
      .exec(rest);
  if (file !== null) {
    const isGrouped = /[,.]/.test(file[1]!);
    entry.size = toSize(file[1]!.replace(/[,.]/g, ""));
    if (isGrouped && typeof entry.size === "bigint") entry.size = undefined;
    entry.name = file[2]!;
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
  const open = name.indexOf(" [");
  if (mark[1] === undefined && name.endsWith("]") && open >= 0) {
    entry.name = name.slice(0, open);
    entry.target = name.slice(open + 2, -1);
  }
  return true;
}
