/** Before a mirror removes an entry, it asks the source for it by name. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Handler } from "../testing/scripted/mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import {
  fact,
  Pair,
  sendLines,
  sends,
  unix,
  UNKNOWN,
} from "../testing/scripted_listings.ts";
import { logIn } from "../real/client.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { foldNames } from "./folding_disk.ts";
import { failuresOf, Notes, readTree, writeTree } from "./tree.ts";

const DELETE = { delete: true, compare: "size" } as const;
const UNLISTED =
  /^: Cannot remove ".*": the source has ".*", but does not list it$/;

/** A server that leaves "b" and "d" out of its listings, and has them. */
async function hidingPair(unknown: readonly string[] = []): Promise<Pair> {
  const pair = await Pair.make({ "/a": "1", "/b": "1", "/d/in": "1" });
  for (const verb of unknown) pair.server.on(verb, UNKNOWN);
  pair.server.on("LIST", sends(unix("a")));
  if (!unknown.includes("MLSD")) pair.server.on("MLSD", sends(fact("a")));
  return pair;
}

for (
  const unknown of [
    [],
    ["MLST"],
    ["MLSD", "MLST"],
    ["MLSD", "MLST", "SIZE"],
    ["MLSD", "MLST", "MDTM"],
    ["MLSD", "MLST", "SIZE", "MDTM"],
  ]
) {
  for (const name of ["b", "d"]) {
    Deno.test(`FTP.downloadDir asks for "${name}" before it removes it, without ${unknown.join() || "nothing"}`, async () => {
      await using pair = await hidingPair(unknown);
      using folder = new LocalFolder();
      const tree = { a: "1", [name === "b" ? "b" : "d/in"]: "mine", x: "y" };
      writeTree(folder.path, tree);
      const { failures, error } = await failuresOf(() =>
        pair.ftp.downloadDir("", folder.path, DELETE)
      );
      assertEquals(failures.length, 1);
      assertMatch(failures[0]!, UNLISTED);
      assertEquals(error.result.removed, 0);
      assertEquals(readTree(folder.path), tree);
    });
  }
  Deno.test(`FTP.downloadDir removes what the server says it lacks, without ${unknown.join() || "nothing"}`, async () => {
    await using pair = await hidingPair(unknown);
    using folder = new LocalFolder();
    writeTree(folder.path, { a: "1", x: "y", "z/in": "y" });
    const { removed } = await pair.ftp.downloadDir("", folder.path, DELETE);
    assertEquals(removed, 2);
    assertEquals(readTree(folder.path), { a: "1" });
  });
}

Deno.test("FTP.downloadDir keeps what the server does not tell of, and removes the rest", async () => {
  await using pair = await hidingPair();
  using folder = new LocalFolder();
  writeTree(folder.path, { a: "1", secret: "1", later: "1", x: "y" });
  const { server } = pair;
  server.on("MLST", async (turn) => {
    if (turn.argument === "secret") await turn.reply(550, "Permission denied");
    else if (turn.argument === "later") await turn.reply(450, "Access denied");
    else await turn.default();
  });
  const { failures, error } = await failuresOf(() =>
    pair.ftp.downloadDir("", folder.path, DELETE)
  );
  assertEquals(failures.toSorted().map((failure) => failure.split(":")[0]), [
    "later",
    "secret",
  ]);
  assertEquals(error.result.removed, 1);
  assertEquals(readTree(folder.path), { a: "1", secret: "1", later: "1" });
});

Deno.test("FTP.downloadDir keeps a directory of which a server without PWD does not tell", async () => {
  await using pair = await hidingPair(["MLSD", "MLST", "PWD"]);
  using folder = new LocalFolder();
  writeTree(folder.path, { a: "1", "d/in": "mine" });
  const { failures } = await failuresOf(() =>
    pair.ftp.downloadDir("", folder.path, DELETE)
  );
  assertStringIncludes(failures[0]!, "the server does not say");
  assertEquals(readTree(folder.path), { a: "1", "d/in": "mine" });
});

