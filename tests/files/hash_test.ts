import { createHash } from "node:crypto";
import { assertEquals, assertRejects } from "@std/assert";
import { FTPPermanentError } from "../../mod.ts";
import { hashChunks, readHash } from "../../lib/files/hash.ts";
import { Reply } from "../../lib/protocol/reply.ts";
import { makeData } from "../real/client.ts";
import type { Turn } from "../testing/scripted/mod.ts";
import { LocalFolder } from "./local_folder.ts";
import { type MemoryServer, memoryServer } from "../testing/memory_server.ts";

const MD5 = "d41d8cd98f00b204e9800998ecf8427e";
const OTHER = "0cc175b9c0f1b6a831c399e269772661";
const SHA256 = MD5 + OTHER;

/** A reply with a hash, the file asked for, and the hash. */
const REPLIES: [
  text: string,
  digits: number,
  path: string,
  hash: string | undefined,
][] = [
  [`213 SHA-256 0-49 ${SHA256} name`, 64, "name", SHA256],
  [`213 SHA-256 0-49 ${SHA256} /a/${MD5}${MD5}`, 64, MD5 + MD5, SHA256],
  [`213 MD5 0-0 ${MD5.toUpperCase()} x`, 32, "x", MD5],
  [`250 XMD5 "a b" ${MD5.toUpperCase()}`, 32, "a b", MD5],
  [`250 ${MD5}`, 32, "x", MD5],
  [`250-Hash follows\n ${MD5}\n250 Done`, 32, "x", MD5],
  [`251 a b ${MD5}`, 32, "/a b", MD5],
  [`252 x ${MD5}`, 32, "x", MD5],
  // files that are called by a hash
  [`250 ${MD5} ${OTHER}`, 32, OTHER, MD5],
  [`250 ${OTHER} ${MD5}`, 32, `/pub/${OTHER}`, MD5],
  [`250 "/pub/${OTHER}" ${MD5}`, 32, `/pub/${OTHER}`, MD5],
  [`250 ${MD5} ${MD5}`, 32, MD5, MD5],
  [`250 ${MD5}`, 32, MD5, MD5],
  // CRCs without their leading zeros
  ["250 1A2B", 8, "x", "00001a2b"],
  ["250 1A2B3C4D face", 8, "face", "1a2b3c4d"],
  ["213 CRC32 0-9 1a2b3c4d face", 8, "x", "1a2b3c4d"],
  // another algorithm, or a part of the file
  [`213 sha256 0-49 ${SHA256} name`, 64, "name", SHA256],
  [`213 MD5 0-49 ${MD5} name`, 64, "name", undefined],
  [`213 SHA3-256 0-49 ${SHA256} name`, 64, "name", undefined],
  [`213 SHA-256 10-49 ${SHA256} name`, 64, "name", undefined],
  [`213 SHA-256 0-49 ${MD5} ${SHA256}`, 64, "name", undefined],
  ["213 CRC32 0-9 1a2b3c4d5 face", 8, "x", undefined],
  // none
  ["250 Done", 32, "x", undefined],
  [`250 ${MD5}0`, 32, "x", undefined],
  [`250 ${MD5}.bin`, 32, "x", undefined],
  ["250", 32, "x", undefined],
];

/** Names of algorithms by the number of their digits. */
const NAMES: Record<number, string> = { 64: "SHA-256", 32: "MD5", 8: "CRC32" };

for (const [text, digits, path, hash] of REPLIES) {
  Deno.test(`readHash reads ${JSON.stringify(text)} for ${path}, ${digits} digits`, () => {
    const expected = { name: NAMES[digits]!, digits };
    assertEquals(readHash(Reply.from(text), expected, path), hash);
  });
}

const LARGE = makeData(12_000_000);

/** A server with SHA-256, made of a file in memory. */
async function hashingServer(): Promise<MemoryServer> {
  const server = await memoryServer({ "/data": LARGE, "/small": "small" });
  server.on("FEAT", "211-Features\n HASH SHA-256*\n SIZE\n211 End");
  server.on("HASH", sendHash);
  return server;
}

