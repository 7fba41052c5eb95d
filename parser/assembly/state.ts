/**
 * What is known of one stream between two pieces of it, and what the last piece
 * held. The host keeps it, copies it to STATE, calls, and copies it back.
 */

@unmanaged
export class State {
  /** First three bytes of the reply that is open, packed; 0 between replies. */
  opener: u32;
  /** First four bytes of the unfinished line, packed. */
  head: u32;
  /** Bytes of the unfinished line. */
  line: i32;
  /** How many CRs the unfinished line ends with at present. */
  crs: i32;
  /** Bytes of complete lines since the last reply ended. */
  reply: i32;
  /** Where the stream is in a Telnet command. */
  telnet: i32;
  /** Bytes of the Telnet subnegotiation. */
  subnegotiation: i32;
  /** Outcome, see Status. Other than 0 it is final. */
  status: i32;
  /** 1 when the last complete line closes the reply, but for its code. */
  hint: i32;
  /** Options: caps in bytes, and 1 for lenient. */
  maxLine: i32;
  maxReply: i32;
  lenient: i32;
  /** Where this piece's text lies from INPUT on, once Telnet is taken out. */
  dataStart: i32;
  dataLength: i32;
  /**
   * From where on the text belongs to no reply yet and has to be kept: -1 when
   * all of it goes on with what was kept before.
   */
  keep: i32;
  /** Length of the text up to the line that is wrong, terminator excluded. */
  wrongEnd: i32;
}

export const enum Status {
  Good = 0,
  Malformed = 1,
  LineTooLong = 2,
  ReplyTooLong = 3,
}
