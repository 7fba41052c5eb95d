import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { FTPPermanentError, type UploadOptions } from "../../../mod.ts";
import { logIn, makeData, text } from "../../real/client.ts";
import { serverTest } from "../../testing/servers/mod.ts";
import { cutFirst, keepSome, logInThrough } from "./cut_uploads.ts";
import { LocalFolder, namesIn } from "../local_folder.ts";
import {
  type MemoryServer,
  memoryServer,
} from "../../testing/memory_server.ts";

const DATA = makeData(3_000_000);
const QUICK: UploadOptions = { retry: { delay: 1, attempts: 3 } };

/** ProFTPD's default behaviour. */
const PROFTPD_DEFAULTS = [
  "<Directory ~>",
  "AllowStoreRestart off",
  "AllowOverwrite off",
  "</Directory>",
];

for (const offset of [30_000, 300_000]) {
  serverTest(
    `FTP.upload recovers after ${offset} bytes where nothing may be written over`,
    async (server) => {
      await using proxy = await cutFirst(server, offset, "reset");
      await using ftp = await logInThrough(proxy, server);
      const { retries } = await ftp.upload(DATA, "data", QUICK);
      assertEquals(retries, 1);
      assertEquals(await server.read("data"), DATA);
      assertEquals(namesIn(server.root), ["data"]);
    },
    { servers: ["proftpd"], passivePorts: 20, extra: PROFTPD_DEFAULTS },
  );
}

serverTest(
  "FTP.upload with resume completes what may not be written over",
  async (server) => {
    using folder = new LocalFolder();
    Deno.writeFileSync(folder.at("data"), DATA);
    await using ftp = await logIn(server);
    const stop = new Error("Enough");
    const options: UploadOptions = { ...QUICK, resume: true };
    await assertRejects(
      () =>
        ftp.upload(folder.at("data"), "data", {
          ...options,
          maxRate: 10_000_000,
          progressRate: 1e6,
          onProgress: ({ transferred }) => {
            if (transferred > 400_000) throw stop;
          },
        }),
      Error,
      stop.message,
    );
    assertMatch(namesIn(server.root).join(), /^\.data\.resume-\w+\.part$/);
    await ftp.upload(folder.at("data"), "data", options);
    assertEquals(await server.read("data"), DATA);
    assertEquals(namesIn(server.root), ["data"]);
  },
  { servers: ["proftpd"], extra: PROFTPD_DEFAULTS },
);

serverTest(
  'FTP.upload needs replace: "delete" where nothing may be written over',
  async (server) => {
    await server.write("data", "old");
    await using ftp = await logIn(server);
    await assertRejects(
      () => ftp.upload(DATA, "data"),
      FTPPermanentError,
      'use { replace: "delete" }',
    );
    assertEquals(text(await server.read("data")), "old");
    assertEquals(namesIn(server.root), ["data"]);
    await ftp.upload(DATA, "data", { replace: "delete" });
    assertEquals(await server.read("data"), DATA);
    assertEquals(namesIn(server.root), ["data"]);
  },
  { servers: ["proftpd"], extra: PROFTPD_DEFAULTS },
);

serverTest(
  "FTP.upload recovers where its data connection is dropped without a word",
  async (server) => {
    await server.write("data", "old");
    await using proxy = await cutFirst(server, 300_000, "stall");
    const timeout = 1000;
    await using ftp = await logInThrough(proxy, server, { timeout });
    const { retries } = await ftp.upload(DATA, "data", QUICK);
    // vsftpd's old session has the part locked
    assertEquals(retries, server.name === "vsftpd" ? 2 : 1);
    assertEquals(await server.read("data"), DATA);
    assertEquals(namesIn(server.root), ["data"]);
  },
  { passivePorts: 20 },
);

for (const offset of [30_000, 300_000]) {
  serverTest(
    `FTP.upload leaves nothing after ${offset} bytes where the server chooses another name for what is there`,
    async (server) => {
      await server.write("data", "old");
      await using proxy = await cutFirst(server, offset, "reset");
      await using ftp = await logInThrough(proxy, server);
      const { retries } = await ftp.upload(DATA, "data", QUICK);
      assertEquals(retries, 1);
      assertEquals(await server.read("data"), DATA);
      assertEquals(namesIn(server.root), ["data"]);
    },
    { servers: ["pure-ftpd"], passivePorts: 20, extra: ["--autorename"] },
  );
}

