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
import { mayBeLeftCompressed } from "../transfer/compression.ts";
import { sendBlocks } from "../transfer/send.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { checkSource, type Source } from "../transfer/source.ts";
import type { Transfer } from "../transfer/transfer.ts";
import { proveRestart } from "./restart_proof.ts";
import { checkRetrieved, type Sent, storeProven } from "./store_proof.ts";
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
   * Offset at which the server starts to write, in bytes (`REST`). The file
   * must reach it. Some servers accept `REST` and replace the whole file:
   * afterwards the size is compared, and, until the server has kept them once,
   * the bytes before the offset. Without `SIZE` and read access, nothing is
   * checked.
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
  const onEnd = async () => {
    if (rest !== undefined) return;
    await checkRetrieved(session, path, transfer.data, { signal });
  };
  return new ReadableStream(
    new DownloadSource(transfer, { length, signal, onEnd }),
    { highWaterMark: 0 },
  );
}

/** A controller of a stream of bytes. */
type Controller = ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;

/** The source of a stream: the open transfer of a file. */
class DownloadSource
  implements UnderlyingDefaultSource<Uint8Array<ArrayBuffer>> {
  readonly #transfer: Transfer;
  readonly #signal: AbortSignal | undefined;
  readonly #onEnd: () => Promise<void>;
  #left: number;
  #size = FIRST_CHUNK_SIZE;
  /** The end of the transfer, if it is not its regular one. */
  #ending: Promise<unknown> | undefined;
  #onAbort = (): void => {};

  constructor(
    transfer: Transfer,
    { length, signal, onEnd }: {
      length: number;
      signal: AbortSignal | undefined;
      onEnd: () => Promise<void>;
    },
  ) {
    this.#onEnd = onEnd;
    this.#transfer = transfer;
    this.#left = length;
    this.#signal = signal;
  }

  start(controller: Controller): void {
    const signal = this.#signal;
    if (signal === undefined) return;
    // the stream may not be read, so the transfer is ended at once. The client
    // is usable when the error appears
    this.#onAbort = () =>
      void this.#abort().finally(() => controller.error(signal.reason));
    signal.addEventListener("abort", this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
  }

  async pull(controller: Controller): Promise<void> {
    // one more byte shows whether the file is longer than requested
    const buffer = new Uint8Array(Math.min(this.#size, this.#left || 1));
    let n: number | null;
    try {
      n = await this.#transfer.data.read(buffer);
    } catch (error) {
      await this.#fail(error);
      return controller.close(); // reset after the last byte
    }
    if (n === this.#size) this.#size = Math.min(this.#size * 2, CHUNK_SIZE);
    if (n !== null && this.#left > 0) {
      this.#left -= n;
      return controller.enqueue(trimmed(buffer, n));
    }
    this.#release(); // finish() handles the signal
    if (n !== null) await this.#abort();
    else {
      await this.#transfer.finish({ signal: this.#signal });
      await this.#onEnd();
    }
    controller.close();
  }

  async cancel(): Promise<void> {
    this.#release();
    await this.#abort();
  }

  /**
   * Ends the transfer after an error of the data connection.
   *
   * @throws The error, unless the transfer is complete
   */
  async #fail(error: unknown): Promise<void> {
    const signal = this.#signal;
    if (this.#ending !== undefined) {
      await this.#ending;
      this.#release();
      throw signal?.aborted ? signal.reason : error;
    }
    const settling = this.#transfer.endAfter(error, { signal })
      .then(() => undefined, (cause) => ({ cause }));
    this.#ending = settling;
    const failure = await settling;
    this.#release();
    if (failure !== undefined) throw failure.cause;
  }

  #abort(): Promise<unknown> {
    return this.#ending ??= this.#transfer.abort();
  }

  #release(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
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
 * @throws {RangeError} If the file ends before the offset
 * @throws {FTPVerificationError} If the server ignored the offset, or stored
 * compressed data
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
  checkSource(source);
  const sent: Sent = { bytes: 0 };
  const send = () =>
    sendBlocks(
      session,
      { verb: append ? "APPE" : "STOR", argument: path, name: "path" },
      source,
      {
        blocksize: WRITE_SIZE,
        type: "I",
        rest,
        signal,
        // what is appended compressed could not be taken back
        isPlain: append && mayBeLeftCompressed(session),
        onSent: (data) => {
          sent.bytes = data.bytesWritten;
          sent.data = data;
        },
      },
    );
  try {
    if (append) return await send();
    return await storeProven(session, path, rest, sent, send, { signal });
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
