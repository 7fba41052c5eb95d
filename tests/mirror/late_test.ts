/** Mirrors whose target changes after it was listed, and mirrors that end early. */

import { assertEquals, assertMatch } from "@std/assert";
import { FTPMirrorError } from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { memoryServer } from "../testing/memory_server.ts";
import { failuresOf, Notes } from "./tree.ts";

const FILES = { "/a": "first", "/b": "second", "/d/c": "third" };

for (const compare of ["size-and-time", "size", "hash", "always"] as const) {
  Deno.test(`FTP.downloadDir compares again what another run has downloaded meanwhile, with ${compare}`, async () => {
    await using server = await memoryServer(FILES);
    using folder = new LocalFolder();
    await using ftp = await server.client();
    await using other = await server.client();
    server.once("RETR", async (turn) => {
      await other.downloadDir("", folder.path, {
        filter: ({ path }) => path !== "a",
      });
      await turn.default();
    });
    const notes = new Notes();
    const result = await ftp.downloadDir("", folder.path, {
      compare,
      onEntry: notes.take,
      retry: false,
    });
    const isAlways = compare === "always";
    assertEquals([result.transferred, result.unchanged, result.made], [
      isAlways ? 3 : 1,
      isAlways ? 0 : 2,
      0,
    ]);
    assertEquals(Deno.readTextFileSync(`${folder.path}/b`), "second");
    assertEquals(Deno.readTextFileSync(`${folder.path}/d/c`), "third");
  });
}

Deno.test("FTP.downloadDir says of a file that differs that it appeared after the listing", async () => {
  await using server = await memoryServer(FILES);
  using folder = new LocalFolder();
  await using ftp = await server.client();
  server.once("RETR", async (turn) => {
    Deno.writeTextFileSync(`${folder.path}/b`, "of the user");
    Deno.writeTextFileSync(`${folder.path}/d`, "in the way");
    await turn.default();
  });
  const { error, failures } = await failuresOf(() =>
    ftp.downloadDir("", folder.path, { delete: true })
  );
  assertEquals(
    failures.toSorted(),
    ["b", "d"].map((name) =>
      `${name}: Cannot write to "${folder.path}/${name}": it appeared after the directory was listed, and differs; another run may be writing here, otherwise try again`
    ),
  );
  assertEquals(error.result.transferred, 1);
  assertEquals(error.unreached, 0);
  assertEquals(Deno.readTextFileSync(`${folder.path}/b`), "of the user");
  assertEquals(Deno.readTextFileSync(`${folder.path}/d`), "in the way");
});

for (const connections of [1, 3]) {
  Deno.test(`FTPMirrorError tells how many entries were not reached with ${connections} connections`, async () => {
    const names = Array.from({ length: 20 }, (_, i) => `f${i}`);
    const files = Object.fromEntries(names.map((name) => [`/${name}`, name]));
    await using server = await memoryServer({ ...files, "/z/y": "y" });
    using folder = new LocalFolder();
    await using ftp = await server.client();
    let count = 0;
    server.on("RETR", async (turn) => {
      if (++count < 6) return await turn.default();
      server.on("connect", (turn) => turn.close());
      for (const { peer } of server.sessions) peer.close();
    });
    const { error, failures } = await failuresOf(() =>
      ftp.downloadDir("", folder.path, {
        connections,
        retry: { attempts: 1, delay: 1 },
      })
    );
    assertEquals(error instanceof FTPMirrorError, true);
    const { transferred, failed } = error.result;
    // 20 files and the directory, which was not read
    assertEquals(transferred + failed + error.unreached, 21);
    assertEquals(failures.length, failed);
    assertEquals(failed >= 1, true);
    if (connections === 1) assertEquals([transferred, failed], [5, 1]);
    assertMatch(
      error.message,
      /^Cannot download all of the current directory: the connection is lost: .*; \d+ more entries were not reached$/,
    );
  });
}
