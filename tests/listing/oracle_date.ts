/**
 * The oracle's parser of dates.
 *
 * @module
 */

/** Reference time of dates, in milliseconds. */
export interface Calendar {
  /** Latest time that a date without a year can mean, in UTC. */
  latest: number;
  /** How far the zone is east of UTC. */
  zone: number;
}

/** A date in a line. */
export interface OracleDate {
  /** Milliseconds since 1970. */
  time: number;
  precision: "second" | "minute" | "day";
  /** Day of the week, 0 for Sunday, in the line's own zone. */
  weekday: number;
  /** Whether it is on another weekday than the line says. */
  isDoubtful?: boolean;
  /** Where it ends. */
  end: number;
}

function utc(
  year: number,
  month: number,
  day: number,
  seconds: number,
): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() + seconds * 1000;
}

/** A moment, or `undefined` where there is no such day. */
export function makeDate(
  year: number,
  month: number,
  day: number,
  seconds: number,
  calendar: Calendar,
): number | undefined {
  if (year < 1 || month < 1 || month > 12 || day < 1) return undefined;
  const time = utc(year, month, day, 0);
  if (new Date(time).getUTCDate() !== day) return undefined;
  return time + seconds * 1000 - calendar.zone;
}

function findYear(
  month: number,
  day: number,
  seconds: number,
  { latest, zone }: Calendar,
): number {
  let year = new Date(latest + zone).getUTCFullYear();
  if (utc(year, month, day, seconds) > latest + zone) year--;
  if (month === 2 && day === 29) {
    while (new Date(utc(year, 2, 29, 0)).getUTCMonth() !== 1) year--;
  }
  return year;
}

/** Names by their first letters, then the month; four letters go before three. */
const NAMES =
  "jan1 feb2 mar3 apr4 may5 jun6 jul7 aug8 sep9 oct10 nov11 dec12 " +
  "mrz3 mai5 okt10 dez12 mrt3 mei5 maj5 des12 sze9 avr4 juin6 juil7 aou8 gen1 " +
  "mag5 giu6 lug7 ago8 set9 ott10 dic12 ene1 abr4 fev2 out10 sty1 lut2 kwi4 " +
  "cze6 lip7 sie8 wrz9 lis11 gru12 led1 dub4 srp8 pro12 tam1 hel2 maal3 huh4 " +
  "tou5 elo8 syy9 lok10 marr11 jou12 hei7 oca1 nis4 haz6 tem7 eyl9 eki10 kas11 " +
  "ara12";
/** Names with letters beyond ASCII, less those letters. */
const FOLDED =
  "dce12 mar3 mr3 mrz3 jn1 fv2 fvr2 dc12 aot8 ao8 mrc3 pr4 mj5 jl7 pa10 no2 " +
  "n2 be3 kv5 kvt5 en6 er6 z9 zar9 j10 ec7 ub2 au8 kes6 k6";
const CYRILLIC =
  "янв1 фев2 мар3 апр4 май5 мая5 июн6 июл7 авг8 сен9 окт10 ноя11 дек12";

function toMap(names: string): Map<string, number> {
  return new Map(
    names.split(" ").map((name) => {
      const at = name.search(/\d/);
      return [name.slice(0, at), Number(name.slice(at))];
    }),
  );
}

const names = toMap(NAMES);
const folded = toMap(FOLDED);
const cyrillic = new Map(
  [...toMap(CYRILLIC)].map(([name, month]) => {
    const bytes = new TextEncoder().encode(name);
    return [String.fromCharCode(bytes[1]!, bytes[3]!, bytes[5]!), month];
  }),
);

/** A month in KOI8-R or CP1251, whatever its case. */
function findSingleByte(word: string): number {
  const bytes = Uint8Array.from(word, (char) => char.charCodeAt(0));
  for (const encoding of ["koi8-r", "windows-1251"]) {
    const text = new TextDecoder(encoding).decode(bytes).toLowerCase();
    const month = toMap(CYRILLIC).get(text);
    if (month !== undefined && /^[а-я]{3}$/.test(text)) return month;
  }
  return 0;
}

/** The month of that name, or 0. */
export function findMonth(word: string): number {
  word = word.slice(0, 24);
  const letters = word.replace(/[\x80-\xff]/g, "").toLowerCase();
  const others = word.replace(/[^\x80-\xff]/g, "");
  const [four, three] = [letters.slice(0, 4), letters.slice(0, 3)];
  if (others === "") {
    if (letters.length < 3) return 0;
    return names.get(four) ?? names.get(three) ?? 0;
  }
  if (letters === "") {
    const known = others.length < 6
      ? undefined
      : cyrillic.get(others[1]! + others[3]! + others[5]!);
    return known ?? findSingleByte(others.slice(0, 3));
  }
  return folded.get(four) ??
    (letters.length >= 4 ? folded.get(three) : undefined) ?? 0;
}

