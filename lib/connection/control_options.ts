/**
 * Options of a control connection, and of a command.
 *
 * @module
 */

import type { PendingCommand, PendingKind } from "./pending_commands.ts";
import type { Tracer } from "./trace.ts";
import type { Encoding } from "../protocol/encoding.ts";

/** Options of a control connection. */
export interface ControlOptions {
  /** Encoding of commands and replies. */
  encoding: Encoding;
  /** Time limit of a wait without progress, in milliseconds; 0 for none. */
  timeout: number;
  /** Longest line of a reply, in bytes. */
  maxReplyLine: number;
  /** Longest reply, in bytes. */
  maxReply: number;
  /** Which line ends a multi-line reply. */
  multiline: "strict" | "lenient";
  /** Whether commands are sent before earlier ones are answered. */
  pipelining: boolean;
  /**
   * Called if a command sent that way gets no reply, or ends the connection.
   */
  onDropped: () => void;
  /** Receives every command and reply, masked. */
  tracer: Tracer;
}

/** Options of a command. */
export interface SendOptions {
  /** How its replies are matched. @default "command" */
  kind?: PendingKind;
  /** The open transfer during which the command may be sent (`ABOR`). */
  during?: PendingCommand | undefined;
  /**
   * Whether the command is sent after the data of `during` has ended, together
   * with others.
   */
  isBehind?: boolean | undefined;
  /**
   * Whether to stop reading after the final reply, for a handshake. @default
   * {false}
   */
  pauses?: boolean;
  /** The unanswered `EPSV` that this command replaces (`PASV`). */
  replaces?: PendingCommand | undefined;
  /** Advice about the transfer while it is open, for messages. */
  advice?: string | undefined;
}
