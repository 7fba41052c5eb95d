import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { WriteBehind } from "../../../lib/files/download/write_behind.ts";
import { makeData } from "../../real/client.ts";
import { memoryServer } from "../../testing/memory_server.ts";
import { LocalFolder } from "../local_folder.ts";
import { makePipe } from "../../testing/make_pipe.ts";

const DATA = makeData(3_000_000);

/** Writes when it is told to. */
class SlowPart {
  readonly written: number[] = [];
  readonly #steps: PromiseWithResolvers<void>[] = [];
  isWriting = false;

  async write(bytes: Uint8Array): Promise<void> {
    assertEquals(this.isWriting, false, "Two writes at once");
    this.isWriting = true;
    const step = Promise.withResolvers<void>();
    this.#steps.push(step);
    await step.promise;
    this.written.push(...bytes); // copied: they must not change
    this.isWriting = false;
  }

  writeSync(bytes: Uint8Array): void {
    this.written.push(...bytes);
  }

  /** Ends the write that is under way. */
  async step(error?: Error): Promise<void> {
    const step = this.#steps.shift();
    if (error === undefined) step?.resolve();
    else step?.reject(error);
    for (let i = 0; i < 10; i++) await undefined; // all who wait for it
  }
}

/** Puts some bytes where there is room; gives how many. */
function put(writer: WriteBehind, next: number, length: number): number {
  const { room } = writer;
  const n = Math.min(length, room.length);
  for (let i = 0; i < n; i++) room[i] = next + i;
  return n;
}

for (const size of [1, 2, 7]) {
  for (const pattern of [[1], [3, 1, 2], [9, 1], [1, 1, 1, 5]]) {
    Deno.test(`WriteBehind writes pieces of ${pattern} in order from buffers of ${size}`, async () => {
      const part = new SlowPart();
      const writer = new WriteBehind(part, size, false);
      let next = 0;
      for (let i = 0; next < 100; i++) {
        const n = put(writer, next, pattern[i % pattern.length]!);
        assertEquals(n > 0, true);
        next += n;
        const wait = writer.take(n);
        if (wait !== undefined) {
          await part.step();
          await wait;
        }
        assertEquals(next - part.written.length <= 2 * size, true);
        if (i % 3 === 0) await part.step();
      }
      const flushing = writer.flush();
      while (part.written.length < next) await part.step();
      await flushing;
      assertEquals(part.written, Array.from({ length: next }, (_, i) => i));
    });
  }
}

Deno.test("WriteBehind writes synchronously if the data fits into one buffer, and asynchronously otherwise", async () => {
  const part = new SlowPart();
  const writer = new WriteBehind(part, 4, true);
  for (let next = 0; next < 10; next += 2) {
    put(writer, next, 2);
    assertEquals(writer.take(2), undefined);
    assertEquals(part.written.length, next + 2);
  }
  await writer.flush();
  assertEquals(part.written, Array.from({ length: 10 }, (_, i) => i));
});

Deno.test("WriteBehind writes nothing after a write that failed", async () => {
  const part = new SlowPart();
  const writer = new WriteBehind(part, 2, false);
  const fault = new Error("The disk is full");
  writer.take(put(writer, 0, 2));
  const wait = writer.take(put(writer, 2, 2));
  const failing = [writer.failed, wait!, writer.flush()];
  await part.step(fault);
  for (const promise of failing) {
    assertEquals(await promise.catch((error) => error), fault);
  }
  assertEquals(await writer.flush().catch((error) => error), fault);
  assertEquals([part.written, part.isWriting], [[], true]);
});

Deno.test("FTP.download stops at once when the disk is full, though the server stalls", async () => {
  await using server = await memoryServer({ "/data": DATA });
  server.once("RETR", async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    await data.write(DATA.subarray(0, 100_000));
    await turn.confirmAbort(data); // and nothing else, for ever
  });
  await using ftp = await server.client({ timeout: 0 });
  const error = await assertRejects(() => ftp.download("data", "/dev/full"));
  assertInstanceOf(error, Error);
  assertEquals(error.message.includes("No space left"), true, error.message);
  assertEquals(await ftp.size("data"), DATA.length);
  // another connection: what this server's aborts leave behind is not known
  assertEquals(server.sessions.length, 2);
});

/** An open named pipe: writes wait for a reader. */
async function openPipe(path: string): Promise<Deno.FsFile> {
  await makePipe(path);
  return Deno.openSync(path, { read: true, write: true });
}

async function drain(pipe: Deno.FsFile, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) at += await pipe.read(bytes.subarray(at)) ?? 0;
  return bytes;
}

Deno.test("FTP.download does not block the program while the disk is slow", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  using pipe = await openPipe(folder.at("pipe"));
  await using ftp = await server.client();
  const [bytes] = await Promise.all([
    drain(pipe, DATA.length), // in the same thread: it must have its turn
    ftp.download("data", folder.at("pipe"), { retry: false }),
  ]);
  assertEquals(bytes, DATA);
});

Deno.test("FTP.download ends with its signal while a write is under way", async () => {
  await using server = await memoryServer({ "/data": DATA });
  const length = 200_000; // more than a pipe holds
  server.once("RETR", async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    await data.write(DATA.subarray(0, length));
    await turn.confirmAbort(data);
  });
  using folder = new LocalFolder();
  using pipe = await openPipe(folder.at("pipe"));
  await using ftp = await server.client();
  const controller = new AbortController();
  const reason = new Error("Enough");
  const draining = server.received("ABOR").then(() => drain(pipe, length));
  const error = await assertRejects(() =>
    ftp.download("data", folder.at("pipe"), {
      signal: controller.signal,
      progressRate: 1e6,
      onProgress({ transferred }) {
        if (transferred === length) controller.abort(reason);
      },
    })
  );
  assertEquals(error, reason);
  assertEquals(await draining, DATA.subarray(0, length));
  assertEquals(await ftp.size("data"), DATA.length);
});
