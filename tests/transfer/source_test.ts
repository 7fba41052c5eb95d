import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Readable } from "node:stream";
import { breakAfterFirst } from "../break_after_first.ts";
import {
  type ByteReader,
  chunksOf,
  type Source,
} from "../../lib/transfer/source.ts";

const BYTES = new TextEncoder().encode("hello, world");

/** Every kind of source, holding the same bytes. */
const SOURCES: [kind: string, make: () => Source][] = [
  ["a Uint8Array", () => BYTES],
  ["a Blob", () => new Blob([BYTES])],
  ["a ReadableStream", () => ReadableStream.from(halves())],
  ["an array of chunks", () => halves()],
  ["a generator", () => generate()],
  ["an async generator", () => generateLater()],
  ["a reader", () => makeReader()],
];

for (const [kind, make] of SOURCES) {
  Deno.test(`chunksOf gives the bytes of ${kind}`, async () => {
    assertEquals(await collect(chunksOf(make(), 5)), [...BYTES]);
  });
}

Deno.test("chunksOf returns the bytes of an open file and leaves it open", async () => {
  using file = await Deno.open(configuration());
  const bytes = await Deno.readFile(configuration());
  assertEquals(await collect(chunksOf(file, 100)), [...bytes]);
  assertEquals((await file.stat()).size, bytes.length);
});

Deno.test("chunksOf reads an open file from where it stands", async () => {
  using file = await Deno.open(configuration());
  await file.seek(3, Deno.SeekMode.Start);
  const bytes = await Deno.readFile(configuration());
  assertEquals(await collect(chunksOf(file, 64)), [...bytes.subarray(3)]);
});

Deno.test("chunksOf cuts a Uint8Array into blocks", async () => {
  const sizes: number[] = [];
  for await (const chunk of chunksOf(BYTES, 5)) sizes.push(chunk.length);
  assertEquals(sizes, [5, 5, 2]);
});

Deno.test("chunksOf reads a file in blocks", async () => {
  const asked: number[] = [];
  const reader = {
    read(buffer: Uint8Array): Promise<number | null> {
      asked.push(buffer.length);
      return Promise.resolve(asked.length > 2 ? null : 1);
    },
  };
  await collect(chunksOf(reader, 7));
  assertEquals(asked, [7, 7, 7]);
});

Deno.test("chunksOf gives nothing of what is empty", async () => {
  const empty: Source[] = [
    new Uint8Array(0),
    new Blob([]),
    [],
    ReadableStream.from<Uint8Array>([]),
    { read: () => Promise.resolve(null) },
  ];
  for (const source of empty) {
    assertEquals(await collect(chunksOf(source, 5)), []);
  }
});

Deno.test("chunksOf refuses what bytes cannot be had from", () => {
  for (
    const [value, shown] of [
      ["text", "a string"],
      [5, "number"],
      [{}, "object"],
      [null, "null"],
      [Promise.resolve(BYTES), "object (Promise)"],
      [new ArrayBuffer(2), "object (ArrayBuffer)"],
      [new DataView(new ArrayBuffer(2)), "object (DataView)"],
      [new Uint16Array(2), "object (Uint16Array)"],
      [[1, 2], "chunk of type number"],
      [[BYTES, "text"], "chunk of type string"],
      [undefined, "undefined"],
      [() => BYTES, "function"],
    ] as const
  ) {
    assertThrows(
      () => chunksOf(value as unknown as Source, 5),
      TypeError,
      shown,
    );
  }
});

Deno.test("chunksOf refuses a stream that is locked or was read", async () => {
  const locked = new Blob(["x"]).stream();
  const reader = locked.getReader();
  const cancelled = new Blob(["x"]).stream();
  await cancelled.cancel();
  const read = new Blob(["x"]).stream();
  await collect(chunksOf(read, 5));
  for (const stream of [locked, cancelled, read]) {
    assertThrows(() => chunksOf(stream, 5), TypeError, "read before");
  }
  await reader.cancel();
});

Deno.test("chunksOf refuses a generator that was read", async () => {
  for (const make of [generate, generateLater]) {
    const generator = make();
    await breakAfterFirst(chunksOf(generator, 5));
    assertThrows(() => chunksOf(generator, 5), TypeError, "read before");
  }
});

Deno.test("chunksOf gives the bytes of a stream of Node", async () => {
  assertEquals(await collect(chunksOf(Readable.from(halves()), 5)), [...BYTES]);
});

for (const count of [13, -1, NaN, 1.5, undefined, "2", { bytesRead: 2 }]) {
  Deno.test(`chunksOf refuses a reader that gives ${JSON.stringify(count)} for 12 bytes`, async () => {
    const reader = { read: () => Promise.resolve(count) } as ByteReader;
    await assertRejects(
      () => collect(chunksOf(reader, 12)),
      TypeError,
      `read() returns ${String(count)}: it must`,
    );
  });
}

Deno.test("chunksOf reads again from a reader that returns nothing, but not forever", async () => {
  let count = 0;
  const slow: ByteReader = {
    read: () => Promise.resolve([0, 0, 1, null][count++]!),
  };
  assertEquals(await collect(chunksOf(slow, 5)), [0]);
  let hadTurn = false;
  setTimeout(() => hadTurn = true, 0);
  const stuck: ByteReader = { read: () => Promise.resolve(0) };
  await assertRejects(
    () => collect(chunksOf(stuck, 5)),
    TypeError,
    "returns 0, 100 times in a row",
  );
  assert(hadTurn);
});

Deno.test("chunksOf refuses chunks that are no bytes", async () => {
  for (const chunk of ["text", 5, [1, 2], new ArrayBuffer(2)]) {
    const source = new Set([chunk]) as unknown as Source;
    await assertRejects(
      () => collect(chunksOf(source, 5)),
      TypeError,
      `type ${typeof chunk}`,
    );
  }
});

Deno.test("chunksOf ends a source when the loop is left", async () => {
  let isCancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(BYTES),
    cancel: () => void (isCancelled = true),
  });
  await breakAfterFirst(chunksOf(stream, 5));
  assert(isCancelled);

  let isReturned = false;
  const generator = (function* (): Generator<Uint8Array> {
    try {
      while (true) yield BYTES;
    } finally {
      isReturned = true;
    }
  })();
  await breakAfterFirst(chunksOf(generator, 5));
  assert(isReturned);
});

Deno.test("chunksOf passes the error of a source on", async () => {
  const stream = new ReadableStream<Uint8Array>({
    pull: () => Promise.reject(new Error("disk on fire")),
  });
  await assertRejects(
    () => collect(chunksOf(stream, 5)),
    Error,
    "disk on fire",
  );
});

function configuration(): URL {
  return new URL("../../deno.json", import.meta.url);
}

function halves(): Uint8Array<ArrayBuffer>[] {
  return [BYTES.slice(0, 6), new Uint8Array(0), BYTES.slice(6)];
}

function* generate(): Generator<Uint8Array> {
  yield* halves();
}

async function* generateLater(): AsyncGenerator<Uint8Array> {
  for (const half of halves()) yield await Promise.resolve(half);
}

function makeReader(): { read(buffer: Uint8Array): Promise<number | null> } {
  let at = 0;
  return {
    read(buffer) {
      const part = BYTES.subarray(at, at + Math.min(buffer.length, 3));
      buffer.set(part);
      at += part.length;
      return Promise.resolve(part.length || null);
    },
  };
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<number[]> {
  const bytes: number[] = [];
  for await (const chunk of chunks) bytes.push(...chunk);
  return bytes;
}
