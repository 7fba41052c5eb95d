import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { FTPPermanentError, FTPVerificationError } from "../../mod.ts";
import { bytes, logIn, makeData } from "../real/client.ts";
import type { Turn } from "../testing/scripted/mod.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { LocalFolder, namesIn } from "./local_folder.ts";
import { memoryServer } from "../testing/memory_server.ts";

const DATA = makeData(300_000);

/** Answers like an object store: not with the file's size for the first times. */
function late(count: number, answer: string): (turn: Turn) => Promise<void> {
  let left = count;
  return async (turn) => {
    const isStored = turn.server.verbs.includes("STOR");
    if (!isStored || left-- <= 0) return await turn.default();
    await turn.raw(`${answer}\r\n`);
  };
}

for (
  const [name, answer] of [
    ["0", "213 0"],
    ["550", "550 No such file"],
    ["a part", "213 5000"],
  ] as const
) {
  for (const atomic of [true, false]) {
    Deno.test(`FTP.upload asks again where SIZE tells ${name} at first (atomic: ${atomic})`, async () => {
      await using server = await memoryServer();
      using folder = new LocalFolder();
      Deno.writeFileSync(folder.at("data"), DATA);
      Deno.utimeSync(folder.at("data"), 1e9, 1e9);
      server.once("MFMT", "550 No such file");
      server.on("SIZE", late(3, answer));
      await using ftp = await server.client();
      const result = await ftp.upload(folder.at("data"), "data", { atomic });
      assertEquals(result.verified, "size");
      assertEquals(result.bytes, DATA.length);
      assertEquals(result.retries, 0);
      assertEquals(result.mtime, new Date(1e12)); // that was late, too
      assertEquals(server.verbs.filter((verb) => verb === "STOR").length, 1);
      assertEquals(server.files.get("/data"), DATA);
    });
  }
}

Deno.test("FTP.upload asks again where SIZE grows or is the old one at first", async () => {
  const old = DATA.subarray(0, 1000);
  await using server = await memoryServer();
  server.put("/data", old);
  const sizes = ["1000", "1000", "5000", "200000"];
  server.on("SIZE", async (turn) => {
    const size = server.verbs.includes("STOR") ? sizes.shift() : undefined;
    if (size === undefined) return await turn.default();
    await turn.reply(213, size);
  });
  await using ftp = await server.client();
  const result = await ftp.upload(DATA, "data", { atomic: false });
  assertEquals([result.verified, result.bytes], ["size", DATA.length]);
});

Deno.test("FTP.upload sends no file again and again that is stored under another name", async () => {
  const old = bytes("old");
  await using server = await memoryServer();
  server.put("/data", old);
  let count = 0;
  server.on("STOR", async (turn) => {
    server.put(`/data.${++count}`, await turn.take()); // as Pure-FTPd does
  });
  await using ftp = await server.client();
  await assertRejects(
    () => ftp.upload(DATA, "data", { atomic: false, retry: { delay: 1 } }),
    FTPVerificationError,
    "under another name: size is 3, not 300000",
  );
  assertEquals([...server.files.keys()], ["/data", "/data.1"]);
});

Deno.test("FTP.upload in place does not call a file verified that may be the old one", async () => {
  await using server = await memoryServer({ "/data": "old" });
  await using ftp = await server.client();
  const options = { atomic: false };
  const same = await ftp.upload(bytes("new"), "data", options);
  assertEquals(same.verified, null);
  const longer = await ftp.upload(bytes("longer"), "data", options);
  assertEquals(longer.verified, "size");
  const none = await ftp.upload(bytes("new"), "none", options);
  assertEquals(none.verified, "size");
});

serverTest(
  "FTP.upload in place says what Pure-FTPd does with --autorename",
  async (server) => {
    await server.write("data", "old");
    await using ftp = await logIn(server);
    const options = { atomic: false, retry: { delay: 1 } };
    await assertRejects(
      () => ftp.upload(DATA, "data", options),
      FTPVerificationError,
      "under another name",
    );
    assertEquals(namesIn(server.root), ["data", "data.1"]);
    const { verified } = await ftp.upload(bytes("new"), "data", options);
    assertEquals(verified, null);
  },
  { servers: ["pure-ftpd"], extra: ["--autorename"] },
);

/** A drop box: what was stored is taken away before the server says so. */
async function take(turn: Turn): Promise<void> {
  await turn.take();
}

Deno.test("FTP.upload believes a drop box, and says by what", async () => {
  await using server = await memoryServer();
  server.on("STOR", take);
  await using ftp = await server.client();
  const started = performance.now();
  for (let round = 0; round < 3; round++) {
    const result = await ftp.upload(DATA, "data", { atomic: false });
    assertEquals([result.verified, result.retries], [null, 0]);
  }
  const sizes = server.verbs.filter((verb) => verb === "SIZE").length;
  assert(sizes < 13, `${sizes} times SIZE`); // it waits for the first only
  assert(performance.now() > started);
  assertEquals(server.verbs.filter((verb) => verb === "STOR").length, 3);
});

Deno.test("FTP.upload under a temporary name says what a drop box does with it, and nothing of what is not there", async () => {
  await using server = await memoryServer();
  server.on("STOR", take);
  await using ftp = await server.client();
  const { message } = await assertRejects(
    () => ftp.upload(DATA, "data"),
    FTPPermanentError,
    "as a drop box does): use { atomic: false }",
  );
  assertEquals(message.includes("left"), false, message);
  assertEquals(server.verbs.filter((verb) => verb === "STOR").length, 1);
});

Deno.test("FTP.upload is done where the file is taken away as soon as it has its name", async () => {
  await using server = await memoryServer();
  server.on("RNTO", async (turn) => {
    server.files.delete(turn.session.renameFrom!);
    await turn.reply(250, "Renamed");
  });
  await using ftp = await server.client();
  for (let round = 0; round < 3; round++) {
    const { verified, retries } = await ftp.upload(DATA, "data");
    assertEquals([verified, retries], ["size", 0]);
  }
  const sizes = server.verbs.filter((verb) => verb === "SIZE").length;
  assert(sizes < 30, `${sizes} times SIZE`);
});

Deno.test("FTP.upload says that a temporary file is left only where it is", async () => {
  for (const answer of ["550 No such file", "226 Done"]) {
    await using server = await memoryServer();
    server.on("DELE", answer);
    server.on("RNTO", "553 No");
    await using ftp = await server.client();
    const { message } = await assertRejects(
      () => ftp.upload(DATA, "data", { retry: false }),
      FTPPermanentError,
    );
    assertMatch(message, /the temporary file "\.data\.\w+\.part" is left/);
  }
  await using server = await memoryServer();
  server.on("DELE", async (turn) => {
    server.files.delete(`/${turn.argument}`);
    await turn.reply(550, "As you like");
  });
  server.on("RNTO", "553 No");
  await using ftp = await server.client();
  const { message } = await assertRejects(
    () => ftp.upload(DATA, "data", { retry: false }),
    FTPPermanentError,
  );
  assertEquals(message.includes("left"), false, message);
});
