/** Mirrors that replace a file by a directory, or a directory by a file. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { Pair, sends } from "../testing/scripted_listings.ts";
import { LocalFolder } from "../files/local_folder.ts";
import type { Handler } from "../testing/scripted/mod.ts";
import { failuresOf, Notes, readTree, type Tree, writeTree } from "./tree.ts";

/** A tree in which "a" is a file, and one in which it is a directory. */
const FILE: Tree = { "a": "file", "b": "same" };
const DIRECTORY: Tree = { "a/x": "1", "a/y/z": "2", "b": "same" };

const REFUSED: Handler = (turn) => turn.reply(552, "No space");

for (
  const [before, after, kind] of [
    [FILE, DIRECTORY, "a file by a directory"],
    [DIRECTORY, FILE, "a directory by a file"],
  ] as const
) {
  for (const verb of ["STOR", "RNTO"] as const) {
    Deno.test(`FTP.uploadDir keeps what was there if it cannot replace ${kind}, because ${verb} is refused`, async () => {
      await using pair = await Pair.make(remoteTree(before));
      const { ftp, server } = pair;
      using folder = new LocalFolder();
      writeTree(folder.at("from"), after);
      let refusals = 0;
      server.on(verb, (turn) => {
        const isOurs = verb === "STOR" ||
          (turn.argument === "/top/a" && refusals++ === 0);
        return isOurs ? REFUSED(turn) : turn.default();
      });
      const { failures } = await failuresOf(() =>
        ftp.uploadDir(folder.at("from"), "/top", {
          delete: true,
          retry: false,
        })
      );
      assertStringIncludes(failures[0]!, "No space");
      assertEquals(await treeOf(pair), before);
    });
  }

  Deno.test(`FTP.downloadDir keeps what was there if it cannot replace ${kind}`, async () => {
    await using pair = await Pair.make(remoteTree(after));
    const { ftp, server } = pair;
    using folder = new LocalFolder();
    const local = folder.at("to");
    writeTree(local, before);
    server.on(
      "RETR",
      (turn) => turn.argument.includes("/a") ? REFUSED(turn) : turn.default(),
    );
    const { failures } = await failuresOf(() =>
      ftp.downloadDir("/top", local, { delete: true, retry: false })
    );
    assertStringIncludes(failures[0]!, "No space");
    assertEquals(readTree(local), before);
  });

  Deno.test(`FTP.uploadDir and downloadDir replace ${kind}, and tell it`, async () => {
    await using pair = await Pair.make(remoteTree(before));
    const { ftp } = pair;
    using folder = new LocalFolder();
    const notes = new Notes();
    writeTree(folder.at("from"), after);
    writeTree(folder.at("to"), before);
    for (const filter of [undefined, () => true]) {
      await using pair = await Pair.make(remoteTree(before));
      const options = { delete: true, filter, onEntry: notes.take };
      await pair.ftp.uploadDir(folder.at("from"), "/top", options);
      assertEquals(await treeOf(pair), after);
    }
    await ftp.uploadDir(folder.at("from"), "/top", { delete: true });
    await ftp.downloadDir("/top", folder.at("to"), { delete: true });
    assertEquals(readTree(folder.at("to")), after);
    assertEquals(notes.lines.filter((line) => line === "remove a (kind)"), [
      "remove a (kind)",
      "remove a (kind)",
    ]);
  });

  Deno.test(`FTP.uploadDir in place replaces ${kind}, where nothing can be renamed`, async () => {
    await using pair = await Pair.make(remoteTree(before));
    using folder = new LocalFolder();
    writeTree(folder.at("from"), after);
    pair.server.on("RNFR", (turn) => turn.reply(502, "No"));
    await pair.ftp.uploadDir(folder.at("from"), "/top", {
      delete: true,
      atomic: false,
    });
    assertEquals(await treeOf(pair), after);
  });
}

Deno.test("FTP.uploadDir says where the old file is, if it cannot be put back", async () => {
  await using pair = await Pair.make(remoteTree(FILE));
  using folder = new LocalFolder();
  writeTree(folder.at("from"), DIRECTORY);
  pair.server.on(
    "RNTO",
    (turn) => turn.argument === "/top/a" ? REFUSED(turn) : turn.default(),
  );
  const { failures } = await failuresOf(() =>
    pair.ftp.uploadDir(folder.at("from"), "/top", { delete: true })
  );
  const [, aside] = failures[0]!.match(/is "\/top\/([^"]+)" now/)!;
  assertEquals(await treeOf(pair), { [aside!]: "file", "b": "same" });
});

Deno.test("FTP.uploadDir removes nothing of a directory of which a filter keeps something", async () => {
  await using pair = await Pair.make(remoteTree(DIRECTORY));
  using folder = new LocalFolder();
  writeTree(folder.at("from"), FILE);
  const { failures } = await failuresOf(() =>
    pair.ftp.uploadDir(folder.at("from"), "/top", {
      delete: true,
      filter: ({ path }) => path !== "a/y/z",
    })
  );
  assertStringIncludes(failures[0]!, "not all of its entries");
  assertEquals(await treeOf(pair), DIRECTORY);
});

Deno.test("FTP.downloadDir replaces no file by a directory that it cannot list", async () => {
  await using pair = await Pair.make(remoteTree(DIRECTORY));
  using folder = new LocalFolder();
  const local = folder.at("to");
  writeTree(local, FILE);
  pair.server.on(
    "MLSD",
    (turn) => turn.argument.includes("/a") ? REFUSED(turn) : turn.default(),
  );
  pair.server.on(
    "LIST",
    (turn) => turn.argument.includes("/a") ? REFUSED(turn) : sends()(turn),
  );
  await failuresOf(() => pair.ftp.downloadDir("/top", local, { delete: true }));
  assertEquals(readTree(local), FILE);
});

function remoteTree(tree: Tree): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tree).map(([path, content]) => [`/top/${path}`, content]),
  );
}

async function treeOf({ ftp }: Pair): Promise<Tree> {
  const tree: Tree = {};
  for await (const { path, isFile } of ftp.walk("/top")) {
    if (!isFile) continue;
    tree[path.replace(/^.*top\//, "")] = await new Response(
      await ftp.retrieve(path),
    ).text();
  }
  return tree;
}
