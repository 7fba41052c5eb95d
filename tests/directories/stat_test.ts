import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { FTPPermanentError, FTPTemporaryError } from "../../mod.ts";
import { Pair, sends, unix, UNKNOWN } from "../testing/scripted_listings.ts";

Deno.test("FTP.stat reads MLST, and names the entry by the path", async () => {
  await using pair = await Pair.make({ "/d/a b.txt": "12345" });
  const entry = await pair.ftp.stat("/d/a b.txt");
  assertEquals(entry.name, "a b.txt");
  assertEquals(entry.isFile, true);
  assertEquals(entry.size, 5);
  assertEquals(entry.mtime, new Date("2024-02-29T12:34:56Z"));
  assertEquals(entry.mtimePrecision, "second");
  const folder = await pair.ftp.stat("/d/");
  assertEquals([folder.name, folder.kind], ["d", "directory"]);
  const root = await pair.ftp.stat("/");
  assertEquals([root.name, root.kind], ["/", "directory"]);
  assertEquals(pair.commands, ["MLST /d/a b.txt", "MLST /d/", "MLST /"]);
});

const REPLIES: [title: string, reply: string][] = [
  ["one blank", "250-Begin\n type=file;size=42; /p\n250 End"],
  ["no blank", "250-Begin\ntype=file;size=42; /p\n250 End"],
  [
    "two blanks and an empty line",
    "250-Begin\n  type=file;size=42; /p\n \n250 End",
  ],
  ["the code on each line", "250-Begin\n250-type=file;size=42; /p\n250 End"],
  ["facts on two lines", "250-Begin\n Type=file; p\n Size=42; p\n250 End"],
  ["one line", "250 type=file;size=42; /p"],
  ["no last semicolon", "250-Begin\n type=file;size=42 /p\n250 End"],
  [
    "a value with a blank",
    "250-Begin\n type=file;x.group=domain users;size=42; /p\n250 End",
  ],
  [
    "a value with a blank on the first of two lines",
    "250-Begin\n type=file;x=domain users;size=42; p\n y=z; p\n250 End",
  ],
  [
    "facts on two lines, without their last semicolons",
    "250-Begin\n Type=file a; p\n Size=42 a; p\n250 End",
  ],
];

for (const [title, reply] of REPLIES) {
  Deno.test(`FTP.stat reads a MLST with ${title}`, async () => {
    await using pair = await Pair.make();
    pair.server.on("MLST", reply);
    const { name, kind, size } = await pair.ftp.stat("p");
    assertEquals({ name, kind, size }, { name: "p", kind: "file", size: 42 });
  });
}

Deno.test("FTP.stat merges the facts of several lines of a MLST", async () => {
  await using pair = await Pair.make();
  const lines = [
    "250-File data",
    " Type=dir;Size=0; multiline-dir",
    " Modify=20201213202400; multiline-dir",
    "250 End",
  ];
  pair.server.on("MLST", lines.join("\n"));
  const entry = await pair.ftp.stat("multiline-dir");
  assertEquals(entry.kind, "directory");
  assertEquals(entry.mtime, new Date("2020-12-13T20:24:00Z"));
  assertEquals(entry.facts, {
    type: "dir",
    size: "0",
    modify: "20201213202400",
  });
});

Deno.test("FTP.stat probes where MLST is unknown, and remembers it", async () => {
  await using pair = await Pair.make({ "/d/a": "12345" });
  pair.server.on("MLST", UNKNOWN);
  const file = await pair.ftp.stat("/d/a");
  assertEquals([file.name, file.kind, file.size], ["a", "file", 5]);
  assertEquals(file.mtime, new Date("2024-02-29T12:34:56Z"));
  const folder = await pair.ftp.stat("/d");
  assertEquals([folder.name, folder.kind, folder.size], [
    "d",
    "directory",
    undefined,
  ]);
  assertEquals(await pair.ftp.pwd(), "/");
  assertEquals(
    pair.commands.filter((line) => line.startsWith("MLST")).length,
    1,
  );
});

