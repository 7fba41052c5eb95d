/**
 * Uploads of blocks or lines from a source.
 *
 * @module
 */

import { abortable, settle } from "../connection/waiting.ts";
import { checkFunction } from "../protocol/check_names.ts";
import type { Command } from "../protocol/command.ts";
import type { Reply } from "../protocol/reply.ts";
import { waitFor } from "./callback.ts";
import { linesOf } from "../protocol/lines_of.ts";
import { toNetworkLines } from "./lines.ts";
import {
  checkTransfer,
  openTransfer,
  type TransferOptions,
} from "./open_transfer.ts";
import type { Session, SignalOptions } from "./session.ts";
import { checkBlocksize, chunksOf, type Source } from "./source.ts";
import { StartedSource } from "./started_source.ts";
import type { Transfer } from "./transfer.ts";

/** Options for sending blocks. */
export interface SendOptions extends TransferOptions {
  /**
   * Size of one read of a file, and largest block for the callback, in bytes.
   */
  blocksize: number;
  /** Called with each block after it was written, and awaited. */
  callback?: ((block: Uint8Array) => unknown) | undefined;
  /** Called when all of the data was sent, before the final reply. */
  onSent?: ((data: Transfer["data"]) => void) | undefined;
}

/** Sends a file with `STOR`, `APPE` and the like. */
export async function sendBlocks(
  session: Session,
  command: Command,
  source: Source,
  options: SendOptions,
): Promise<Reply> {
  const { blocksize, callback } = options;
  checkBlocksize(blocksize);
  if (callback !== undefined) checkFunction("callback", callback);
  const all = chunksOf(source, blocksize);
  return await send(session, command, all, options, async (data, chunks) => {
    for await (const chunk of chunks) {
      if (callback === undefined) {
        await data.writeAll(chunk);
        continue;
      }
      for (let start = 0; start < chunk.length; start += blocksize) {
        const block = chunk.subarray(start, start + blocksize);
        await data.writeAll(block);
        const wait = waitFor(data, callback(block));
        if (wait !== undefined) await wait;
      }
    }
  });
}

/**
 * Sends a text, with CRLF line ends.
 *
 * @param source The bytes, with LF or CRLF
 */
export async function sendLines(
  session: Session,
  command: Command,
  source: Source,
  options: SignalOptions & {
    callback?: ((line: Uint8Array) => unknown) | undefined;
  },
): Promise<Reply> {
  const { callback, signal } = options;
  if (callback !== undefined) checkFunction("callback", callback);
  const { maxLine } = session.options;
  const all = chunksOf(source, TEXT_BLOCK_SIZE);
  const text = { signal, type: "A" } as const;
  return await send(session, command, all, text, async (data, chunks) => {
    for await (const block of toNetworkLines(chunks, maxLine)) {
      await data.writeAll(block);
      if (callback === undefined) continue;
      for (const line of linesOf(block)) {
        const wait = waitFor(data, callback(line));
        if (wait !== undefined) await wait;
      }
    }
  });
}

/**
 * Reads a source until the data connection fails. A source may never return,
 * and a signal still ends the upload.
 */
export async function* whileOpen(
  data: Transfer["data"],
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  let isRead = false;
  try {
    while (true) {
      const next = await data.unlessFailed(iterator.next());
      isRead = next.done === true;
      if (isRead) return;
      yield next.value;
    }
  } finally {
    // a source ends only after the pending chunk, which is not awaited
    const ended = isRead ? undefined : iterator.return?.();
    const ending = data.unlessFailed(Promise.resolve(ended));
    await settle(ending, SOURCE_GRACE);
  }
}

/**
 * Longest wait, in milliseconds, for the end of a source that is no longer
 * needed. It may never end, and the error is known.
 */
const SOURCE_GRACE = 1000;

/** Size of one read of a text file, in bytes. */
const TEXT_BLOCK_SIZE = 64 * 1024;

/**
 * Opens a transfer, sends its data, and returns only after the server's
 * confirmation. Nothing is sent before the source has returned its first chunk.
 */
async function send(
  session: Session,
  command: Command,
  all: AsyncIterable<Uint8Array>,
  options: TransferOptions & Pick<SendOptions, "onSent">,
  produce: (
    data: Transfer["data"],
    chunks: AsyncIterable<Uint8Array>,
  ) => Promise<void>,
): Promise<Reply> {
  options.signal?.throwIfAborted();
  checkTransfer(session, command, options);
  await session.ready(options.signal);
  const source = new StartedSource(all);
  await source.start(session, options);
  let transfer: Transfer;
  try {
    transfer = await session.exclusive(
      (turn) => openTransfer(turn, command, options),
      options,
    );
  } catch (error) {
    const ending = abortable(source.end(), options.signal);
    await settle(abortable(ending, session.ended), SOURCE_GRACE);
    throw error;
  }
  return await transfer.complete(async (data) => {
    await produce(data, whileOpen(data, source));
    await data.closeWrite();
    options.onSent?.(data);
  }, options);
}
