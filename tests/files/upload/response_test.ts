import { assert, assertEquals, assertRejects } from "@std/assert";
import { FTPPermanentError, FTPVerificationError } from "../../../mod.ts";
import { bytes, logIn, makeData, text } from "../../real/client.ts";
import { serverTest } from "../../testing/servers/mod.ts";
import { namesIn } from "../local_folder.ts";
import { memoryServer } from "../../testing/memory_server.ts";

const DATA = makeData(3_000_000);

/** A server of HTTP that answers every request alike. */
function serve(answer: () => Response): Deno.HttpServer<Deno.NetAddr> {
  const options = { port: 0, hostname: "127.0.0.1", onListen() {} };
  return Deno.serve(options, answer);
}

/** A stream of known bytes, and whether it was ended before its end. */
function makeStream(content: Uint8Array<ArrayBuffer>): {
  stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  wasCancelled: () => boolean;
} {
  let at = 0;
  let isCancelled = false;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (at >= content.length) return controller.close();
      controller.enqueue(content.slice(at, at += 100_000));
    },
    cancel: () => void (isCancelled = true),
  }, { highWaterMark: 0 });
  return { stream, wasCancelled: () => isCancelled };
}

serverTest("FTP.upload takes a Response of fetch", async (server) => {
  await using http = serve(() => {
    const { stream } = makeStream(DATA);
    const headers = { "content-length": `${DATA.length}` };
    return new Response(stream, { headers });
  });
  await using ftp = await logIn(server);
  await server.write("remote", "old");
  const totals = new Set<number | null>();
  const response = await fetch(`http://127.0.0.1:${http.addr.port}/`);
  const { size } = await ftp.upload(response, "remote", {
    onProgress: ({ total }) => totals.add(total),
  });
  assertEquals(size, DATA.length);
  assertEquals([...totals], [DATA.length]);
  assert(response.bodyUsed);
  assertEquals(await server.read("remote"), DATA);
  assertEquals(namesIn(server.root), ["remote"]);
});

serverTest(
  "FTP.upload tells the total of a stream with a size",
  async (server) => {
    await using ftp = await logIn(server);
    const totals = new Set<number | null>();
    const { size } = await ftp.upload(makeStream(DATA).stream, "remote", {
      size: DATA.length,
      onProgress: ({ total }) => totals.add(total),
    });
    assertEquals(size, DATA.length);
    assertEquals([...totals], [DATA.length]);
  },
);

serverTest(
  "FTP.upload keeps the old file if a source has another size than stated",
  async (server) => {
    await server.write("remote", "old");
    await using ftp = await logIn(server);
    for (const length of [0, 1_000_000, DATA.length - 1]) {
      for (
        const [given, size] of [[DATA.length, length], [length, DATA.length]]
      ) {
        const { stream, wasCancelled } = makeStream(DATA.slice(0, given));
        const error = await assertRejects(
          () => ftp.upload(stream, "remote", { size: size! }),
          FTPVerificationError,
          'Cannot upload to "remote": the source has an unexpected size: size is ',
        );
        assertEquals([error.what, error.expected], ["size", size]);
        assertEquals(wasCancelled(), given! > size!);
      }
    }
    assertEquals(text(await server.read("remote")), "old");
    assertEquals(namesIn(server.root), ["remote"]);
  },
);

Deno.test("FTP.upload sends nothing beyond the size of its source", async () => {
  await using server = await memoryServer({ "/remote": "old" });
  await using ftp = await server.client();
  let sent = "";
  server.once("STOR", async (turn) => {
    await turn.reply(150, "Send it");
    sent = text(await (await turn.openData()).readAll().catch(() => bytes("")));
    await turn.reply(426, "Aborted");
  });
  const source = [bytes("123"), bytes("456"), bytes("789")];
  await assertRejects(
    () => ftp.upload(source, "remote", { size: 5, atomic: false }),
    FTPVerificationError,
    "size is 6, not 5",
  );
  assert(["", "123"].includes(sent), sent);
});

Deno.test("FTP.upload does not take a size for that of what tells another", async () => {
  await using server = await memoryServer();
  await using ftp = await server.client();
  const before = server.commands.length;
  const headers = { "content-length": "3" };
  const sources = [
    bytes("123"),
    new Blob(["123"]),
    new Response("123", { headers }),
  ];
  for (const source of sources) {
    await assertRejects(
      () => ftp.upload(source, "remote", { size: 4 }),
      FTPVerificationError,
      "size is 3, not 4",
    );
  }
  assertEquals(server.commands.length, before);
  await ftp.upload(bytes("123"), "remote", { size: 3 });
});

Deno.test("FTP.upload rejects an invalid size before anything is sent", async () => {
  await using server = await memoryServer();
  await using ftp = await server.client();
  const before = server.commands.length;
  for (const size of [-1, 1.5, NaN, Infinity, "3" as unknown as number]) {
    await assertRejects(
      () => ftp.upload([bytes("123")], "remote", { size }),
      RangeError,
      "it must be a whole number of bytes",
    );
  }
  assertEquals(server.commands.length, before);
});

Deno.test("FTP.upload rejects a Response whose request failed, or that was read", async () => {
  await using server = await memoryServer({ "/remote": "old" });
  await using ftp = await server.client();
  const before = server.commands.length;
  const page = new Response("<h1>Not found</h1>", { status: 404 });
  await assertRejects(
    () => ftp.upload(page, "remote"),
    TypeError,
    "Cannot upload from a Response with status 404",
  );
  assertEquals(await page.text(), "<h1>Not found</h1>"); // it is the caller's
  await assertRejects(() => ftp.upload(page, "remote"), TypeError);
  const read = new Response("text");
  await read.text();
  await assertRejects(
    () => ftp.upload(read, "remote"),
    TypeError,
    "already read",
  );
  assertEquals(server.commands.length, before);
  assertEquals(server.text("/remote"), "old");
});

Deno.test("FTP.upload does not take the length of a compressed Response for its size", async () => {
  const gzip = new CompressionStream("gzip");
  const packed = await new Response(
    new Blob(["abc".repeat(10_000)]).stream().pipeThrough(gzip),
  ).bytes();
  await using http = serve(() =>
    new Response(packed, {
      headers: {
        "content-encoding": "gzip",
        "content-length": `${packed.length}`,
      },
    })
  );
  await using server = await memoryServer();
  await using ftp = await server.client();
  const response = await fetch(`http://127.0.0.1:${http.addr.port}/`);
  const { size } = await ftp.upload(response, "remote");
  assertEquals(size, 30_000);
});

Deno.test("FTP.upload makes an empty file of a Response without a body", async () => {
  await using server = await memoryServer();
  await using ftp = await server.client();
  await ftp.upload(new Response(null), "remote");
  assertEquals(server.text("/remote"), "");
  const headers = { "content-length": "3" }; // as of a HEAD request
  await assertRejects(
    () => ftp.upload(new Response(null, { headers }), "remote"),
    FTPVerificationError,
  );
  assertEquals(server.text("/remote"), "");
});

Deno.test("FTP.upload ends the body of a Response that the server does not take", async () => {
  await using server = await memoryServer();
  await using ftp = await server.client();
  server.on("STOR", "553 No");
  const { stream, wasCancelled } = makeStream(DATA);
  await assertRejects(
    () => ftp.upload(new Response(stream), "remote"),
    FTPPermanentError,
  );
  assert(wasCancelled());
});
