import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ProgressTracker, RateLimiter } from "../../lib/files/progress.ts";
import { collisionKey } from "../../lib/mirror/snapshot.ts";
import type { FTPOptions, MirrorProgress } from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { Pair } from "../testing/scripted_listings.ts";
import type { Handler } from "../testing/scripted/mod.ts";
import { foldNames } from "./folding_disk.ts";
import { failuresOf, Notes, readTree, type Tree, writeTree } from "./tree.ts";

/** Has a server answer a command when so many have come at once. */
function together(pair: Pair, verb: string, count: number): void {
  let missing = count;
  const all = Promise.withResolvers<void>();
  pair.server.on(verb, async (turn) => {
    if (--missing === 0) all.resolve();
    await all.promise;
    await turn.default();
  });
}

/** A server with files, named by their paths; what is in them is their path. */
async function serverWith(
  paths: readonly string[],
  options: FTPOptions = {},
): Promise<Pair> {
  return await Pair.make(
    Object.fromEntries(paths.map((path) => [`/${path}`, path])),
    options,
  );
}

function treeOf(paths: readonly string[]): Tree {
  return Object.fromEntries(paths.map((path) => [path, path]));
}

function count({ server }: Pair, verb: string): number {
  return server.verbs.filter((other) => other === verb).length;
}

const FILES = Array.from({ length: 12 }, (_, i) => `file ${i}`);

const TREE = FILES.map((name, i) => `d${i % 4}/e/${name}`);

Deno.test("FTP.downloadDir transfers over several connections at once", async () => {
  await using pair = await serverWith(FILES);
  using folder = new LocalFolder();
  together(pair, "RETR", 4);
  const result = await pair.ftp.downloadDir("", folder.path, {
    connections: 4,
  });
  assertEquals([result.transferred, result.bytes], [
    FILES.length,
    FILES.join("").length,
  ]);
  assertEquals(readTree(folder.path), treeOf(FILES));
  assertEquals(await pair.ftp.pwd(), "/");
  await pair.ftp.quit();
  assertEquals([count(pair, "USER"), count(pair, "QUIT")], [4, 4]);
});

Deno.test("FTP.uploadDir transfers over several connections at once", async () => {
  await using pair = await Pair.make();
  using folder = new LocalFolder();
  writeTree(folder.path, treeOf(FILES));
  together(pair, "STOR", 4);
  const { transferred } = await pair.ftp.uploadDir(folder.path, "", {
    connections: 4,
  });
  assertEquals(transferred, FILES.length);
  assertEquals([...pair.server.files.keys()].sort(), [
    ...FILES.map((name) => `/${name}`).sort(),
  ]);
  await pair.ftp.quit();
  assertEquals([count(pair, "USER"), count(pair, "QUIT")], [4, 4]);
});

Deno.test("FTP.downloadDir lists directories over several connections at once", async () => {
  await using pair = await serverWith(TREE);
  using folder = new LocalFolder();
  let missing = 4;
  const all = Promise.withResolvers<void>();
  pair.server.on("MLSD", async (turn) => {
    if (turn.argument !== "" && --missing === 0) all.resolve();
    if (turn.argument !== "") await all.promise;
    await turn.default();
  });
  const { transferred, made } = await pair.ftp.downloadDir("", folder.path, {
    connections: 4,
    retry: false,
  });
  assertEquals([transferred, made], [TREE.length, 8]);
  assertEquals(readTree(folder.path), treeOf(TREE));
});

Deno.test("FTP.uploadDir makes directories over several connections at once", async () => {
  await using pair = await Pair.make();
  using folder = new LocalFolder();
  writeTree(folder.path, treeOf(TREE));
  together(pair, "STOR", 3);
  const { made } = await pair.ftp.uploadDir(folder.path, "", {
    connections: 3,
  });
  assertEquals(made, 8);
  assertEquals([...pair.server.files.keys()].sort(), [
    ...TREE.map((name) => `/${name}`).sort(),
  ]);
});

