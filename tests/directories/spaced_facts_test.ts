/**
 * Facts whose values contain spaces, such as a group of a directory service, as
 * ProFTPD up to 1.3.7 sends it. (1.3.8 replaces the space by `_`.)
 */

import { assertEquals } from "@std/assert";
import { LocalFolder } from "../files/local_folder.ts";
import { readTree, type Tree, writeTree } from "../mirror/tree.ts";
import { Pair, sends } from "../testing/scripted_listings.ts";

const NAMES = ["a.txt", "in side", " lead", "x;y", "x; y=z", "; ;", "..."];

function lineOf(name: string): string {
  return `modify=20240229123456;type=file;size=3;UNIX.groupname=domain users;UNIX.mode=0644; ${name}`;
}

function treeOf(content: string): Tree {
  return Object.fromEntries(NAMES.map((name) => [name, content]));
}

async function makePair(): Promise<Pair> {
  const files = NAMES.map((name) => [`/${name}`, "new"]);
  const pair = await Pair.make(Object.fromEntries(files));
  pair.server.on("MLSD", sends(...NAMES.map(lineOf)));
  pair.server.on("MLST", (turn) => {
    const name = turn.argument.replace(/^\//, "");
    return NAMES.includes(name)
      ? turn.raw(`250-Begin\r\n ${lineOf(name)}\r\n250 End\r\n`)
      : turn.reply(550, "No such file");
  });
  return pair;
}

Deno.test("FTP.list, mlsd and stat read names behind facts that have blanks", async () => {
  await using pair = await makePair();
  const entries = await Array.fromAsync(pair.ftp.list());
  assertEquals(entries.map(({ name }) => name), NAMES);
  const pairs = await Array.fromAsync(pair.ftp.mlsd());
  assertEquals(pairs.map(([name]) => name), NAMES);
  for (const [index, { group, mode, facts }] of entries.entries()) {
    assertEquals([group, mode], ["domain users", 0o644]);
    assertEquals(facts, pairs[index]![1]);
    const entry = await pair.ftp.stat(`/${NAMES[index]}`);
    assertEquals([entry.group, entry.size], ["domain users", 3]);
  }
});

Deno.test("FTP.downloadDir keeps good copies where facts have blanks, with delete and a filter", async () => {
  await using pair = await makePair();
  using folder = new LocalFolder();
  writeTree(folder.path, { ...treeOf("new"), "gone.txt": "x" });
  const { removed, unchanged } = await pair.ftp.downloadDir("", folder.path, {
    delete: true,
    filter: ({ name }) => NAMES.includes(name) || name === "gone.txt",
  });
  assertEquals([removed, unchanged], [1, NAMES.length]);
  assertEquals(readTree(folder.path), treeOf("new"));
});