const SIGN = "(?:\\x94N|[\\x80-\\xff]*)";
const CLOCK = "(\\d{1,2}):(\\d\\d)(?::(\\d\\d)(?:\\.\\d+)?)?(?![^ \\t])";
const WORD = "[A-Za-z\\x80-\\xff]+";

/** A regular expression that matches at one place only. */
function sticky(source: string): RegExp {
  return new RegExp(source.replaceAll("_", "[ \\t]"), "y");
}

const CLOCK_REGEXP = sticky(`_*${CLOCK}`);
const SHORT_CLOCK_REGEXP = sticky("_*(\\d{1,2}):(\\d)(?![^ \\t])");
const YEAR_REGEXP = sticky(`_*(\\d{4})${SIGN}(?![^ \\t])`);
const FOUR_DIGITS_REGEXP = sticky(`_*\\d{4}(?!\\d)`);
const BSD_YEAR_REGEXP = sticky(`_*(\\d{4})(?![^ \\t])`);
const ZONE_REGEXP = sticky(`_+([-+])(\\d\\d)(\\d\\d)(?![^ \\t])`);
const END_REGEXP = sticky(`(?![^ \\t])`);

function exec(
  regexp: RegExp,
  line: string,
  at: number,
): RegExpExecArray | null {
  regexp.lastIndex = at;
  return regexp.exec(line);
}

interface Clock {
  seconds: number;
  hasSeconds: boolean;
  end: number;
}

function readClock(line: string, at: number): Clock | undefined {
  const match = exec(CLOCK_REGEXP, line, at);
  if (match === null) return undefined;
  const [hour, minute, second] = [match[1], match[2], match[3] ?? 0].map(
    Number,
  );
  const isEnd = hour === 24 && minute === 0 && second === 0;
  if (hour! > 23 && !isEnd || minute! > 59 || second! > 60) return undefined;
  return {
    seconds: (hour! * 60 + minute!) * 60 + second!,
    hasSeconds: match[3] !== undefined,
    end: at + match[0].length,
  };
}

/** "00:0", as some devices have it. */
function readShortClock(line: string, at: number): Clock | undefined {
  const match = exec(SHORT_CLOCK_REGEXP, line, at);
  if (match === null || Number(match[1]) > 23) return undefined;
  return {
    seconds: (Number(match[1]) * 60 + Number(match[2])) * 60,
    hasSeconds: false,
    end: at + match[0].length,
  };
}

function finish(
  date: readonly [year: number, month: number, day: number],
  seconds: number,
  precision: OracleDate["precision"],
  end: number,
  calendar: Calendar,
): OracleDate | undefined {
  const time = makeDate(...date, seconds, calendar);
  if (time === undefined) return undefined;
  const midnight = time - seconds * 1000 + calendar.zone;
  const weekday = new Date(midnight).getUTCDay();
  return { time, precision, weekday, end };
}

/** The date is whole: a time may follow. */
function readTime(
  line: string,
  date: readonly [year: number, month: number, day: number],
  at: number,
  calendar: Calendar,
): OracleDate | undefined {
  if (exec(END_REGEXP, line, at) === null) return undefined;
  const clock = readClock(line, at);
  if (clock === undefined) {
    const isPadded = /^[ \t]{2}/.test(line.slice(at, at + 2));
    return finish(date, 0, "day", isPadded ? at + 1 : at, calendar);
  }
  const { seconds, end } = clock;
  if (!clock.hasSeconds) return finish(date, seconds, "minute", end, calendar);
  const zone = exec(ZONE_REGEXP, line, end);
  if (zone === null) return finish(date, seconds, "second", end, calendar);
  const east = (Number(zone[2]) * 60 + Number(zone[3])) * 60_000 *
    (zone[1] === "+" ? 1 : -1);
  const zoned = { ...calendar, zone: east };
  return finish(date, seconds, "second", end + zone[0].length, zoned);
}