Deno.test("FTP.downloadDir opens further connections while the listing is confirmed", async () => {
  await using pair = await serverWith(FILES, { timeout: 20_000 });
  using folder = new LocalFolder();
  let missing = 3;
  const all = Promise.withResolvers<void>();
  pair.server.on("PASS", async (turn) => {
    await turn.default();
    if (--missing === 0) all.resolve();
  });
  pair.server.on("MLSD", async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    const lines = FILES.map((name) => `type=file;size=${name.length}; ${name}`);
    await data.write(lines.map((line) => `${line}\r\n`).join(""));
    data.close();
    await all.promise;
    await turn.reply(226, "Done");
  });
  const { transferred } = await pair.ftp.downloadDir("", folder.path, {
    connections: 4,
  });
  assertEquals([transferred, missing], [FILES.length, 0]);
  assertEquals(count(pair, "USER"), 4);
});

Deno.test("FTP.uploadDir opens further connections while its target is created", async () => {
  await using pair = await Pair.make({}, { timeout: 20_000 });
  using folder = new LocalFolder();
  writeTree(folder.path, treeOf(FILES));
  let missing = 3;
  const all = Promise.withResolvers<void>();
  pair.server.on("PASS", async (turn) => {
    await turn.default();
    if (--missing === 0) all.resolve();
  });
  pair.server.on("MKD", async (turn) => {
    await all.promise;
    await turn.default();
  });
  const { transferred } = await pair.ftp.uploadDir(folder.path, "new", {
    connections: 4,
  });
  assertEquals([transferred, missing], [FILES.length, 0]);
  assertEquals(count(pair, "USER"), 4);
});

Deno.test("FTP.downloadDir leaves the replies to QUIT to the end of the client", async () => {
  let replies = 0;
  await using pair = await serverWith(FILES, {
    timeout: 20_000,
    trace: ({ text }) => {
      if (text.startsWith("221")) replies++;
    },
  });
  using folder = new LocalFolder();
  const [own] = pair.server.sessions;
  const isEnding = Promise.withResolvers<void>();
  pair.server.on("QUIT", async (turn) => {
    if (turn.session === own) isEnding.resolve();
    await isEnding.promise;
    await turn.default();
  });
  await pair.ftp.downloadDir("", folder.path, { connections: 3 });
  await pair.ftp.quit();
  assertEquals([count(pair, "USER"), replies], [3, 3]);
});

Deno.test("FTP.downloadDir opens no connection while those of an earlier call are leaving", async () => {
  await using pair = await serverWith(FILES, { timeout: 20_000 });
  using folder = new LocalFolder();
  const isBusy = Promise.withResolvers<void>();
  pair.server.once("QUIT", async (turn) => {
    await isBusy.promise;
    await turn.default();
  });
  const options = { connections: 2 };
  await pair.ftp.downloadDir("", folder.at("1"), options);
  let logins = 0;
  const isOpened = Promise.withResolvers<void>();
  pair.server.once("PASS", async (turn) => {
    await turn.default();
    isOpened.resolve();
  });
  pair.server.on("RETR", async (turn) => {
    logins ||= count(pair, "USER");
    isBusy.resolve();
    await turn.default();
    await isOpened.promise;
  });
  await pair.ftp.downloadDir("", folder.at("2"), options);
  await pair.ftp.quit();
  assertEquals([logins, count(pair, "USER")], [2, 3]);
});

Deno.test("FTP.quit sends nothing more while connections of a mirror are leaving", async () => {
  await using pair = await serverWith(FILES, { timeout: 20_000 });
  using folder = new LocalFolder();
  const [own] = pair.server.sessions;
  const isEnding = Promise.withResolvers<void>();
  pair.server.on("QUIT", async (turn) => {
    if (turn.session === own) return await turn.reply(221, "Bye");
    await isEnding.promise;
    await turn.default();
  });
  await pair.ftp.downloadDir("", folder.path, { connections: 3 });
  const quitting = pair.ftp.quit();
  await assertRejects(
    () => pair.ftp.size("file 1"),
    Deno.errors.NotConnected,
    "quit() was called",
  );
  isEnding.resolve();
  assertEquals((await quitting).code, 221);
  assertEquals([count(pair, "USER"), count(pair, "QUIT")], [3, 3]);
});

