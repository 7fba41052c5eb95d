import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { LocalFolder } from "../files/local_folder.ts";
import {
  fact,
  hideDots,
  Pair,
  sendLines,
  unix,
  UNKNOWN,
} from "../testing/scripted_listings.ts";
import type { ScriptedServer } from "../testing/scripted/mod.ts";
import { failuresOf, Notes, writeTree } from "./tree.ts";

/** The server's files, as text. */
function filesOf(server: ScriptedServer): Record<string, string> {
  const decoder = new TextDecoder();
  return Object.fromEntries(
    [...server.files].map(([path, bytes]) => [path, decoder.decode(bytes)]),
  );
}

/** Has a server take names that differ in case for the same. */
function foldNames({ server }: Pair): void {
  const actual = (name: string) =>
    [...server.files.keys()].find((path) =>
      path.toLowerCase() === `/${name}`.toLowerCase()
    );
  for (const verb of ["MLST", "SIZE", "MDTM"]) {
    server.on(verb, async (turn) => {
      const path = actual(turn.argument);
      if (path === undefined) return await turn.reply(550, "No such file");
      const size = server.files.get(path)!.length;
      if (verb === "SIZE") return await turn.reply(213, String(size));
      if (verb === "MDTM") return await turn.reply(213, "20240229123456");
      await turn.raw(
        `250-Listing\r\n type=file;size=${size};modify=20240229123456; ${path}\r\n250 End\r\n`,
      );
    });
  }
  server.on("RNTO", async (turn) => {
    const path = actual(turn.argument) ?? `/${turn.argument}`;
    server.put(path, server.files.get(turn.session.renameFrom!)!);
    server.files.delete(turn.session.renameFrom!);
    await turn.reply(250, "Renamed");
  });
}

Deno.test("FTP.uploadDir makes directories with one command each", async () => {
  await using pair = await Pair.make();
  using folder = new LocalFolder();
  writeTree(folder.path, { "a/b/c": "1" });
  await pair.ftp.uploadDir(folder.path, "");
  assertEquals(pair.commands.filter((line) => /^(MKD|CWD|MLSD)/.test(line)), [
    "CWD .",
    "CWD /",
    "MLSD",
    "MKD a",
    "MKD a/b",
  ]);
});

Deno.test("FTP.uploadDir does not write two names to one file of the server", async () => {
  await using pair = await Pair.make();
  foldNames(pair);
  using folder = new LocalFolder();
  writeTree(folder.path, { "README": "1", "readme": "22" });
  for (const transferred of [1, 0]) {
    const { error, failures } = await failuresOf(() =>
      pair.ftp.uploadDir(folder.path, "", { delete: true })
    );
    assertEquals(failures.length, 1);
    assertMatch(
      failures[0]!,
      /^(README|readme): Cannot write to ".*": it is the same there as "(README|readme)"$/,
    );
    assertEquals(error.result.transferred, transferred);
    assertEquals(pair.server.files.size, 1);
  }
});

Deno.test("FTP.uploadDir does not remove what the server calls in other letters", async () => {
  await using pair = await Pair.make({ "/README": "1", "/extra": "1" });
  foldNames(pair);
  using folder = new LocalFolder();
  writeTree(folder.path, { "Readme": "22" });
  const notes = new Notes();
  const options = { delete: true, onEntry: notes.take };
  await pair.ftp.uploadDir(folder.path, "", options);
  await pair.ftp.uploadDir(folder.path, "", options);
  assertEquals(filesOf(pair.server), { "/README": "22" });
  assertEquals(notes.lines, [
    "transfer Readme (size)",
    "remove extra (missing)",
    "unchanged Readme",
  ]);
});

Deno.test("FTP.uploadDir tells letters apart where the server does", async () => {
  await using pair = await Pair.make({ "/README": "1" });
  using folder = new LocalFolder();
  writeTree(folder.path, { "Readme": "22", "readme": "333" });
  await pair.ftp.uploadDir(folder.path, "", { delete: true });
  assertEquals(filesOf(pair.server), { "/Readme": "22", "/readme": "333" });
});

