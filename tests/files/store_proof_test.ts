import { assert, assertEquals, assertRejects } from "@std/assert";
import { toBytes } from "@std/streams";
import { FTPTemporaryError, FTPVerificationError } from "../../mod.ts";
import { memoryServer } from "../testing/memory_server.ts";
import { concat } from "../../lib/testing/peer.ts";
import type { Turn } from "../testing/scripted/mod.ts";
import { deflate, inflate } from "../testing/zlib.ts";

const WORLD = new TextEncoder().encode("world");
const TEXT = "Hello, moon";

async function received(turn: Turn): Promise<Uint8Array> {
  await turn.reply(150, "Send");
  const data = await turn.openData();
  const parts: Uint8Array[] = [];
  for (let part; (part = await data.read()) !== null;) {
    parts.push(part.slice());
  }
  data.close();
  return concat(parts);
}

/** A server that handles the bytes of a STOR in its own way. */
async function storing(
  write: (old: Uint8Array, sent: Uint8Array, offset: number) => Uint8Array,
  content: string | Uint8Array = TEXT,
) {
  const server = await memoryServer({ "/file": content });
  server.on("STOR", async (turn) => {
    const sent = await received(turn);
    const old = server.files.get(turn.argument) ?? new Uint8Array();
    server.put(turn.argument, write(old, sent, turn.session.restart));
    turn.session.restart = 0;
    await turn.reply(226, "Done");
  });
  return server;
}

function stores(verbs: readonly string[]): number {
  return verbs.filter((verb) => verb === "STOR").length;
}

Deno.test("FTP.store says that a server ignored the offset and replaced the file, and sends no second one", async () => {
  await using server = await storing((_, sent) => sent);
  await using ftp = await server.client();
  const error = await assertRejects(
    () => ftp.store("/file", WORLD, { offset: 7 }),
    FTPVerificationError,
    "store the whole file",
  );
  assertEquals([error.expected, error.actual], [12, 5]);
  await assertRejects(
    () => ftp.store("/file", WORLD, { offset: 3 }),
    Deno.errors.NotSupported,
    "ignores it before STOR",
  );
  assertEquals(stores(server.verbs), 1);
});

Deno.test("FTP.store says that a server emptied the file before the offset", async () => {
  await using server = await storing((_, sent, offset) =>
    concat([new Uint8Array(offset), sent])
  );
  await using ftp = await server.client();
  await assertRejects(
    () => ftp.store("/file", WORLD, { offset: 7 }),
    Deno.errors.InvalidData,
    "lost the bytes before it",
  );
});

Deno.test("FTP.store says that a server wrote over the beginning of a longer file", async () => {
  await using server = await storing(
    (old, sent) => concat([sent, old.subarray(sent.length)]),
    TEXT.repeat(3),
  );
  await using ftp = await server.client();
  await assertRejects(
    () => ftp.store("/file", WORLD, { offset: 7 }),
    Deno.errors.InvalidData,
    "lost the bytes before it",
  );
});

Deno.test("FTP.store sends nothing where the file ends before the offset", async () => {
  await using server = await memoryServer({ "/file": TEXT });
  await using ftp = await server.client();
  await assertRejects(
    () => ftp.store("/file", WORLD, { offset: 12 }),
    RangeError,
    "only 11 bytes",
  );
  assertEquals(stores(server.verbs), 0);
});

Deno.test("FTP.store reads the bytes before an offset once for each server", async () => {
  await using server = await memoryServer({ "/file": TEXT });
  await using ftp = await server.client();
  for (let i = 0; i < 3; i++) await ftp.store("/file", WORLD, { offset: 7 });
  const text = new TextDecoder().decode(server.files.get("/file"));
  assertEquals(text, "Hello, world");
  assertEquals(server.verbs.filter((verb) => verb === "RETR").length, 2);
});

Deno.test("FTP.store asks again where the size shows the offset late", async () => {
  await using server = await memoryServer({ "/file": TEXT });
  let asked = 0;
  server.on("SIZE", async (turn) => {
    const size = server.files.get("/file")!.length;
    const isLate = size === 12 && asked++ === 0;
    await turn.reply(213, isLate ? "0" : `${size}`);
  });
  await using ftp = await server.client();
  await ftp.store("/file", WORLD, { offset: 7 });
  assert(asked > 1);
});

Deno.test("FTP.store writes at an offset where the server refuses SIZE or RETR for now or always", async (t) => {
  for (const verb of ["SIZE", "RETR"]) {
    for (const code of [425, 450, 451, 550]) {
      await t.step(`${verb}: ${code}`, async () => {
        await using server = await memoryServer({ "/file": TEXT });
        server.on(verb, `${code} No`);
        await using ftp = await server.client();
        await ftp.store("/file", WORLD, { offset: 7 });
        assertEquals(server.files.get("/file")!.length, 12);
      });
    }
  }
});

