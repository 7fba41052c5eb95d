import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  FTPMirrorError,
  FTPPermanentError,
  type MirrorEntry,
  type MirrorEvent,
  type MirrorProgress,
} from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import {
  fact,
  hideDots,
  Pair,
  sendLines,
  sends,
  unix,
} from "../testing/scripted_listings.ts";
import { foldNames } from "./folding_disk.ts";
import { failuresOf, Notes, readTree, writeTree } from "./tree.ts";

Deno.test("FTP.downloadDir rejects names that lead out of the directory, and continues", async () => {
  await using pair = await Pair.make({ "/good": "1" });
  using folder = new LocalFolder();
  writeTree(folder.path, { "to/kept": "1" });
  const names = ["../out", "..\\out", "a/b", "/etc/x", "a\0b", "C:\\x", "a\rb"];
  pair.server.on(
    "MLSD",
    sends(...names.map((name) => fact(name)), "rubbish", fact("good")),
  );
  const notes = new Notes();
  const { error, failures } = await failuresOf(() =>
    pair.ftp.downloadDir("", folder.at("to"), {
      delete: true,
      onEntry: notes.take,
    })
  );
  assertEquals(failures.length, names.length + 1);
  for (const failure of failures) {
    assertMatch(failure, /Cannot (use the name|read the line)/);
  }
  assertEquals(error.result.transferred, 1);
  assert(error.cause instanceof Deno.errors.InvalidData);
  assertEquals(notes.lines.at(-1), "transfer good (new)");
  // nothing is removed beside what is in doubt
  assertEquals(readTree(folder.path), { "to/good": "1", "to/kept": "1" });
  assertEquals(pair.commands.filter((line) => line.startsWith("RETR")), [
    "RETR good",
  ]);
});

Deno.test("FTP.downloadDir lets a filter exclude hostile names", async () => {
  await using pair = await Pair.make({ "/good": "1" });
  using folder = new LocalFolder();
  pair.server.on("MLSD", sends(fact("../out"), fact("good")));
  const { transferred } = await pair.ftp.downloadDir("", folder.path, {
    filter: ({ name }: MirrorEntry) => !name.includes("/"),
  });
  assertEquals(transferred, 1);
});

Deno.test("FTP.downloadDir does not go through local links, nor replace them", async () => {
  await using pair = await Pair.make({
    "/d/file": "new",
    "/file": "new",
    "/other": "1",
  });
  using folder = new LocalFolder();
  writeTree(folder.path, { "out/file": "old", "to/": "" });
  Deno.symlinkSync("../out", folder.at("to/d"));
  Deno.symlinkSync("../out/file", folder.at("to/file"));
  const { failures } = await failuresOf(() =>
    pair.ftp.downloadDir("", folder.at("to"), { delete: true })
  );
  assertEquals(failures.length, 2);
  for (const failure of failures) assertMatch(failure, /symbolic link/);
  assertEquals(readTree(folder.path), {
    "out/file": "old",
    "to/d": "-> ../out",
    "to/file": "-> ../out/file",
    "to/other": "1",
  });
});

Deno.test("FTP.downloadDir removes local links, and not what they lead to", async () => {
  await using pair = await Pair.make({ "/file": "1" });
  using folder = new LocalFolder();
  writeTree(folder.path, { "out/file": "old", "to/gone/file": "1" });
  Deno.symlinkSync("../out", folder.at("to/link"));
  Deno.symlinkSync("../../out", folder.at("to/gone/link"));
  const { removed } = await pair.ftp.downloadDir("", folder.at("to"), {
    delete: true,
  });
  assertEquals(removed, 2);
  assertEquals(readTree(folder.path), { "out/file": "old", "to/file": "1" });
});

Deno.test("FTP.downloadDir continues after a file fails, and removes nothing", async () => {
  await using pair = await Pair.make({ "/a": "1", "/b": "2", "/c": "3" });
  using folder = new LocalFolder();
  writeTree(folder.path, { "extra": "1", "b": "old" });
  pair.server.on(
    "RETR",
    (turn) =>
      turn.argument === "b"
        ? turn.reply(550, "Permission denied")
        : turn.default(),
  );
  const { error, failures } = await failuresOf(() =>
    pair.ftp.downloadDir("", folder.path, { delete: true, compare: "always" })
  );
  assertEquals(failures, [
    'b: Cannot complete "RETR b": 550 Permission denied',
  ]);
  assertEquals(
    error.message,
    'Cannot download all of the current directory: 1 entry failed, "b": Cannot complete "RETR b": 550 Permission denied',
  );
  assert(error.cause instanceof FTPPermanentError);
  assertEquals([
    error.result.transferred,
    error.result.failed,
    error.result.removed,
  ], [2, 1, 0]);
  assertEquals(readTree(folder.path), {
    "a": "1",
    "b": "old",
    "c": "3",
    "extra": "1",
  });
  assertEquals(await pair.ftp.pwd(), "/");
});

