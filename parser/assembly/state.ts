/**
 * State of one stream between two pieces, and results of the last piece. The
 * host keeps it, copies it to STATE, calls, and copies it back.
 */

@unmanaged
export class State {
  /** First three bytes of the open reply, packed; 0 between replies. */
  opener: u32;
  /** First four bytes of the unfinished line, packed. */
  head: u32;
  /** Bytes of the unfinished line. */
  line: i32;
  /** Number of CRs that end the unfinished line so far. */
  crs: i32;
  /** Bytes of complete lines since the last reply ended. */
  reply: i32;
  /** Position of the stream in a Telnet command. */
  telnet: i32;
  /** Bytes of the Telnet subnegotiation. */
  subnegotiation: i32;
  /** Outcome, see Status. Final unless 0. */
  status: i32;
  /** 1 if the last complete line would end the reply, but for its code. */
  hint: i32;
  /** Options: limits in bytes, and 1 for lenient. */
  maxLine: i32;
  maxReply: i32;
  lenient: i32;
  /** Position of this piece's text from INPUT on, without Telnet commands. */
  dataStart: i32;
  dataLength: i32;
  /**
   * Position from which the text belongs to the unfinished reply and has to be
   * kept; -1 if all of it continues the kept bytes.
   */
  keep: i32;
  /** Length of the text up to the invalid line, without its terminator. */
  wrongEnd: i32;
}

export const enum Status {
  Good = 0,
  Malformed = 1,
  LineTooLong = 2,
  ReplyTooLong = 3,
}
