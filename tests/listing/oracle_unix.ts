/**
 * The oracle's parser of Unix lines.
 *
 * @module
 */

import {
  type Calendar,
  findMonth,
  type OracleDate,
  readDate,
  readRareDate,
} from "./oracle_date.ts";
import { type OracleEntry, toSize } from "./oracle_entry.ts";

const BLANK = "[ \\t]";

const TRIAD = "[-r][-w][-xsStTLl]";
const UNIX_REGEXP = new RegExp(
  `^${BLANK}*(?:\\d+${BLANK}*)?(?:\\d+${BLANK}*)?` +
    `(?=[^]{14})([-fdlebcpsD])(${TRIAD})(${TRIAD}|\\*{3}(?=\\*{3}))` +
    `((?<=\\*{3})\\*{3}|(?=${BLANK})|[-r][-w](?:(?=${BLANK})|[-xsStTLl]))[+.@]*(?=[ \\t\\d])`,
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
      const isFourth = words.length === (isNumber(words[0]?.text) ? 4 : 3);
      const mayBeYear = isFourth && !isDevice &&
        start - words.at(-1)!.end === 1;
      const date = readDate(line, start, calendar) ??
        readRareDate(line, start, calendar, mayBeYear);
      if (date !== undefined && /[ \t]/.test(line[date.end] ?? "")) {
        return { words, date };
      }
    }
    words.push({ text: match[0], start, end: start + match[0].length });
  }
  return undefined;
}

/** Reads a line of Unix. */
export function readUnix(
  line: string,
  calendar: Calendar,
): OracleEntry | undefined {
  const match = UNIX_REGEXP.exec(line);
  if (match === null) return undefined;
  const [head, letter, user, group, world] = match;
  const isDevice = letter === "b" || letter === "c";
  const found = findDate(line, head.length, isDevice, calendar);
  const entry: OracleEntry = {
    format: "unix",
    kind: UNIX_KINDS[letter!] ?? "other",
    name: "",
    size: undefined,
    mtime: undefined,
    precision: undefined,
    mode: group === "***"
      ? undefined
      : readTriad(user!, 0o40) << 6 | readTriad(group!, 0o200) << 3 |
        readTriad(world!, 0o1000),
    target: undefined,
    owner: undefined,
    group: undefined,
  };
  if (found === undefined) {
    const rest = isDevice ? undefined : line.slice(head.length);
    const isRead = rest !== undefined &&
      (readGlued(entry, rest, calendar) || readDateless(entry, rest));
    if (isRead && entry.kind === "symlink") splitArrow(entry, "");
    return isRead ? entry : undefined;
  }
  const { words, date } = found;
  entry.name = line.slice(date.end + 1);
  if (!date.isDoubtful) {
    entry.mtime = date.time;
    entry.precision = date.precision;
  }
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

const GLUED_REGEXP =
  /^[ \t]*(?:\d+[ \t]+)?([^ \t\d][^ \t]*)[ \t]+((?!\d)[^ \t]*[^ \t\d])(\d{1,18})[ \t]+/;

/** The size is glued to the group. */
function readGlued(
  entry: OracleEntry,
  rest: string,
  calendar: Calendar,
): boolean {
  const match = GLUED_REGEXP.exec(rest);
  if (match === null) return false;
  const date = readDate(rest, match[0].length, calendar);
  if (date === undefined || !/[ \t]/.test(rest[date.end] ?? "")) return false;
  entry.owner = match[1]!;
  entry.group = match[2]!;
  entry.size = match[1] === match[2] ? toSize(match[3]!) : Number(match[3]);
  entry.mtime = date.time;
  entry.precision = date.precision;
  entry.name = rest.slice(date.end + 1);
  return true;
}

const DATELESS_REGEXP =
  /^[ \t]*\d+[ \t]+([^ \t]+)[ \t]+([^ \t]+)[ \t]+(\d+)[ \t]+([^ \t]+)$/;

/** There is no date. */
function readDateless(entry: OracleEntry, rest: string): boolean {
  const match = DATELESS_REGEXP.exec(rest);
  if (match === null) return false;
  const name = match[4]!;
  const word = /^[A-Za-z\x80-\xff]{1,24}(?=[.,]*$)/.exec(name)?.[0];
  if (/^[-\d./:]+$/.test(name)) return false;
  if (word !== undefined && findMonth(word) !== 0) return false;
  entry.owner = match[1]!;
  entry.group = match[2]!;
  entry.size = toSize(match[3]!);
  entry.name = name;
  return true;
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
