import { assert, assertEquals, assertMatch } from "@std/assert";
import type { UploadDirOptions } from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { addReadOnlyLink, logIn } from "../real/client.ts";
import { serverTest } from "../testing/servers/mod.ts";
import {
  failuresOf,
  makeTree,
  Notes,
  ODD_DIRECTORIES,
  ODD_NAMES,
  readTree,
  writeTree,
} from "./tree.ts";

/** The files of the tree. */
const FILES = ODD_NAMES.length + ODD_DIRECTORIES.length + 20 + 1;

/** The directories of the tree. */
const DIRECTORIES = 8 + ODD_DIRECTORIES.length;

serverTest(
  "FTP.uploadDir and downloadDir bring a tree there and back",
  async (server) => {
    using folder = new LocalFolder();
    const tree = makeTree();
    writeTree(folder.at("from"), tree);
    await using ftp = await logIn(server);
    await server.mkdir("www");
    const up = await ftp.uploadDir(folder.at("from"), "www/a/site");
    assertEquals(up.transferred, FILES);
    assertEquals(up.made, DIRECTORIES);
    assertEquals(readTree(`${server.root}/www/a/site`), tree);
    const down = await ftp.downloadDir("/www/a/site/", folder.at("to"));
    assertEquals(down, up);
    assertEquals(readTree(folder.at("to")), tree);

    for (const name of ["from", "to"]) {
      const again = await ftp.uploadDir(folder.at(name), "www/a/site");
      assertEquals([again.transferred, again.unchanged], [0, FILES]);
      const back = await ftp.downloadDir("www/a/site", folder.at(name));
      assertEquals([back.transferred, back.unchanged], [0, FILES]);
    }
    assertEquals(await ftp.pwd(), "/");
  },
);

serverTest(
  "FTP.uploadDir transfers what is longer, shorter, newer or older",
  async (server) => {
    using folder = new LocalFolder();
    const local = folder.at("from");
    writeTree(local, {
      "a/same": "1",
      "a/long": "12",
      "newer": "1",
      "old": "1",
    });
    await server.mkdir("top");
    await using ftp = await logIn(server);
    await ftp.cwd("top");
    await ftp.uploadDir(local, "");
    writeTree(local, { "a/long": "123" });
    // a second later, which a listing's minutes do not show
    writeTree(local, { "newer": "2" }, new Date("2024-02-29T12:34:57Z"));
    writeTree(local, { "old": "2" }, new Date("2024-02-29T12:34:55Z"));
    const notes = new Notes();
    const { bytes } = await ftp.uploadDir(local, "", { onEntry: notes.take });
    assertEquals(notes.sorted, [
      "transfer a/long (size)",
      "transfer newer (time)",
      "transfer old (time)",
      "unchanged a/same",
    ]);
    assertEquals(bytes, 5);
    assertEquals(
      (await ftp.uploadDir(local, "", { compare: "always" })).transferred,
      4,
    );
    assertEquals(readTree(`${server.root}/top`), readTree(local));
  },
);

serverTest(
  "FTP.downloadDir transfers what is newer by a second",
  async (server) => {
    using folder = new LocalFolder();
    await server.write("top/a", "1");
    await server.write("top/b", "1");
    await using ftp = await logIn(server);
    await ftp.downloadDir("top", folder.path);
    const { mtime } = Deno.statSync(`${server.root}/top/a`);
    const later = new Date(mtime!.getTime() + 1000);
    await server.write("top/a", "2");
    Deno.utimeSync(`${server.root}/top/a`, later, later);
    const notes = new Notes();
    await ftp.downloadDir("top", folder.path, { onEntry: notes.take });
    assertEquals(notes.sorted, ["transfer a (time)", "unchanged b"]);
    assertEquals(readTree(folder.path), { a: "2", b: "1" });
  },
);