Deno.test("FTP.stat finds in the directory what cannot be probed", async () => {
  await using pair = await Pair.make({ "/d/a": "" });
  pair.server.on("MLST", UNKNOWN).on("MLSD", UNKNOWN);
  pair.server.on(
    "LIST",
    sends(unix("gone", "-"), unix("dangling -> gone", "l")),
  );
  const entry = await pair.ftp.stat("/d/dangling");
  assertEquals([entry.name, entry.kind, entry.linkTarget], [
    "dangling",
    "symlink",
    "gone",
  ]);
});

for (const isKnown of [true, false]) {
  const how = isKnown ? "by MLST" : "by probing";
  Deno.test(`FTP.stat rejects what is not there, ${how}`, async () => {
    await using pair = await Pair.make({ "/a": "" });
    if (!isKnown) pair.server.on("MLST", UNKNOWN);
    await assertRejects(() => pair.ftp.stat("/nope"), FTPPermanentError, "550");
    await assertRejects(
      () => pair.ftp.stat("/no/pe"),
      FTPPermanentError,
      "550",
    );
  });
  Deno.test(`FTP.exists tells ${how}`, async () => {
    await using pair = await Pair.make({ "/d/a": "" });
    if (!isKnown) pair.server.on("MLST", UNKNOWN);
    const found = await Promise.all(
      ["/d/a", "/d", "/", "/nope", "/d/nope", "/no/pe"].map((path) =>
        pair.ftp.exists(path)
      ),
    );
    assertEquals(found, [true, true, true, false, false, false]);
  });
}

Deno.test("FTP.exists tells by a listing where there is neither MLST nor SIZE", async () => {
  await using pair = await Pair.make({ "/d/a": "" });
  for (const verb of ["MLST", "MLSD", "SIZE"]) pair.server.on(verb, UNKNOWN);
  assertEquals(await pair.ftp.exists("/d/a"), true);
  assertEquals(await pair.ftp.exists("/d/nope"), false);
  assertEquals(await pair.ftp.exists("/nope/a"), false);
  await assertRejects(
    () => pair.ftp.stat("/d/nope"),
    FTPPermanentError,
    'Cannot find "/d/nope": there is no such name in its directory',
  );
  // what a listing may leave out
  await assertRejects(() => pair.ftp.exists("/d/.nope"), FTPPermanentError);
});

Deno.test("FTP.exists and FTP.ensureDir bear 451 for what is not there, of bftpd", async () => {
  await using pair = await Pair.make({ "/d/a": "" });
  pair.server.on("MLST", UNKNOWN).on("CWD", async (turn) => {
    if (turn.argument !== "/" && turn.argument !== "/d") {
      await turn.reply(451, "Error: No such file or directory.");
    } else await turn.default();
  });
  assertEquals(await pair.ftp.exists("/d/a"), true);
  assertEquals(await pair.ftp.exists("/d/nope"), false);
  assertEquals(await pair.ftp.exists("/nope/a"), false);
  await pair.ftp.ensureDir("/new");
  assertEquals(pair.server.folders.has("/new"), true);
  pair.server.on("CWD", "451 Not now");
  await assertRejects(
    () => pair.ftp.exists("/d"),
    FTPTemporaryError,
    "Not now",
  );
});

Deno.test("FTP.exists does not answer for a server that does not tell", async () => {
  await using pair = await Pair.make();
  pair.server.once("MLST", "550 Permission denied");
  await assertRejects(() => pair.ftp.exists("/x"), FTPPermanentError);
  pair.server.once("MLST", "451 Not now");
  await assertRejects(() => pair.ftp.exists("/x"), FTPTemporaryError);
});

Deno.test("FTP.mtime reads MDTM, gives null without it, and tells a refusal", async () => {
  await using pair = await Pair.make({ "/a": "" });
  assertEquals(await pair.ftp.mtime("/a"), new Date("2024-02-29T12:34:56Z"));
  pair.server.on("MDTM", "213 20240101000000.250");
  assertEquals(
    await pair.ftp.mtime("/a"),
    new Date("2024-01-01T00:00:00.250Z"),
  );
  pair.server.on("MDTM", "550 No such file");
  await assertRejects(() => pair.ftp.mtime("/b"), FTPPermanentError);
  pair.server.on("MDTM", UNKNOWN);
  assertEquals(await pair.ftp.mtime("/a"), null);
});

