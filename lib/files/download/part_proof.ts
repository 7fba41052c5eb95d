/**
 * Checks that the server's part of an upload is the beginning of the source,
 * and stays so when the upload continues.
 *
 * @module
 */

import { writeAll } from "../../connection/byte_stream.ts";
import { FTPPermanentError } from "../../protocol/errors.ts";
import type { SignalOptions } from "../../transfer/session.ts";
import type { Transfer } from "../../transfer/transfer.ts";
import { isAtEnd, isSameStart, OVERLAP } from "../resume.ts";
import type { UploadSource } from "../upload/source.ts";

/** Opens a transfer of the unfinished file at an offset. */
export type OpenPart = (
  verb: "RETR" | "STOR",
  start: number,
) => Promise<Transfer>;

/**
 * Compares the end of an unfinished upload; `false` if it may not be read.
 *
 * @param size Bytes that the server has
 */
export async function isSameEnd(
  source: UploadSource,
  size: number,
  open: OpenPart,
  options: SignalOptions,
  length: number = OVERLAP,
): Promise<boolean> {
  const start = Math.max(0, size - length);
  const expected = await readPiece(source, start, size);
  try {
    const transfer = await open("RETR", start);
    const isSame = await isSameStart(transfer, expected, options) &&
      await isAtEnd(transfer, options);
    if (isSame) await transfer.finish(options);
    else await transfer.abort();
    return isSame;
  } catch (error) {
    if (error instanceof FTPPermanentError) return false; // may not be read
    throw error;
  }
}

/**
 * Sends the end of an unfinished upload again, by `REST` and `STOR`, and checks
 * that the bytes before it are still there. bftpd, ftp-srv and uftpd empty the
 * file first and leave zeros. The size is right then, and only these bytes show
 * it.
 *
 * @param size Bytes that the server has, more than {@linkcode OVERLAP}
 * @throws {FTPPermanentError} If the server refuses `REST`
 */
export async function keepsBeginning(
  source: UploadSource,
  size: number,
  open: OpenPart,
  options: SignalOptions,
): Promise<boolean> {
  const piece = await readPiece(source, size - OVERLAP, size);
  const transfer = await open("STOR", size - OVERLAP);
  try {
    await writeAll(transfer.data, piece);
    await transfer.data.closeWrite();
  } catch (error) {
    throw await transfer.failed(error, options);
  }
  await transfer.finish(options);
  return await isSameEnd(source, size, open, options, 2 * OVERLAP);
}

async function readPiece(
  source: UploadSource,
  start: number,
  end: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start);
  let at = 0;
  for await (const chunk of source.read(start, bytes.length)) {
    const piece = chunk.subarray(0, bytes.length - at);
    bytes.set(piece, at);
    at += piece.length;
    if (at === bytes.length) break;
  }
  return bytes;
}
