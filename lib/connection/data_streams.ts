/**
 * A data connection as web streams.
 *
 * @module
 */

import type { DataConnection } from "./data_connection.ts";

/** Size of the chunks, in bytes. */
const CHUNK_SIZE = 64 * 1024;

/**
 * What comes, chunk by chunk as it is asked for.
 *
 * @param data The connection; it is closed at the end of the data
 * @returns The stream
 */
export function readableOf(
  data: DataConnection,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      const buffer = new Uint8Array(CHUNK_SIZE);
      const n = await data.read(buffer);
      if (n === null) {
        data.close();
        controller.close();
      } else {
        controller.enqueue(buffer.subarray(0, n));
      }
    },
    cancel: () => data.close(),
  }, { highWaterMark: 0 });
}

/**
 * Takes what is to be sent.
 *
 * @param data The connection; it is closed with the stream, and given up with
 * one that is aborted
 * @returns The stream
 */
export function writableOf(data: DataConnection): WritableStream<Uint8Array> {
  return new WritableStream({
    write: (chunk) => data.writeAll(chunk),
    async close() {
      await data.closeWrite();
      data.close();
    },
    // nobody is to take what was written until now for all of it
    abort: (reason) =>
      data.giveUp(reason ?? new Error("The stream was aborted")),
  });
}