const DATE = new Date("2001-02-03T04:05:06.789Z");

Deno.test("FTP.chmod sends SITE CHMOD, reports a refusal, and rejects an invalid mode", async () => {
  await using pair = await Pair.make({ "/a b": "" });
  pair.server.on("SITE", "200 Done");
  await pair.ftp.chmod("/a b", 0o755);
  await pair.ftp.chmod(Uint8Array.of(0x2f, 0xe9), 0o7);
  assertEquals(pair.commands[0], "SITE CHMOD 755 /a b");
  assertMatch(pair.commands[1]!, /^SITE CHMOD 007 /);
  pair.server.on("SITE", "550 Not yours");
  await assertRejects(() => pair.ftp.chmod("/a b", 0o644), FTPPermanentError);
  for (const mode of [-1, 0o10000, 7.5, NaN]) {
    await assertRejects(() => pair.ftp.chmod("/a b", mode), RangeError);
  }
  assertEquals(pair.commands.length, 3);
});

Deno.test("FTP.setMtime sends MFMT", async () => {
  await using pair = await Pair.make({ "/a b": "" });
  await pair.ftp.setMtime("/a b", DATE);
  assertEquals(pair.commands, ["MFMT 20010203040506 /a b"]);
});

Deno.test("FTP.setMtime sends MDTM, then SITE UTIME, where MFMT is unknown", async () => {
  // a zone that is known needs no proof
  await using pair = await Pair.make({ "/a": "" }, { serverZone: 0 });
  pair.server.on("MFMT", UNKNOWN).on("MDTM", "213 File modification time set.");
  await pair.ftp.setMtime("/a", DATE);
  await pair.ftp.setMtime("/a", DATE);
  pair.server.on("MDTM", "550 20010203040506 /a: No such file").on(
    "SITE",
    "213 UTIME OK",
  );
  await pair.ftp.setMtime("/a", DATE);
  assertEquals(pair.commands, [
    "MFMT 20010203040506 /a",
    "MDTM 20010203040506 /a",
    "MDTM 20010203040506 /a",
    "MDTM 20010203040506 /a",
    "SITE UTIME 20010203040506 /a",
  ]);
});

Deno.test("FTP.setMtime does not take the time of another file for success", async () => {
  await using pair = await Pair.make();
  pair.server.on("MFMT", UNKNOWN).on("SITE", UNKNOWN).on(
    "MDTM",
    "213 19990101000000",
  );
  await assertRejects(() => pair.ftp.setMtime("/a", DATE), FTPPermanentError);
  pair.server.on("MDTM", "213 20010203040506");
  await pair.ftp.setMtime("/a", DATE);
});

Deno.test("FTP.setMtime rejects with the server's words", async () => {
  await using pair = await Pair.make();
  pair.server.on("MFMT", "550 No such file");
  await assertRejects(
    () => pair.ftp.setMtime("/a", DATE),
    FTPPermanentError,
    'Cannot set the time of "/a": 550 No such file',
  );
  assertEquals(pair.commands.length, 1);
  await assertRejects(() => pair.ftp.setMtime("/a", new Date(NaN)), RangeError);
});

Deno.test("FTP.features asks FEAT once", async () => {
  await using pair = await Pair.make();
  const features = await pair.ftp.features();
  assertEquals(features.get("REST"), "STREAM");
  assertEquals(features.has("MLST"), true);
  assertEquals(await pair.ftp.features(), features);
  assertEquals(pair.commands, ["FEAT"]);
});

Deno.test("FTP.features is empty where FEAT is refused", async () => {
  await using pair = await Pair.make();
  pair.server.on("FEAT", UNKNOWN);
  assertEquals((await pair.ftp.features()).size, 0);
});

Deno.test("FTP.setMtime refuses a date that no server could take, and sends nothing", async () => {
  await using pair = await Pair.make();
  for (const date of ["", "-000001-01-01", "0000-12-31", "+010000-01-01"]) {
    await assertRejects(
      () => pair.ftp.setMtime("/a", new Date(date)),
      RangeError,
      'Cannot set the time of "/a": the date must be one of the years 1 to 9999',
    );
  }
  assertEquals(pair.commands, []);
});
