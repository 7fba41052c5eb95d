import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { TextLineStream, toBytes, toText } from "@std/streams";
import { FTPPermanentError, FTPTemporaryError } from "../../mod.ts";
import { bytes, logIn, makeData, text } from "../real/client.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { memoryServer } from "../testing/memory_server.ts";

const DATA = makeData(3_000_000);

serverTest("FTP.retrieve gives a file as a web stream", async (server) => {
  await server.write("dir/data", DATA);
  await server.write("dir/empty", "");
  await using ftp = await logIn(server);
  assertEquals(await toBytes(await ftp.retrieve("dir/data")), DATA);
  assertEquals(
    await toBytes(await ftp.retrieve("/dir/data", { offset: 2_999_990 })),
    DATA.subarray(2_999_990),
  );
  assertEquals(await toText(await ftp.retrieve("dir/empty")), "");
  assertEquals(await ftp.pwd(), "/");
});

serverTest("FTP.retrieve composes with text streams", async (server) => {
  await server.write("poem", "Über allen\r\nGipfeln\nist Ruh");
  await using ftp = await logIn(server);
  const lines = (await ftp.retrieve("poem"))
    .pipeThrough(
      new TextDecoderStream() as ReadableWritablePair<
        string,
        Uint8Array<ArrayBuffer>
      >,
    )
    .pipeThrough(new TextLineStream());
  assertEquals(await Array.fromAsync(lines), [
    "Über allen",
    "Gipfeln",
    "ist Ruh",
  ]);
});

serverTest("FTP.retrieve rejects what does not exist", async (server) => {
  await using ftp = await logIn(server);
  await assertRejects(() => ftp.retrieve("nothing"), FTPPermanentError, "550");
  assertEquals(await ftp.pwd(), "/");
});

serverTest(
  "FTP.retrieve leaves the client usable when it is cancelled",
  async (server) => {
    await server.write("big", makeData(20_000_000));
    await server.write("small", "still here");
    await using ftp = await logIn(server);
    for (let round = 0; round < 5; round++) {
      const stream = await ftp.retrieve("big");
      const reader = stream.getReader();
      await reader.read();
      await reader.cancel();
      assertEquals(await toText(await ftp.retrieve("small")), "still here");
    }
  },
);

serverTest(
  "FTP.retrieve leaves the client usable when its signal aborts",
  async (server) => {
    await server.write("big", makeData(20_000_000));
    await server.write("small", "still here");
    await using ftp = await logIn(server);
    for (const isReading of [true, false]) {
      const controller = new AbortController();
      const { signal } = controller;
      const stream = await ftp.retrieve("big", { signal });
      const reader = stream.getReader();
      await reader.read();
      const reason = new Error("Enough");
      const pending = isReading ? reader.read() : undefined;
      pending?.catch(() => {});
      controller.abort(reason);
      assertEquals(
        await assertRejects(async () => {
          while (!(await reader.read()).done);
        }),
        reason,
      );
      assertEquals(await toText(await ftp.retrieve("small")), "still here");
    }
  },
);

Deno.test("FTP.retrieve waits while the stream is not read", async () => {
  await using server = await memoryServer({
    "/big": new Uint8Array(64_000_000),
  });
  let written = 0;
  server.once("RETR", async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    const block = new Uint8Array(1_000_000);
    for (let i = 0; i < 64; i++) {
      await data.write(block);
      written += block.length;
    }
    data.close();
    await turn.reply(226, "Done");
  });
  await using ftp = await server.client();
  const stream = await ftp.retrieve("/big");
  const reader = stream.getReader();
  await reader.read();
  // a round trip's time after the server could have written everything
  for (let i = 0; i < 50; i++) await new Promise((done) => setTimeout(done, 2));
  assertEquals(written < 40_000_000, true, `${written} bytes were taken`);
  let rest = 0;
  for (let next; !(next = await reader.read()).done;) rest += next.value.length;
  assertEquals(written, 64_000_000);
  assertEquals(rest > 60_000_000, true);
});

Deno.test("FTP.retrieve errors when the server takes its word back", async () => {
  await using server = await memoryServer({ "/a": "content" });
  server.once("RETR", async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    await data.write("cont");
    data.close();
    await data.closed;
    await turn.reply(451, "Disk failure");
  });
  await using ftp = await server.client();
  const stream = await ftp.retrieve("/a");
  await assertRejects(
    () => toText(stream),
    FTPTemporaryError,
    "451 Disk failure",
  );
  assertEquals(await toText(await ftp.retrieve("/a")), "content");
});

Deno.test("FTP.retrieve errors when the final reply never comes", async () => {
  await using server = await memoryServer({ "/a": "content" });
  server.once("RETR", async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    await data.write("content");
    data.close();
    await data.closed;
    turn.close();
  });
  await using ftp = await server.client();
  const stream = await ftp.retrieve("/a");
  const error = await assertRejects(() => toText(stream));
  assertInstanceOf(error, Deno.errors.UnexpectedEof);
  assertEquals(error.message.includes("7 bytes were transferred"), true);
});

serverTest("FTP.store takes bytes of every kind", async (server) => {
  await using ftp = await logIn(server);
  const sources = {
    bytes: DATA,
    blob: new Blob([DATA]),
    stream: ReadableStream.from([DATA.subarray(0, 10), DATA.subarray(10)]),
    iterable: [DATA.subarray(0, 10), DATA.subarray(10)],
  };
  for (const [name, source] of Object.entries(sources)) {
    const reply = await ftp.store(name, source);
    assertEquals(Math.trunc(reply.code / 100), 2);
    assertEquals(await server.read(name), DATA, name);
  }
});

serverTest("FTP.store starts at an offset and appends", async (server) => {
  await server.write("file", "Hello, moon");
  await using ftp = await logIn(server);
  await ftp.store("file", bytes("world"), { offset: 7 });
  await ftp.store("file", bytes("!"), { append: true });
  assertEquals(text(await server.read("file")), "Hello, world!");
  await assertRejects(
    () => ftp.store("file", bytes("x"), { offset: 1, append: true }),
    TypeError,
  );
}, { needs: (features) => features.resumeUpload });

serverTest(
  "FTP.store leaves the client usable when its source fails",
  async (server) => {
    await using ftp = await logIn(server);
    const fault = new Error("The source broke");
    const source = (function* () {
      yield DATA;
      throw fault;
    })();
    assertEquals(await assertRejects(() => ftp.store("file", source)), fault);
    await ftp.store("file", bytes("whole"));
    assertEquals(text(await server.read("file")), "whole");
  },
);

serverTest("FTP.retrieve ends behind a length", async (server) => {
  await server.write("data", DATA);
  await using ftp = await logIn(server);
  for (
    const [offset, length, end] of [
      [0, 0, 0],
      [10, 100_000, 100_010],
      [2_999_990, 10, 3_000_000],
      [2_999_990, 50, 3_000_000],
    ] as const
  ) {
    assertEquals(
      await toBytes(await ftp.retrieve("data", { offset, length })),
      DATA.subarray(offset, end),
    );
    assertEquals(await ftp.pwd(), "/");
  }
  await assertRejects(
    () => ftp.retrieve("data", { length: -1 }),
    RangeError,
    "length",
  );
});
