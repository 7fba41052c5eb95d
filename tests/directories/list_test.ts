import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { breakAfterFirst } from "../break_after_first.ts";
import {
  type Entry,
  FTPPermanentError,
  FTPProtocolError,
  FTPTemporaryError,
} from "../../mod.ts";
import {
  fact,
  hangsAfter,
  namesOf,
  Pair,
  sendLines,
  sends,
  unix,
  UNKNOWN,
} from "../testing/scripted_listings.ts";

Deno.test("FTP.list gives the entries of MLSD", async () => {
  await using pair = await Pair.make({ "/d/a.txt": "12345", "/d/sub/b": "" });
  const entries = await Array.fromAsync(pair.ftp.list("/d"));
  assertEquals(entries.map(({ name, kind, size }) => [name, kind, size]), [
    ["a.txt", "file", 5],
    ["sub", "directory", undefined],
  ]);
  assertEquals(entries[0]!.mtime, new Date("2024-02-29T12:34:56Z"));
  assertEquals(pair.commands, ["MLSD /d"]);
});

Deno.test("FTP.list gives entries before the data connection ends", async () => {
  await using pair = await Pair.make();
  const seen = Promise.withResolvers<void>();
  pair.server.on("MLSD", async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    for (let i = 0; i < 20; i++) await data.write(`${fact(`f${i}`)}\r\n`);
    await seen.promise; // the rest comes when the first was seen, or never
    await data.write(`${fact("last")}\r\n`);
    data.close();
    await data.closed;
    await turn.reply(226, "Done");
  });
  const names: string[] = [];
  for await (const { name } of pair.ftp.list()) {
    names.push(name);
    seen.resolve();
  }
  assertEquals(names.length, 21);
  assertEquals(names.at(-1), "last");
});

Deno.test("FTP.list ends only after the final reply", async () => {
  await using pair = await Pair.make();
  pair.server.on("MLSD", async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    for (let i = 0; i < 20; i++) await data.write(`${fact(`f${i}`)}\r\n`);
    data.close();
    await data.closed;
    await turn.reply(451, "The disk broke");
  });
  const error = await assertRejects(
    () => namesOf(pair.ftp.list()),
    FTPTemporaryError,
  );
  assertEquals(error.message, 'Cannot complete "MLSD": 451 The disk broke');
  assertEquals(await pair.ftp.pwd(), "/");
});

Deno.test("FTP.list that is left early aborts the transfer and leaves the connection usable", async () => {
  await using pair = await Pair.make({ "/a": "" });
  pair.server.once("MLSD", hangsAfter(`${fact("x")}\r\n`.repeat(20)));
  for await (const { name } of pair.ftp.list()) {
    assertEquals(name, "x");
    break;
  }
  assertEquals(await pair.ftp.pwd(), "/");
  assertEquals(await namesOf(pair.ftp.list()), ["a"]);
  assert(pair.commands.includes("ABOR"));
});

Deno.test("FTP.list that is left early reads a short listing to its end", async () => {
  await using pair = await Pair.make();
  pair.server.on("MLSD", sends(...Array(20).fill(fact("x"))));
  await breakAfterFirst(pair.ftp.list());
  assertEquals(await pair.ftp.pwd(), "/");
  assertEquals(pair.commands, ["MLSD", "PWD"]);
});

Deno.test("FTP.list is not deceived by the rest of a listing that was aborted", async () => {
  await using pair = await Pair.make({ "/a": "" });
  // ProFTPD and Pure-FTPd put what they had in hand before the next listing
  const left = new WeakSet<object>();
  pair.server.on("MLSD", async (turn) => {
    if (left.has(turn.session)) {
      return await sendLines(turn, ["24;size=1; y", fact("x"), fact("a")]);
    }
    if (turn.server.sessions.length > 1) return await turn.default();
    left.add(turn.session);
    await hangsAfter(`${fact("x")}\r\n`.repeat(20))(turn);
  });
  await breakAfterFirst(pair.ftp.list());
  assertEquals(await namesOf(pair.ftp.list()), ["a"]);
  assertEquals(await namesOf(pair.ftp.list()), ["a"]);
  assertEquals(pair.server.sessions.length, 2);
});