Deno.test("FTP.downloadDir removes nothing if a listing fails or is cut", async () => {
  for (const code of [550, 426]) {
    await using pair = await Pair.make({ "/a": "1", "/d/b": "2" });
    using folder = new LocalFolder();
    writeTree(folder.path, { "extra": "1", "d/extra": "1" });
    pair.server.on("MLSD", async (turn) => {
      if (turn.argument !== "d") return await turn.default();
      if (code === 550) return await turn.reply(550, "Permission denied");
      await turn.reply(150, "Here it comes");
      const data = await turn.openData();
      await data.write(`${fact("b")}\r\n`);
      data.close();
      await data.closed;
      await turn.reply(426, "Cut");
    });
    const { failures } = await failuresOf(() =>
      pair.ftp.downloadDir("", folder.path, {
        delete: true,
        retry: { attempts: 1, delay: 1 },
      })
    );
    assertEquals(failures.length, 1);
    assertMatch(failures[0]!, RegExp(`^d: .*${code}`));
    assertEquals(readTree(folder.path), {
      "a": "1",
      "extra": "1",
      "d/extra": "1",
    });
  }
});

Deno.test("FTP.downloadDir removes nothing if the second look at a directory fails", async () => {
  await using pair = await Pair.make({ "/d/b": "2", "/e/c": "2" });
  using folder = new LocalFolder();
  writeTree(folder.path, { "d/extra": "1", "e/extra": "1" });
  let count = 0;
  pair.server.on(
    "MLSD",
    (turn) =>
      turn.argument === "d" && ++count === 2
        ? turn.reply(550, "Permission denied")
        : turn.default(),
  );
  await failuresOf(() =>
    pair.ftp.downloadDir("", folder.path, { delete: true })
  );
  assertEquals(readTree(folder.path), {
    "d/b": "2",
    "d/extra": "1",
    "e/c": "2",
    "e/extra": "1",
  });
});

Deno.test("FTP.downloadDir removes nothing if the source is empty", async () => {
  await using pair = await Pair.make();
  using folder = new LocalFolder();
  writeTree(folder.path, { "a": "1" });
  const { failures } = await failuresOf(() =>
    pair.ftp.downloadDir("", folder.path, { delete: true })
  );
  assertMatch(failures[0]!, /^: Cannot remove all that is in .* is empty/);
  assertEquals(readTree(folder.path), { "a": "1" });
  assertEquals((await pair.ftp.downloadDir("", folder.path)).removed, 0);
});

Deno.test("FTP.downloadDir keeps what begins with a dot if the server hides such names", async () => {
  await using pair = await Pair.make({ "/a": "1" });
  using folder = new LocalFolder();
  writeTree(folder.path, { ".env": "1", "b": "1" });
  hideDots(pair, unix("a"));
  await pair.ftp.downloadDir("", folder.path, { delete: true });
  assertEquals(readTree(folder.path), { ".env": "1", "a": "1" });
});

Deno.test("FTP.downloadDir rejects what cannot be listed, and makes no folder", async () => {
  await using pair = await Pair.make({ "/a": "1" });
  using folder = new LocalFolder();
  await assertRejects(
    () => pair.ftp.downloadDir("none", folder.at("to")),
    FTPPermanentError,
  );
  assertEquals(folder.names(), []);
  await assertRejects(
    () => pair.ftp.downloadDir("", folder.at("to"), { maxDepth: 0 }),
    RangeError,
  );
});

Deno.test("FTP.downloadDir does not follow a tree without end", async () => {
  await using pair = await Pair.make();
  using folder = new LocalFolder();
  pair.server.on("MLSD", sends(fact("d", "dir", "")));
  const { error, failures } = await failuresOf(() =>
    pair.ftp.downloadDir("", folder.path, { maxDepth: 3 })
  );
  assertEquals(failures, [
    'd/d/d/d: Cannot mirror "d/d/d/d": it is more than 3 levels deep; increase "maxDepth"',
  ]);
  assertEquals(error.result.made, 3);
});

