/** Mirrors of trees with more places to remove from than a run remembers. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { Pair } from "../testing/scripted_listings.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { failuresOf, readTree, type Tree, writeTree } from "./tree.ts";

Deno.test("FTP.downloadDir walks again if too much is to be removed", async () => {
  const count = 1010;
  const files = Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`/d${i}/a`, "1"]),
  );
  await using pair = await Pair.make(files);
  using folder = new LocalFolder();
  for (let i = 0; i < count; i++) {
    writeTree(folder.path, { [`d${i}/a`]: "1", [`d${i}/extra`]: "1" });
  }
  const result = await pair.ftp.downloadDir("", folder.path, { delete: true });
  assertEquals([result.unchanged, result.removed], [count, count]);
  assertEquals(Object.keys(readTree(folder.path)).length, count);
});

Deno.test("FTP.downloadDir counts all of a tree with more places than it remembers", async () => {
  const remote: Tree = {};
  const local: Tree = {};
  for (let i = 0; i < 1005; i++) {
    remote[`/${i}/a`] = local[`${i}/a`] = "1";
    local[`${i}/old`] = "1";
  }
  await using pair = await Pair.make(remote);
  using folder = new LocalFolder();
  writeTree(folder.path, local);
  const { failures } = await failuresOf(() =>
    pair.ftp.downloadDir("", folder.path, {
      compare: "size",
      delete: true,
      maxDelete: 1004,
    })
  );
  assertStringIncludes(failures[0]!, "Cannot remove 1005 entries");
  assertEquals(readTree(folder.path), local);
});