Deno.test("FTP.list rejects with the reason of its signal and leaves the connection usable", async () => {
  await using pair = await Pair.make({ "/a": "" });
  pair.server.once("MLSD", hangsAfter(`${fact("x")}\r\n`.repeat(20)));
  const controller = new AbortController();
  const reason = new Error("Enough");
  const error = await assertRejects(async () => {
    for await (const _ of pair.ftp.list("", { signal: controller.signal })) {
      controller.abort(reason);
    }
  });
  assertEquals(error, reason);
  assertEquals(await namesOf(pair.ftp.list()), ["a"]);
});

Deno.test("FTP.list refuses other commands while it is open, and continues", async () => {
  await using pair = await Pair.make();
  pair.server.on("MLSD", sends(...Array(20).fill(fact("x"))));
  let count = 0;
  for await (const _ of pair.ftp.list()) {
    if (count++ === 0) {
      await assertRejects(() => pair.ftp.pwd(), Deno.errors.Busy);
    }
  }
  assertEquals(count, 20);
});

for (const count of [1, 3, 50, 5000]) {
  Deno.test(`FTP.list refuses other commands in every turn of its loop, over ${count} names by MLSD and by LIST`, async () => {
    const files = Array.from({ length: count }, (_, i) => [`/f${i}`, ""]);
    await using pair = await Pair.make(Object.fromEntries(files));
    const { ftp } = pair;
    for (const command of ["MLSD", "LIST"] as const) {
      let met = 0;
      for await (const { name } of ftp.list("", { command })) {
        met++;
        if (met > 2 && met < count) continue;
        const error = await assertRejects(
          () => ftp.download(name, "/nowhere/at/all"),
          Deno.errors.Busy,
        );
        assertStringIncludes(
          error.message,
          `the transfer "${command}" is open; finish the loop or break out of it, collect the entries first (Array.fromAsync), or use walk()`,
        );
      }
      assertEquals(met, count);
      assertEquals(await ftp.pwd(), "/");
      await breakAfterFirst(ftp.list("", { command }));
      assertEquals(await ftp.pwd(), "/");
    }
  });
}

Deno.test("FTP.list gives sizes that can be added up, and none that is rounded", async () => {
  await using pair = await Pair.make({ "/a": "123", "/b": "45" });
  let total = 0;
  for await (const { size } of pair.ftp.list()) total += size ?? 0;
  assertEquals(total, 5);
  pair.server.on("MLSD", sends(fact("x", "file", "size=9007199254740993;")));
  const [entry] = await Array.fromAsync(pair.ftp.list());
  assertEquals(entry!.size, undefined);
  assertEquals(entry!.facts?.size, "9007199254740993");
});

Deno.test("FTP.list leaves the connection usable when it is left at its last name", async () => {
  await using pair = await Pair.make({ "/a": "" });
  const { ftp } = pair;
  await breakAfterFirst(ftp.list());
  const left = await assertRejects(async () => {
    for await (const _ of ftp.list()) throw new Error("Mine");
  });
  assertEquals((left as Error).message, "Mine");
  assertEquals(await namesOf(ftp.list()), ["a"]);
  assertEquals(pair.commands, ["MLSD", "MLSD", "MLSD"]);
});

for (const code of [500, 502, 504]) {
  Deno.test(`FTP.list falls back to LIST when MLSD is answered with ${code}, and remembers it`, async () => {
    await using pair = await Pair.make({ "/a": "", "/b": "" });
    pair.server.on("MLSD", `${code} What is that?`);
    assertEquals(await namesOf(pair.ftp.list()), ["a", "b"]);
    assertEquals(await namesOf(pair.ftp.list()), ["a", "b"]);
    assertEquals(pair.commands, ["MLSD", "LIST", "LIST"]);
  });
}

Deno.test("FTP.list remembers that MLSD is unknown also after an empty directory", async () => {
  await using pair = await Pair.make();
  pair.server.on("MLSD", UNKNOWN);
  assertEquals(await namesOf(pair.ftp.list()), []);
  assertEquals(await namesOf(pair.ftp.list()), []);
  assertEquals(
    pair.commands.filter((line) => /^(MLSD|LIST$)/.test(line)),
    ["MLSD", "LIST", "LIST"],
  );
});

