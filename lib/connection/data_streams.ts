/**
 * A data connection as web streams.
 *
 * @module
 */

import type { DataStream } from "./data_stream.ts";

/** Size of the chunks, in bytes. */
const CHUNK_SIZE = 64 * 1024;

/**
 * Reads data in chunks.
 *
 * @param data The connection; closed at the end of the data
 */
export function readableOf(
  data: DataStream,
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
 * Writes data in chunks.
 *
 * @param data The connection; closed with the stream, aborted with it
 */
export function writableOf(data: DataStream): WritableStream<Uint8Array> {
  return new WritableStream({
    write: (chunk) => data.writeAll(chunk),
    async close() {
      await data.closeWrite();
      data.close();
    },
    // otherwise the server would take the bytes so far for the complete file
    abort: (reason) =>
      data.giveUp(reason ?? new Error("The stream was aborted")),
  });
}
