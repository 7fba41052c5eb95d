import { assertEquals } from "@std/assert";
import { CleartextQueue } from "../../lib/tls/cleartext_queue.ts";

function bytes(...values: number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(values);
}

Deno.test("CleartextQueue.read fills a buffer from several chunks and frees those that were read", () => {
  const queue = new CleartextQueue();
  const chunks = [bytes(1, 2), bytes(3), bytes(4, 5, 6)];
  for (const chunk of chunks) queue.push(chunk);
  const buffer = new Uint8Array(4);
  assertEquals(queue.read(buffer), 4);
  assertEquals(buffer, bytes(1, 2, 3, 4));
  assertEquals(queue.size, 2);
  assertEquals(chunks.map((chunk) => chunk.length), [0, 0, 3]);
  assertEquals(queue.read(buffer), 2);
  assertEquals(buffer.subarray(0, 2), bytes(5, 6));
  assertEquals(queue.size, 0);
  assertEquals(queue.read(buffer), 0);
});

Deno.test("CleartextQueue.take gives a chunk itself, or what read has left of it", () => {
  const queue = new CleartextQueue();
  const chunks = [bytes(1, 2, 3), bytes(4, 5)];
  for (const chunk of chunks) queue.push(chunk);
  queue.read(new Uint8Array(1));
  assertEquals(queue.take(), bytes(2, 3));
  assertEquals(queue.size, 2);
  assertEquals(queue.take() === chunks[1], true);
  assertEquals(queue.size, 0);
});

Deno.test("CleartextQueue.read leaves memory alone that a chunk shares", () => {
  const queue = new CleartextQueue();
  const shared = bytes(1, 2, 3);
  queue.push(shared.subarray(0, 2));
  assertEquals(queue.read(new Uint8Array(2)), 2);
  assertEquals(shared, bytes(1, 2, 3));
});
