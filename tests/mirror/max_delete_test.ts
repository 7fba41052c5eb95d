/** A mirror that would remove more than `maxDelete` removes nothing. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { MirrorOptions } from "../../mod.ts";
import { Pair } from "../testing/scripted_listings.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { logIn } from "../real/client.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { type Direction, mirrorSides, prepareSides } from "./real_sides.ts";
import { failuresOf, Notes, readTree, type Tree, writeTree } from "./tree.ts";

const SOURCE: Tree = { "keep": "1", "kind/in": "1", "new": "1" };

/** Ten entries, seven of which are to go: those of "old", "gone" and "kind". */
const TARGET: Tree = {
  "keep": "1",
  "old/a": "1",
  "old/b/c": "1",
  "old/empty/": "",
  "gone": "1",
  "kind": "a file",
  "theirs/x": "1",
};

const OPTIONS = {
  compare: "size",
  delete: true,
  filter: ({ path }) => path !== "theirs",
} satisfies MirrorOptions;

for (const direction of ["up", "down"] as Direction[]) {
  serverTest(
    `FTP.${
      direction === "up" ? "uploadDir" : "downloadDir"
    } removes nothing beyond maxDelete`,
    async (server) => {
      using folder = new LocalFolder();
      prepareSides(server, folder, direction, SOURCE);
      const target = direction === "up"
        ? `${server.root}/top`
        : folder.at("local");
      writeTree(target, TARGET);
      if (direction === "up") makeWritable(target);
      await using ftp = await logIn(server);
      const cases: [MirrorOptions["maxDelete"], string][] = [
        [6, 'Cannot remove 7 entries from "'],
        [0, 'Cannot remove 7 entries from "'],
        ["70%", "Cannot remove 7 of "],
        ["0%", "Cannot remove 7 of "],
      ];
      for (const dryRun of [true, false]) {
        for (const [maxDelete, message] of cases) {
          const notes = new Notes();
          const { error, failures } = await failuresOf(() =>
            mirrorSides(ftp, folder, direction, {
              ...OPTIONS,
              dryRun,
              maxDelete,
              onEntry: notes.take,
            })
          );
          assertEquals([error.result.removed, error.result.failed], [0, 1]);
          assertStringIncludes(failures[0]!, `: ${message}`);
          assertStringIncludes(
            error.message,
            `"maxDelete" is ${maxDelete}; nothing was removed`,
          );
          assertEquals(
            notes.lines.filter((line) => line.startsWith("remove")),
            [],
          );
          const { new: _, ...rest } = readTree(target);
          assertEquals(rest, TARGET);
        }
      }
      const { removed } = await mirrorSides(ftp, folder, direction, {
        ...OPTIONS,
        maxDelete: 7,
      });
      assertEquals(removed, 7);
      assertEquals(readTree(target), { ...SOURCE, "theirs/x": "1" });
    },
  );
}

/** The user of the server is another than that of the tests. */
function makeWritable(path: string): void {
  Deno.chmodSync(path, 0o777);
  for (const { name, isDirectory } of Deno.readDirSync(path)) {
    if (isDirectory) makeWritable(`${path}/${name}`);
  }
}

Deno.test("FTP.downloadDir compares a share with the entries that the target has", async () => {
  const cases: [share: `${number}%`, isOver: boolean][] = [
    ["50%", false],
    ["49.9%", true],
    ["100%", false],
    ["0%", true],
  ];
  for (const [maxDelete, isOver] of cases) {
    await using pair = await Pair.make({ "/d/a": "1", "/d/b": "1" });
    using folder = new LocalFolder();
    // three of six: "d", "d/a" and "d/b" stay
    writeTree(folder.path, { "d/a": "1", "d/b": "1", "d/c": "1", "e/f": "1" });
    const run = () =>
      pair.ftp.downloadDir("", folder.path, { ...OPTIONS, maxDelete });
    if (isOver) await failuresOf(run);
    else assertEquals((await run()).removed, 3);
  }
});

Deno.test("FTP.downloadDir counts what filter keeps in a directory for nothing", async () => {
  await using pair = await Pair.make({ "/a": "1" });
  using folder = new LocalFolder();
  writeTree(folder.path, { "a": "1", "d/x": "1", "d/keep": "1" });
  const { removed } = await pair.ftp.downloadDir("", folder.path, {
    ...OPTIONS,
    filter: ({ name }) => name !== "keep",
    maxDelete: 1,
  });
  assertEquals(removed, 1);
  assertEquals(readTree(folder.path), { "a": "1", "d/keep": "1" });
});

Deno.test("FTP.downloadDir removes nothing if it cannot count what is to go", async () => {
  await using pair = await Pair.make({ "/a": "1" });
  pair.server.on("MLSD", (turn) => turn.default());
  using folder = new LocalFolder();
  writeTree(folder.path, { "a": "1", "b/x": "1", "d/x": "1" });
  let kept: string | undefined;
  const { failures } = await failuresOf(() =>
    pair.ftp.downloadDir("", folder.path, {
      ...OPTIONS,
      maxDelete: 100,
      filter: ({ path }) => {
        if (kept !== undefined || !path.endsWith("/x")) return true;
        // while one directory is counted, another program takes the other one
        // away and puts a link there
        kept = folder.at(path);
        const other = folder.at(path === "b/x" ? "d" : "b");
        Deno.removeSync(other, { recursive: true });
        Deno.symlinkSync("/", other);
        return true;
      },
    })
  );
  assertEquals(failures.length > 0, true);
  assertEquals(Deno.readTextFileSync(kept!), "1");
});

Deno.test("FTP.uploadDir rejects an invalid maxDelete before anything is sent", async () => {
  await using pair = await Pair.make({ "/a": "1" });
  using folder = new LocalFolder();
  const bad = [-1, 1.5, NaN, "10", "%", "-1%", "101%", "1e1%", true, {}];
  for (const maxDelete of bad as never[]) {
    await assertRejects(
      () => pair.ftp.uploadDir(folder.path, "", { delete: true, maxDelete }),
      RangeError,
      "Cannot use maxDelete",
    );
  }
  assertEquals(pair.commands, []);
});
