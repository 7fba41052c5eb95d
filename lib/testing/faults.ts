/**
 * What goes wrong on order.
 *
 * @module
 */

import type { Peer } from "./peer.ts";
import type { Turn } from "./session.ts";

/**
 * A fault of {@linkcode TestServer.fail}:
 *
 * - `"refuse"`: the reply, 550 by default, and nothing is done;
 * - `"cut"`: the data connection is reset after some bytes, and the server says
 *   426; of a command without data the control connection is reset;
 * - `"stall"`: nothing more comes after some bytes, or no reply;
 * - `"slow"`: bytes a second;
 * - `"lie"`: the transfer ends after some bytes, and the server says 226 all the
 *   same; with a reply, nothing is done, and the reply is given.
 */
export interface TestFault {
  /** What goes wrong. */
  readonly kind: "refuse" | "cut" | "stall" | "slow" | "lie";
  /**
   * Bytes of the transfer before it does.
   *
   * @default {0}
   */
  readonly after?: number | undefined;
  /**
   * Bytes a second, of `"slow"`.
   *
   * @default {1024}
   */
  readonly rate?: number | undefined;
  /** The reply, such as `"452 Disk full"`. */
  readonly reply?: string | undefined;
}

/** Commands with a data connection. */
const TRANSFERS = /^(RETR|STOR|STOU|APPE|LIST|NLST|MLSD)$/;

/** Pieces a second of a slow transfer. */
const PIECES = 20;

/**
 * Lets a command go wrong, or prepares its transfer to.
 *
 * @param turn The command
 * @param fault What goes wrong
 * @returns Whether it is answered
 */
export async function failTurn(turn: Turn, fault: TestFault): Promise<boolean> {
  const { kind, reply } = fault;
  if (kind === "refuse" || reply !== undefined && kind === "lie") {
    const text = reply ?? "550 Refused, as the test wants it";
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

/**
 * Sends what a fault lets through.
 *
 * @param fault The fault, if there is one
 * @param data The data connection
 * @param content All bytes
 */
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

/**
 * Takes what a fault lets through.
 *
 * @param fault The fault, if there is one
 * @param data The data connection
 * @returns The bytes
 */
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
  // a liar takes everything, and keeps a part
  const bytes = await data.readAll(kind === "lie" ? Infinity : after);
  await endWrong(fault, data);
  return bytes.subarray(0, after);
}

async function endWrong({ kind }: TestFault, data: Peer): Promise<void> {
  if (kind === "stall") await data.stall();
  if (kind !== "cut") return;
  data.reset();
  await data.stall(); // it is gone: the transfer has failed
}

/** Waits, or until the connection is gone. */
async function pause(milliseconds: number, data: Peer): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([promise, data.closed]);
  clearTimeout(timer);
}
