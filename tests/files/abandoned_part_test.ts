/** The part that a killed download leaves behind, and the next download. */

import { assertEquals } from "@std/assert";
import { LocalFolder } from "./local_folder.ts";
import { memoryServer } from "../testing/memory_server.ts";

const MARK = "0123456789abcdef";

/** Names of parts in the folder, and of what only looks like one. */
const OWN = [`.x.${MARK}.part`, `.x.${MARK.replace("0", "f")}.part`];
const OTHERS = [
  `.y.${MARK}.part`,
  `.x.${MARK}.part.gz`,
  `.x.${MARK.slice(1)}.part`,
  `.x.part`,
];

Deno.test("FTP.download removes what a killed download of the same file has left", async () => {
  await using server = await memoryServer({ "/x": "new" });
  using folder = new LocalFolder();
  for (const name of [...OWN, ...OTHERS]) {
    Deno.writeTextFileSync(folder.at(name), "half");
  }
  await using ftp = await server.client();
  await ftp.download("x", folder.at("x"));
  assertEquals(folder.names(), [...OTHERS, "x"].sort());
});

Deno.test("FTP.download leaves a part alone where another download is under way, or what is none", async () => {
  await using server = await memoryServer({ "/x": "new" });
  using folder = new LocalFolder();
  const [locked, linked] = OWN as [string, string];
  using file = Deno.openSync(folder.at(locked), { create: true, write: true });
  file.lockSync(true);
  Deno.writeTextFileSync(folder.at("precious"), "mine");
  Deno.linkSync(folder.at("precious"), folder.at(linked));
  Deno.symlinkSync("precious", folder.at(`.x.${"a".repeat(16)}.part`));
  Deno.mkdirSync(folder.at(`.x.${"b".repeat(16)}.part`));
  const before = folder.names();
  await using ftp = await server.client();
  await ftp.download("x", folder.at("x"));
  assertEquals(folder.names(), [...before, "x"].sort());
});

Deno.test("FTP.download locks its part, so another download does not touch it", async () => {
  await using server = await memoryServer({ "/x": "new" });
  const held = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  let isFirst = true;
  server.on("RETR", async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    await data.write(new TextEncoder().encode("n"));
    if (isFirst) {
      isFirst = false;
      held.resolve();
      await opened.promise;
    }
    await data.write(new TextEncoder().encode("ew"));
    await data.end();
    await turn.reply(226, "Done");
  });
  using folder = new LocalFolder();
  await using slow = await server.client({ timeout: 60_000 });
  await using quick = await server.client();
  const downloading = slow.download("x", folder.at("x"));
  await held.promise;
  await quick.download("x", folder.at("x"));
  assertEquals(folder.names().length, 2);
  opened.resolve();
  await downloading;
  assertEquals(folder.names(), ["x"]);
  assertEquals(Deno.readTextFileSync(folder.at("x")), "new");
});

Deno.test("FTP.downloadDir removes what a killed one has left of a file", async () => {
  await using server = await memoryServer({ "/top/x": "new" });
  using folder = new LocalFolder();
  Deno.writeTextFileSync(folder.at(OWN[0]!), "half");
  await using ftp = await server.client();
  await ftp.downloadDir("top", folder.path);
  assertEquals(folder.names(), ["x"]);
});