async function sendHash(turn: Turn): Promise<void> {
  const file = turn.server.files.get(`/${turn.argument}`)!;
  const hash = createHash("sha256").update(file).digest("hex");
  await turn.reply(213, `SHA-256 0-${file.length - 1} ${hash} name`);
}

Deno.test("FTP.download waits for the hash of a large file longer than for other replies", async () => {
  await using server = await hashingServer();
  const timeout = 200;
  server.once("HASH", async (turn) => {
    await new Promise((resolve) => setTimeout(resolve, 2 * timeout));
    await sendHash(turn);
  });
  using folder = new LocalFolder();
  await using ftp = await server.client({ timeout });
  const { verified, retries } = await ftp.download("data", folder.at("copy"), {
    verify: "hash",
  });
  assertEquals([verified, retries], ["SHA-256", 0]);
});

Deno.test("FTP.download makes the hash of its part by the handle that has it locked", async () => {
  await using server = await hashingServer();
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const { open } = Deno;
  Deno.open = () => {
    // as on Windows, where a lock is kept from other handles too
    throw new Error("Another process has locked a portion of the file");
  };
  try {
    for (const options of [{}, { resume: true }, { atomic: false }]) {
      const { verified } = await ftp.download("data", folder.at("copy"), {
        ...options,
        verify: "hash",
        retry: false,
      });
      assertEquals(verified, "SHA-256");
      assertEquals(Deno.readFileSync(folder.at("copy")), LARGE);
    }
  } finally {
    Deno.open = open;
  }
});

Deno.test("FTP.download does not wait forever for a hash", async () => {
  await using server = await hashingServer();
  server.on("HASH", (turn) => turn.stall());
  using folder = new LocalFolder();
  await using ftp = await server.client({ timeout: 100 });
  await assertRejects(
    () =>
      ftp.download("small", folder.at("copy"), {
        verify: "hash",
        retry: false,
      }),
    Deno.errors.TimedOut,
    'Cannot complete "HASH small": no reply within 101 ms',
  );
  assertEquals([ftp.connected, folder.names()], [false, []]);
});

Deno.test("FTP.download ends with its signal while the server makes a hash", async () => {
  await using server = await hashingServer();
  server.on("HASH", async (turn) => {
    await server.received("QUIT"); // it takes its time
    await turn.reply(550, "Later");
  });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const controller = new AbortController();
  const reason = new Error("Enough");
  const downloading = ftp.download("data", folder.at("copy"), {
    verify: "hash",
    signal: controller.signal,
  });
  await server.received("HASH");
  controller.abort(reason);
  assertEquals(await downloading.catch((error) => error), reason);
  assertEquals([ftp.connected, folder.names()], [true, []]);
});

Deno.test("FTP.download asks for no hash of what cannot be read again here", async () => {
  await using server = await hashingServer();
  await using ftp = await server.client();
  const { verified } = await ftp.download("small", "/dev/null", {
    verify: "hash",
  });
  assertEquals([verified, server.verbs.includes("HASH")], ["size", false]);
});

Deno.test("FTP.upload verifies a stream by its hash twice, if it has to", async () => {
  await using server = await hashingServer();
  server.once("RNFR", (turn) => turn.close());
  await using ftp = await server.client();
  const source = ReadableStream.from([new TextEncoder().encode("new")]);
  const { verified, retries } = await ftp.upload(source, "small", {
    verify: "hash",
    retry: { delay: 1 },
  });
  assertEquals([verified, retries], ["SHA-256", 1]);
  assertEquals(server.text("/small"), "new");
});

/** Commands for a file's MD5, the code of their reply, and a path with a blank. */
const MD5_COMMANDS: [verb: string, code: number, argument: string][] = [
  ["XMD5", 250, '"a b"'],
  ["MD5", 251, "a b"],
  ["MMD5", 252, "a b"],
];

for (const [verb, code, argument] of MD5_COMMANDS) {
  Deno.test(`FTP.download verifies by ${verb}`, async () => {
    await using server = await memoryServer({ "/a b": "" });
    server.on("FEAT", `211-Features\n ${verb}\n SIZE\n211 End`);
    server.on(verb, (turn) => turn.reply(code, `${turn.argument} ${MD5}`));
    using folder = new LocalFolder();
    await using ftp = await server.client();
    const { verified } = await ftp.download("a b", folder.at("copy"), {
      verify: "hash",
    });
    assertEquals(verified, "MD5");
    assertEquals(
      server.commands.findLast((line) => line.startsWith(verb)),
      `${verb} ${argument}`,
    );
  });
}

