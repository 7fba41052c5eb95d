import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { FTPVerificationError, type UploadOptions } from "../../../mod.ts";
import type { ErrorClass } from "../../testing/client_script.ts";
import { makeData } from "../../real/client.ts";
import type { Turn } from "../../testing/scripted/mod.ts";
import { LocalFolder } from "../local_folder.ts";
import { memoryServer } from "../../testing/memory_server.ts";

const DATA = makeData(2_000_000);

/** Stores what comes, and lets something happen to the source meanwhile. */
function storeWhile(happen: () => void): (turn: Turn) => Promise<void> {
  return async (turn) => {
    await turn.reply(150, "Send it");
    const data = await turn.openData();
    const chunks = [await data.read()];
    happen();
    chunks.push(await data.readAll());
    turn.server.put(
      `/${turn.argument}`,
      await new Blob(chunks as BlobPart[]).bytes(),
    );
    await turn.reply(226, "Stored");
  };
}

Deno.test("FTP.upload does not put a file in place that changed meanwhile", async (context) => {
  const cases: [
    name: string,
    what: string,
    change: (path: string) => void,
    options?: UploadOptions,
  ][] = [
    ["cut", "size", (path) => Deno.truncateSync(path, 100_000)],
    [
      "grown, nothing compared",
      "size",
      (path) => Deno.writeTextFileSync(path, "more", { append: true }),
      { verify: "none" },
    ],
    ["written to", "mtime", (path) => Deno.utimeSync(path, 1e9, 1e9)],
  ];
  for (const [name, what, change, options] of cases) {
    await context.step(name, async () => {
      await using server = await memoryServer({ "/data": "old" });
      using folder = new LocalFolder();
      Deno.writeFileSync(folder.at("data"), DATA);
      await using ftp = await server.client();
      server.once("STOR", storeWhile(() => change(folder.at("data"))));
      const error = await assertRejects(
        () =>
          ftp.upload(folder.at("data"), "data", { ...options, retry: false }),
        FTPVerificationError,
        'Cannot upload to "data": the local file changed during the upload',
      );
      assertEquals(error.what, what);
      assertEquals([...server.files.keys()], ["/data"]);
      assertEquals(server.text("/data"), "old");
      assertEquals(server.verbs.includes("RNTO"), false);
    });
  }
});

Deno.test("FTP.upload sends a file again that changed meanwhile, with its new time", async () => {
  await using server = await memoryServer();
  using folder = new LocalFolder();
  Deno.writeFileSync(folder.at("data"), DATA);
  await using ftp = await server.client();
  const changed = makeData(1_500_000, 7);
  server.once(
    "STOR",
    storeWhile(() => {
      Deno.writeFileSync(folder.at("data"), changed);
      Deno.utimeSync(folder.at("data"), 1e9, 1e9);
    }),
  );
  const totals: (number | null)[] = [];
  const result = await ftp.upload(folder.at("data"), "data", {
    retry: { delay: 1 },
    onProgress: ({ total, done }) => done && totals.push(total),
  });
  assertEquals(server.files.get("/data"), changed);
  assertEquals([result.size, result.retries], [changed.length, 1]);
  assertEquals(result.mtime ?? new Date(1e12), new Date(1e12));
  assertEquals(totals, [changed.length]);
});

Deno.test("FTP.upload sends an open file up to its current end", async () => {
  await using server = await memoryServer();
  using folder = new LocalFolder();
  Deno.writeFileSync(folder.at("log"), DATA);
  await using ftp = await server.client();
  using file = Deno.openSync(folder.at("log"));
  server.once(
    "STOR",
    storeWhile(() =>
      Deno.writeTextFileSync(folder.at("log"), "more", { append: true })
    ),
  );
  await ftp.upload(file, "log", { retry: false });
  assert(server.files.get("/log")!.length >= DATA.length);
});

Deno.test("FTP.upload and FTP.store are ended by a signal while their source gives nothing", async (context) => {
  for (const call of ["upload", "store"] as const) {
    for (const kind of ["stream", "iterator"]) {
      await context.step(`${call}, ${kind}`, async () => {
        await using server = await memoryServer();
        await using ftp = await server.client();
        const asked = Promise.withResolvers<void>();
        const ended = Promise.withResolvers<void>();
        function next(): Promise<never> {
          asked.resolve();
          return new Promise(() => {});
        }
        const source = kind === "stream"
          ? new ReadableStream<Uint8Array>({
            pull: next,
            cancel: () => ended.resolve(),
          }, { highWaterMark: 0 })
          : {
            [Symbol.asyncIterator]: () => ({
              next,
              return() {
                ended.resolve();
                return Promise.resolve({ done: true as const, value: null });
              },
            }),
          };
        const controller = new AbortController();
        const { signal } = controller;
        const sending = call === "upload"
          ? ftp.upload(source, "data", { signal })
          : ftp.store("data", source, { signal });
        const rejecting = assertRejects(() => sending);
        await asked.promise;
        const reason = new Error("Enough");
        controller.abort(reason);
        assertEquals(await rejecting, reason);
        await ended.promise;
        await ftp.sendcmd("NOOP");
        const left = [...server.files.keys()];
        if (call === "upload") assertEquals(left, []);
      });
    }
  }
});

