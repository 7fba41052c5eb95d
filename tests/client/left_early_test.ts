/**
 * A call right after a transfer that was left waits for its end, however far
 * the news of it has to travel.
 */

import { assertEquals, assertRejects } from "@std/assert";
import type { FTP } from "../../mod.ts";
import { Pair } from "../testing/scripted_listings.ts";

/** More than buffers hold, so that no download has ended by itself. */
const LARGE = "a line of text\r\n".repeat(400_000);

/** Ways to leave a transfer whose end has begun, and is not awaited. */
const LEAVING: Record<string, (ftp: FTP) => Promise<unknown>> = {
  async "a loop over a stream"(ftp) {
    for await (const _ of await ftp.retrieve("/large")) break;
  },
  async "a loop over a stream behind a pipe"(ftp) {
    const stream = await ftp.retrieve("/large");
    for await (const _ of stream.pipeThrough(new TransformStream())) break;
  },
  async "a loop over a stream behind four pipes"(ftp) {
    const stream = (await ftp.retrieve("/large"))
      .pipeThrough(new TransformStream())
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TransformStream())
      .pipeThrough(new TransformStream());
    for await (const _ of stream) break;
  },
  async "a loop over a stream that is compressed"(ftp) {
    const stream = (await ftp.retrieve("/large"))
      .pipeThrough(new CompressionStream("gzip"))
      .pipeThrough(new DecompressionStream("gzip"));
    for await (const _ of stream) break;
  },
  async "a stream that is cancelled and not awaited"(ftp) {
    const reader = (await ftp.retrieve("/large")).getReader();
    await reader.read();
    reader.cancel();
  },
  async "a stream behind two pipes that is cancelled unread"(ftp) {
    const stream = (await ftp.retrieve("/large"))
      .pipeThrough(new TransformStream())
      .pipeThrough(new TransformStream());
    stream.cancel();
  },
  async "both branches of a stream"(ftp) {
    const branches = (await ftp.retrieve("/large")).tee();
    for (const branch of branches) branch.cancel();
  },
  async "a pipe into a sink that fails"(ftp) {
    const stream = await ftp.retrieve("/large");
    const write = () => Promise.reject(new Error("The disk is full"));
    await assertRejects(() =>
      stream.pipeThrough(new TransformStream())
        .pipeTo(new WritableStream({ write }))
    );
  },
  async "a listing whose iterator is told and not awaited"(ftp) {
    const entries = ftp.list("/")[Symbol.asyncIterator]();
    await entries.next();
    entries.return?.(undefined);
  },
};

for (const [title, leave] of Object.entries(LEAVING)) {
  Deno.test(`FTP runs the next call after ${title}`, async () => {
    await using pair = await Pair.make({ "/large": LARGE, "/f": "whole" });
    await leave(pair.ftp);
    assertEquals(await pair.ftp.size("/f"), 5);
    const next = await pair.ftp.retrieve("/f");
    assertEquals(await new Response(next).text(), "whole");
  });
}

Deno.test("FTP refuses a call while a stream is read, and the stream goes on", async () => {
  await using pair = await Pair.make({ "/large": LARGE });
  const stream = (await pair.ftp.retrieve("/large"))
    .pipeThrough(new TransformStream());
  const reader = stream.getReader();
  let { length } = (await reader.read()).value!;
  await assertRejects(() => pair.ftp.size("/large"), Deno.errors.Busy);
  for (let read; (read = await reader.read()).value !== undefined;) {
    length += read.value.length;
  }
  assertEquals(length, LARGE.length);
});

Deno.test("FTP.voidresp sends ABOR for a closed download if the server sends only another 150", async () => {
  await using pair = await Pair.make({ "/f": "whole" });
  const { ftp, server } = pair;
  server.once("RETR", async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    await data.write(LARGE).catch(() => {}); // the client has gone
    await turn.reply(150, "0.010 seconds (measured here)"); // Pure-FTPd
    await turn.confirmAbort(data);
  });
  const data = await ftp.transfercmd("RETR /f");
  await data.read(new Uint8Array(10));
  data.close();
  const error = await assertRejects(
    () => ftp.voidresp(),
    Deno.errors.Interrupted,
  );
  assertEquals(
    error.message,
    'Cannot complete "RETR /f": its data connection was closed before the end of the data, after 10 bytes',
  );
  const next = await ftp.retrieve("/f");
  assertEquals(await new Response(next).text(), "whole");
});
