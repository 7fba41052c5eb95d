/**
 * Settings of a control connection and of what is sent on it.
 *
 * @module
 */

import type { PendingCommand, PendingKind } from "./pending_commands.ts";
import type { Tracer } from "./trace.ts";
import type { Encoding } from "../protocol/encoding.ts";

/** Settings of a control connection. */
export interface ControlOptions {
  /** Of commands and replies. */
  encoding: Encoding;
  /** Milliseconds without progress that a wait may last; 0 for no limit. */
  timeout: number;
  /** Longest line of a reply, in bytes. */
  maxReplyLine: number;
  /** Longest reply, in bytes. */
  maxReply: number;
  /** How a multi-line reply ends. */
  multiline: "strict" | "lenient";
  /** Whether commands are written before those ahead of them are answered. */
  pipelining: boolean;
  /** Called where one that was written so gets no reply, or ends it all. */
  onDropped: () => void;
  /** Receives every command and reply, masked. */
  tracer: Tracer;
}

/** How one command is sent. */
export interface SendOptions {
  /** How its replies are taken. @default {"command"} */
  kind?: PendingKind;
  /** The open transfer this command may be sent during (`ABOR`). */
  during?: PendingCommand | undefined;
  /** Stop reading after the final reply, for a handshake. @default {false} */
  pauses?: boolean;
  /** The `EPSV` without a reply whose place this takes (`PASV`). */
  replaces?: PendingCommand | undefined;
  /** What to do about the transfer while it is open, for messages. */
  advice?: string | undefined;
}