Deno.test("FTP.downloadDir does not enter a directory that it is in", async () => {
  await using pair = await Pair.make();
  using folder = new LocalFolder();
  pair.server.on("MLSD", (turn) =>
    sendLines(turn, [
      fact(".", "cdir", `unique=${turn.argument || "top"};`),
      fact(
        turn.argument === "" ? "d" : "up",
        "dir",
        `unique=${turn.argument === "" ? "d" : "top"};`,
      ),
    ]));
  const notes = new Notes();
  await pair.ftp.downloadDir("", folder.path, { onEntry: notes.take });
  assertEquals(notes.lines, ["make d", "skip d/up (loop)"]);
});

Deno.test("FTP.downloadDir skips parts of transfers, and entries that are not files", async () => {
  const part = ".a.0123456789abcdef.part";
  await using pair = await Pair.make({ "/a": "1", [`/${part}`]: "1" });
  using folder = new LocalFolder();
  pair.server.on(
    "MLSD",
    sends(
      fact("a"),
      fact(part),
      fact("pipe", "OS.unix=fifo"),
      fact("link", "OS.unix=slink:/etc"),
    ),
  );
  const notes = new Notes();
  const { skipped } = await pair.ftp.downloadDir("", folder.path, {
    onEntry: notes.take,
  });
  assertEquals(skipped, 3);
  assertEquals(notes.sorted, [
    `skip ${part} (part)`,
    "skip link (symlink)",
    "skip pipe (other)",
    "transfer a (new)",
  ]);
});

Deno.test("FTP.downloadDir refuses two entries of one name", async () => {
  await using pair = await Pair.make({ "/a": "1" });
  using folder = new LocalFolder();
  pair.server.on("MLSD", sends(fact("a"), fact("a", "dir", "")));
  const { failures } = await failuresOf(() =>
    pair.ftp.downloadDir("", folder.path)
  );
  assertEquals(failures, [
    'a: Cannot tell two entries apart that are both called "a"',
  ]);
  assertEquals(folder.names(), []);
});

Deno.test("FTP.downloadDir does not take bytes for text", async () => {
  await using pair = await Pair.make();
  using folder = new LocalFolder();
  pair.server.on(
    "MLSD",
    sends(Uint8Array.from([...new TextEncoder().encode(fact("caf")), 0xE9])),
  );
  const { failures } = await failuresOf(() =>
    pair.ftp.downloadDir("", folder.path)
  );
  assertMatch(
    failures[0]!,
    /Cannot use the name "caf\\udce9" here: it is not valid text$/,
  );
});

Deno.test("FTP.downloadDir tells how far it is", async () => {
  await using pair = await Pair.make({ "/a": "12345", "/b": "123" });
  using folder = new LocalFolder();
  const seen: MirrorProgress[] = [];
  const { bytes } = await pair.ftp.downloadDir("", folder.path, {
    onProgress: (progress: MirrorProgress) => seen.push(progress),
  });
  assertEquals(bytes, 8);
  assertEquals(
    seen.filter(({ file }) => file.done).map((
      { path, transferred, bytes },
    ) => [path, transferred, bytes]),
    [["a", 0, 5], ["b", 1, 8]],
  );
});

Deno.test("FTP.downloadDir changes nothing in a dry run", async () => {
  await using pair = await Pair.make({ "/a": "1", "/d/b": "22" });
  using folder = new LocalFolder();
  writeTree(folder.path, { "to/extra": "1", "to/d": "a file" });
  const before = readTree(folder.path);
  const notes = new Notes();
  const result = await pair.ftp.downloadDir("", folder.at("to"), {
    dryRun: true,
    delete: true,
    onEntry: notes.take,
  });
  assertEquals(notes.lines, [
    "transfer a (new)",
    "remove extra (missing)",
    "remove d (kind)",
    "make d",
    "transfer d/b (new)",
  ]);
  assertEquals([result.transferred, result.bytes], [2, 3]);
  assertEquals(readTree(folder.path), before);
  await pair.ftp.downloadDir("", folder.at("none"), { dryRun: true });
  assertEquals(folder.names(), ["to"]);
  assertEquals(
    pair.commands.filter((line) =>
      !line.startsWith("MLSD") && !line.startsWith("MLST")
    ),
    [],
  );
});