Deno.test("FTP.downloadDir leaves no connection behind after close()", async () => {
  await using pair = await serverWith(FILES);
  using folder = new LocalFolder();
  together(pair, "RETR", 3);
  let files = 0;
  const onEntry = () => {
    if (++files === 6) pair.ftp.close();
  };
  await assertRejects(
    () => pair.ftp.downloadDir("", folder.path, { connections: 3, onEntry }),
    Deno.errors.NotConnected,
    "close() was called",
  );
  await Promise.all(pair.server.sessions.map(({ peer }) => peer.closed));
  assertEquals([count(pair, "USER"), count(pair, "QUIT")], [3, 0]);
});

Deno.test("FTP.downloadDir opens no connection without work for it", async () => {
  await using pair = await serverWith(["one"]);
  using folder = new LocalFolder();
  await pair.ftp.downloadDir("", folder.path, { connections: 4 });
  assertEquals(count(pair, "USER"), 1);
  for (const name of FILES) pair.server.put(`/${name}`, name);
  await pair.ftp.downloadDir("", folder.path, { connections: 2 });
  assertEquals(count(pair, "USER"), 2);
  const { unchanged } = await pair.ftp.downloadDir("", folder.path, {
    connections: 4,
  });
  assertEquals([unchanged, count(pair, "USER")], [13, 2]);
});

Deno.test("FTP.uploadDir and downloadDir open no connection in a dry run", async () => {
  await using pair = await serverWith(TREE);
  using folder = new LocalFolder();
  const options = { connections: 4, dryRun: true };
  await pair.ftp.downloadDir("", folder.path, options);
  writeTree(folder.path, treeOf(TREE.map((path) => `new ${path}`)));
  await pair.ftp.uploadDir(folder.path, "", options);
  assertEquals(pair.server.sessions.length, 1);
});

Deno.test("FTP.downloadDir is in the client's directory on every connection", async () => {
  await using pair = await serverWith(FILES.map((name) => `pub/${name}`));
  using folder = new LocalFolder();
  await pair.ftp.cwd("pub");
  together(pair, "RETR", 3);
  await pair.ftp.downloadDir("", folder.path, { connections: 3 });
  assertEquals(folder.names(), FILES.toSorted());
});

Deno.test("FTP.uploadDir rejects an invalid number of connections", async () => {
  await using pair = await Pair.make();
  using folder = new LocalFolder();
  for (const connections of [0, -1, 1.5, NaN, Infinity]) {
    await assertRejects(
      () => pair.ftp.uploadDir(folder.path, "", { connections }),
      RangeError,
      `Cannot use ${connections} connections: it must be an integer, 1 or more, or "auto"`,
    );
  }
  assertEquals(pair.commands, []);
});

const REFUSALS: [what: string, verb: string, refuse: Handler][] = [
  ["421 to the greeting", "connect", (turn) => turn.reply(421, "Too many")],
  ["530 to the login", "PASS", (turn) => turn.reply(530, "Too many users")],
  ["a reset", "connect", (turn) => turn.reset()],
];

for (const [what, verb, refuse] of REFUSALS) {
  Deno.test(`FTP.downloadDir uses the connections that the server allows: ${what}`, async () => {
    await using pair = await serverWith(FILES);
    using folder = new LocalFolder();
    let isFirst = true;
    const refused = Promise.withResolvers<void>();
    pair.server.on(verb, async (turn) => {
      const isWelcome = isFirst;
      isFirst = false;
      if (isWelcome) return await turn.default();
      refused.resolve();
      await refuse(turn);
    });
    pair.server.on("RETR", async (turn) => {
      await refused.promise;
      await turn.default();
    });
    const { transferred } = await pair.ftp.downloadDir("", folder.path, {
      connections: 3,
      retry: false,
    });
    assertEquals(transferred, FILES.length);
    assertEquals(readTree(folder.path), treeOf(FILES));
    assert(pair.server.sessions.length <= 4, "asked again and again");
  });
}

