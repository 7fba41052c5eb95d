/**
 * Proves what a stored stream has become on the server: that it begins at its
 * offset, and that the server has decompressed it. A retrieved stream needs the
 * second proof as well.
 *
 * @module
 */

import { textOfPath } from "../commands/queries.ts";
import type { DataStream } from "../connection/data_stream.ts";
import { isEqual } from "../protocol/bytes.ts";
import type { Path } from "../protocol/command.ts";
import { FTPPermanentError, FTPTemporaryError } from "../protocol/errors.ts";
import { quote } from "../protocol/printable.ts";
import type { Reply } from "../protocol/reply.ts";
import {
  isCompressionUnproven,
  isSizeAmbiguous,
  mayBeLeftCompressed,
  noteDecompressed,
} from "../transfer/compression.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { backOff } from "./back_off.ts";
import { FTPVerificationError } from "./errors.ts";
import { openAt } from "./open_at.ts";
import { requestSize } from "./request_size.ts";

/** Bytes before the offset that are compared. */
const COMPARED = 4096;

/** Noted in the profile of a server that ignores the offset of a `STOR`. */
const OFFSET = "REST before STOR";

/** What was sent, filled in while the stream is stored. */
export interface Sent {
  /** Bytes of the stream. */
  bytes: number;
  /** The data connection. */
  data?: DataStream;
}

/**
 * Stores a stream, and compares the file with what was expected.
 *
 * @param offset Start in bytes; `undefined` if the whole file is replaced
 * @throws {RangeError} If the file ends before the offset
 * @throws {Deno.errors.NotSupported} If the server is known to ignore the
 * offset; nothing was sent
 * @throws {FTPVerificationError} If the file has another size afterwards
 */
export async function storeProven(
  session: Session,
  path: Path,
  offset: number | undefined,
  sent: Sent,
  store: () => Promise<Reply>,
  options: SignalOptions,
): Promise<Reply> {
  const prove = async () => {
    const before = offset === undefined
      ? undefined
      : await readBefore(session, path, offset, options);
    const reply = await store();
    const known = await checkCompression(session, path, offset, sent, options);
    if (offset === undefined || before === undefined) return reply;
    const { size } = before;
    await checkSize(session, path, { offset, sent, size, known }, options);
    await checkBefore(session, path, before, options);
    return reply;
  };
  const { stores } = session;
  return offset === undefined
    ? await stores.shared(prove, options)
    : await stores.exclusive(prove, options);
}

/** The file before it was stored. */
interface Before {
  /** Its size; `null` if the server does not tell. */
  readonly size: number | null;
  /** Start of the bytes that were read. */
  readonly start: number;
  /** Bytes in front of the offset, if they were read. */
  readonly bytes?: Uint8Array | undefined;
}

/**
 * Checks that the file reaches the offset, and reads the bytes before it; only
 * once for each server.
 */
async function readBefore(
  session: Session,
  path: Path,
  offset: number,
  options: SignalOptions,
): Promise<Before> {
  const { profile } = session;
  if (profile.lacks(OFFSET)) {
    throw new Deno.errors.NotSupported(
      `Cannot store ${
        named(session, path)
      } at an offset: the server accepts REST, but ignores it before STOR; store the whole file`,
    );
  }
  const size = await requestSizeIfPossible(session, path, options);
  if (size !== null) checkReached(session, path, offset, size);
  const start = Math.max(0, offset - COMPARED);
  if (profile.keepsBeginnings) return { size, start };
  const length = offset - start;
  const bytes = await readRange(session, path, start, length, options)
    .catch((error) => {
      // before, the server may refuse it for any reason
      if (error instanceof FTPTemporaryError) return undefined;
      throw error;
    });
  if (bytes !== undefined && bytes.length < length) {
    checkReached(session, path, offset, start + bytes.length);
  }
  return { size, start, bytes };
}

/** Throws if the file ends before the offset. */
function checkReached(
  session: Session,
  path: Path,
  offset: number,
  size: number,
): void {
  if (size >= offset) return;
  throw new RangeError(
    `Cannot store ${
      named(session, path)
    } at offset ${offset}: it has only ${size} bytes`,
  );
}

/**
 * Compares the bytes before the offset. bftpd, ftp-srv and uftpd empty the file
 * first and leave zeros.
 */
async function checkBefore(
  session: Session,
  path: Path,
  { start, bytes }: Before,
  options: SignalOptions,
): Promise<void> {
  if (bytes === undefined) return;
  const { length } = bytes;
  const now = await readRange(session, path, start, length, options);
  if (now === undefined) return;
  if (isEqual(now, bytes)) {
    // zeros look like those that a server leaves
    session.profile.keepsBeginnings ||= bytes.some((byte) => byte !== 0);
    return;
  }
  session.profile.noteLacking(OFFSET);
  throw new Deno.errors.InvalidData(
    `Cannot store ${
      named(session, path)
    } at an offset: the server has lost the bytes before it; store the whole file`,
  );
}

