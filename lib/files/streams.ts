/**
 * Files as web streams.
 *
 * @module
 */

import { checkNumber } from "../protocol/check_number.ts";
import type { Path } from "../protocol/command.ts";
import type { Reply } from "../protocol/reply.ts";
import { parseUniqueName } from "../protocol/reply_values.ts";
import { textOfPath } from "../commands/queries.ts";
import {
  openTransfer,
  type TransferOptions,
} from "../transfer/open_transfer.ts";
import { sendBlocks } from "../transfer/send.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import type { Source } from "../transfer/source.ts";
import { proveRestart } from "./restart_proof.ts";
import { explainRefusal } from "./store_refusal.ts";

/** Options of {@linkcode FTP.prototype.retrieve FTP.retrieve}. */
export interface RetrieveOptions {
  /**
   * Offset of the first byte. The first call with an offset downloads the last
   * byte of the file, which shows whether the server starts at an offset or
   * ignores it. Without `SIZE` that is not checked.
   *
   * @default 0
   */
  offset?: number | undefined;
  /**
   * Largest number of bytes to read. The stream ends after them, and the
   * transfer is aborted if the file is longer. A shorter file ends the stream
   * earlier.
   *
   * @default Infinity
   */
  length?: number | undefined;
  /** Aborts the transfer. The stream errors with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Options of {@linkcode FTP.prototype.store FTP.store}. */
export interface StoreOptions {
  /**
   * Offset at which the server starts to write, in bytes (`REST`).
   *
   * @default 0
   */
  offset?: number | undefined;
  /**
   * Whether to append to the file (`APPE`).
   *
   * @default false
   */
  append?: boolean | undefined;
  /** Aborts the transfer. The call rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Size of the first chunk, in bytes: most files are small. */
const FIRST_CHUNK_SIZE = 16 * 1024;

/** Largest chunk, in bytes. */
const CHUNK_SIZE = 256 * 1024;

/** Largest write, in bytes. */
const WRITE_SIZE = 1024 * 1024;

/** Opens a file for reading. The stream ends after the server's final 2yz. */
export async function retrieve(
  session: Session,
  path: Path,
  options: RetrieveOptions,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const { signal, length = Infinity } = options;
  checkNumber("length", length, { isInteger: true });
  const command = { verb: "RETR", argument: path, name: "path" };
  const rest = checkedOffset(options.offset);
  if (rest !== undefined) await proveRestart(session, path, rest, { signal });
  const opening: TransferOptions = {
    type: "I",
    rest,
    signal,
    advice: "read its stream to the end or cancel it first",
  };
  const transfer = await session.exclusive(
    (turn) => openTransfer(turn, command, opening),
    { signal },
  );
  let ending: Promise<unknown> | undefined;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => {});
  const onAbort = () => {
    // the stream may not be read, so the transfer is ended at once. The client
    // is usable when the error appears
    ending ??= transfer.abort();
    ending.finally(() => reject(signal!.reason));
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  const release = () => signal?.removeEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  let size = FIRST_CHUNK_SIZE;
  let left = length;
  const pull = async (
    controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>,
  ): Promise<void> => {
    // one more byte shows whether the file is longer than requested
    const buffer = new Uint8Array(Math.min(size, left || 1));
    let n: number | null;
    try {
      n = await transfer.data.read(buffer);
    } catch (error) {
      if (ending === undefined) {
        const settling = transfer.endAfter(error, { signal })
          .then(() => undefined, (cause) => ({ cause }));
        ending = settling;
        const failure = await settling;
        release();
        if (failure !== undefined) throw failure.cause;
        return controller.close(); // reset after the last byte
      }
      await ending;
      release();
      throw signal?.aborted ? signal.reason : error;
    }
    if (n === size) size = Math.min(size * 2, CHUNK_SIZE);
    if (n !== null && left > 0) {
      left -= n;
      return controller.enqueue(trimmed(buffer, n));
    }
    if (n !== null) {
      release();
      await (ending ??= transfer.abort());
      return controller.close();
    }
    release(); // finish() handles the signal
    await transfer.finish({ signal });
    controller.close();
  };
  return new ReadableStream({
    start(controller) {
      aborted.catch((reason) => controller.error(reason));
    },
    pull,
    async cancel() {
      release();
      await (ending ??= transfer.abort());
    },
  }, { highWaterMark: 0 });
}

/** Cuts a short chunk off its large buffer, which can then be freed. */
function trimmed(
  buffer: Uint8Array<ArrayBuffer>,
  length: number,
): Uint8Array<ArrayBuffer> {
  return length < buffer.length / 2
    ? buffer.slice(0, length)
    : buffer.subarray(0, length);
}

/**
 * Writes a file. Returns the final 2yz reply.
 *
 * @throws {TypeError} If both `offset` and `append` are given
 */
export async function store(
  session: Session,
  path: Path,
  source: Source,
  options: StoreOptions,
): Promise<Reply> {
  const { append = false, signal } = options;
  const rest = checkedOffset(options.offset);
  if (append && rest !== undefined) {
    throw new TypeError(
      'Cannot store with both "offset" and "append": the server appends at its own end of the file',
    );
  }
  try {
    return await sendBlocks(
      session,
      { verb: append ? "APPE" : "STOR", argument: path, name: "path" },
      source,
      { blocksize: WRITE_SIZE, type: "I", rest, signal },
    );
  } catch (error) {
    const remote = textOfPath(session, path);
    throw await explainRefusal(session, remote, error, { signal });
  }
}

/**
 * Writes a file under a name that the server chooses (`STOU`). Returns the
 * name, if the server reports it.
 */
export async function storeUnique(
  session: Session,
  source: Source,
  { signal }: SignalOptions,
): Promise<string | undefined> {
  let opened: Reply | undefined;
  const final = await sendBlocks(session, { verb: "STOU" }, source, {
    blocksize: WRITE_SIZE,
    type: "I",
    signal,
    onOpen: (reply) => opened = reply,
  });
  return parseUniqueName([opened, final]);
}

/** Checks an offset for `REST`; `undefined` for the beginning. */
function checkedOffset(offset = 0): number | undefined {
  if (Number.isSafeInteger(offset) && offset >= 0) return offset || undefined;
  throw new RangeError(
    `Cannot start at offset ${offset}: it must be a non-negative integer`,
  );
}