Deno.test("FTP.downloadDir does not wait for a connection that is not there in time", async () => {
  await using pair = await serverWith(FILES, { timeout: 0 });
  using folder = new LocalFolder();
  pair.server.on("connect", (turn) => turn.stall());
  const { transferred } = await pair.ftp.downloadDir("", folder.path, {
    connections: 3,
  });
  assertEquals(transferred, FILES.length);
  assertEquals(await pair.ftp.pwd(), "/");
});

Deno.test("FTP.downloadDir continues after a file fails on one of several connections", async () => {
  await using pair = await serverWith(FILES);
  using folder = new LocalFolder();
  writeTree(folder.path, { "extra": "x" });
  together(pair, "SIZE", 3);
  pair.server.on(
    "RETR",
    (turn) =>
      turn.argument === "file 5"
        ? turn.reply(550, "Permission denied")
        : turn.default(),
  );
  const { error, failures } = await failuresOf(() =>
    pair.ftp.downloadDir("", folder.path, { connections: 3, delete: true })
  );
  assertEquals(failures, [
    'file 5: Cannot complete "RETR file 5": 550 Permission denied',
  ]);
  assertEquals([error.result.transferred, error.result.removed], [11, 0]);
  assertEquals(Deno.statSync(folder.at("extra")).size, 1);
});

Deno.test("FTP.uploadDir removes last, over several connections too", async () => {
  await using pair = await serverWith(["extra", "d0/extra", "d3/e/extra"]);
  using folder = new LocalFolder();
  writeTree(folder.path, treeOf(TREE));
  together(pair, "STOR", 3);
  const notes = new Notes();
  const { removed } = await pair.ftp.uploadDir(folder.path, "", {
    connections: 3,
    delete: true,
    onEntry: notes.take,
  });
  assertEquals(removed, 3);
  const last = notes.lines.findLastIndex((line) => line.startsWith("transfer"));
  const first = notes.lines.findIndex((line) => line.startsWith("remove"));
  assert(last < first);
  assertEquals([...pair.server.files.keys()].sort(), [
    ...TREE.map((name) => `/${name}`).sort(),
  ]);
});

Deno.test("FTP.uploadDir brings a tree in the place of a file over several connections", async () => {
  await using pair = await serverWith(["top"]);
  using folder = new LocalFolder();
  const paths = TREE.map((path) => `top/${path}`);
  writeTree(folder.path, treeOf(paths));
  together(pair, "STOR", 3);
  const { transferred, removed } = await pair.ftp.uploadDir(folder.path, "", {
    connections: 3,
    delete: true,
  });
  assertEquals([transferred, removed], [TREE.length, 1]);
  assertEquals([...pair.server.files.keys()].sort(), [
    ...paths.map((name) => `/${name}`).sort(),
  ]);
});

Deno.test("FTP.downloadDir does not write two names to one local file at once", async () => {
  const names = ["README", "other", "readme"];
  await using pair = await serverWith(names);
  using folder = new LocalFolder();
  // the first is under way until all are there, "other" until the end
  const done = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const [own] = pair.server.sessions;
  let missing = 2;
  pair.server.on("TYPE", async (turn) => {
    await turn.default(); // the last that is set before there is work
    if (turn.session !== own && --missing === 0) arrived.resolve();
  });
  pair.server.on("RETR", async (turn) => {
    if (turn.argument === "README") await arrived.promise;
    if (turn.argument === "other") await done.promise;
    await turn.default();
  });
  using _ = foldNames(folder);
  const { failures } = await failuresOf(() =>
    pair.ftp.downloadDir("", folder.path, {
      connections: 3,
      onEntry: ({ entry }) => entry.name === "readme" && done.resolve(),
    })
  );
  assertEquals(failures.length, 1);
  assertMatch(failures[0]!, /^readme: .* is the same there as "README"$/);
  assertEquals(readTree(folder.path), treeOf(["README", "other"]));
});