/** The year is missing: it follows, or a time of this year does. */
function readRest(
  line: string,
  month: number,
  day: number,
  at: number,
  calendar: Calendar,
): OracleDate | undefined {
  if (month === 0 || day < 1 || day > 31) return undefined;
  if (exec(FOUR_DIGITS_REGEXP, line, at) !== null) {
    const match = exec(YEAR_REGEXP, line, at);
    if (match === null) return undefined;
    const end = at + match[0].length;
    return finish([Number(match[1]), month, day], 0, "day", end, calendar);
  }
  const clock = readClock(line, at) ?? readShortClock(line, at);
  if (clock === undefined) return undefined;
  const { seconds, hasSeconds, end } = clock;
  const bsd = hasSeconds ? exec(BSD_YEAR_REGEXP, line, end) : null;
  if (bsd !== null) {
    const date = [Number(bsd[1]), month, day] as const;
    return finish(date, seconds, "second", end + bsd[0].length, calendar);
  }
  if (month > 12) return undefined;
  const year = findYear(month, day, seconds, calendar);
  const precision = hasSeconds ? "second" : "minute";
  return finish([year, month, day], seconds, precision, end, calendar);
}

type Shape = readonly [
  regexp: RegExp,
  read: (
    line: string,
    match: RegExpExecArray,
    end: number,
    calendar: Calendar,
  ) => OracleDate | undefined,
];

function fullYear(text: string): number {
  if (text.length !== 2) return Number(text);
  return Number(text) + (Number(text) < 70 ? 2000 : 1900);
}

/** The first shape that fits decides. */
const SHAPES: readonly Shape[] = [
  // 01-jun-99
  [
    sticky(`(\\d{1,2}|\\d{4})([-/])(${WORD})\\2(\\d{2}|\\d{4})(?!\\d)`),
    (line, [, day, , word, year], end, calendar) =>
      word!.length > 24 || findMonth(word!) === 0 ? undefined : readTime(
        line,
        [fullYear(year!), findMonth(word!), Number(day)],
        end,
        calendar,
      ),
  ],
  // 2004-07-15
  [
    sticky(`(\\d{4})([-/.])(\\d{1,2})\\2(\\d{1,2})(?!\\d)`),
    (line, [, year, , month, day], end, calendar) =>
      readTime(line, [Number(year), Number(month), Number(day)], end, calendar),
  ],
  // 24-04-2003
  [
    sticky(`(\\d{1,2})([-/.])(\\d{1,2})\\2(\\d{4})(?!\\d)`),
    (line, [, a, , b, year], end, calendar) =>
      readTime(line, [Number(year), Number(b), Number(a)], end, calendar) ??
        readTime(line, [Number(year), Number(a), Number(b)], end, calendar),
  ],
  // 09-26 2000
  [
    sticky(`(\\d{1,2})(?:[-/]|\\.)(\\d{1,2})(?![^ \\t])`),
    (line, [, month, day], end, calendar) =>
      readRest(line, Number(month), Number(day), end, calendar),
  ],
  // 26. Juli, 20:10
  [
    sticky(`(\\d{1,2})(?:\\._*|_+)(?<!\\.)(${WORD})[.,]*(?=_)`),
    (line, [, day, word], end, calendar) =>
      word!.length > 24
        ? undefined
        : readRest(line, findMonth(word!), Number(day), end, calendar),
  ],
  // 2003年 3月 20日
  [
    sticky(
      `(\\d{4})(?!\\d)${SIGN}_*(\\d{1,2})(?:\\x94N|[\\x80-\\xff]+)_*(\\d{1,2})(?!\\d)${SIGN}`,
    ),
    (line, [, year, month, day], end, calendar) =>
      readTime(line, [Number(year), Number(month), Number(day)], end, calendar),
  ],
  // 8月 17日 20:10
  [
    sticky(
      `(\\d{1,2})(?:\\x94N|[\\x80-\\xff]+)_*(\\d{1,2})(?!\\d)${SIGN}(?![^ \\t])`,
    ),
    (line, [, month, day], end, calendar) =>
      readRest(line, Number(month), Number(day), end, calendar),
  ],
  // 3 29 03:26
  [
    sticky(`(\\d{1,2})_+(\\d{1,2})(?!\\d)${SIGN}(?![^ \\t])(?=_*\\d+:)`),
    (line, [, month, day], end, calendar) =>
      readRest(line, Number(month), Number(day), end, calendar),
  ],
  // Oct 08, 2002 09:47
  [
    sticky(`(${WORD})[.,]*_+(\\d{1,2})(?!\\d)${SIGN},(?=_)_*(\\d{4})(?!\\d)`),
    (line, [, word, day, year], end, calendar) =>
      readTime(
        line,
        [Number(year), findMonth(word!), Number(day)],
        end,
        calendar,
      ),
  ],
  // Jan 29 03:26
  [
    sticky(`(${WORD})[.,]*_+(\\d{1,2})(?!\\d)${SIGN}[.,]?(?=_)`),
    (line, [, word, day], end, calendar) =>
      readRest(line, findMonth(word!), Number(day), end, calendar),
  ],
];

