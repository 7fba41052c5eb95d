import { assertEquals, assertRejects } from "@std/assert";
import { makeData } from "../../real/client.ts";
import { LocalFolder } from "../local_folder.ts";
import { makePipe } from "../../testing/make_pipe.ts";
import { memoryServer } from "../../testing/memory_server.ts";

const DATA = makeData(300_000); // more than a pipe holds, less than a block

async function readAll(path: string): Promise<Uint8Array> {
  const file = await Deno.open(path);
  return await new Response(file.readable).bytes();
}

async function writeAll(path: string, bytes: Uint8Array): Promise<void> {
  const file = await Deno.open(path, { write: true });
  await new Blob([bytes as BlobPart]).stream().pipeTo(file.writable);
}

Deno.test("FTP.download writes to a pipe that is read in the same program", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await makePipe(folder.at("pipe"));
  await using ftp = await server.client();
  const [bytes] = await Promise.all([
    readAll(folder.at("pipe")),
    ftp.download("data", folder.at("pipe"), { retry: false }),
  ]);
  assertEquals(bytes, DATA);
  assertEquals(folder.names(), ["pipe"]);
});

Deno.test("FTP.upload reads from a pipe that is written to in the same program", async () => {
  await using server = await memoryServer();
  using folder = new LocalFolder();
  await makePipe(folder.at("pipe"));
  await using ftp = await server.client();
  const uploading = ftp.upload(folder.at("pipe"), "data", { retry: false });
  await writeAll(folder.at("pipe"), DATA); // in the same thread: it must have its turn
  assertEquals((await uploading).size, DATA.length);
  assertEquals(server.files.get("/data"), DATA);
});

/** Tells when a pipe is being opened, and that it is no more. */
function watchOpen(): Disposable & {
  begun: Promise<void>;
  ended: Promise<unknown>;
} {
  const { open } = Deno;
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<unknown>();
  Deno.open = (path, options) => {
    const opening = open(path, options);
    ended.resolve(opening);
    begun.resolve();
    return opening;
  };
  return {
    begun: begun.promise,
    ended: ended.promise,
    [Symbol.dispose]() {
      Deno.open = open;
    },
  };
}

for (const call of ["upload", "download"] as const) {
  for (const end of ["its signal", "close()"]) {
    Deno.test(`FTP.${call} ends with ${end} while a pipe has no other end`, async () => {
      await using server = await memoryServer({ "/data": DATA });
      using folder = new LocalFolder();
      await makePipe(folder.at("pipe"));
      await using ftp = await server.client();
      using opening = watchOpen();
      const controller = new AbortController();
      const { signal } = controller;
      const transferring = call === "upload"
        ? ftp.upload(folder.at("pipe"), "new", { signal })
        : ftp.download("data", folder.at("pipe"), { signal });
      const rejecting = assertRejects(() => transferring);
      await opening.begun;
      const reason = new Error("Enough");
      if (end === "close()") ftp.close();
      else controller.abort(reason);
      const error = await rejecting;
      if (end === "close()") assertEquals(ftp.connected, false);
      else assertEquals(error, reason);
      await opening.ended; // nothing keeps the program from its end
      assertEquals([...server.files.keys()], ["/data"]);
    });
  }
}

Deno.test({
  name: "FTP.download writes to a pipe that has no name",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using server = await memoryServer({ "/data": DATA });
    using folder = new LocalFolder();
    await using ftp = await server.client();
    const cat = new Deno.Command("cat", { stdin: "piped", stdout: "piped" })
      .spawn();
    const reading = cat.output();
    // as /dev/stdout behind a "|", and >(command)
    Deno.symlinkSync(`/proc/${cat.pid}/fd/0`, folder.at("stdout"));
    try {
      await ftp.download("data", folder.at("stdout"), { retry: false });
    } finally {
      await cat.stdin.close();
      assertEquals((await reading).code, 0);
    }
    assertEquals((await reading).stdout, DATA);
    assertEquals(folder.names(), ["stdout"]);
  },
});
