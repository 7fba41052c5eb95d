/**
 * Faults on demand.
 *
 * @module
 */

import type { Peer } from "./peer.ts";
import type { Turn } from "./session.ts";

/**
 * A fault of {@linkcode TestServer.fail}:
 *
 * - `"refuse"`: sends the reply, 550 by default, and does nothing;
 * - `"cut"`: resets the data connection after some bytes, and replies with 426.
 *   For a command without data, resets the control connection;
 * - `"stall"`: sends nothing after some bytes, or no reply;
 * - `"slow"`: limits the rate;
 * - `"lie"`: ends the transfer after some bytes, and replies with 226. With a
 *   `reply`, sends it and does nothing.
 */
export interface TestFault {
  /** Kind of the fault. */
  readonly kind: "refuse" | "cut" | "stall" | "slow" | "lie";
  /**
   * Number of bytes that are transferred before the fault.
   *
   * @default 0
   */
  readonly after?: number | undefined;
  /**
   * Rate of `"slow"`, in bytes per second.
   *
   * @default 1024
   */
  readonly rate?: number | undefined;
  /** The reply, such as `"452 Disk full"`. */
  readonly reply?: string | undefined;
}

/** Commands with a data connection. */
const TRANSFERS = /^(RETR|STOR|STOU|APPE|LIST|NLST|MLSD)$/;

/** Pieces per second of a slow transfer. */
const PIECES = 20;

/**
 * Applies a fault to a command, or to its transfer. Returns whether the command
 * is done.
 */
export async function failTurn(turn: Turn, fault: TestFault): Promise<boolean> {
  const { kind, reply } = fault;
  if (kind === "refuse" || reply !== undefined && kind === "lie") {
    const text = reply ?? "550 Refused by the test";
    await turn.raw(text.split("\n").map((line) => `${line}\r\n`).join(""));
    return true;
  }
  if (TRANSFERS.test(turn.verb)) {
    turn.session.fault = fault;
    return false;
  }
  if (kind === "cut") {
    turn.reset();
    return true;
  }
  if (kind === "stall") return await turn.stall();
  return false;
}

/** Sends data as far as a fault allows. */
export async function sendThrough(
  fault: TestFault | undefined,
  data: Peer,
  content: Uint8Array,
): Promise<void> {
  if (fault === undefined) return await data.write(content);
  const { kind, after = 0, rate = 1024 } = fault;
  if (kind === "slow") {
    const size = Math.max(1, Math.ceil(rate / PIECES));
    for (let at = 0; at < content.length; at += size) {
      const piece = content.subarray(at, at + size);
      await data.write(piece);
      await pause(piece.length * 1000 / rate, data);
    }
    return;
  }
  await data.write(content.subarray(0, after));
  await endWrong(fault, data);
}

/** Receives data as far as a fault allows. */
export async function receiveThrough(
  fault: TestFault | undefined,
  data: Peer,
): Promise<Uint8Array> {
  if (fault === undefined) return await data.readAll();
  const { kind, after = 0, rate = 1024 } = fault;
  if (kind === "slow") {
    const chunks: Uint8Array[] = [];
    for (let chunk; (chunk = await data.read()) !== null;) {
      chunks.push(chunk);
      await pause(chunk.length * 1000 / rate, data);
    }
    return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
  }
  // "lie" receives everything, and keeps a part
  const bytes = await data.readAll(kind === "lie" ? Infinity : after);
  await endWrong(fault, data);
  return bytes.subarray(0, after);
}

async function endWrong({ kind }: TestFault, data: Peer): Promise<void> {
  if (kind === "stall") await data.stall();
  if (kind !== "cut") return;
  data.reset();
  await data.stall(); // rejects: the transfer has failed
}

/** Waits, at most until the connection has ended. */
async function pause(milliseconds: number, data: Peer): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([promise, data.closed]);
  clearTimeout(timer);
}
