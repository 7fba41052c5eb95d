/**
 * Downloads at the protocol level: blocks or lines to a callback.
 *
 * @module
 */

import { checkFunction } from "../protocol/check_names.ts";
import { Breather } from "../connection/breather.ts";
import type { Command } from "../protocol/command.ts";
import type { Reply } from "../protocol/reply.ts";
import { waitFor } from "./callback.ts";
import { mayAskAgain } from "./cut_data.ts";
import { LineDecoder } from "./lines.ts";
import { openTransfer, type TransferOptions } from "./open_transfer.ts";
import type { Session, SignalOptions } from "./session.ts";
import { checkBlocksize } from "./source.ts";
import type { Transfer } from "./transfer.ts";

/** Size of the memory that blocks are cut from, in bytes. */
const PIECE_SIZE = 64 * 1024;

/** How blocks are received. */
export interface ReceiveOptions extends TransferOptions {
  /** Most bytes of one block. */
  blocksize: number;
  /** Whether blocks lie in one buffer, which the next read overwrites. */
  reuse?: boolean | undefined;
}

/**
 * Receives a file in blocks.
 *
 * Every block is memory of its own, which the callback may keep, unless
 * `reuse` is set.
 *
 * @param session The session
 * @param command `RETR` and the like
 * @param callback Called with each block and awaited
 * @param options Block size, offset, type and signal
 * @returns The final reply
 */
export async function receiveBlocks(
  session: Session,
  command: Command,
  callback: (block: Uint8Array<ArrayBuffer>) => unknown,
  options: ReceiveOptions,
): Promise<Reply> {
  const { blocksize, reuse = false } = options;
  checkBlocksize(blocksize);
  checkFunction("callback", callback);
  return await receive(session, command, options, async ({ data }) => {
    await data.readToEnd((bytes, isOwn) => {
      const cut = reuse || isOwn ? blocksIn : freshBlocksOf;
      return callEach(cut(bytes, blocksize), callback, data);
    }, { keep: !reuse });
  });
}

/**
 * Cuts a read into blocks of fresh memory. One copy of a piece costs less than
 * memory for each block, and pieces of this size are had from the allocator
 * without asking the system for pages.
 */
function* freshBlocksOf(
  bytes: Uint8Array<ArrayBuffer>,
  blocksize: number,
): Generator<Uint8Array<ArrayBuffer>> {
  for (let start = 0; start < bytes.length; start += PIECE_SIZE) {
    yield* blocksIn(bytes.slice(start, start + PIECE_SIZE), blocksize);
  }
}

/** Cuts a read into blocks that lie in it. */
function* blocksIn(
  bytes: Uint8Array<ArrayBuffer>,
  blocksize: number,
): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < bytes.length; at += blocksize) {
    yield bytes.subarray(at, at + blocksize);
  }
}

/**
 * Calls back for each block; waits only where the callback wants it to, and no
 * longer than the transfer lasts.
 */
function callEach<T>(
  blocks: Iterator<T>,
  callback: (block: T) => unknown,
  data: Transfer["data"],
): Promise<void> | undefined {
  for (let next = blocks.next(); !next.done; next = blocks.next()) {
    const wait = waitFor(data, callback(next.value));
    if (wait !== undefined) {
      return wait.then(() => callEach(blocks, callback, data));
    }
  }
  return undefined;
}

/**
 * Receives a text in lines.
 *
 * @param session The session
 * @param command `RETR`, `LIST`, `NLST`...
 * @param callback Called with each line, without its end, and awaited
 * @param options A signal
 * @returns The final reply
 */
export async function receiveLines(
  session: Session,
  command: Command,
  callback: (line: string) => unknown,
  options: SignalOptions,
): Promise<Reply> {
  checkFunction("callback", callback);
  const text = { ...options, type: "A" } as const;
  const take = async (transfer: Transfer): Promise<void> => {
    const { data } = transfer;
    for await (const lines of lineBatches(session, transfer)) {
      for (const line of lines) {
        const wait = waitFor(data, callback(line));
        if (wait !== undefined) await wait;
      }
    }
  };
  for (let asked = 1;; asked++) {
    try {
      return await receive(session, command, text, take);
    } catch (error) {
      if (!mayAskAgain(error, command, asked)) throw error;
    }
  }
}

/** Size of one read of a text, in bytes. */
const TEXT_READ_SIZE = 64 * 1024;

async function* lineBatches(
  session: Session,
  transfer: Transfer,
): AsyncGenerator<string[]> {
  const { data } = transfer;
  const { encoding } = session.control;
  const { maxLine } = session.options;
  const decoder = new LineDecoder((bytes) => encoding.decode(bytes), maxLine);
  const buffer = new Uint8Array(TEXT_READ_SIZE);
  const breather = new Breather();
  while (true) {
    if (breather.isDue) await breather.pause();
    const n = await data.read(buffer);
    if (n === null) break;
    yield decoder.push(buffer.subarray(0, n));
  }
  if (!transfer.isFrayed) yield decoder.end();
}

/**
 * Receives a text in lines, as they are asked for. Stopping early aborts the
 * transfer and leaves the session usable.
 *
 * @param session The session
 * @param command `MLSD`, `LIST`...
 * @param options A signal
 * @returns The lines, without their ends
 */
export async function* iterateLines(
  session: Session,
  command: Command,
  options: SignalOptions,
): AsyncGenerator<string> {
  for (let asked = 1;; asked++) {
    try {
      return yield* iterateOnce(session, command, options);
    } catch (error) {
      if (!mayAskAgain(error, command, asked)) throw error;
    }
  }
}

async function* iterateOnce(
  session: Session,
  command: Command,
  options: SignalOptions,
): AsyncGenerator<string> {
  const text: TransferOptions = {
    ...options,
    type: "A",
    advice:
      "finish the loop or break out of it, or collect what it gives first (Array.fromAsync)",
  };
  const transfer = await session.exclusive(
    (turn) => openTransfer(turn, command, text),
    options,
  );
  let isComplete = false;
  try {
    for await (const lines of lineBatches(session, transfer)) {
      yield* lines;
    }
    isComplete = true;
  } catch (error) {
    throw await transfer.failed(error, options);
  } finally {
    if (!isComplete) await transfer.abort();
  }
  await transfer.finish(options);
}

/** Opens a transfer, takes what comes, and returns only on the server's word. */
async function receive(
  session: Session,
  command: Command,
  options: TransferOptions,
  consume: (transfer: Transfer) => Promise<void>,
): Promise<Reply> {
  const transfer = await session.exclusive(
    (turn) => openTransfer(turn, command, options),
    options,
  );
  return await transfer.complete(() => consume(transfer), options);
}