/** Takes every name for another one, as disks do. */
function foldingMLST(fold: (name: string) => string): Handler {
  return async (turn) => {
    const name = fold(turn.argument);
    const known = [...turn.server.files.keys()].map((path) =>
      fold(path.slice(1))
    );
    if (known.includes(name)) {
      await turn.raw(`250-x\r\n ${fact(name)}\r\n250 y\r\n`);
    } else await turn.reply(550, "No such file");
  };
}

const TWINS: [title: string, fold: (name: string) => string, twin: string][] = [
  ["case", (name) => name.toLowerCase(), "\u00c9A"],
  ["accents", (name) => name.normalize("NFC"), "e\u0301a"],
];

for (const [title, fold, twin] of TWINS) {
  for (const folds of [true, false]) {
    const does = folds ? "keeps" : "removes";
    const how = folds ? "answers" : "does not answer";
    Deno.test(`FTP.downloadDir ${does} a name whose twin the server lists, if it ${how} to it (${title})`, async () => {
      await using pair = await Pair.make({ "/\u00e9a": "1" });
      using folder = new LocalFolder();
      writeTree(folder.path, { "\u00e9a": "1", [twin]: "mine" });
      if (folds) pair.server.on("MLST", foldingMLST(fold));
      const notes = new Notes();
      await pair.ftp.downloadDir("", folder.path, {
        ...DELETE,
        onEntry: notes.take,
      });
      assertEquals(
        notes.lines.at(-1),
        folds ? `skip ${twin} (twin)` : `remove ${twin} (missing)`,
      );
      assertEquals(folder.names().includes(twin), folds);
    });
  }
}

Deno.test("FTP.downloadDir keeps names that no command can carry", async () => {
  await using pair = await hidingPair();
  using folder = new LocalFolder();
  const tree = { a: "1", "x\ny": "1", "x\ry": "1" };
  writeTree(folder.path, { ...tree, x: "y" });
  const notes = new Notes();
  const { removed } = await pair.ftp.downloadDir("", folder.path, {
    ...DELETE,
    onEntry: notes.take,
  });
  assertEquals(removed, 1);
  assertEquals(notes.sorted.filter((line) => line.startsWith("skip")), [
    "skip x\ny (hostile)",
    "skip x\ry (hostile)",
  ]);
  assertEquals(readTree(folder.path), tree);
});

Deno.test("FTP.downloadDir asks for what a filter leaves of a directory, too", async () => {
  await using pair = await Pair.make({ "/a": "1", "/d/in": "1", "/e/in": "1" });
  using folder = new LocalFolder();
  const tree = { a: "1", "d/in": "mine", "d/kept": "1" };
  writeTree(folder.path, tree);
  pair.server.on(
    "MLSD",
    (turn) =>
      sendLines(
        turn,
        turn.argument === "" ? [fact("a"), fact("e", "dir", "")] : [fact("in")],
      ),
  );
  const { failures } = await failuresOf(() =>
    pair.ftp.downloadDir("", folder.path, {
      ...DELETE,
      filter: ({ name }) => name !== "kept",
    })
  );
  assertMatch(failures.join(), UNLISTED);
  assertEquals(readTree(folder.path), { ...tree, "e/in": "1" });
});

Deno.test("FTP.downloadDir asks what is in the way of a local directory, by its name", async () => {
  await using pair = await Pair.make({ "/a": "1", "/d/in": "1" });
  using folder = new LocalFolder();
  writeTree(folder.path, { "a/in": "mine", "d/in": "mine" });
  pair.server.on("MLSD", sends(fact("a"), fact("d")));
  const { failures, error } = await failuresOf(() =>
    pair.ftp.downloadDir("", folder.path, DELETE)
  );
  assertEquals(failures, [
    'd: Cannot remove what is in the way of "d": the source lists it as a file, and shows a directory under its name',
  ]);
  assertEquals([error.result.removed, error.result.transferred], [1, 1]);
  assertEquals(readTree(folder.path), { a: "1", "d/in": "mine" });
});

