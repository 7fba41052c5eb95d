import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ByteStream } from "../../lib/connection/byte_stream.ts";
import { DeflatedStream } from "../../lib/connection/deflated_stream.ts";
import { makeData } from "../real/client.ts";
import { deflate } from "../testing/zlib.ts";

const ADDRESS = { transport: "tcp", hostname: "127.0.0.1", port: 1 } as const;

/**
 * A stream in memory: returns pieces of some bytes, and keeps written bytes.
 */
class MemoryStream implements ByteStream {
  readonly written: Uint8Array[] = [];
  readonly localAddr = ADDRESS;
  readonly remoteAddr = ADDRESS;
  isEnded = false;
  isClosed = false;
  writeError: Error | undefined;
  #at = 0;
  readonly #bytes: Uint8Array;
  readonly #size: number;

  constructor(bytes: Uint8Array = new Uint8Array(), size = 1000) {
    this.#bytes = bytes;
    this.#size = size;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    const end = Math.min(this.#at + this.#size, this.#at + buffer.length);
    const piece = this.#bytes.subarray(this.#at, end);
    this.#at += piece.length;
    buffer.set(piece);
    return Promise.resolve(piece.length === 0 ? null : piece.length);
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.writeError !== undefined) return Promise.reject(this.writeError);
    const taken = bytes.slice(0, 700);
    this.written.push(taken);
    return Promise.resolve(taken.length);
  }

  closeWrite(): Promise<void> {
    this.isEnded = true;
    return Promise.resolve();
  }

  close(): void {
    this.isClosed = true;
  }

  ref(): void {}
  unref(): void {}
}

async function readAll(stream: ByteStream, size = 5000): Promise<Uint8Array> {
  const buffer = new Uint8Array(size);
  const all: number[][] = [];
  for (let n; (n = await stream.read(buffer)) !== null;) {
    assert(n > 0);
    all.push([...buffer.subarray(0, n)]);
  }
  return Uint8Array.from(all.flat());
}

const CONTENTS: [name: string, bytes: Uint8Array<ArrayBuffer>][] = [
  ["nothing", new Uint8Array()],
  ["a byte", new Uint8Array([7])],
  ["noise", makeData(100_000)],
  ["text", new TextEncoder().encode("line\r\n".repeat(20_000))],
];

for (const [name, bytes] of CONTENTS) {
  for (const size of [1, 1000, 100_000]) {
    if (size === 1 && bytes.length > 10_000 && name === "noise") continue;
    Deno.test(`DeflatedStream reads ${name} that comes ${size} bytes at a time`, async () => {
      const stream = new DeflatedStream(
        new MemoryStream(await deflate(bytes), size),
      );
      assertEquals(await readAll(stream), bytes);
      assertEquals(stream.endedCleanly, true);
      assertEquals(await stream.read(new Uint8Array(1)), null);
      stream.close();
    });
  }

  Deno.test(`DeflatedStream writes ${name}`, async () => {
    const memory = new MemoryStream();
    const stream = new DeflatedStream(memory);
    const copy = bytes.slice();
    for (let at = 0; at < Math.max(copy.length, 1); at += 9000) {
      const piece = copy.subarray(at, at + 9000);
      assertEquals(await stream.write(piece), piece.length);
      piece.fill(0); // the caller's memory is its own again
    }
    await stream.closeWrite();
    assert(memory.isEnded);
    const sent = new Uint8Array(
      await new Blob(memory.written as BlobPart[]).arrayBuffer(),
    );
    assertEquals(
      await readAll(new DeflatedStream(new MemoryStream(sent))),
      bytes,
    );
    stream.close();
  });
}

Deno.test("DeflatedStream takes no byte at all for an empty file", async () => {
  const stream = new DeflatedStream(new MemoryStream());
  assertEquals(await stream.read(new Uint8Array(1)), null);
  assertEquals(stream.endedCleanly, undefined);
  stream.close();
});

Deno.test("DeflatedStream throws where the data is cut off, changed, or no zlib", async () => {
  const whole = await deflate(makeData(20_000));
  const changed = whole.slice();
  changed[changed.length - 1]! ^= 1;
  const { InvalidData, UnexpectedEof } = Deno.errors;
  const cases = [
    [whole.subarray(0, -1), UnexpectedEof],
    [whole.subarray(0, 3), UnexpectedEof],
    [changed, InvalidData],
    [new TextEncoder().encode("hello, I am no zlib"), InvalidData],
  ] as const;
  for (const [bytes, Class] of cases) {
    const stream = new DeflatedStream(new MemoryStream(bytes));
    await assertRejects(
      () => readAll(stream),
      Class,
      "Cannot decompress the data",
    );
    stream.close();
  }
});

Deno.test("DeflatedStream gives a bomb up early, and no piece of it is large", async () => {
  const bomb = await deflate(new Uint8Array(200 * 1024 * 1024));
  const stream = new DeflatedStream(new MemoryStream(bomb, 64 * 1024));
  const buffer = new Uint8Array(256 * 1024 * 1024);
  let size = 0;
  let most = 0;
  await assertRejects(
    async () => {
      for (let n; (n = await stream.read(buffer)) !== null;) {
        size += n;
        most = Math.max(most, n);
      }
    },
    Deno.errors.InvalidData,
    "200 times",
  );
  assert(size <= 64 * 1024 * 1024, `${size}`);
  assert(most < 8 * 1024 * 1024, `${most}`);
  stream.close();
});

Deno.test("DeflatedStream throws what writing throws", async () => {
  const memory = new MemoryStream();
  const stream = new DeflatedStream(memory);
  await stream.write(makeData(10));
  memory.writeError = new Deno.errors.BrokenPipe("gone");
  await assertRejects(() => stream.finish(), Deno.errors.BrokenPipe);
  stream.close();
  const other = new DeflatedStream(memory);
  await assertRejects(async () => {
    for (let i = 0; i < 1000; i++) await other.write(makeData(10_000));
  }, Deno.errors.BrokenPipe);
  other.close();
});
