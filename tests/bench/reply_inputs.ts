/** Inputs of the reply benchmarks, and functions that parse them. */

// Only this bench needs it.
// deno-lint-ignore no-import-prefix -- in the import map, every program would download it
import { parseControlResponse } from "npm:/basic-ftp@6.2.3/dist/parseControlResponse.js";
import { type Reply, ReplyReader } from "../../lib/protocol/reply.ts";
import { ReplyScanner } from "../../parser/mod.ts";
import { ReplyOracle } from "../parser/reply_oracle.ts";

/** Lines or replies in the large inputs. */
export const COUNT = 100_000;

/** Limits above the size of the large inputs. */
const CAPS = { maxReplyLine: 65_536, maxReply: 16 * 1024 * 1024 };

const encoder = new TextEncoder();

/** Replies as 100,000 pipelined SIZE commands get them. */
export const PIPELINED: Uint8Array = encoder.encode(
  Array.from({ length: COUNT }, (_, index) => `213 ${index * 7919}\r\n`).join(
    "",
  ),
);

/** One reply of 100,000 lines. */
export const MULTILINE: Uint8Array = encoder.encode(
  "213-Status follows\r\n" +
    "-rw-r--r-- a file\r\n".repeat(COUNT - 2) +
    "213 End of status\r\n",
);

/** One usual reply. */
export const SINGLE: Uint8Array = encoder.encode("226 Transfer complete.\r\n");

/** Cuts bytes into pieces of a length. */
export function cut(bytes: Uint8Array, length: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += length) {
    pieces.push(bytes.subarray(at, at + length));
  }
  return pieces;
}

/** Reads the codes only. Returns their number. */
export function scanCodes(pieces: Uint8Array[]): number {
  const scanner = new ReplyScanner({ ...CAPS, lenient: false });
  if (pieces.length === 1) return scanner.scanCodes(pieces[0]!).length;
  const codes: number[] = [];
  for (const piece of pieces) {
    const count = scanner.scan(piece);
    for (let index = 0; index < count; index++) codes.push(scanner.code(index));
  }
  return codes.length;
}

/** Reads code and text of each reply like the module. Returns their number. */
export function readReplies(pieces: Uint8Array[]): number {
  const decoder = new TextDecoder();
  const reader = new ReplyReader({
    ...CAPS,
    decode: (bytes) => decoder.decode(bytes),
  });
  const replies: Reply[] = [];
  let length = 0;
  for (const piece of pieces) {
    for (const reply of reader.push(piece)) {
      length += reply.text.length;
      replies.push(reply);
    }
  }
  if (length < replies.length) throw new Error("Cannot read: no text");
  return replies.length;
}

/**
 * Reads `{ code, message }` as basic-ftp's `FtpContext` does: the socket decodes
 * with a stream decoder, what is left over is parsed again with the next piece.
 */
export function readBasicFtp(pieces: Uint8Array[]): number {
  const decoder = new TextDecoder();
  const replies: { code: number; message: string }[] = [];
  let partial = "";
  for (const piece of pieces) {
    const text = decoder.decode(piece, { stream: true });
    const { messages, rest } = parseControlResponse(partial + text);
    partial = rest;
    for (const message of messages) {
      replies.push({ code: parseInt(message.substr(0, 3), 10), message });
    }
  }
  return replies.length;
}

/** Reads replies with the tests' oracle. Returns their number. */
export function readOracle(pieces: Uint8Array[]): number {
  const oracle = new ReplyOracle({ ...CAPS, lenient: false });
  for (const piece of pieces) oracle.push(piece);
  return oracle.replies.length;
}