/** Reads the date that begins at a place of a line. */
export function readDate(
  line: string,
  at: number,
  calendar: Calendar,
): OracleDate | undefined {
  for (const [regexp, read] of SHAPES) {
    const match = exec(regexp, line, at);
    if (match !== null) {
      return read(line, match, at + match[0].length, calendar);
    }
  }
  return undefined;
}

const WEEKDAY_REGEXP = sticky("(?:mon|tue|wed|thu|fri|sat|sun)[.,]?_+(?=[^])");
const ZONED_YEAR_REGEXP = sticky("_*[A-Za-z][^ \\t]{2,4}_+\\d{4}(?!\\d)");
const UNIVERSAL_REGEXP = sticky("_*(?:GMT|UTC)(?=_)");
const SHORT_YEAR_REGEXP = sticky(
  "(\\d{1,2})([-/])(\\d{1,2})\\2(\\d\\d)(?!\\d)",
);
const HALF_REGEXP = sticky(
  "_*(\\d{1,2}):(\\d\\d)(?::(\\d\\d)(?:\\.\\d+)?)?([AaPp])[Mm]?(?![^ \\t])",
);
const YEAR_FIRST_REGEXP = sticky(
  `(\\d{4})_(${WORD})_+(\\d{1,2})(?=_)(?!_+\\d{4}(?![^ \\t]))`,
);

/** Reads a date with a weekday in front, or with a year of an odd shape. */
export function readRareDate(
  line: string,
  at: number,
  calendar: Calendar,
  mayBeYear: boolean,
): OracleDate | undefined {
  const weekday = /^[a-z]/i.test(line.slice(at, at + 1))
    ? exec(new RegExp(WEEKDAY_REGEXP.source, "iy"), line, at)
    : null;
  if (weekday !== null && line.length - at >= 8) {
    return readWithWeekday(line, at, weekday[0], calendar);
  }
  const short = exec(SHORT_YEAR_REGEXP, line, at);
  if (short !== null) {
    const [whole, first, , second, digits] = short;
    const end = at + whole.length;
    const year = fullYear(digits!);
    const date =
      readTime(line, [year, Number(first), Number(second)], end, calendar) ??
        readTime(line, [year, Number(second), Number(first)], end, calendar);
    return date?.precision === "day" ? withHalf(line, date, end) : date;
  }
  const named = mayBeYear ? exec(YEAR_FIRST_REGEXP, line, at) : null;
  if (named === null) return undefined;
  const [whole, year, word, day] = named;
  if (Number(year) < 1970 || Number(year) > 2099 || word!.length > 24) {
    return undefined;
  }
  const month = findMonth(word!);
  const end = at + whole.length;
  return readTime(line, [Number(year), month, Number(day)], end, calendar);
}

const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

function readWithWeekday(
  line: string,
  at: number,
  weekday: string,
  calendar: Calendar,
): OracleDate | undefined {
  const found = readDate(line, at + weekday.length, calendar);
  if (found === undefined) return undefined;
  const shown = WEEKDAYS[found.weekday];
  const isDoubtful = shown !== weekday.slice(0, 3).toLowerCase();
  const date = { ...found, isDoubtful };
  if (date.precision === "second") {
    const isOpen = exec(ZONED_YEAR_REGEXP, line, date.end) !== null;
    return isOpen ? undefined : date;
  }
  if (date.precision !== "day") return date;
  const clock = readClock(line, date.end);
  if (clock === undefined || !/[ \t]/.test(line[clock.end] ?? "")) return date;
  const { seconds, hasSeconds, end } = clock;
  const universal = hasSeconds ? exec(UNIVERSAL_REGEXP, line, end) : null;
  return {
    ...date,
    time: date.time + seconds * 1000 + (universal ? calendar.zone : 0),
    precision: hasSeconds ? "second" : "minute",
    end: end + (universal?.[0].length ?? 0),
  };
}

/** Adds a time with AM or PM to a whole day. */
function withHalf(line: string, date: OracleDate, at: number): OracleDate {
  const match = exec(HALF_REGEXP, line, at);
  if (match === null) return date;
  const [hour, minute, second] = [match[1], match[2], match[3] ?? 0]
    .map(Number);
  if (hour! > 12 || minute! > 59 || second! > 60) return date;
  const half = /p/i.test(match[4]!) ? 12 : 0;
  const seconds = ((hour! % 12 + half) * 60 + minute!) * 60 + second!;
  return {
    ...date,
    time: date.time + seconds * 1000,
    precision: match[3] === undefined ? "minute" : "second",
    end: at + match[0].length,
  };
}