Deno.test("FTP.uploadDir looks for a local name again right before it is removed there", async () => {
  await using pair = await Pair.make({ "/a": "1", "/b": "1", "/d/in": "1" });
  using folder = new LocalFolder();
  writeTree(folder.path, { a: "1" });
  let listings = 0;
  pair.server.on("MLSD", async (turn) => {
    // the local directory has been read by now
    if (++listings === 2) writeTree(folder.path, { b: "1", "d/in": "1" });
    await turn.default();
  });
  const { failures, error } = await failuresOf(() =>
    pair.ftp.uploadDir(folder.path, "", DELETE)
  );
  assertMatch(failures[0]!, UNLISTED);
  assertEquals(error.result.removed, 0);
  assertEquals([...pair.server.files.keys()], ["/a", "/b", "/d/in"]);
  assertEquals(pair.server.verbs.includes("DELE"), false);
});

Deno.test("FTP.uploadDir keeps what a folding disk has under another name", async () => {
  await using pair = await Pair.make({ "/a": "1", "/A": "1", "/x": "1" });
  using folder = new LocalFolder();
  writeTree(folder.path, { a: "1" });
  using _ = foldNames(folder);
  const notes = new Notes();
  await pair.ftp.uploadDir(folder.path, "", { ...DELETE, onEntry: notes.take });
  assertEquals(notes.sorted, [
    "remove x (missing)",
    "skip A (twin)",
    "unchanged a",
  ]);
});

Deno.test("FTP.uploadDir keeps there what cannot be looked for here, and hostile names", async () => {
  await using pair = await Pair.make({ "/a": "1", "/x": "1" });
  using folder = new LocalFolder();
  writeTree(folder.path, { a: "1" });
  const raw = new Uint8Array([...new TextEncoder().encode(fact("caf")), 0xe9]);
  pair.server.on(
    "MLSD",
    sends(fact("a"), fact("x"), raw, fact("c\rd", "dir", "")),
  );
  const notes = new Notes();
  await pair.ftp.uploadDir(folder.path, "", { ...DELETE, onEntry: notes.take });
  assertEquals(notes.sorted.length, 4);
  assertEquals(
    notes.sorted.filter((line) => /^skip .*hostile/s.test(line)).length,
    2,
  );
  assertEquals(pair.server.commands.filter((line) => line.startsWith("DELE")), [
    "DELE x",
  ]);
});

serverTest(
  "FTP.downloadDir keeps what the server hides from its listings",
  async (server) => {
    using folder = new LocalFolder();
    for (const name of ["a", "hid.txt"]) await server.write(`top/${name}`, "1");
    await server.write("top/hid.d/in", "1");
    await using ftp = await logIn(server);
    for (const command of [undefined, "LIST"] as const) {
      for (const extra of ["hid.txt", "hid.d/in"]) {
        const tree = { a: "1", [extra]: "mine" };
        using inner = new LocalFolder();
        writeTree(inner.path, tree);
        const { failures } = await failuresOf(() =>
          ftp.downloadDir("top", inner.path, { ...DELETE, list: { command } })
        );
        assertMatch(failures.join(), UNLISTED);
        assertEquals(readTree(inner.path), tree);
      }
    }
    writeTree(folder.path, { a: "1", x: "y", "z/in": "y" });
    const { removed } = await ftp.downloadDir("top", folder.path, DELETE);
    assertEquals(removed, 2);
  },
  {
    servers: ["proftpd"],
    extra: ["<Directory />", 'HideFiles "^hid"', "</Directory>"],
  },
);

serverTest(
  "FTP.downloadDir keeps what the server hides from its listings",
  async (server) => {
    for (const name of ["a", "hid.txt"]) await server.write(`top/${name}`, "1");
    await server.write("top/hid.d/in", "1");
    await using ftp = await logIn(server);
    for (const extra of ["hid.txt", "hid.d/in"]) {
      const tree = { a: "1", [extra]: "mine" };
      using folder = new LocalFolder();
      writeTree(folder.path, tree);
      const { failures } = await failuresOf(() =>
        ftp.downloadDir("top", folder.path, DELETE)
      );
      assertMatch(failures.join(), UNLISTED);
      assertEquals(readTree(folder.path), tree);
    }
  },
  { servers: ["vsftpd"], extra: ["hide_file={hid*}"] },
);