async function checkSize(
  session: Session,
  path: Path,
  { offset, sent, size: before, known }: {
    offset: number;
    sent: Sent;
    size: number | null;
    known: number | null | undefined;
  },
  options: SignalOptions,
): Promise<void> {
  const expected = offset + sent.bytes;
  let size = known ?? null;
  if (size === null || size < expected) {
    // a server that told the size before must tell it again
    const request = before === null ? requestSizeIfPossible : requestSize;
    size = await storedSize(
      () => request(session, path, options),
      expected,
      options,
    );
  }
  // a longer file keeps its end
  if (size === null || size >= expected) return;
  session.profile.noteLacking(OFFSET);
  throw new FTPVerificationError(
    `Cannot store ${
      named(session, path)
    } at an offset: the server accepted REST, but may have replaced the whole file; store the whole file`,
    { what: "size", expected, actual: size },
  );
}

/**
 * Finds out whether the server stored the compressed data, until that is known.
 *
 * @returns The size, if it was requested
 */
async function checkCompression(
  session: Session,
  path: Path,
  offset: number = 0,
  { bytes, data }: Sent,
  options: SignalOptions,
): Promise<number | null | undefined> {
  const isKnown = data === undefined || !isCompressionUnproven(session) ||
    isSizeAmbiguous(session, data);
  if (isKnown) return undefined;
  const size = await requestSizeIfPossible(session, path, options);
  if (size === offset + bytes) noteDecompressed(session, true);
  if (size !== offset + (data.compressedSize ?? 0)) return size;
  noteDecompressed(session, false);
  throw new FTPVerificationError(
    `Cannot store ${
      named(session, path)
    }: the server accepted "MODE Z", but stored the compressed data; store it again, which is not compressed, or omit "compress"`,
    { what: "size", expected: offset + bytes, actual: size },
  );
}

/**
 * Rejects a stream that was decompressed although the server sent the file as
 * it is, which only zlib data survives.
 */
export async function checkRetrieved(
  session: Session,
  path: Path,
  data: DataStream,
  options: SignalOptions,
): Promise<void> {
  const isKnown = !isCompressionUnproven(session) ||
    isSizeAmbiguous(session, data) || data.bytesRead === 0;
  if (isKnown) return;
  const size = await requestSizeIfPossible(session, path, options);
  if (size === data.bytesRead) noteDecompressed(session, true);
  if (size !== data.compressedSize) return;
  noteDecompressed(session, false);
  throw new FTPVerificationError(
    `Cannot retrieve ${
      named(session, path)
    }: the server accepted "MODE Z", but sent the file as it is, which is zlib data; retrieve it again, which is not compressed, or omit "compress"`,
    { what: "size", expected: size, actual: data.bytesRead },
  );
}

/** Requests the size until the file is long enough. */
async function storedSize(
  request: () => Promise<number | null>,
  expected: number,
  options: SignalOptions,
): Promise<number | null> {
  let size: number | null = null;
  await backOff(options, async () => {
    size = await request();
    return size === null || size >= expected;
  });
  return size;
}

/** Reads bytes of a file; `undefined` if it may not be read. */
async function readRange(
  session: Session,
  path: Path,
  start: number,
  length: number,
  options: SignalOptions,
): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(length);
  let at = 0;
  try {
    const transfer = await openAt(session, "RETR", path, start, {
      ...options,
      isPlain: mayBeLeftCompressed(session),
    });
    let isEnded = false;
    try {
      while (at < length && !isEnded) {
        const n = await transfer.data.read(bytes.subarray(at));
        if (n === null) isEnded = true;
        else at += n;
      }
      isEnded ||= await transfer.data.read(new Uint8Array(1)) === null;
    } catch (error) {
      throw await transfer.failed(error, options);
    }
    if (isEnded) await transfer.finish(options);
    else await transfer.abort();
  } catch (error) {
    if (error instanceof FTPPermanentError) return undefined;
    throw error;
  }
  return bytes.subarray(0, at);
}

/** Requests the size; `null` if the server refuses, for now or always. */
async function requestSizeIfPossible(
  session: Session,
  path: Path,
  options: SignalOptions,
): Promise<number | null> {
  try {
    return await requestSize(session, path, options);
  } catch (error) {
    if (error instanceof FTPTemporaryError) return null;
    throw error;
  }
}

function named(session: Session, path: Path): string {
  return quote(textOfPath(session, path));
}