Deno.test("FTP.list does not wait for its turn when its signal is aborted", async () => {
  await using pair = await Pair.make({ "/a": "" });
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  pair.server.on("CDUP", async (turn) => {
    await answered;
    await turn.default();
  });
  const before = pair.ftp.cwd(".."); // takes a turn alone
  const reason = new Error("Enough");
  const controller = new AbortController();
  const listing = namesOf(pair.ftp.list("", { signal: controller.signal }));
  controller.abort(reason);
  assertEquals(await listing.catch((error) => error), reason);
  answer();
  await before.catch(() => {});
  assertEquals(await namesOf(pair.ftp.list()), ["a"]);
});

Deno.test("FTP.list tries MLSD regardless of FEAT", async () => {
  await using pair = await Pair.make({ "/a": "" });
  pair.server.on("FEAT", "211 No features");
  assertEquals((await pair.ftp.features()).size, 0);
  assertEquals(await namesOf(pair.ftp.list()), ["a"]);
  assertEquals(pair.commands, ["FEAT", "MLSD"]);
});

Deno.test("FTP.list gives a first MLSD up that sends nothing, and remembers it", async () => {
  await using pair = await Pair.make({ "/a": "" }, { timeout: 600 });
  pair.server.on("MLSD", hangsAfter(""));
  assertEquals(await namesOf(pair.ftp.list()), ["a"]);
  assertEquals(await namesOf(pair.ftp.list()), ["a"]);
  assertEquals(
    pair.server.commands.filter((line) => line === "MLSD").length,
    1,
  );
});

Deno.test("FTP.list gives a first MLSD up that is not answered", async () => {
  await using pair = await Pair.make({ "/a": "" }, { timeout: 600 });
  pair.server.on("MLSD", async (turn) => {
    await turn.server.received("ABOR");
    await turn.reply(426, "Aborted");
  });
  assertEquals(await namesOf(pair.ftp.list()), ["a"]);
});

Deno.test("FTP.list does not time a MLSD that has sent something", async () => {
  await using pair = await Pair.make({}, { timeout: 600 });
  pair.server.on("MLSD", async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    await data.write(`${fact("a")}\r\n`);
    await new Promise((resolve) => setTimeout(resolve, 300)); // > a third of 600
    await data.write(`${fact("b")}\r\n`);
    data.close();
    await data.closed;
    await turn.reply(226, "Done");
  });
  assertEquals(await namesOf(pair.ftp.list()), ["a", "b"]);
  assertEquals(pair.commands, ["MLSD"]);
});

Deno.test("FTP.list does not believe a first MLSD that gives nothing", async () => {
  await using pair = await Pair.make({ "/a": "" });
  pair.server.on("MLSD", sends());
  assertEquals(await namesOf(pair.ftp.list()), ["a"]);
  assertEquals(await namesOf(pair.ftp.list()), ["a"]);
  assertEquals(pair.commands, ["MLSD", "LIST", "LIST"]);
});

Deno.test("FTP.list believes an empty MLSD once another gave entries", async () => {
  await using pair = await Pair.make();
  pair.server.once("MLSD", sends(fact("a")));
  pair.server.once("MLSD", sends());
  assertEquals(await namesOf(pair.ftp.list()), ["a"]);
  assertEquals(await namesOf(pair.ftp.list()), []);
  assertEquals(pair.commands, ["MLSD", "MLSD"]);
});

Deno.test("FTP.list believes a MLSD that gives only the directory itself", async () => {
  await using pair = await Pair.make();
  pair.server.on("MLSD", sends(fact(".", "cdir"), fact("..", "pdir")));
  assertEquals(await namesOf(pair.ftp.list()), []);
  assertEquals(pair.commands, ["MLSD"]);
});

Deno.test("FTP.list asks MLSD again after an empty directory", async () => {
  await using pair = await Pair.make({ "/a": "" });
  pair.server.once("MLSD", sends());
  pair.server.once("LIST", sends("total 0"));
  assertEquals(await namesOf(pair.ftp.list()), []);
  assertEquals(await namesOf(pair.ftp.list()), ["a"]);
  assertEquals(pair.commands, ["MLSD", "LIST", "MLSD"]);
});