serverTest(
  "FTP.uploadDir removes what the source lacks, last",
  async (server) => {
    using folder = new LocalFolder();
    writeTree(folder.path, { "a": "1", "d/b": "1", "kept/c": "1" });
    await server.write("top/old", "x");
    await server.write("top/d/.old", "x");
    await server.write("top/gone/deep/file", "x");
    await server.write("top/data/upload", "theirs");
    await server.write("outside/file", "x");
    Deno.symlinkSync("../outside", `${server.root}/top/link`);
    await using ftp = await logIn(server);
    const notes = new Notes();
    const options = {
      delete: true,
      filter: ({ path }: { path: string }) => path !== "data",
    };
    const plan = await ftp.uploadDir(folder.path, "top", {
      ...options,
      dryRun: true,
      onEntry: notes.take,
    });
    assertEquals(Deno.statSync(`${server.root}/top/old`).size, 1);
    const planned = notes.lines.splice(0);
    const done = await ftp.uploadDir(folder.path, "top", {
      ...options,
      onEntry: notes.take,
    });
    assertEquals(done, plan);
    assertEquals(notes.sorted, planned.toSorted());
    const first = notes.lines.findIndex((line) => line.startsWith("remove"));
    const last = notes.lines.findLastIndex((line) =>
      line.startsWith("transfer")
    );
    assert(last < first);
    assertEquals(readTree(`${server.root}/top`), {
      "a": "1",
      "d/b": "1",
      "kept/c": "1",
      "data/upload": "theirs",
    });
    assertEquals(readTree(`${server.root}/outside`), { file: "x" });
  },
);

serverTest(
  "FTP.uploadDir does not go through a link of the target",
  async (server) => {
    await server.write("kept/file", "x");
    await server.write("kept/other", "x");
    await server.write("top/sub/extra", "x");
    using _ = await addReadOnlyLink(server, "top/sub/fixed", "../../../kept");
    using folder = new LocalFolder();
    writeTree(folder.at("none"), { "a": "1" });
    writeTree(folder.at("same"), { "a": "1", "sub/fixed/link/file": "1" });
    await using ftp = await logIn(server);
    for (const name of ["none", "same"]) {
      for (const filter of [undefined, () => true]) {
        const { failures } = await failuresOf(() =>
          ftp.uploadDir(folder.at(name), "top", { delete: true, filter })
        );
        assertEquals(failures.length > 0, true);
        assertEquals(readTree(`${server.root}/kept`), {
          file: "x",
          other: "x",
        });
      }
    }
  },
);

serverTest(
  "FTP.uploadDir and downloadDir turn a file into a directory and back",
  async (server) => {
    using folder = new LocalFolder();
    const local = folder.at("from");
    writeTree(local, { "a": "1", "b/c/d": "2" });
    await server.mkdir("top");
    await using ftp = await logIn(server);
    await ftp.uploadDir(local, "top");
    await ftp.downloadDir("top", folder.at("to"));
    Deno.removeSync(local, { recursive: true });
    writeTree(local, { "a/x/y": "1", "b": "2" });
    const { failures } = await failuresOf(() => ftp.uploadDir(local, "top"));
    assertEquals(failures.length, 2);
    assertMatch(
      failures.toSorted()[0]!,
      /^a: Cannot replace the file "top\/a" by a directory/,
    );
    assertEquals(readTree(`${server.root}/top`), { "a": "1", "b/c/d": "2" });
    await ftp.uploadDir(local, "top", { delete: true });
    assertEquals(readTree(`${server.root}/top`), readTree(local));
    await ftp.downloadDir("top", folder.at("to"), { delete: true });
    assertEquals(readTree(folder.at("to")), readTree(local));
  },
);