Deno.test("FTP.upload ends when its client is closed while its source gives nothing", async () => {
  await using server = await memoryServer();
  const asked = Promise.withResolvers<void>();
  const ftp = await server.client();
  const sending = ftp.upload(
    new ReadableStream<Uint8Array>({
      pull() {
        asked.resolve();
        return new Promise(() => {});
      },
    }, { highWaterMark: 0 }),
    "data",
  );
  const rejecting = assertRejects(() => sending);
  await asked.promise;
  ftp.close();
  assert(await rejecting instanceof Error);
});

Deno.test("FTP.upload cancels a stream that gives no bytes", async () => {
  await using server = await memoryServer();
  await using ftp = await server.client();
  let isCancelled = false;
  const stream = new ReadableStream<string>({
    pull: (controller) => controller.enqueue("text"),
    cancel() {
      isCancelled = true;
    },
  });
  const error = await assertRejects(
    () => ftp.upload(stream as never, "data"),
    TypeError,
  );
  assertMatch(error.message, /a chunk of type string/);
  assertEquals(isCancelled, true);
  assertEquals(stream.locked, false);
});

Deno.test("FTP.upload keeps the old file if the last onProgress throws", async () => {
  await using server = await memoryServer({ "/data": "old" });
  await using ftp = await server.client();
  const fault = new Error("In the callback");
  const error = await assertRejects(() =>
    ftp.upload(DATA, "data", {
      onProgress({ done }) {
        if (done) throw fault;
      },
    })
  );
  assertEquals(error, fault);
  assertEquals(server.text("/data"), "old");
  assertEquals([...server.files.keys()], ["/data"]);
});

Deno.test("FTP.upload reads the end of what it compares, and takes no longer file for its own", async () => {
  await using server = await memoryServer();
  using folder = new LocalFolder();
  Deno.writeFileSync(folder.at("data"), DATA);
  await using ftp = await server.client();
  const options: UploadOptions = { resume: true, retry: false };
  server.once("STOR", async (turn) => {
    await turn.reply(150, "Send it");
    const data = await turn.openData();
    turn.server.put(`/${turn.argument}`, DATA.subarray(0, 200_000));
    await data.readAll();
    await turn.reply(451, "Cut");
  });
  await assertRejects(() => ftp.upload(folder.at("data"), "data", options));
  server.once("RETR", async (turn) => {
    assertEquals(turn.session.restart, 200_000 - 65_536);
    turn.session.restart = 0;
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    await data.write(DATA.subarray(200_000 - 65_536, 200_001)); // one too many
    await data.end();
    await turn.reply(226, "Done");
  });
  const { bytes } = await ftp.upload(folder.at("data"), "data", options);
  assertEquals(bytes, DATA.length);
  assertEquals(server.files.get("/data"), DATA);
  assertEquals([...server.files.keys()], ["/data"]);
});

Deno.test("FTP.upload says which local file it was that cannot be opened or read", async (context) => {
  await using server = await memoryServer({ "/remote": "old" });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const before = server.commands.length;
  const missing = folder.at("missing");
  const cases: [local: string | URL, path: string, Class: ErrorClass][] = [
    [missing, missing, Deno.errors.NotFound],
    [new URL(`file://${missing}`), missing, Deno.errors.NotFound],
    [folder.at(""), folder.at(""), Deno.errors.IsADirectory],
    ["/proc/self/mem", "/proc/self/mem", Error],
  ];
  for (const [local, path, Class] of cases) {
    await context.step(`${local}`, async () => {
      const error = await assertRejects(
        () => ftp.upload(local, "remote"),
        Class,
      );
      const start = `Cannot ${
        path.startsWith("/proc") ? "read" : "upload"
      } "${path}"`;
      assert(error.message.startsWith(start), error.message);
      assert(error instanceof Deno.errors.IsADirectory || error.cause);
      if (!path.startsWith("/proc")) {
        assertEquals(server.commands.length, before);
      }
    });
  }
  assertEquals(server.text("/remote"), "old");
});

Deno.test("FTP.uploadDir says which local directory it was that cannot be read", async () => {
  await using server = await memoryServer();
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const missing = folder.at("missing");
  const error = await assertRejects(
    () => ftp.uploadDir(missing, "www"),
    Deno.errors.NotFound,
  );
  const start = `Cannot read the directory "${missing}": No such file`;
  assert(error.message.startsWith(start), error.message);
});
