import { assertEquals } from "@std/assert";
import type { ByteStream } from "../../lib/connection/byte_stream.ts";
import { SendQueue } from "../../lib/tls/send_queue.ts";

/** A stream that only writes. */
function stream(write: (bytes: Uint8Array) => Promise<number>): ByteStream {
  return { write } as Partial<ByteStream> as ByteStream;
}

function ignore(): void {}

Deno.test("SendQueue sends everything in order, however small the writes are", async () => {
  const sent: number[] = [];
  const queue = new SendQueue(
    stream((bytes) => {
      const part = bytes.subarray(0, 3);
      sent.push(...part);
      return Promise.resolve(part.length);
    }),
    ignore,
  );
  queue.add(Uint8Array.from([1, 2, 3, 4]), ignore);
  queue.add(Uint8Array.from([5]), ignore);
  await queue.sent;
  queue.add(Uint8Array.from([6, 7]), ignore);
  await queue.sent;
  assertEquals(sent, [1, 2, 3, 4, 5, 6, 7]);
});

Deno.test("SendQueue accepts some data ahead of a slow stream, and makes the rest wait", async () => {
  const size = 100 * 1024;
  let begun = Promise.withResolvers<() => void>();
  const queue = new SendQueue(
    stream(() => new Promise((resolve) => begun.resolve(() => resolve(size)))),
    ignore,
  );
  const done: number[] = [];
  for (let i = 0; i < 4; i++) {
    queue.add(new Uint8Array(size), () => done.push(i));
  }
  let isSent = false;
  const sent = queue.sent.then(() => isSent = true);
  // of 400 KiB, 256 may wait
  for (const expected of [[0, 1], [0, 1], [0, 1, 2, 3], [0, 1, 2, 3]]) {
    const finish = await begun.promise;
    begun = Promise.withResolvers();
    assertEquals(done, expected);
    assertEquals(isSent, false);
    finish();
  }
  await sent;
});

Deno.test("SendQueue reports a broken stream once, and drops later data", async () => {
  let writes = 0;
  const errors: unknown[] = [];
  const broken = new Deno.errors.BrokenPipe("gone");
  const queue = new SendQueue(
    stream(() => {
      writes++;
      return Promise.reject(broken);
    }),
    (error) => errors.push(error),
  );
  const done: string[] = [];
  queue.add(new Uint8Array(300 * 1024), () => done.push("first"));
  assertEquals(done, []);
  await queue.sent;
  queue.add(new Uint8Array(1), () => done.push("second"));
  await queue.sent;
  assertEquals(errors, [broken]);
  assertEquals(done, ["first", "second"]);
  assertEquals(writes, 1);
});
