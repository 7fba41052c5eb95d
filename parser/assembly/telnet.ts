/**
 * Removes Telnet commands: the control connection is a Telnet connection (RFC
 * 959, 3.1). Commands start with IAC, and are removed before lines are scanned.
 */

import { INPUT } from "./layout";
import { State } from "./state";

/** RFC 854, "Telnet command structure". */
const enum Telnet {
  Se = 0xf0,
  Sb = 0xfa,
  Will = 0xfb,
  Iac = 0xff,
}

/** Telnet command that the previous bytes started. */
const enum Phase {
  Text = 0,
  /** After IAC. */
  Command = 1,
  /** After IAC WILL, WONT, DO or DONT: the number of the option follows. */
  Option = 2,
  /** After IAC SB, until IAC SE. */
  Subnegotiation = 3,
  /** After IAC in a subnegotiation. */
  SubnegotiationCommand = 4,
  /** A subnegotiation exceeded the limit of a line: nothing after it counts. */
  Overflow = 5,
}

/** Marks the IACs among 16 bytes. */
function findIacs(at: usize): v128 {
  return i8x16.eq(v128.load(at), i8x16.splat(<i8> Telnet.Iac));
}

/** Whether any of the bytes in [INPUT, INPUT + length) is IAC. */
function hasIac(length: i32): bool {
  const end = INPUT + length;
  let at = INPUT;
  for (; at + 64 <= end; at += 64) {
    const some = v128.or(findIacs(at), findIacs(at + 16));
    const others = v128.or(findIacs(at + 32), findIacs(at + 48));
    if (v128.any_true(v128.or(some, others))) return true;
  }
  for (; at < end; at++) {
    if (load<u8>(at) == Telnet.Iac) return true;
  }
  return false;
}

/**
 * Removes Telnet commands in place, and stores the position of the text. An IAC
 * that ended the last piece is put back before this one.
 */
export function removeTelnet(state: State, length: i32): void {
  let phase = state.telnet;
  state.dataStart = 0;
  state.dataLength = length;
  if (phase == Phase.Text && !hasIac(length)) return;

  let start = 0;
  if (phase == Phase.Command) {
    start = -1;
    store<u8>(INPUT + start, <u8> Telnet.Iac);
    phase = Phase.Text;
  }
  let to = start;
  for (let at = start; at < length; at++) {
    const byte = <i32> load<u8>(INPUT + at);
    switch (phase) {
      case Phase.Text: {
        if (byte == Telnet.Iac) phase = Phase.Command;
        else store<u8>(INPUT + to++, <u8> byte);
        break;
      }
      case Phase.Command: {
        phase = Phase.Text;
        if (byte == Telnet.Iac) {
          store<u8>(INPUT + to++, <u8> byte);
        } else if (byte >= Telnet.Will) {
          phase = Phase.Option;
        } else if (byte == Telnet.Sb) {
          phase = Phase.Subnegotiation;
          state.subnegotiation = 0;
        } else if (byte < Telnet.Se) {
          // not a command: a name in latin-1 whose server does not double the
          // byte 0xff
          store<u8>(INPUT + to++, <u8> Telnet.Iac);
          store<u8>(INPUT + to++, <u8> byte);
        }
        break;
      }
      case Phase.Option: {
        phase = Phase.Text;
        break;
      }
      case Phase.Subnegotiation:
      case Phase.SubnegotiationCommand: {
        const ends = phase == Phase.SubnegotiationCommand && byte == Telnet.Se;
        const escapes = phase == Phase.Subnegotiation && byte == Telnet.Iac;
        if (ends) phase = Phase.Text;
        else if (++state.subnegotiation > state.maxLine) phase = Phase.Overflow;
        else if (escapes) phase = Phase.SubnegotiationCommand;
        else phase = Phase.Subnegotiation;
        break;
      }
      default:
        break;
    }
  }
  state.telnet = phase;
  state.dataStart = start;
  state.dataLength = to - start;
}

/** Whether a subnegotiation exceeded the limit. */
export function isOverflow(state: State): bool {
  return state.telnet == Phase.Overflow;
}