Deno.test("FTP.downloadDir asks for hashes in binary, though listings go as text", async () => {
  await using server = await hashingServer();
  server.put("/d/small", "small");
  server.on("HASH", async (turn) => {
    const types = server.commands.filter((line) => line.startsWith("TYPE"));
    assertEquals(types.at(-1), "TYPE I");
    const hash = createHash("sha256").update("small").digest("hex");
    await turn.reply(213, `SHA-256 0-4 ${hash} name`);
  });
  using folder = new LocalFolder();
  Deno.writeTextFileSync(folder.at("small"), "small");
  await using ftp = await server.client();
  const { transferred } = await ftp.downloadDir("/d", folder.path, {
    compare: "hash",
  });
  assertEquals([transferred, server.verbs.includes("HASH")], [0, true]);
});

Deno.test("FTP.upload does not block the program while it computes a hash", async () => {
  await using server = await hashingServer();
  using folder = new LocalFolder();
  const size = 64 * 1024 * 1024;
  Deno.writeFileSync(folder.at("data"), new Uint8Array(size));
  await using ftp = await server.client();
  const { readSync } = Deno.FsFile.prototype;
  let read = 0;
  Deno.FsFile.prototype.readSync = function (buffer) {
    const n = readSync.call(this, buffer);
    read += n ?? 0;
    return n;
  };
  try {
    const reads: number[] = [];
    server.on("OPTS", async (turn) => {
      reads.push(read);
      await turn.default();
    });
    const { verified } = await ftp.upload(folder.at("data"), "data", {
      verify: "hash",
    });
    assertEquals(verified, "SHA-256");
    assertEquals(reads.length, 1);
    assertEquals([reads[0]! < 2 * size, read], [true, 2 * size]);
  } finally {
    Deno.FsFile.prototype.readSync = readSync;
  }
});

Deno.test("hashChunks is ended by a signal, though its bytes are all there", async () => {
  const reason = new Error("Enough");
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason));
  async function* chunks() {
    for (let i = 0; i < 1000; i++) yield LARGE.subarray(0, 1024 * 1024);
  }
  const hash = { name: "CRC32", digits: 8, verb: "XCRC" };
  const error = await hashChunks(chunks(), hash, controller.signal)
    .catch((error) => error);
  assertEquals(error, reason);
});

Deno.test("FTP.upload sends again what an earlier call left whole and wrong", async () => {
  await using server = await hashingServer();
  await using ftp = await server.client();
  using folder = new LocalFolder();
  const good = LARGE.slice(0, 200_000);
  Deno.writeFileSync(folder.at("data"), good);
  const spoiled = good.slice();
  spoiled[0]! ^= 1;
  server.put("/data", spoiled);
  const { verified, bytes } = await ftp.upload(folder.at("data"), "data", {
    atomic: false,
    resume: true,
    verify: "hash",
    retry: false,
  });
  assertEquals([verified, bytes], ["SHA-256", 200_000]);
  assertEquals(server.files.get("/data"), good);
});

Deno.test("FTP.hash returns the strongest hash that the server has", async () => {
  await using server = await hashingServer();
  await using ftp = await server.client();
  const digits = createHash("sha256").update("small").digest("hex");
  assertEquals(await ftp.hash("small"), { name: "SHA-256", digits });
});

Deno.test("FTP.hash returns null if the server has none, or refuses", async () => {
  await using server = await hashingServer();
  await using ftp = await server.client();
  server.on("HASH", "504 Not this one");
  assertEquals(await ftp.hash("/small"), null);
  await using poor = await memoryServer({ "/small": "small" });
  await using other = await poor.client();
  assertEquals(await other.hash("/small"), null);
});

Deno.test("FTP.hash rejects for a file that does not exist, and for an empty path", async () => {
  await using server = await hashingServer();
  await using ftp = await server.client();
  await assertRejects(() => ftp.hash("/none"), FTPPermanentError, "/none");
  await assertRejects(() => ftp.hash(""), TypeError);
});