Deno.test("FTP.list uses LIST if the lines of MLSD cannot be parsed", async () => {
  await using pair = await Pair.make({ "/a": "" });
  pair.server.on("MLSD", sends(...Array(500).fill("<html>Error</html>")));
  assertEquals(await namesOf(pair.ftp.list()), ["a"]);
  assertEquals(await namesOf(pair.ftp.list()), ["a"]);
  assertEquals(pair.commands.filter((line) => line === "MLSD").length, 1);
});

Deno.test("FTP.list shows a refusal of MLSD that is about the path", async () => {
  await using pair = await Pair.make();
  const error = await assertRejects(
    () => namesOf(pair.ftp.list("/nope")),
    FTPPermanentError,
  );
  assertEquals(
    error.message,
    'Cannot complete "MLSD /nope": 550 No such folder',
  );
  assertEquals(pair.commands.includes("LIST"), false);
});

const NOTHING = [
  "450 No files found",
  "550 No files found",
  "550 No such file or directory",
  "550 The directory is empty",
  "550 No members found",
  "450 /d: File not found",
];

for (const refusal of NOTHING) {
  for (const verb of ["MLSD", "LIST"]) {
    Deno.test(`FTP.list takes "${refusal}" to ${verb} for an empty directory where there is one`, async () => {
      await using pair = await Pair.make({ "/d/a": "" });
      if (verb === "LIST") pair.server.on("MLSD", UNKNOWN);
      pair.server.on(verb, refusal);
      assertEquals(await namesOf(pair.ftp.list("/d")), []);
      assertEquals(await namesOf(pair.ftp.list("")), []);
      assertEquals(await pair.ftp.pwd(), "/");
      const error = await assertRejects(() => namesOf(pair.ftp.list("/nope")));
      assert((error as Error).message.includes(
        verb === "LIST" ? "550 No such folder" : refusal,
      ));
    });
  }
}

Deno.test("FTP.list takes a 450 after 150 for an empty directory too", async () => {
  await using pair = await Pair.make({ "/d/a": "" });
  pair.server.on("MLSD", async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    data.close();
    await data.closed;
    await turn.reply(450, "No files found");
  });
  assertEquals(await namesOf(pair.ftp.list("/d")), []);
});

Deno.test("FTP.list does not take want of permission for an empty directory", async () => {
  await using pair = await Pair.make({ "/d/a": "" });
  pair.server.on("MLSD", "550 Permission denied");
  await assertRejects(() => namesOf(pair.ftp.list("/d")), FTPPermanentError);
});

const PATHS = ["/d x", "-l", "a[1]", "*", " lead", "trail ", "plain"];

for (const path of PATHS) {
  Deno.test(`FTP.list asks LIST in the directory ${JSON.stringify(path)} itself, and comes back`, async () => {
    const folder = path.startsWith("/") ? path : `/${path}`;
    await using pair = await Pair.make({
      [`${folder}/inner`]: "",
      "/outer": "",
    });
    pair.server.on("MLSD", UNKNOWN);
    assertEquals(await namesOf(pair.ftp.list(path)), ["inner"]);
    assertEquals(pair.commands, [
      "MLSD " + path,
      "PWD",
      `CWD ${path}`,
      "LIST",
      "CWD /",
    ]);
    assertEquals((await namesOf(pair.ftp.list())).includes("outer"), true);
  });
}

Deno.test("FTP.list comes back when LIST is refused", async () => {
  await using pair = await Pair.make({ "/d x/inner": "" });
  pair.server.on("MLSD", UNKNOWN).on("LIST", "451 Not now");
  await assertRejects(() => namesOf(pair.ftp.list("/d x")), FTPTemporaryError);
  assertEquals(await pair.ftp.pwd(), "/");
});

Deno.test("FTP.list comes back when its loop is left", async () => {
  await using pair = await Pair.make({ "/d x/inner": "" });
  pair.server.on("MLSD", UNKNOWN);
  pair.server.on("LIST", hangsAfter(`${unix("inner")}\r\n`.repeat(20)));
  await breakAfterFirst(pair.ftp.list("/d x"));
  assertEquals(await pair.ftp.pwd(), "/");
});