serverTest(
  "FTP.downloadDir passes links over, or follows them but in circles",
  async (server) => {
    using folder = new LocalFolder();
    await server.write("top/d/file", "1");
    await server.write("other/file", "22");
    Deno.symlinkSync("d/file", `${server.root}/top/to file`);
    Deno.symlinkSync("../other", `${server.root}/top/to other`);
    Deno.symlinkSync("../..", `${server.root}/top/d/up`);
    await using ftp = await logIn(server);
    if (server.name !== "pyftpdlib") { // which shows what they lead to
      const { skipped } = await ftp.downloadDir("top", folder.at("skip"));
      assertEquals(skipped, 3);
      assertEquals(readTree(folder.at("skip")), { "d/file": "1" });
    }
    await ftp.downloadDir("top", folder.at("follow"), {
      symlinks: "follow",
      filter: ({ name }) => name !== "up",
    });
    const followed = { "d/file": "1", "to file": "1", "to other/file": "22" };
    assertEquals(readTree(folder.at("follow")), followed);
    const { unchanged } = await ftp.downloadDir("top", folder.at("follow"), {
      symlinks: "follow",
      filter: ({ name }) => name !== "up",
    });
    assertEquals(unchanged, 3);
    // "up" is the root, from which "top" is met again, and not entered
    await ftp.downloadDir("top/d", folder.at("loop"), { symlinks: "follow" });
    assertEquals(Deno.statSync(folder.at("loop/up/other/file")).size, 2);
    const inner = [...Deno.readDirSync(folder.at("loop/up"))].map(({ name }) =>
      name
    );
    assertEquals(inner.includes("other"), true);
  },
);

serverTest("FTP.uploadDir compares by hash", async (server) => {
  using folder = new LocalFolder();
  writeTree(folder.path, { "a": "1", "b": "1", "c": "1" });
  await server.mkdir("top");
  await using ftp = await logIn(server);
  await ftp.uploadDir(folder.path, "top");
  writeTree(folder.path, { "a": "1" }, new Date()); // a fresh checkout
  writeTree(folder.path, { "b": "2" }, new Date("2001-01-01"));
  const notes = new Notes();
  await ftp.uploadDir(folder.path, "top", {
    compare: "hash",
    onEntry: notes.take,
  });
  assertEquals(notes.sorted, [
    "transfer b (hash)",
    "unchanged a",
    "unchanged c",
  ]);
}, { needs: ({ hashes }) => hashes.length > 0 });

serverTest(
  "FTP.uploadDir without a way to set times does not upload the same file again",
  async (server) => {
    using folder = new LocalFolder();
    writeTree(folder.path, { "a": "1", "b": "1" });
    const tomorrow = new Date(Date.now() + 86_400_000);
    writeTree(folder.path, { "c": "1" }, tomorrow);
    await server.mkdir("top");
    await using ftp = await logIn(server);
    const up = (options: UploadDirOptions = {}) =>
      ftp.uploadDir(folder.path, "top", options);
    await up({ mtime: false });
    assertEquals((await up({ mtime: false })).transferred, 0);
    // the ctime shows the change of a file of tomorrow
    writeTree(folder.path, { "c": "2" }, tomorrow);
    assertEquals((await up({ mtime: false })).transferred, 1);
    assertEquals(readTree(`${server.root}/top`)["c"], "2");
    // the time of an upload is not that of the file
    assertEquals((await up()).transferred, 3);
    assertEquals((await up()).transferred, 0);
  },
);

serverTest(
  "FTP.uploadDir removes nothing beside a file that the server calls otherwise",
  async (server) => {
    using folder = new LocalFolder();
    writeTree(folder.path, { "trail ": "1" });
    await server.write("top/other/file", "x");
    await using ftp = await logIn(server);
    const { failures } = await failuresOf(() =>
      ftp.uploadDir(folder.path, "top", { delete: true })
    );
    assertEquals(failures, [
      'trail : Cannot remove anything beside "top/trail ": the target does not list this entry, although it was transferred',
    ]);
    assertEquals(readTree(`${server.root}/top`), {
      "trail_": "1",
      "other/file": "x",
    });
  },
  { servers: ["pure-ftpd"] },
);
