import { assertEquals, assertRejects } from "@std/assert";
import {
  type DownloadOptions,
  FTPError,
  FTPPermanentError,
  FTPVerificationError,
} from "../../../mod.ts";
import { openInPlace } from "../../../lib/files/download/part_file.ts";
import { logIn, makeData } from "../../real/client.ts";
import { serverTest } from "../../testing/servers/mod.ts";
import { LocalFolder } from "../local_folder.ts";
import { memoryServer } from "../../testing/memory_server.ts";

const DATA = makeData(300_000);
const OLD = makeData(400_000, 7);
const IN_PLACE: DownloadOptions = { atomic: false, retry: false };

serverTest(
  "FTP.download in place keeps the old file if the server refuses",
  async (server) => {
    using folder = new LocalFolder();
    await using ftp = await logIn(server);
    for (const resume of [false, true]) {
      Deno.writeTextFileSync(folder.at("old"), "old");
      for (const name of ["old", "new"]) {
        await assertRejects(
          () =>
            ftp.download("misspelt", folder.at(name), { ...IN_PLACE, resume }),
          FTPPermanentError,
          "550",
        );
      }
      assertEquals(Deno.readTextFileSync(folder.at("old")), "old");
      assertEquals(folder.names(), ["old"]);
    }
  },
);

Deno.test("FTP.download in place keeps the old file until the first bytes arrive", async (context) => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const refusals: [name: string, handler: Parameters<typeof server.once>[1]][] =
    [
      ["at once", "550 Not for you"],
      ["for now", "450 Not now"],
      ["late", async (turn) => {
        await turn.reply(150, "Here it comes");
        const data = await turn.openData();
        await data.end();
        await turn.reply(551, "It cannot be read");
      }],
      ["not at all", async (turn) => {
        await turn.reply(150, "Here it comes");
        const data = await turn.openData();
        await data.end();
        await turn.reply(226, "Done");
      }],
    ];
  for (const [name, handler] of refusals) {
    for (const resume of [false, true]) {
      await context.step(`${name}, resume: ${resume}`, async () => {
        Deno.writeFileSync(folder.at("old"), OLD);
        for (const target of ["old", "new"]) {
          server.once("RETR", handler);
          await assertRejects(
            () =>
              ftp.download("data", folder.at(target), { ...IN_PLACE, resume }),
            FTPError,
          );
        }
        assertEquals(Deno.readFileSync(folder.at("old")), OLD);
        assertEquals(folder.names(), ["old"]);
      });
    }
  }
});

Deno.test("FTP.download in place keeps a part that it does not resume until the first bytes arrive", async () => {
  await using server = await memoryServer({ "/data": OLD });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  Deno.writeFileSync(folder.at("copy"), DATA); // shorter, and not the same
  server.on("REST", "502 Not implemented");
  server.once("RETR", "550 Not for you");
  const options = { ...IN_PLACE, resume: true };
  await assertRejects(
    () => ftp.download("data", folder.at("copy"), options),
    FTPPermanentError,
    "550",
  );
  assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
  await ftp.download("data", folder.at("copy"), options);
  assertEquals(Deno.readFileSync(folder.at("copy")), OLD);
});

Deno.test("FTP.download in place leaves nothing of a longer file", async () => {
  await using server = await memoryServer({ "/data": DATA, "/empty": "" });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  for (const resume of [false, true]) {
    for (const [name, expected] of [["data", DATA], ["empty", ""]] as const) {
      Deno.writeFileSync(folder.at("copy"), OLD);
      await ftp.download(name, folder.at("copy"), { ...IN_PLACE, resume });
      assertEquals(
        Deno.readFileSync(folder.at("copy")),
        typeof expected === "string" ? new Uint8Array() : expected,
      );
    }
  }
  await ftp.download("empty", folder.at("new"), IN_PLACE);
  assertEquals(Deno.statSync(folder.at("new")).size, 0);
});

Deno.test("FTP.download in place keeps nothing that a hash has proven wrong", async () => {
  await using server = await memoryServer({ "/data": DATA });
  server.on("FEAT", "211-Features\n HASH SHA-256*\n SIZE\n211 End");
  server.on("HASH", `213 SHA-256 0-299999 ${"0".repeat(64)} data`);
  using folder = new LocalFolder();
  await using ftp = await server.client();
  Deno.writeFileSync(folder.at("copy"), OLD);
  await assertRejects(
    () =>
      ftp.download("data", folder.at("copy"), { ...IN_PLACE, verify: "hash" }),
    FTPVerificationError,
    "SHA-256",
  );
  assertEquals(Deno.statSync(folder.at("copy")).size, 0);
});

Deno.test("openInPlace does not take a file that another download has made and removed", () => {
  using folder = new LocalFolder();
  Deno.writeTextFileSync(folder.at("copy"), "");
  const { openSync } = Deno;
  let calls = 0;
  Deno.openSync = (path, options) => {
    const file = openSync(path, options);
    // the other download gives up between opening and locking
    if (++calls === 1) Deno.removeSync(folder.at("copy"));
    return file;
  };
  try {
    const { file, isNew } = openInPlace(folder.at("copy"));
    file.close();
    assertEquals([isNew, calls], [true, 2]);
  } finally {
    Deno.openSync = openSync;
  }
  assertEquals(folder.names(), ["copy"]);
});

Deno.test("FTP.download in place resumes no file whose time is in the future", async () => {
  const fresh = makeData(400_000);
  await using server = await memoryServer({ "/data": fresh });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  // another beginning, although the last bytes are those of the server's file
  const old = fresh.slice(0, 200_000);
  old.fill(0, 0, 1000);
  Deno.writeFileSync(folder.at("copy"), old);
  const time = new Date(Date.now() + 3_600_000_000);
  Deno.utimeSync(folder.at("copy"), time, time);
  await ftp.download("data", folder.at("copy"), { ...IN_PLACE, resume: true });
  assertEquals(Deno.readFileSync(folder.at("copy")), fresh);
});