Deno.test("FTP.list comes back when it is aborted on its way", async () => {
  await using pair = await Pair.make({ "/d x/inner": "" });
  const controller = new AbortController();
  pair.server.on("MLSD", UNKNOWN);
  pair.server.on("CWD", async (turn) => {
    controller.abort(new Error("Enough"));
    await turn.default();
  });
  const { signal } = controller;
  await assertRejects(
    () => namesOf(pair.ftp.list("/d x", { signal })),
    Error,
    "Enough",
  );
  assertEquals(await pair.ftp.pwd(), "/");
});

Deno.test("FTP.list closes a connection that cannot come back", async () => {
  await using pair = await Pair.make({ "/d x/inner": "" });
  pair.server.on("MLSD", UNKNOWN).on("CWD", async (turn) => {
    if (turn.argument === "/") await turn.reply(550, "Gone");
    else await turn.default();
  });
  const error = await assertRejects(() => namesOf(pair.ftp.list("/d x")));
  assert((error as Error).message.startsWith('Cannot return to "/"'));
  await assertRejects(() => pair.ftp.pwd(), Deno.errors.NotConnected);
});

Deno.test("FTP.list sends no other command between CWD and LIST", async () => {
  await using pair = await Pair.make({ "/d x/inner": "", "/f": "1" });
  pair.server.on("MLSD", UNKNOWN);
  const listing = namesOf(pair.ftp.list("/d x"));
  await pair.server.received("CWD");
  const sizes = ["f", "f", "f"].map((path) =>
    pair.ftp.size(path).catch((error) => error)
  );
  assertEquals(await listing, ["inner"]);
  for (const size of await Promise.all(sizes)) {
    assert(size === 1 || size instanceof Deno.errors.Busy, String(size));
  }
});

Deno.test("FTP.list passes the path to LIST if the current directory is unknown", async () => {
  await using pair = await Pair.make({ "/d/inner": "" });
  pair.server.on("MLSD", UNKNOWN).on("PWD", UNKNOWN);
  assertEquals(await namesOf(pair.ftp.list("/d")), ["inner"]);
  assertEquals(pair.commands, ["MLSD /d", "PWD", "LIST /d"]);
});

Deno.test("FTP.list sends bytes of a path as they are", async () => {
  await using pair = await Pair.make();
  let bytes: Uint8Array | undefined;
  pair.server.on("MLSD", (turn) => {
    bytes = turn.bytes;
    return sendLines(turn, [fact("a")]);
  });
  const path = Uint8Array.of(0x2f, 0xe9, 0x20, 0xfe);
  assertEquals(await namesOf(pair.ftp.list(path)), ["a"]);
  const sent = [...new TextEncoder().encode("MLSD "), ...path];
  assertEquals([...bytes!], sent);
});

Deno.test("FTP.list names round-trip as bytes where they are no text", async () => {
  await using pair = await Pair.make();
  const raw = Uint8Array.of(0x66, 0xe9, 0x20, 0xfe, 0x20);
  const line = new Uint8Array([...new TextEncoder().encode(fact("")), ...raw]);
  pair.server.on("MLSD", sends(line));
  const [entry] = await Array.fromAsync(pair.ftp.list());
  assertEquals(entry!.rawName, raw);
  const seen: Uint8Array[] = [];
  pair.server.on("DELE", async (turn) => {
    seen.push(turn.bytes);
    await turn.reply(250, "Deleted");
  });
  await pair.ftp.delete(entry!.rawName);
  await pair.ftp.delete(entry!.name);
  const sent = [...new TextEncoder().encode("DELE "), ...raw];
  assertEquals(seen.map((bytes) => [...bytes]), [sent, sent]);
});

Deno.test("FTP.list asks for hidden names only with all", async () => {
  await using pair = await Pair.make();
  pair.server.on("MLSD", UNKNOWN);
  pair.server.on(
    "LIST",
    (turn) =>
      sendLines(
        turn,
        turn.argument === "-a"
          ? [unix(".", "d"), unix(".h"), unix("a")]
          : [unix("a")],
      ),
  );
  assertEquals(await namesOf(pair.ftp.list()), ["a"]);
  assertEquals(await namesOf(pair.ftp.list("", { all: true })), [".h", "a"]);
  assertEquals(pair.commands, ["MLSD", "LIST", "LIST -a"]);
});