Deno.test("collisionKey is the same for names that a disk may not distinguish", () => {
  const alike = [
    ["README", "readme"],
    ["\u00e9t\u00e9", "e\u0301te\u0301", "\u00c9T\u00c9"],
    ["stra\u00dfe", "STRASSE"],
    ["a", "a.", "a ", "a. ."],
    ["\ufb01n", "fin"],
    ["soft\u00adhyphen", "softhyphen", "soft\u200dhyphen"],
  ];
  const keys = alike.map((names) => new Set(names.map(collisionKey)));
  for (const { size } of keys) assertEquals(size, 1);
  assertEquals(collisionKey("a") === collisionKey("b"), false);
  assertEquals(collisionKey("a.b") === collisionKey("ab"), false);
});

Deno.test("FTP.downloadDir ends all transfers with its signal", async () => {
  await using pair = await serverWith(FILES);
  using folder = new LocalFolder();
  const controller = new AbortController();
  let missing = 3;
  pair.server.on("RETR", async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    await data.write("some");
    if (--missing === 0) controller.abort(new RangeError("enough"));
    await turn.confirmAbort(data);
  });
  await assertRejects(
    () =>
      pair.ftp.downloadDir("", folder.path, {
        connections: 3,
        signal: controller.signal,
      }),
    RangeError,
    "enough",
  );
  assertEquals(folder.names(), []);
  // a connection that is in doubt is closed without a word
  assertEquals([count(pair, "ABOR"), count(pair, "QUIT")], [3, 0]);
  assertEquals(await pair.ftp.pwd(), "/");
});

Deno.test("FTP.downloadDir ends all transfers when a callback throws", async () => {
  await using pair = await serverWith(FILES);
  using folder = new LocalFolder();
  let missing = 3;
  const all = Promise.withResolvers<void>();
  pair.server.on("RETR", async (turn) => {
    const isLast = --missing === 0;
    if (isLast) all.resolve();
    await all.promise;
    if (isLast) return await turn.default();
    await turn.reply(150, "Here it comes");
    await turn.confirmAbort(await turn.openData());
  });
  let calls = 0;
  await assertRejects(
    () =>
      pair.ftp.downloadDir("", folder.path, {
        connections: 3,
        onEntry: () => {
          calls++;
          throw new SyntaxError("mine");
        },
      }),
    SyntaxError,
    "mine",
  );
  assertEquals([calls, folder.names().length], [1, 1]);
  assertEquals(await pair.ftp.pwd(), "/");
});

Deno.test("FTP.downloadDir tells how far all connections are", async () => {
  await using pair = await serverWith(FILES);
  using folder = new LocalFolder();
  together(pair, "RETR", 4);
  const seen: MirrorProgress[] = [];
  const { bytes } = await pair.ftp.downloadDir("", folder.path, {
    connections: 4,
    progressRate: Infinity,
    onProgress: (progress) => seen.push(progress),
  });
  const all = FILES.join("").length;
  assertEquals(bytes, all);
  const told = seen.map(({ bytes }) => bytes);
  assertEquals(told, told.toSorted((a, b) => a - b));
  assertEquals(told.at(-1), all);
  assertEquals(seen.filter(({ file }) => file.done).length, FILES.length);
  const files = new Set(seen.map(({ path }) => path));
  assertEquals([...files].sort(), FILES.toSorted());
});

