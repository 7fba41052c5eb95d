import { assert, assertEquals, assertRejects } from "@std/assert";
import { type FTP, FTPPermanentError, type Source } from "../../mod.ts";
import {
  type Script,
  startScript,
  untilAborted,
} from "../testing/client_script.ts";

const BYTES = new TextEncoder().encode("new");

/** A server whose file is emptied by every STOR. */
function makePrecious(): { script: Script; file: () => string } {
  let text = "PRECIOUS";
  return {
    script: {
      STOR: async (turn) => {
        text = "";
        text = new TextDecoder().decode(await turn.take());
      },
    },
    file: () => text,
  };
}

type Call = (
  ftp: FTP,
  source: Source,
  signal?: AbortSignal,
) => Promise<unknown>;

const CALLS: [name: string, call: Call][] = [
  ["store", (f, source, signal) => f.store("x", source, { signal })],
  [
    "storbinary",
    (f, source, signal) => f.storbinary("STOR x", source, { signal }),
  ],
  [
    "storlines",
    (f, source, signal) => f.storlines("STOR x", source, undefined, { signal }),
  ],
];

/** Invalid sources, and the text of their errors. */
const WRONG: [name: string, make: () => unknown, shown: string][] = [
  ["text", () => "text", "a string"],
  ["null", () => null, "null"],
  ["a list of numbers", () => [1, 2], "number"],
  ["a Uint16Array", () => new Uint16Array(2), "Uint16Array"],
  ["a set of numbers", () => new Set([1]), "number"],
  ["an iterator of texts", () => ["text"].values(), "string"],
  ["a stream of texts", () => ReadableStream.from(["text"]), "string"],
  ["a locked stream", () => {
    const stream = ReadableStream.from([BYTES]);
    stream.getReader();
    return stream;
  }, "locked"],
  [
    "a stream that fails",
    () =>
      new ReadableStream({ pull: () => Promise.reject(new Error("fault")) }),
    "fault",
  ],
  ["an iterator that fails", () => ({
    [Symbol.iterator]: () => ({
      next() {
        throw new Error("fault");
      },
    }),
  }), "fault"],
  ["a reader that fails", () => ({
    read: () => Promise.reject(new Error("fault")),
  }), "fault"],
  ["a reader of nonsense", () => ({ read: () => Promise.resolve(NaN) }), "NaN"],
];

for (const [name, call] of CALLS) {
  Deno.test(`FTP.${name} does not change the file if the source is invalid`, async (t) => {
    const { script, file } = makePrecious();
    await using server = await startScript(script);
    await using ftp = await server.connect();
    for (const [kind, make, shown] of WRONG) {
      await t.step(kind, async () => {
        const source = make() as Source;
        await assertRejects(() => call(ftp, source), Error, shown);
        assertEquals(file(), "PRECIOUS");
      });
    }
    assertEquals(server.commands, []);
    await call(ftp, []);
    assertEquals(file(), "");
  });

  Deno.test(`FTP.${name} is aborted while its source has given nothing yet, and has sent nothing`, async () => {
    await using server = await startScript();
    await using ftp = await server.connect();
    const controller = new AbortController();
    const asked = Promise.withResolvers<void>();
    const source = new ReadableStream<Uint8Array>({
      pull: () => asked.resolve(),
    });
    const calling = call(ftp, source, controller.signal).catch((e) => e);
    await asked.promise;
    controller.abort("enough");
    assertEquals(await calling, "enough");
    assertEquals(server.commands, []);
    assertEquals(await ftp.pwd(), "/");
  });

  Deno.test(`FTP.${name} ends with close() while its source has given nothing yet`, async () => {
    await using server = await startScript();
    await using ftp = await server.connect();
    const asked = Promise.withResolvers<void>();
    const source = new ReadableStream<Uint8Array>({
      pull: () => asked.resolve(),
    });
    const calling = call(ftp, source).catch((e) => e);
    await asked.promise;
    ftp.close();
    assert(await calling instanceof Deno.errors.NotConnected);
  });

  Deno.test(`FTP.${name} ends with the connection while its source has given nothing yet`, async () => {
    const asked = Promise.withResolvers<void>();
    await using server = await startScript({
      NOOP: async (turn) => {
        await asked.promise;
        await turn.reply(421, "Bye");
      },
    });
    await using ftp = await server.connect();
    await ftp.putcmd("NOOP");
    const source = new ReadableStream<Uint8Array>({
      pull: () => asked.resolve(),
    });
    await assertRejects(
      () => call(ftp, source),
      Deno.errors.ConnectionReset,
      "421 Bye",
    );
  });

  Deno.test(`FTP.${name} waits for a source that is slow to begin`, async () => {
    const { script, file } = makePrecious();
    await using server = await startScript(script);
    await using ftp = await server.connect({ timeout: 300 });
    async function* slow(): AsyncGenerator<Uint8Array> {
      await new Promise((done) => setTimeout(done, 600));
      assertEquals(await ftp.pwd(), "/"); // the client is free until then
      yield BYTES;
    }
    await call(ftp, slow());
    assertEquals(file().trimEnd(), "new");
  });
}

Deno.test("FTP.store ends its source when the server refuses", async () => {
  await using server = await startScript({ STOR: "553 No" });
  await using ftp = await server.connect();
  let isCancelled = false;
  const source = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(BYTES),
    cancel: () => void (isCancelled = true),
  });
  await assertRejects(() => ftp.store("x", source), FTPPermanentError, "553");
  assert(isCancelled);
  await assertRejects(() => ftp.store("x", source), TypeError, "read before");
});

Deno.test("FTP.storbinary reads nothing of its source for what is refused here", async () => {
  await using server = await startScript({ STOR: untilAborted, RETR: "150 x" });
  await using ftp = await server.connect();
  const source = (function* () {
    yield BYTES;
  })();
  await assertRejects(() => ftp.storbinary("STOR x\n", source), TypeError);
  await ftp.sendcmd("RETR x");
  await assertRejects(
    () => ftp.storbinary("STOR x", source),
    Deno.errors.Busy,
  );
  ftp.close();
  await assertRejects(
    () => ftp.storbinary("STOR x", source),
    Deno.errors.NotConnected,
  );
  assertEquals(source.next().value, BYTES);
});

Deno.test("FTP.upload in place does not change the file if the source turns out to be invalid", async () => {
  const { script, file } = makePrecious();
  await using server = await startScript({ ...script, SIZE: "213 8" });
  await using ftp = await server.connect();
  const locked = ReadableStream.from([BYTES]);
  const reader = locked.getReader();
  for (const source of [locked, [1, 2], new Uint16Array(2), null, 5]) {
    await assertRejects(
      () => ftp.upload(source as Source, "x", { atomic: false }),
      TypeError,
    );
  }
  await reader.cancel();
  assertEquals(file(), "PRECIOUS");
});