Deno.test("FTP.uploadDir looks for hidden files by their names", async () => {
  await using pair = await Pair.make({ "/.htaccess": "1" });
  using folder = new LocalFolder();
  writeTree(folder.path, { ".htaccess": "1", "a": "1" });
  hideDots(pair, unix("b"));
  const notes = new Notes();
  await pair.ftp.uploadDir(folder.path, "", { onEntry: notes.take });
  assertEquals(notes.sorted, ["transfer a (new)", "unchanged .htaccess"]);
});

Deno.test("FTP.uploadDir goes by what MDTM says, not by a listing's zone", async () => {
  await using pair = await Pair.make({ "/a": "1", "/b": "1" });
  using folder = new LocalFolder();
  writeTree(folder.path, { "a": "1" });
  writeTree(folder.path, { "b": "1" }, new Date("2024-02-29T12:34:57Z"));
  pair.server.on("MLSD", UNKNOWN);
  pair.server.on(
    "LIST",
    (turn) =>
      sendLines(turn, [
        unix("a", "-", "Feb 29  2024"),
        unix("b", "-", "Mar  1  2024"),
      ]),
  );
  const notes = new Notes();
  await pair.ftp.uploadDir(folder.path, "", { onEntry: notes.take });
  assertEquals(notes.sorted, ["transfer b (time)", "unchanged a"]);
});

Deno.test("FTP.uploadDir passes links over, or follows them but in circles", async () => {
  await using pair = await Pair.make();
  using folder = new LocalFolder();
  writeTree(folder.path, { "from/d/a": "1", "out/b": "2" });
  Deno.symlinkSync("../out", folder.at("from/folder"));
  Deno.symlinkSync("../out/b", folder.at("from/file"));
  Deno.symlinkSync("..", folder.at("from/d/up"));
  const notes = new Notes();
  await pair.ftp.uploadDir(folder.at("from"), "skip", { onEntry: notes.take });
  assertEquals(filesOf(pair.server), { "/skip/d/a": "1" });
  assertEquals(notes.sorted.filter((line) => line.startsWith("skip")), [
    "skip d/up (symlink)",
    "skip file (symlink)",
    "skip folder (symlink)",
  ]);
  const followed = new Notes();
  await pair.ftp.uploadDir(folder.at("from"), "follow", {
    symlinks: "follow",
    onEntry: followed.take,
  });
  assertEquals(followed.sorted.filter((line) => line.startsWith("skip")), [
    "skip d/up (loop)",
  ]);
  assertEquals(Object.keys(filesOf(pair.server)).sort(), [
    "/follow/d/a",
    "/follow/file",
    "/follow/folder/b",
    "/skip/d/a",
  ]);
  Deno.symlinkSync("gone", folder.at("from/dangling"));
  const { failures } = await failuresOf(() =>
    pair.ftp.uploadDir(folder.at("from"), "follow", { symlinks: "follow" })
  );
  assertMatch(
    failures[0]!,
    /^dangling: Cannot follow the symbolic link ".*dangling": its target does not exist$/,
  );
});

Deno.test("FTP.uploadDir does not go through links of the server, but removes them", async () => {
  await using pair = await Pair.make();
  using folder = new LocalFolder();
  writeTree(folder.path, { "d/a": "1", "b": "1" });
  const link = fact("d", "OS.unix=slink:/elsewhere");
  pair.server.on(
    "MLSD",
    (turn) => sendLines(turn, [link, fact("old", "OS.unix=slink:x")]),
  );
  const { failures } = await failuresOf(() =>
    pair.ftp.uploadDir(folder.path, "")
  );
  assertEquals(failures, [
    'd: Cannot write to "d": it is a symbolic link there, which is not followed',
  ]);
  assertEquals(Object.keys(filesOf(pair.server)), ["/b"]);
});