serverTest(
  "FTP.upload with resume leaves nothing behind if the server chooses another name for an unusable part",
  async (server) => {
    using folder = new LocalFolder();
    Deno.writeFileSync(folder.at("data"), DATA);
    await using ftp = await logIn(server);
    const options: UploadOptions = { ...QUICK, resume: true };
    await assertRejects(() =>
      ftp.upload(folder.at("data"), "data", {
        ...options,
        onProgress: () => {
          throw new Error("Enough");
        },
      })
    );
    const [part] = namesIn(server.root);
    await server.write(part!, "something else");
    await ftp.upload(folder.at("data"), "data", options);
    assertEquals(await server.read("data"), DATA);
    assertEquals(namesIn(server.root), ["data"]);
  },
  { servers: ["pure-ftpd"], extra: ["--autorename"] },
);

/** Cuts the first upload, and lets its part neither be deleted once nor be written. */
function keepInUse(server: MemoryServer): void {
  server.once("STOR", keepSome(30_000));
  server.once("DELE", "550 In use");
  server.on("STOR", async (turn) => {
    if (!turn.server.files.has(`/${turn.argument}`)) return turn.default();
    await turn.reply(550, "In use");
  });
}

Deno.test("FTP.upload takes another name where its part is in use", async () => {
  await using server = await memoryServer();
  keepInUse(server);
  await using ftp = await server.client();
  const { retries } = await ftp.upload(DATA, "data", QUICK);
  assertEquals(retries, 1);
  assertEquals(server.files.get("/data"), DATA);
  assertEquals([...server.files.keys()], ["/data"]); // it is let go in the end
});

Deno.test("FTP.upload deletes an earlier part where the connection is lost over that", async () => {
  await using server = await memoryServer();
  keepInUse(server);
  server.once("DELE", (turn) => turn.close()); // after the rename
  await using ftp = await server.client();
  const { retries } = await ftp.upload(DATA, "data", QUICK);
  assertEquals(retries, 1);
  assertEquals([...server.files.keys()], ["/data"]);
  assertEquals(await ftp.size("data"), DATA.length);
});

Deno.test("FTP.upload writes over its part where it may not be deleted", async () => {
  await using server = await memoryServer();
  server.once("STOR", keepSome(30_000));
  server.on("DELE", "550 Not for you");
  await using ftp = await server.client();
  await ftp.upload(DATA, "data", QUICK);
  assertEquals(server.files.get("/data"), DATA);
  assertEquals([...server.files.keys()], ["/data"]);
});

Deno.test("FTP.upload resumes its part after a lost connection", async () => {
  await using server = await memoryServer();
  server.once("STOR", keepSome(1_000_000));
  server.once("STOR", (turn) => turn.close());
  await using ftp = await server.client();
  const { retries } = await ftp.upload(DATA, "data", QUICK);
  assertEquals(retries, 2);
  assertEquals(server.files.get("/data"), DATA);
  assertEquals([...server.files.keys()], ["/data"]);
  const stored = server.commands.filter((line) => /^STOR|^REST/.test(line));
  assertMatch(stored.at(-2)!, /^REST 9/);
});

for (const second of [200_000, 2_000_000]) {
  Deno.test(`FTP.upload keeps the longest of two parts for the next call (1000000, ${second})`, async () => {
    await using server = await memoryServer();
    using folder = new LocalFolder();
    Deno.writeFileSync(folder.at("data"), DATA);
    server.once("STOR", keepSome(1_000_000));
    server.once("STOR", (turn) => turn.stall()); // the file is locked
    server.once("STOR", keepSome(second));
    await using ftp = await server.client({ timeout: 500 });
    const options: UploadOptions = { resume: true };
    let failures = 0;
    await assertRejects(() =>
      ftp.upload(folder.at("data"), "data", {
        ...options,
        retry: { delay: 1 },
        onRetry: () => {
          if (++failures === 3) throw new Error("Enough");
        },
      })
    );
    const [part, ...others] = server.files.keys();
    assertMatch(part!, /^\/\.data\.resume-\w+\.part$/);
    assertEquals(others, []);
    const longest = Math.max(1_000_000, second);
    assertEquals(server.files.get(part!), DATA.subarray(0, longest));
    const { bytes } = await ftp.upload(folder.at("data"), "data", options);
    assert(bytes < DATA.length);
    assertEquals(server.files.get("/data"), DATA);
    assertEquals([...server.files.keys()], ["/data"]);
  });
}