for (
  const [what, answer] of [
    ["is refused", "550 -a: No such file"],
    ["is a syntax error", "501 No arguments here"],
    ["gives nothing", sends()],
  ] as const
) {
  Deno.test(`FTP.list does without "-a" where LIST -a ${what}, and remembers it`, async () => {
    await using pair = await Pair.make();
    pair.server.on("MLSD", UNKNOWN);
    pair.server.on("LIST", async (turn) => {
      if (turn.argument === "") return await sendLines(turn, [unix("a")]);
      if (typeof answer === "string") await turn.raw(`${answer}\r\n`);
      else await answer(turn);
    });
    assertEquals(await namesOf(pair.ftp.list("", { all: true })), ["a"]);
    assertEquals(await namesOf(pair.ftp.list("", { all: true })), ["a"]);
    assertEquals(pair.commands.filter((line) => line === "LIST -a").length, 1);
  });
}

Deno.test("FTP.list reads the times of LIST in the zone it is given", async () => {
  await using pair = await Pair.make();
  pair.server.on("MLSD", UNKNOWN);
  pair.server.on("LIST", sends(unix("a", "-", "Jul  1 14:30")));
  const now = new Date("2024-08-01T00:00:00Z");
  const [entry] = await Array.fromAsync(pair.ftp.list("", { zone: 120, now }));
  assertEquals(entry!.mtime, new Date("2024-07-01T12:30:00Z"));
  assertEquals(entry!.mtimePrecision, "minute");
});

Deno.test("FTP.list infers the zone from one MDTM, once", async () => {
  await using pair = await Pair.make({ "/d x/old": "" });
  pair.server.on("MLSD", UNKNOWN);
  pair.server.on(
    "LIST",
    sends(
      unix("old", "-", "Jan  1  2020"),
      unix("sub", "d", "Jul 20 10:00"),
      unix("older", "-", "Jun  1 14:30"),
      unix("new", "-", "Jul  1 14:30"),
    ),
  );
  pair.server.on("MDTM", "213 20240701123045");
  const options = {
    zone: "infer",
    now: new Date("2024-08-01T00:00:00Z"),
  } as const;
  for (let i = 0; i < 2; i++) {
    const entries = await Array.fromAsync(pair.ftp.list("/d x", options));
    assertEquals(entries[3]!.mtime, new Date("2024-07-01T12:30:00Z"));
    assertEquals(entries.length, 4);
  }
  const asked = pair.commands.filter((line) => line.startsWith("MDTM"));
  assertEquals(asked, ["MDTM /d x/new"]);
});

Deno.test("FTP.list does without a zone where no file tells it", async () => {
  await using pair = await Pair.make();
  pair.server.on("MLSD", UNKNOWN).on("MDTM", "550 No such file");
  pair.server.on("LIST", sends(unix("a", "-", "Jul  1 14:30")));
  const options = {
    zone: "infer",
    now: new Date("2024-08-01T00:00:00Z"),
  } as const;
  const [entry] = await Array.fromAsync(pair.ftp.list("", options));
  assertEquals(entry!.mtime, new Date("2024-07-01T14:30:00Z"));
});

Deno.test("FTP.list stops at maxEntries and leaves the connection usable", async () => {
  await using pair = await Pair.make();
  pair.server.on("MLSD", sends(...Array(50).fill(fact("x"))));
  const entries: Entry[] = [];
  await assertRejects(
    async () => {
      for await (const entry of pair.ftp.list("", { maxEntries: 30 })) {
        entries.push(entry);
      }
    },
    RangeError,
    "more than 30 entries",
  );
  assertEquals(entries.length, 30);
  assertEquals(await pair.ftp.pwd(), "/");
});

Deno.test("FTP.list stops at a line beyond maxLine and leaves the connection usable", async () => {
  await using pair = await Pair.make({}, { maxLine: 1000 });
  pair.server.on(
    "MLSD",
    hangsAfter(`${fact("a")}\r\n`.repeat(20) + "x".repeat(100_000)),
  );
  await assertRejects(
    () => namesOf(pair.ftp.list()),
    FTPProtocolError,
    "1000 bytes",
  );
  assertEquals(await pair.ftp.pwd(), "/");
});