Deno.test("FTP.uploadDir is unsure of a file that changes meanwhile and gets the time of now", async () => {
  await using pair = await Pair.make();
  using folder = new LocalFolder();
  writeTree(folder.path, { "a": "1" });
  for (const verb of ["MFMT", "SITE"]) pair.server.on(verb, UNKNOWN);
  pair.server.once("RNTO", async (turn) => {
    writeTree(folder.path, { "a": "2" }, new Date("2024-03-01"));
    await turn.default();
  });
  const { failures } = await failuresOf(() =>
    pair.ftp.uploadDir(folder.path, "", {})
  );
  assertMatch(
    failures[0]!,
    /^a: Cannot verify ".*\/a": it changed during the upload; upload it again$/,
  );
});

Deno.test("FTP.uploadDir reports names that cannot be sent", async () => {
  await using pair = await Pair.make();
  using folder = new LocalFolder();
  writeTree(folder.path, { "a\nDELE b": "1", "c": "1" });
  const { error, failures } = await failuresOf(() =>
    pair.ftp.uploadDir(folder.path, "")
  );
  assertEquals([error.result.transferred, failures.length], [1, 1]);
  assertEquals(Object.keys(filesOf(pair.server)), ["/c"]);
});

Deno.test("FTP.uploadDir rejects a local path that is not a directory", async () => {
  await using pair = await Pair.make();
  using folder = new LocalFolder();
  writeTree(folder.path, { "file": "1" });
  await assertRejects(
    () => pair.ftp.uploadDir(folder.at("none"), "x"),
    Deno.errors.NotFound,
  );
  await assertRejects(
    () => pair.ftp.uploadDir(folder.at("file"), "x"),
    Deno.errors.NotADirectory,
  );
  assertEquals(pair.commands, []);
});

Deno.test("FTP.uploadDir takes a URL, and bytes for the directory there", async () => {
  await using pair = await Pair.make();
  using folder = new LocalFolder();
  writeTree(folder.path, { "a": "1" });
  const bytes = new TextEncoder().encode("/x y/z");
  await pair.ftp.uploadDir(new URL(`file://${folder.path}/`), bytes);
  assertEquals(filesOf(pair.server), { "/x y/z/a": "1" });
});

Deno.test("FTP.uploadDir removes what is left, though the reply was lost", async () => {
  await using pair = await Pair.make({ "/a": "1", "/old": "1", "/older": "1" });
  using folder = new LocalFolder();
  writeTree(folder.path, { "a": "1" });
  pair.server.once("DELE", (turn) => {
    turn.server.files.delete(`/${turn.argument}`);
    turn.close();
  });
  const { removed } = await pair.ftp.uploadDir(folder.path, "", {
    delete: true,
    retry: { delay: 1 },
  });
  assertEquals(removed, 2);
  assertEquals(filesOf(pair.server), { "/a": "1" });
});

Deno.test("FTP.uploadDir removes parts that were left, unless filter keeps them", async () => {
  const mark = "0123456789abcdef";
  const left = { [`/.b.${mark}.part`]: "half", [`/tmp-${mark}-b`]: "half" };
  await using pair = await Pair.make({ "/a": "1", ...left });
  using folder = new LocalFolder();
  writeTree(folder.path, { a: "1" });
  const options = {
    delete: true,
    temporaryName: (name: string, mark: string) => `tmp-${mark}-${name}`,
  };
  await pair.ftp.uploadDir(folder.path, "", {
    ...options,
    filter: ({ name }) => !name.endsWith(".part") && !name.startsWith("tmp-"),
  });
  assertEquals(filesOf(pair.server), { "/a": "1", ...left });
  await pair.ftp.uploadDir(folder.path, "", options);
  assertEquals(filesOf(pair.server), { "/a": "1" });
});
