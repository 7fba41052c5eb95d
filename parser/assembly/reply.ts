/**
 * Finds replies (RFC 959, 4.2) in a stream of bytes that arrives in pieces of
 * any length. All decisions are made at LF, from the first four bytes of the
 * line, its length, and its final CRs. Only these are kept between pieces.
 */

import { Char } from "./char";
import { INPUT, RECORDS, STATE } from "./layout";
import { State, Status } from "./state";
import { isOverflow, removeTelnet } from "./telnet";

/**
 * The shortest reply is three digits and LF; one more may end an earlier line.
 */
const CAPACITY: i32 = 0x4010;

/** Codes, u16 each. */
const CODES: usize = RECORDS;
/** Starts of replies in the text, i32 each; -1 if in an earlier piece. */
const STARTS: usize = CODES + CAPACITY * 2;
/** Ends of replies, i32 each; below 0 if kept CRs are not text. */
const ENDS: usize = STARTS + CAPACITY * 4;

/** Address of the table of codes. */
export function replyCodesAddress(): usize {
  return CODES;
}

/** Address of the table of starts. */
export function replyStartsAddress(): usize {
  return STARTS;
}

/** Address of the table of ends. */
export function replyEndsAddress(): usize {
  return ENDS;
}

/** Reads the code in a line's first bytes; 0 if it is not 100 to 599. */
function codeOf(head: u32): u32 {
  // a digit is 0x30 to 0x39: its upper half is 3, and still is with 6 added
  const digits = head & 0xffffff;
  if ((digits & 0xf0f0f0) != 0x303030) return 0;
  if ((digits + 0x060606 & 0xf0f0f0) != 0x303030) return 0;
  const hundreds = head & 0xf;
  if (hundreds - 1 > 4) return 0;
  return hundreds * 100 + (head >> 8 & 0xf) * 10 + (head >> 16 & 0xf);
}

/** Counts the CRs that end the text in [from, to). */
function countCrs(from: i32, to: i32, text: usize): i32 {
  let at = to;
  while (at > from && load<u8>(text + at - 1) == Char.Cr) at--;
  return to - at;
}

/** Adds the text in [from, to) to the unfinished line. */
function extendLine(state: State, from: i32, to: i32, text: usize): void {
  for (let at = from; at < to && state.line + at - from < 4; at++) {
    const shift = <u32> (state.line + at - from) << 3;
    state.head |= <u32> load<u8>(text + at) << shift;
  }
  const crs = countCrs(from, to, text);
  state.crs = crs == to - from ? state.crs + crs : crs;
  state.line += to - from;
}

/**
 * Returns the limit that a line exceeds first, if any. `room` is the rest of
 * the reply's limit; `ends` is 1 if the line's LF has arrived, which counts for
 * the reply only.
 */
function checkCaps(line: i32, ends: i32, maxLine: i32, room: i32): Status {
  if (line > maxLine && maxLine <= room) return Status.LineTooLong;
  if (line + ends > room) return Status.ReplyTooLong;
  return Status.Good;
}

/** Marks the LFs among 16 bytes. */
function findLfs(at: usize): u64 {
  const lfs = i8x16.eq(v128.load(at), i8x16.splat(<i8> Char.Lf));
  return <u64> i8x16.bitmask(lfs);
}

/**
 * Scans the piece in [INPUT, INPUT + length) under STATE, and fills the tables.
 *
 * @returns Number of replies that ended in it
 */
export function scanReplies(length: i32): i32 {
  const state = changetype<State>(STATE);
  if (state.status != Status.Good) return 0;
  removeTelnet(state, length);
  const text = INPUT + state.dataStart;
  const end = state.dataLength;
  const maxLine = state.maxLine;
  const maxReply = state.maxReply;
  const lenient = state.lenient != 0;

  const simple = min(maxLine, maxReply - 1);
  let opener = state.opener;
  let reply = state.reply;
  let hint = state.hint;
  let status = Status.Good;
  let count = 0;
  let lineStart = 0;
  let lineEnd = 0;
  // stays -1 if no reply or blank line ends: all of it continues the kept bytes
  let keep = -1;
  for (let block = 0; block < end && status == Status.Good; block += 64) {
    const at = text + block;
    let found = findLfs(at) | findLfs(at + 16) << 16 |
      findLfs(at + 32) << 32 | findLfs(at + 48) << 48;
    if (end - block < 64) found &= (<u64> 1 << (end - block)) - 1;
    for (; found != 0; found &= found - 1) {
      lineEnd = block + <i32> ctz(found);
      if (opener == 0 && lineStart > 0) {
        // most replies are one line, "ddd text" CR LF, and need no further
        // check
        const head = load<u32>(text + lineStart);
        const line = lineEnd - lineStart;
        const crlf = load<u16>(text + lineEnd - 2);
        const code = codeOf(head);
        if (
          line > 5 && line <= simple && head >> 24 == Char.Space && code != 0 &&
          crlf >> 8 == Char.Cr && (crlf & 0xff) != Char.Cr && reply == 0
        ) {
          store<u16>(<usize> count << 1, <u16> code, CODES);
          store<i32>(<usize> count << 2, lineStart, STARTS);
          store<i32>(<usize> count << 2, lineEnd - 1, ENDS);
          count++;
          lineStart = lineEnd + 1;
          keep = lineStart;
          continue;
        }
      }
      let head: u32;
      let line: i32;
      let content: i32;
      if (lineStart > 0 || state.line == 0) {
        head = load<u32>(text + lineStart);
        line = lineEnd - lineStart;
        content = line - countCrs(lineStart, lineEnd, text);
      } else {
        extendLine(state, 0, lineEnd, text);
        head = state.head;
        line = state.line;
        content = line - state.crs;
        state.head = 0;
        state.line = 0;
        state.crs = 0;
        // the line, and the bytes to keep, began in an earlier piece
        lineStart = -1;
      }
      if (opener == 0) keep = lineStart;

      status = checkCaps(line, 1, maxLine, maxReply - reply);
      if (status != Status.Good) break;
      reply += line + 1;
      const mark = content > 3 ? head >> 24 : <u32> Char.Space;
      const code = content < 3 ? 0 : codeOf(head);
      let closes = code != 0 && mark == Char.Space;
      if (opener != 0) {
        const same = (head ^ opener) << 8 == 0;
        hint = closes && !same ? 1 : 0;
        closes = closes && (same || lenient);
      } else if (code != 0 && mark == Char.Hyphen) {
        opener = head & 0xffffff;
      } else if (!closes && content > 0) {
        status = Status.Malformed;
        break;
      }
      if (closes) {
        store<u16>(CODES + (<usize> count << 1), <u16> code);
        store<i32>(STARTS + (<usize> count << 2), keep);
        store<i32>(ENDS + (<usize> count << 2), lineEnd - line + content);
        count++;
        opener = 0;
        reply = 0;
        hint = 0;
      }
      lineStart = lineEnd + 1;
      if (opener == 0) keep = lineStart;
    }
  }

  if (status == Status.Good) {
    lineEnd = end;
    extendLine(state, lineStart, end, text);
    status = checkCaps(state.line, 0, maxLine, maxReply - reply);
    if (status == Status.Good && isOverflow(state)) status = Status.LineTooLong;
  }
  state.opener = opener;
  state.reply = reply;
  state.hint = hint;
  state.status = status;
  state.keep = keep;
  state.wrongEnd = lineEnd;
  return count;
}
