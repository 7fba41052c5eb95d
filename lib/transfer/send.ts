/**
 * Uploads at the protocol level: blocks or lines from a source.
 *
 * @module
 */

import type { Command } from "../protocol/command.ts";
import type { Reply } from "../protocol/reply.ts";
import { linesOf, toNetworkLines } from "./lines.ts";
import type { Session, SignalOptions } from "./session.ts";
import { checkBlocksize, chunksOf, type Source } from "./source.ts";
import { Transfer, type TransferOptions } from "./transfer.ts";

/** How blocks are sent. */
export interface SendOptions extends TransferOptions {
  /** Size of one read of a file, and most bytes of one callback. */
  blocksize: number;
  /** Called with each block after it was written, and awaited. */
  callback?: ((block: Uint8Array) => unknown) | undefined;
}

/**
 * Sends a file.
 *
 * @param session The session
 * @param command `STOR`, `APPE` and the like
 * @param source The bytes
 * @param options Block size, callback, offset, type and signal
 * @returns The final reply
 */
export async function sendBlocks(
  session: Session,
  command: Command,
  source: Source,
  options: SendOptions,
): Promise<Reply> {
  const { blocksize, callback } = options;
  checkBlocksize(blocksize);
  const chunks = chunksOf(source, blocksize);
  return await send(session, command, options, async ({ data }) => {
    for await (const chunk of whileOpen(data, chunks)) {
      if (callback === undefined) {
        await data.writeAll(chunk);
        continue;
      }
      for (let start = 0; start < chunk.length; start += blocksize) {
        const block = chunk.subarray(start, start + blocksize);
        await data.writeAll(block);
        await callback(block);
      }
    }
  });
}

/**
 * Sends a text, its lines ended by CRLF.
 *
 * @param session The session
 * @param command `STOR`, `APPE` and the like
 * @param source The bytes, with LF or CRLF
 * @param options A callback for each line, and a signal
 * @returns The final reply
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
  const { maxLine } = session.options;
  const chunks = chunksOf(source, TEXT_BLOCK_SIZE);
  return await send(
    session,
    command,
    { signal, type: "A" },
    async ({ data }) => {
      const blocks = toNetworkLines(whileOpen(data, chunks), maxLine);
      for await (const block of blocks) {
        await data.writeAll(block);
        if (callback === undefined) continue;
        for (const line of linesOf(block)) await callback(line);
      }
    },
  );
}

/**
 * The chunks of a source, until the data connection fails: a source may give
 * nothing for ever, and a signal still ends the upload.
 */
async function* whileOpen(
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
    // one that is asked for a chunk ends when it gives it: nobody waits then
    const ended = isRead ? undefined : iterator.return?.();
    if (data.failure === undefined) await ended;
    else ended?.catch(() => {});
  }
}

/** Size of one read of a text file, in bytes. */
const TEXT_BLOCK_SIZE = 64 * 1024;

/** Opens a transfer, gives what there is, and returns only on the server's word. */
async function send(
  session: Session,
  command: Command,
  options: TransferOptions,
  produce: (transfer: Transfer) => Promise<void>,
): Promise<Reply> {
  const transfer = await Transfer.open(session, command, options);
  try {
    await produce(transfer);
    await transfer.data.closeWrite();
  } catch (error) {
    throw await transfer.failed(error, options);
  }
  return await transfer.finish(options);
}