Deno.test("FTP.list returns lines that cannot be parsed, or reports them", async () => {
  await using pair = await Pair.make();
  pair.server.on("MLSD", UNKNOWN);
  pair.server.on("LIST", sends(unix("a"), "what is this?", unix("b")));
  const entries = await Array.fromAsync(pair.ftp.list());
  assertEquals(entries.map(({ name }) => name), ["a", "what is this?", "b"]);
  assertEquals(entries[1]!.kind, "unknown");
  assertEquals(entries[1]!.hostile, true);
  const lines: string[] = [];
  const onUnknown = (line: string) => lines.push(line);
  assertEquals(await namesOf(pair.ftp.list("", { onUnknown })), ["a", "b"]);
  assertEquals(lines, ["what is this?"]);
});

Deno.test("FTP.list accepts a format of the user", async () => {
  await using pair = await Pair.make();
  pair.server.on("MLSD", UNKNOWN);
  pair.server.on("LIST", sends("x|y", "z|w"));
  const format = {
    name: "mine",
    read: (line: string) => ({
      name: line.split("|")[1]!,
      kind: "file" as const,
    }),
  };
  assertEquals(await namesOf(pair.ftp.list("", { format })), ["y", "w"]);
});

Deno.test("FTP.list refuses options before anything is sent", async () => {
  await using pair = await Pair.make();
  for (
    const options of [{ maxEntries: -1 }, { zone: NaN }, {
      zone: "local" as "infer",
    }]
  ) {
    await assertRejects(() => namesOf(pair.ftp.list("", options)), RangeError);
  }
  assertEquals(pair.commands, []);
});

Deno.test("FTP.list proves MLSD by the parent of a first empty directory, and once for all", async () => {
  await using pair = await Pair.make({ "/d/e/in": "", "/d/f/in": "" });
  const { ftp, server } = pair;
  server.files.delete("/d/e/in");
  server.files.delete("/d/f/in");
  assertEquals(await namesOf(ftp.list("/d/e")), []);
  assertEquals(pair.commands.splice(0), [
    "MLSD /d/e",
    "MLSD /d/e/..",
    "PWD",
    "CWD /d/e",
    "CWD /",
  ]);
  const before = pair.commands.length;
  assertEquals(await namesOf(ftp.list("d/f")), []);
  assertEquals(pair.commands.slice(before), ["MLSD d/f", "CWD d/f", "CWD /"]);
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.list asks LIST where MLSD gives nothing of an empty directory's parent either", async () => {
  for (const parent of [sends(), "550 No such path", "501 No dots"]) {
    await using pair = await Pair.make({ "/d/e/in": "" });
    const { ftp, server } = pair;
    server.on("MLSD", async (turn) => {
      if (!turn.argument.endsWith("..")) await turn.send("");
      else if (typeof parent === "string") await turn.raw(`${parent}\r\n`);
      else await parent(turn);
    });
    server.once("LIST", sends());
    assertEquals(await namesOf(ftp.list("/d/e")), []);
    assertEquals(await namesOf(ftp.list("/d/e")), ["in"]);
    assertEquals(pair.commands.filter((line) => /^(MLSD|LIST)/.test(line)), [
      "MLSD /d/e",
      "MLSD /d/e/..",
      "LIST",
      "MLSD /d/e",
      "LIST",
    ]);
    assertEquals(await ftp.pwd(), "/");
  }
});

Deno.test("FTP.list leaves the parent of an empty directory early, and stays usable", async () => {
  await using pair = await Pair.make({ "/d/e/in": "" });
  const { ftp, server } = pair;
  server.files.delete("/d/e/in");
  const lines = Array.from({ length: 20_000 }, (_, i) => fact(`f${i}`));
  server.on("MLSD", async (turn) => {
    await sendLines(turn, turn.argument.endsWith("..") ? lines : []);
  });
  assertEquals(await namesOf(ftp.list("/d/e")), []);
  assertEquals(await ftp.pwd(), "/");
  assertEquals(server.sessions.length, 1);
});

Deno.test("FTP.list takes no missing directory for an empty one, although MLSD lists its parent", async () => {
  await using pair = await Pair.make({ "/d/in": "" });
  const { ftp, server } = pair;
  server.on("MLSD", async (turn) => {
    if (turn.argument.endsWith("..")) await turn.default();
    else await turn.send("");
  });
  await assertRejects(() => namesOf(ftp.list("/d/none")), FTPPermanentError);
});