Deno.test("FTP.downloadDir takes only true and false of a filter, and removes nothing otherwise", async () => {
  await using pair = await Pair.make({ "/a": "1" });
  using folder = new LocalFolder();
  Deno.writeTextFileSync(folder.at("kept"), "x");
  const answers = [Promise.resolve(false), undefined, 0, "kept"];
  for (const answer of answers) {
    const filter = () => answer as unknown as boolean;
    await assertRejects(
      () => pair.ftp.downloadDir("", folder.path, { delete: true, filter }),
      TypeError,
      'Cannot tell whether "a" takes part: "filter" must return true or false',
    );
    assertEquals(Deno.readTextFileSync(folder.at("kept")), "x");
  }
  const filter = ({ name }: MirrorEntry) =>
    name === "a" || (Promise.resolve(false) as unknown as boolean);
  await assertRejects(
    () => pair.ftp.downloadDir("", folder.path, { delete: true, filter }),
    TypeError,
    'Cannot tell whether "kept" takes part',
  );
  assertEquals(Deno.readTextFileSync(folder.at("kept")), "x");
});

Deno.test("FTP.downloadDir ends with what a callback throws, or the signal says", async () => {
  await using pair = await Pair.make({ "/a": "1", "/b": "2" });
  const throws = () => {
    throw new SyntaxError("mine");
  };
  for (
    const options of [{ onEntry: throws }, { onProgress: throws }, {
      filter: throws,
    }]
  ) {
    using folder = new LocalFolder();
    await assertRejects(
      () => pair.ftp.downloadDir("", folder.path, options),
      SyntaxError,
      "mine",
    );
  }
  using folder = new LocalFolder();
  const box = new AbortController();
  await assertRejects(
    () =>
      pair.ftp.downloadDir("", folder.path, {
        onEntry: (_: MirrorEvent) => box.abort(new RangeError("enough")),
        signal: box.signal,
      }),
    RangeError,
    "enough",
  );
  assertEquals(folder.names(), ["a"]);
  assertEquals(await pair.ftp.pwd(), "/");
});

Deno.test("FTPMirrorError keeps a thousand failures and counts all", async () => {
  await using pair = await Pair.make();
  using folder = new LocalFolder();
  pair.server.on(
    "MLSD",
    sends(...Array.from({ length: 1200 }, (_, i) => fact(`../${i}`))),
  );
  const error = await assertRejects(
    () => pair.ftp.downloadDir("", folder.path),
    FTPMirrorError,
  );
  assertEquals(error.name, "FTPMirrorError");
  assertEquals(error.failures.length, 1000);
  assertEquals(error.result.failed, 1200);
});

Deno.test("FTP.downloadDir does not write two names to one local file", async () => {
  await using pair = await Pair.make({ "/README": "1", "/readme": "22" });
  using folder = new LocalFolder();
  using _ = foldNames(folder);
  for (let count = 0; count < 2; count++) {
    const { failures } = await failuresOf(() =>
      pair.ftp.downloadDir("", folder.path)
    );
    assertEquals(failures.length, 1);
    assertMatch(failures[0]!, /^readme: .* is the same there as "README"$/);
    assertEquals(readTree(folder.path), { "README": "1" });
  }
});

Deno.test("FTP.downloadDir with { resume: true } searches a directory once for all its files", async () => {
  const files = Array.from({ length: 50 }, (_, i) => [`/d/${i}`, "1"]);
  await using pair = await Pair.make(Object.fromEntries(files));
  using folder = new LocalFolder();
  const { readDir, readDirSync } = Deno;
  let count = 0;
  Deno.readDir = (path) => {
    count++;
    return readDir(path);
  };
  Deno.readDirSync = (path) => {
    count++;
    return readDirSync(path);
  };
  try {
    const options = { resume: true, compare: "always" } as const;
    for (let i = 0; i < 2; i++) {
      const done = await pair.ftp.downloadDir("", folder.path, options);
      assertEquals(done.transferred, 50);
    }
  } finally {
    Deno.readDir = readDir;
    Deno.readDirSync = readDirSync;
  }
  assertEquals(count, 3); // what was new was not even looked through
});

Deno.test("FTP.downloadDir with { resume: true } removes the parts of versions that are past", async () => {
  await using pair = await Pair.make({ "/d/a": "12", "/d/b": "12" });
  using folder = new LocalFolder();
  const past = "resume-0123456789abcdef.part";
  writeTree(folder.path, {
    [`d/.a.${past}`]: "1",
    [`d/.b.${past}`]: "1",
    [`d/.c.${past}`]: "1",
    "d/a": "1",
  });
  await pair.ftp.downloadDir("", folder.path, { resume: true });
  assertEquals(readTree(folder.path), {
    "d/a": "12",
    "d/b": "12",
    [`d/.c.${past}`]: "1", // of another file
  });
});
