/**
 * Downloads in blocks or lines, for a callback.
 *
 * @module
 */

import { checkFunction } from "../protocol/check_names.ts";
import { PauseTimer } from "../connection/pauses.ts";
import type { Command } from "../protocol/command.ts";
import type { Reply } from "../protocol/reply.ts";
import { waitFor } from "./callback.ts";
import { mayAskAgain } from "./cut_data.ts";
import { LineBlocks, LineDecoder } from "./lines.ts";
import { openTransfer, type TransferOptions } from "./open_transfer.ts";
import type { Session, SignalOptions } from "./session.ts";
import { checkBlocksize } from "./source.ts";
import type { Transfer } from "./transfer.ts";

/** Size of the memory that blocks are cut from, in bytes. */
const PIECE_SIZE = 64 * 1024;

/** Options for receiving blocks. */
export interface ReceiveOptions extends TransferOptions {
  /** Largest block, in bytes. */
  blocksize: number;
  /** Whether blocks share one buffer, which the next read overwrites. */
  reuse?: boolean | undefined;
}

/**
 * Receives a file in blocks. Each block has its own memory, which the callback
 * may keep, unless `reuse` is set.
 *
 * @param callback Called with each block, and awaited
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
 * Copies a read and cuts it into blocks. One copy of a piece is cheaper than
 * memory for each block, and the allocator has pieces of this size without new
 * pages.
 */
function* freshBlocksOf(
  bytes: Uint8Array<ArrayBuffer>,
  blocksize: number,
): Generator<Uint8Array<ArrayBuffer>> {
  for (let start = 0; start < bytes.length; start += PIECE_SIZE) {
    yield* blocksIn(bytes.slice(start, start + PIECE_SIZE), blocksize);
  }
}

/** Cuts a read into blocks without a copy. */
function* blocksIn(
  bytes: Uint8Array<ArrayBuffer>,
  blocksize: number,
): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < bytes.length; at += blocksize) {
    yield bytes.subarray(at, at + blocksize);
  }
}

/**
 * Calls back for each block. Waits only if the callback returns a promise, and
 * not longer than the transfer lasts.
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
 * @param callback Called with each line, without its end, and awaited
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
  const { encoding } = session.control;
  const { maxLine } = session.options;
  const decoder = new LineDecoder((bytes) => encoding.decode(bytes), maxLine);
  for await (const piece of pieces(transfer)) yield decoder.push(piece);
  if (!transfer.mayEndInLine) yield decoder.end();
}

async function* lineBlocks(
  session: Session,
  transfer: Transfer,
): AsyncGenerator<Uint8Array> {
  const blocks = new LineBlocks(session.options.maxLine);
  for await (const piece of pieces(transfer)) {
    const block = blocks.push(piece);
    if (block !== undefined) yield block;
  }
  const rest = transfer.mayEndInLine ? undefined : blocks.end();
  if (rest !== undefined) yield rest;
}

/** Receives a text in pieces that share a buffer. */
async function* pieces({ data }: Transfer): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(TEXT_READ_SIZE);
  const pauses = new PauseTimer();
  while (true) {
    if (pauses.isDue) await pauses.pause();
    const n = await data.read(buffer);
    if (n === null) break;
    yield buffer.subarray(0, n);
  }
}

/**
 * Receives a text in blocks of complete lines, which are valid until the next
 * one is requested. Only the last line may lack its end. Stopping early aborts
 * the transfer; the session stays usable.
 */
export async function* iterateLineBlocks(
  session: Session,
  command: Command,
  options: SignalOptions,
): AsyncGenerator<Uint8Array> {
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
): AsyncGenerator<Uint8Array> {
  const text: TransferOptions = {
    ...options,
    type: "A",
    advice:
      "finish the loop or break out of it, or collect its results first (Array.fromAsync)",
  };
  const transfer = await session.exclusive(
    (turn) => openTransfer(turn, command, text),
    options,
  );
  let isComplete = false;
  try {
    yield* lineBlocks(session, transfer);
    isComplete = true;
  } catch (error) {
    throw await transfer.failed(error, options);
  } finally {
    if (!isComplete) await transfer.abort();
  }
  await transfer.finish(options);
}

/**
 * Opens a transfer, consumes its data, and returns only after the server's
 * confirmation.
 */
async function receive(
  session: Session,
  command: Command,
  options: TransferOptions,
  consume: (transfer: Transfer) => Promise<void>,
): Promise<Reply> {
  return await session.control.ticker.during(async () => {
    const transfer = await session.exclusive(
      (turn) => openTransfer(turn, command, options),
      options,
    );
    return await transfer.complete(() => consume(transfer), options);
  });
}