Deno.test("FTP.downloadDir recovers each of its connections", async () => {
  await using pair = await serverWith(FILES);
  using folder = new LocalFolder();
  together(pair, "SIZE", 3);
  for (let i = 0; i < 3; i++) {
    pair.server.once("RETR", (turn) => turn.close());
  }
  const { transferred } = await pair.ftp.downloadDir("", folder.path, {
    connections: 3,
    retry: { delay: 1 },
  });
  assertEquals(transferred, FILES.length);
  assertEquals(readTree(folder.path), treeOf(FILES));
  assertEquals(count(pair, "USER"), 6);
});

Deno.test("FTP.downloadDir reports a file that failed with its connection, and continues with the others", async () => {
  await using pair = await serverWith(FILES);
  using folder = new LocalFolder();
  let missing = 3;
  const all = Promise.withResolvers<void>();
  const [own] = pair.server.sessions;
  const lost: string[] = [];
  pair.server.on("RETR", async (turn) => {
    if (--missing === 0) {
      pair.server.on("connect", (turn) => turn.reply(421, "Too many"));
      all.resolve();
    }
    await all.promise;
    if (turn.session === own) return await turn.default();
    lost.push(turn.argument);
    turn.close();
  });
  const { error, failures } = await failuresOf(() =>
    pair.ftp.downloadDir("", folder.path, {
      connections: 3,
      retry: { attempts: 1, delay: 1 },
    })
  );
  assertEquals(lost.length, 2);
  assertEquals(
    failures.map((failure) => failure.split(":")[0]).sort(),
    lost.sort(),
  );
  assertEquals([error.result.transferred, error.result.failed], [10, 2]);
  assertEquals(
    readTree(folder.path),
    treeOf(FILES.filter((name) => !lost.includes(name))),
  );
});

Deno.test("FTP.downloadDir ends if the client's own connection cannot be replaced", async () => {
  await using pair = await serverWith(FILES);
  using folder = new LocalFolder();
  let missing = 3;
  const [own] = pair.server.sessions;
  pair.server.on("RETR", async (turn) => {
    if (--missing === 0) {
      pair.server.on("connect", (turn) => turn.reply(421, "Too many"));
      own!.peer.close();
    }
    if (turn.session === own) return;
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    await turn.confirmAbort(data);
  });
  const { error } = await failuresOf(() =>
    pair.ftp.downloadDir("", folder.path, { connections: 3, retry: false })
  );
  assertMatch(error.message, /the connection is lost/);
  assertEquals(folder.names(), []);
});

Deno.test("RateLimiter limits the rate of all transfers that share it", async () => {
  const reason = new Error("no time to wait");
  const options = { maxRate: 1000, signal: AbortSignal.abort(reason) };
  const alone = new ProgressTracker(options, 1024);
  assertEquals(alone.add(90), undefined);
  assertEquals(new ProgressTracker(options, 1024).add(90), undefined);
  const pace = new RateLimiter(1000);
  assertEquals(new ProgressTracker(options, 1024, pace).add(90), undefined);
  const wait = new ProgressTracker(options, 1024, pace).add(90);
  await assertRejects(() => wait!, Error, "no time to wait");
});

for (const direction of ["up", "down"] as const) {
  const name = direction === "up" ? "uploadDir" : "downloadDir";
  Deno.test(`FTP.${name} keeps the rate of all files and connections together`, async () => {
    const tree = treeOf(FILES.map((name) => name.padEnd(50, "x")));
    await using pair = await serverWith(
      direction === "down" ? Object.keys(tree) : [],
    );
    using folder = new LocalFolder();
    if (direction === "up") writeTree(folder.path, tree);
    const options = { connections: 3, maxRate: 2000 };
    const start = performance.now();
    const { bytes } = direction === "up"
      ? await pair.ftp.uploadDir(folder.path, "", options)
      : await pair.ftp.downloadDir("", folder.path, options);
    // but for the first tenth of a second, and what clocks round off
    const least = bytes * 1000 / options.maxRate - 110;
    assertEquals(bytes, 600);
    assert(performance.now() - start >= least);
  });
}
