import { assertEquals, assertRejects } from "@std/assert";
import type { FTP } from "../../mod.ts";
import { fetchBytes, logIn, makeData } from "../real/client.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { LocalFolder } from "./local_folder.ts";
import { type MemoryServer, memoryServer } from "../testing/memory_server.ts";

const MIB = 1024 * 1024;

/** A file whose beginning looks like all other places but one. */
const SPARSE = new Uint8Array(5 * MIB + 17);
SPARSE[100_000] = 1;

/** Files from which a wrong offset gives wrong bytes. */
const FILES = { "random": makeData(5 * MIB + 17), "sparse": SPARSE };

/** A server that confirms every offset, and sends the whole file. */
async function careless(data: Uint8Array): Promise<MemoryServer> {
  const server = await memoryServer({ "/data": data });
  server.on(
    "REST",
    (turn) => turn.reply(350, `Restarting at ${turn.argument}`),
  );
  return server;
}

/** Reads that start at an offset. */
const READS: readonly [string, (ftp: FTP) => Promise<unknown>][] = [
  ["open", async (ftp) => {
    await using file = await ftp.open("data");
    await file.seek(3 * MIB);
    await file.read(new Uint8Array(1000));
  }],
  ["retrieve", (ftp) => ftp.retrieve("data", { offset: 3 * MIB })],
  [
    "retrieve with a length",
    (ftp) => ftp.retrieve("data", { offset: 3 * MIB, length: 10 }),
  ],
];

for (const [kind, data] of Object.entries(FILES)) {
  Deno.test(`FTP.download makes no segments of a ${kind} file where REST is accepted and ignored`, async () => {
    await using server = await careless(data);
    await using ftp = await server.client();
    using folder = new LocalFolder();
    const { verified, retries } = await ftp.download(
      "data",
      folder.at("data"),
      { segments: 4 },
    );
    assertEquals([verified, retries], ["size", 0]);
    const copy = Deno.readFileSync(folder.at("data"));
    assertEquals(copy.findIndex((byte, i) => byte !== data[i]), -1);
    assertEquals(folder.names(), ["data"]);
  });

  for (const [name, read] of READS) {
    Deno.test(`FTP.${name} takes no byte of a ${kind} file for another where REST is accepted and ignored`, async () => {
      await using server = await careless(data);
      await using ftp = await server.client();
      await assertRejects(
        () => read(ftp),
        Deno.errors.NotSupported,
        'Cannot read "data" from an offset: the server accepts REST, but ignores it',
      );
      assertEquals(await ftp.size("data"), data.length);
    });
  }
}

Deno.test("FTP.retrieve takes no byte for those behind a file of one byte where REST is ignored", async () => {
  await using server = await careless(Uint8Array.of(1));
  await using ftp = await server.client();
  await assertRejects(
    () => ftp.retrieve("data", { offset: 1 }),
    Deno.errors.NotSupported,
    "ignores it",
  );
  const stream = await ftp.retrieve("data");
  assertEquals((await new Response(stream).bytes()).length, 1);
});

Deno.test("FTP.retrieve proves once that the server starts at an offset", async () => {
  await using server = await memoryServer({ "/a": "0123456789", "/b": "abc" });
  await using ftp = await server.client();
  await using other = await ftp.clone();
  for (const client of [ftp, other]) {
    for (const [path, end] of [["a", "89"], ["b", "c"]] as const) {
      const offset = path === "a" ? 8 : 2;
      const stream = await client.retrieve(path, { offset });
      assertEquals(await new Response(stream).text(), end);
    }
  }
  const rests = server.commands.filter((line) => line.startsWith("REST"));
  assertEquals(rests, ["REST 9", "REST 8", "REST 2", "REST 8", "REST 2"]);
});

Deno.test("FTP.retrieve reads from an offset of a file that grows", async () => {
  await using server = await memoryServer({ "/log": "0123456789" });
  server.on("SIZE", async (turn) => {
    await turn.default();
    server.put(
      "/log",
      `${new TextDecoder().decode(server.files.get("/log"))}x`,
    );
  });
  await using ftp = await server.client();
  const stream = await ftp.retrieve("log", { offset: 9 });
  const text = await new Response(stream).text();
  assertEquals(text.slice(0, 2), "9x");
});

Deno.test("FTP.retrieve and open read from an offset of a file whose size is unknown", async () => {
  await using server = await memoryServer({ "/data": "0123456789" });
  server.on("SIZE", "502 Not implemented");
  await using ftp = await server.client();
  const stream = await ftp.retrieve("data", { offset: 8 });
  assertEquals(await new Response(stream).text(), "89");
});

serverTest(
  "FTP.retrieve reads from offsets, also behind the end",
  async (server) => {
    const data = makeData(100_000);
    await server.write("data", data);
    await server.write("one", "1");
    await server.write("none", "");
    await using ftp = await logIn(server);
    for (const offset of [99_999, 1, 50_000, 100_000]) {
      const stream = await ftp.retrieve("data", { offset });
      assertEquals(await new Response(stream).bytes(), data.slice(offset));
    }
    assertEquals(await fetchBytes(ftp, "data"), data);
    await using other = await logIn(server);
    const stream = await other.retrieve("one", { offset: 1 });
    assertEquals(await new Response(stream).text(), "");
  },
);

Deno.test("FTP.retrieve starts at an offset where the server hangs up at SIZE", async () => {
  await using server = await memoryServer({ "/data": "hello" });
  server.on("SIZE", (turn) => turn.close());
  await using ftp = await server.client();
  const stream = await ftp.retrieve("/data", { offset: 3 });
  assertEquals(await new Response(stream).text(), "lo");
});