Deno.test("FTP.store writes at an offset where the server hangs up at SIZE, and then sends none", async () => {
  await using server = await memoryServer({ "/file": TEXT });
  server.on("SIZE", (turn) => turn.close());
  await using ftp = await server.client();
  for (let i = 0; i < 2; i++) await ftp.store("/file", WORLD, { offset: 7 });
  assertEquals(server.files.get("/file")!.length, 12);
  assert(server.verbs.lastIndexOf("SIZE") < server.verbs.indexOf("STOR"));
});

Deno.test("FTP.store still throws where a server that told the size refuses to tell it afterwards", async () => {
  await using server = await memoryServer({ "/file": TEXT });
  let asked = 0;
  server.on("SIZE", (turn) => turn.reply(...answer(asked++)));
  const answer = (count: number): [number, string] =>
    count === 0 ? [213, "11"] : [450, "Busy"];
  await using ftp = await server.client();
  await assertRejects(
    () => ftp.store("/file", WORLD, { offset: 7 }),
    FTPTemporaryError,
    "450 Busy",
  );
});

Deno.test("FTP.store sends nothing where the file ends before the offset, and the server has no SIZE", async () => {
  await using server = await memoryServer({ "/file": "abc" });
  server.on("SIZE", "500 Unknown");
  await using ftp = await server.client();
  await assertRejects(
    () => ftp.store("/file", WORLD, { offset: 7 }),
    RangeError,
    "only 3 bytes",
  );
  assertEquals(stores(server.verbs), 0);
});

Deno.test("FTP.store writes parts in order when the calls do not wait for each other", async () => {
  await using server = await memoryServer({ "/file": "" });
  await using ftp = await server.client();
  await Promise.all(
    [0, 5, 10].map((offset) => ftp.store("/file", WORLD, { offset })),
  );
  const text = new TextDecoder().decode(server.files.get("/file"));
  assertEquals(text, "world".repeat(3));
});

const LONG = new TextEncoder().encode("hello ".repeat(1000));
const FEATURES = "211-Features\n MODE Z\n211 End";

Deno.test("FTP.store says that a server stored the compressed data, and does not compress then", async () => {
  await using server = await memoryServer();
  server.on("FEAT", FEATURES);
  await using ftp = await server.client({ compress: true });
  await assertRejects(
    () => ftp.store("/file", LONG),
    FTPVerificationError,
    'omit "compress"',
  );
  await ftp.store("/file", LONG);
  assertEquals(server.files.get("/file"), LONG);
});

Deno.test("FTP.store compresses where the server hangs up at SIZE or refuses it", async (t) => {
  for (const refusal of ["450 Busy", undefined]) {
    await t.step(refusal ?? "hangs up", async () => {
      await using server = await memoryServer();
      server.on("FEAT", FEATURES);
      server.on(
        "SIZE",
        refusal ?? ((turn) => turn.close()),
      );
      await using ftp = await server.client({ compress: true });
      const reply = await ftp.store("/file", LONG);
      assertEquals(reply.code, 226);
    });
  }
});

Deno.test("FTP.store with append does not compress before the server has decompressed a file", async () => {
  await using server = await memoryServer();
  server.on("FEAT", FEATURES);
  server.on("STOR", async (turn) => {
    const sent = await received(turn);
    server.put(
      turn.argument,
      await inflate(sent),
    );
    await turn.reply(226, "Done");
  });
  await using ftp = await server.client({ compress: true });
  const modes = () => server.commands.filter((line) => /^MODE/.test(line));
  await ftp.store("/log", WORLD, { append: true });
  assertEquals(server.files.get("/log"), WORLD);
  assertEquals(modes(), []);
  await ftp.store("/file", LONG);
  assertEquals(server.files.get("/file"), LONG);
  assertEquals(modes(), ["MODE Z"]);
});

Deno.test("FTP.retrieve says that a server sent zlib data as it is, and does not decompress it then", async () => {
  const file = await deflate(LONG);
  await using server = await memoryServer({ "/file": file });
  server.on("FEAT", FEATURES);
  await using ftp = await server.client({ compress: true });
  await assertRejects(
    async () => await toBytes(await ftp.retrieve("/file")),
    FTPVerificationError,
    'omit "compress"',
  );
  assertEquals(await toBytes(await ftp.retrieve("/file")), file);
});
